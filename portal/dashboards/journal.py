"""The audit in sentences: what was done, in words that those accountable use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from portal.audit.actions import Action
from portal.core.actor import Actor, ActorKind
from portal.core.templatetags.ui import ABSENT, number
from portal.people.models import Membership, StaffRole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from portal.audit.selectors import AuditLine
    from portal.organisations.models import Organisation

SENTENCES: Mapping[str, str] = {
    Action.ORGANISATION_CREATED: gettext_noop("created the organisation"),
    Action.SETTINGS_CHANGED: gettext_noop("changed the settings"),
    Action.SETUP_LINK_CREATED: gettext_noop("made a set-up link for IT"),
    Action.SETUP_LINK_REVOKED: gettext_noop("withdrew a set-up link"),
    Action.DOMAIN_CLAIMED: gettext_noop("claimed the e-mail domain %(domain)s"),
    Action.DOMAIN_VERIFIED: gettext_noop("verified the e-mail domain %(domain)s"),
    Action.DOMAIN_LOST: gettext_noop("lost the e-mail domain %(domain)s: its record is missing"),
    Action.DOMAIN_REMOVED: gettext_noop("removed the e-mail domain %(domain)s"),
    Action.USER_CREATED: gettext_noop("created an account with the role “%(role)s”"),
    Action.ROLE_GRANTED: gettext_noop("gave an account the role “%(role)s”"),
    Action.ROLE_WITHDRAWN: gettext_noop("withdrew an account’s role"),
    Action.SUPPORT_OPENED: gettext_noop("came in as support: “%(reason)s”"),
    Action.SUPPORT_CLOSED: gettext_noop("left the organisation as support"),
    Action.EMPLOYEE_EDITED: gettext_noop("changed a person by hand"),
    Action.EMPLOYEE_SEEN: gettext_noop("opened a person’s page"),
    Action.EMPLOYEE_LINKED: gettext_noop("recognised a person"),
    Action.EMPLOYEE_UNLINKED: gettext_noop("took back that an account is a person of the roster"),
    Action.CODES_PRINTED: gettext_noop("printed %(people)s personal codes"),
    Action.CODE_USED: gettext_noop("made a passkey with a personal code"),
    Action.CODE_REVOKED: gettext_noop("withdrew a personal code or its passkey"),
    Action.PASSKEY_USED: gettext_noop("signed in with a passkey"),
    Action.PRIVATE_ADDRESS_ASKED: gettext_noop("gave a private address, which is to be confirmed"),
    Action.PRIVATE_ADDRESS_CONFIRMED: gettext_noop("confirmed a private address"),
    Action.PRIVATE_ADDRESS_REMOVED: gettext_noop("removed a private address"),
    Action.PROGRAMME_CONFIGURED: gettext_noop("configured the programme"),
    Action.COHORT_CREATED: gettext_noop("created the cohort “%(name)s”"),
    Action.COHORT_CHANGED: gettext_noop("changed the cohort “%(name)s”"),
    Action.COHORT_RULED: gettext_noop("said who comes into the cohort “%(name)s”"),
    Action.PEOPLE_ENROLLED: gettext_noop("enrolled people by hand in the cohort “%(name)s”"),
    Action.PEOPLE_WITHDRAWN: gettext_noop("withdrew people by hand from the cohort “%(name)s”"),
    Action.RULES_FOLLOWED: gettext_noop("followed the rules of the cohort “%(name)s”"),
    Action.CONNECTION_CREATED: gettext_noop("connected an identity provider"),
    Action.CONNECTION_CHANGED: gettext_noop("changed the connection to the identity provider"),
    Action.CONNECTION_TESTED: gettext_noop("tested the company sign-in"),
    Action.CONNECTION_ACTIVATED: gettext_noop("opened the company sign-in"),
    Action.CONNECTION_CLOSED: gettext_noop("closed a connection to the identity provider"),
    Action.CONNECTION_CHOSEN: gettext_noop("led newcomers to another connection"),
    Action.CONNECTION_FAILING: gettext_noop("noticed that sign-ins fail one after the other"),
    Action.CONNECTION_RECOVERED: gettext_noop("noticed that sign-ins succeed again"),
    Action.METADATA_PROPOSED: gettext_noop("read a change of the identity provider that waits for an owner"),
    Action.METADATA_ACCEPTED: gettext_noop("accepted new metadata of the identity provider"),
    Action.METADATA_DECLINED: gettext_noop("declined new metadata of the identity provider"),
    Action.METADATA_ROLLED_BACK: gettext_noop("put former metadata of the identity provider back"),
    Action.KEY_PUBLISHED: gettext_noop("published the portal’s next key for the company sign-in"),
    Action.KEY_CHANGED: gettext_noop("changed the portal’s key for the company sign-in"),
    Action.IDENTITY_SUSPENDED: gettext_noop(
        "asked for people to be recognised again: the identity provider was replaced"
    ),
    Action.IDENTITY_CONFIRMED: gettext_noop("said that a person is still the same at the new identity provider"),
    Action.SIGN_IN_ENFORCED: gettext_noop("required the company sign-in"),
    Action.SIGN_IN_RELEASED: gettext_noop("stopped requiring the company sign-in"),
    Action.BREAK_GLASS_GIVEN: gettext_noop("gave an owner emergency access"),
    Action.BREAK_GLASS_TAKEN: gettext_noop("took an owner’s emergency access away"),
    Action.BREAK_GLASS_USED: gettext_noop("came in by emergency access"),
    Action.MAPPING_CHANGED: gettext_noop("changed which attributes are read"),
    Action.IDENTITY_CONFIRMED: gettext_noop("confirmed that an account is still the same person"),
    Action.PERSON_SIGNED_OUT: gettext_noop("signed out, or was signed out"),
    Action.MATCH_DECLINED: gettext_noop("said that an account is not a person of the roster"),
    Action.MATCH_RECONSIDERED: gettext_noop("took back a “no” about who an account is"),
    Action.IDENTITIES_JOINED: gettext_noop("joined two accounts of theirs into one"),
    Action.TRACE_READ: gettext_noop("opened the record of a sign-in"),
    Action.PERSON_SIGNED_IN: gettext_noop("signed in"),
    Action.FIRST_SIGN_IN: gettext_noop("signed in for the first time"),
    Action.PERSON_SIGNED_OUT: gettext_noop("ended a session"),
    Action.WAVE_CREATED: gettext_noop("prepared a wave of invitations"),
    Action.WAVE_CHANGED: gettext_noop("changed a wave of invitations"),
    Action.WAVE_TRIED: gettext_noop("sent themselves the mail of a wave of invitations"),
    Action.WAVE_PLANNED: gettext_noop("planned a wave of invitations"),
    Action.WAVE_PAUSED: gettext_noop("paused a wave of invitations"),
    Action.WAVE_RESUMED: gettext_noop("resumed a wave of invitations"),
    Action.WAVE_STOPPED: gettext_noop("stopped a wave of invitations"),
    Action.WAVE_DONE: gettext_noop("finished a wave of invitations"),
    Action.IMPORT_OPENED: gettext_noop("uploaded a roster"),
    Action.IMPORT_PREPARED: gettext_noop("read the uploaded roster"),
    Action.IMPORT_CONFIRMED: gettext_noop("confirmed an import"),
    Action.IMPORT_APPROVED: gettext_noop("approved a held import"),
    Action.IMPORT_APPLIED: gettext_noop("finished applying an import"),
    Action.IMPORT_CANCELLED: gettext_noop("cancelled an import"),
    Action.IMPORT_FAILED: gettext_noop("could not carry out an import"),
    Action.IMPORT_UNDO_ASKED: gettext_noop("asked for an import to be undone"),
    Action.IMPORT_UNDONE: gettext_noop("undid an import"),
    Action.IMPORT_READING_ACCEPTED: gettext_noop("confirmed how the file of an import is read"),
    Action.IMPORT_READING_CHOSEN: gettext_noop("said how the file of an import is read"),
    Action.IMPORT_ROW_CORRECTED: gettext_noop("corrected a row of an import"),
    Action.IMPORT_CORRECTIONS_BROUGHT: gettext_noop("brought corrected rows of an import"),
    Action.IMPORT_TWINS_SAID: gettext_noop("said who is the same person in an import"),
    Action.IMPORT_SITES_NAMED: gettext_noop("gave the sites of an import their names"),
    Action.IMPORT_EDITS_CHOSEN: gettext_noop("said whether an import replaces what was edited by hand"),
    Action.IMPORT_FILE_TAKEN: gettext_noop("downloaded the file of an import"),
    Action.IMPORT_PURGED: gettext_noop("deleted the file and the rows of an import whose time had come"),
    Action.COMPLETIONS_RECORDED: gettext_noop("recorded facts from the learning platform"),
    Action.FACTS_MATCHED: gettext_noop("said whose facts from the learning platform these are"),
    Action.DESK_SETTLED: gettext_noop("settled an item of the reconciliation desk"),
    Action.DESK_REOPENED: gettext_noop("took back what was settled at the reconciliation desk"),
    Action.DESK_SEEN: gettext_noop("looked at the reconciliation desk as support"),
    Action.PLATFORM_LINKED: gettext_noop("configured the link to the learning platform"),
    Action.ROLLUPS_REBUILT: gettext_noop("counted everything again"),
    Action.ROLLUPS_DIFFER: gettext_noop("found that the counts differ from the recorded facts"),
    Action.CERTIFICATES_ISSUED: gettext_noop("issued certificates"),
    Action.CERTIFICATES_REVOKED: gettext_noop("revoked certificates"),
    Action.CERTIFICATES_SENT: gettext_noop("sent certificates to a private address"),
    Action.REPORT_EXPORTED: gettext_noop("exported a report"),
    Action.TOKEN_CREATED: gettext_noop("created an API token"),
}

_RECOGNISED = gettext_noop("was recognised by the sign-in")

COUNTS: Mapping[str, str] = {
    "create": gettext_noop("added: %(count)s"),
    "update": gettext_noop("changed: %(count)s"),
    "deactivate": gettext_noop("made inactive: %(count)s"),
    "reject": gettext_noop("rejected: %(count)s"),
    "held": gettext_noop("held: %(count)s"),
    "accepted": gettext_noop("accepted: %(count)s"),
    "unmatched": gettext_noop("unmatched: %(count)s"),
    "people": gettext_noop("people: %(count)s"),
    "enrolled": gettext_noop("enrolled: %(count)s"),
    "withdrawn": gettext_noop("withdrawn: %(count)s"),
    "different": gettext_noop("different: %(count)s"),
    "issued": gettext_noop("issued: %(count)s"),
    "restored": gettext_noop("valid again: %(count)s"),
    "revoked": gettext_noop("revoked: %(count)s"),
    "certificates": gettext_noop("certificates: %(count)s"),
}

_PAGES: Mapping[str, str] = {
    "people:employee": "employee",
    "imports:import": "import_detail",
    "cohorts:cohort": "cohort",
    "enrolments:cohort": "cohort",
    "waves:wave": "wave",
}


class _Words(dict[str, Any]):
    """What an event of an older version did not record is a dash, never a failure of the page."""

    def __missing__(self, name: str) -> str:
        return ABSENT


def sentence(action: str, data: Mapping[str, Any], actor: UUID | None = None) -> str:
    """Say what was done. An action that this version does not know is shown by its name."""
    known = _RECOGNISED if _by_sign_in(action, data, actor) else SENTENCES.get(action)
    if known is None:
        return action
    words = _Words(data)
    if "role" in words:
        words["role"] = role_label(str(words["role"]))
    return _(known) % words


def _by_sign_in(action: str, data: Mapping[str, Any], actor: UUID | None) -> bool:
    """Whether the sign-in itself recognised the person: it is recorded in the name of whoever signs in."""
    linked = Actor(ActorKind.USER, str(data.get("user")), name="")
    return action == Action.EMPLOYEE_LINKED and actor == linked.pseudonym


def counts(data: Mapping[str, Any]) -> str:
    """Say how many, for the events that counted: only the counts that are not zero."""
    shown = [(words, data[name]) for name, words in COUNTS.items() if isinstance(data.get(name), int) and data[name]]
    return " · ".join(_(words) % {"count": number(count)} for words, count in shown)


def who(line: AuditLine) -> str:
    if line.actor_kind == ActorKind.OPERATOR:
        return _("The operator")
    if line.actor_kind == ActorKind.SYSTEM:
        return _("The portal")
    return line.actor or _("Somebody whose name was erased")


def subject_url(organisation: Organisation, action: str, subject: str) -> str:
    """Return the page of what the event is about, where it has one."""
    name = _PAGES.get(action.rpartition(":")[0])
    return reverse(name, args=[organisation.slug, int(subject)]) if name and subject.isdecimal() else ""


def role_label(role: str) -> str:
    labels = {**dict(Membership.Role.choices), **dict(StaffRole.choices), "employee": _("employee")}
    return str(labels.get(role, role))
