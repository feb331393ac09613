"""An organisation's home: where it is, and what needs somebody, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import F, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext

from imports.models import RosterImport
from imports.selectors import last_applied
from portal.cohorts.models import Cohort
from portal.core.access import Permission
from portal.core.templatetags.ui import day, number
from portal.people.models import Affiliation
from portal.people.selectors import unlinked_affiliations
from portal.progress.models import CohortSummary, RosterRollup
from portal.progress.selectors import Figures, figures_as_of, summed
from portal.reports.funnel import loss_lines
from sso.models import Connection
from sso.radar import alarms
from sso.selectors import connections, waiting_versions

if TYPE_CHECKING:
    from datetime import date, datetime

    from portal.core.access import Access
    from portal.organisations.models import Organisation
    from portal.reports.funnel import LossLine
    from sso.radar import Blip

STALE_DAYS = 30
_MANY = 1_000


@dataclass(frozen=True, slots=True)
class Numbers:
    """The organisation's totals. A person in two cohorts counts in each."""

    figures: Figures
    losses: dict[str, int]
    cohorts: int
    as_of: datetime

    @property
    def roster(self) -> int:
        return self.figures.roster

    @property
    def enrolled(self) -> int:
        return self.figures.enrolled

    @property
    def started(self) -> int:
        return self.figures.started

    @property
    def certified(self) -> int:
        return self.figures.certified


@dataclass(frozen=True, slots=True)
class CohortLine:
    cohort: Cohort
    summary: CohortSummary | None
    word: str
    tone: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for somebody: what, how much, and where it is settled (nowhere without the right)."""

    term: str
    value: str
    url: str
    action: str


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    state: str
    url: str


def numbers(organisation: Organisation) -> Numbers:
    roster = RosterRollup.objects.filter(organisation_id=organisation.pk).aggregate(active=Sum("active", default=0))
    lines = list(CohortSummary.objects.filter(organisation_id=organisation.pk))
    figures, losses = summed(lines)
    return Numbers(
        figures=replace(figures, roster=roster["active"]),
        losses=losses,
        cohorts=Cohort.objects.filter(organisation_id=organisation.pk).count(),
        as_of=figures_as_of(organisation),
    )


def tiles(organisation: Organisation, access: Access, counted: Numbers) -> list[dict[str, Any]]:
    cohorts = reverse("cohorts", args=[organisation.slug])
    roster = reverse("roster", args=[organisation.slug]) if access.allows(Permission.VIEW_ROSTER) else ""
    labels = (
        ngettext("person on the roster", "people on the roster", counted.roster),
        npgettext("people", "enrolled", "enrolled", counted.enrolled),
        npgettext("people", "has started", "have started", counted.started),
        npgettext("people", "certified", "certified", counted.certified),
    )
    return [
        {"value": counted.roster, "label": labels[0], "url": roster},
        {"value": counted.enrolled, "label": labels[1], "url": cohorts},
        {"value": counted.started, "label": labels[2], "url": cohorts},
        {"value": counted.certified, "label": labels[3], "url": cohorts, "tone": "good"},
    ]


def losses(organisation: Organisation, counted: Numbers) -> list[LossLine]:
    """What holds people up in all the cohorts together; each number opens the cohorts, and they their people."""
    cohorts = reverse("cohorts", args=[organisation.slug])
    return loss_lines(counted.losses, link=lambda code: f"{cohorts}?{urlencode({'loss': code})}")


def cohort_lines(organisation: Organisation, *, limit: int = 8) -> list[CohortLine]:
    """Return the cohorts that end last; those without an end come first."""
    shown = Cohort.objects.filter(organisation_id=organisation.pk)
    cohorts = list(shown.order_by(F("ends_on").desc(nulls_first=True), "-id")[:limit])
    summaries = {
        summary.cohort_id: summary
        for summary in CohortSummary.objects.filter(organisation_id=organisation.pk, cohort__in=cohorts)
    }
    return [
        CohortLine(cohort, summaries.get(cohort.pk), *cohort_state(cohort.starts_on, cohort.ends_on))
        for cohort in cohorts
    ]


def cohort_state(starts_on: date | None, ends_on: date | None) -> tuple[str, str]:
    """Say in a word where a cohort is between its dates, and with which tone."""
    today = timezone.localdate()
    if starts_on and starts_on > today:
        return _("not started"), "neutral"
    if ends_on and ends_on < today:
        return _("ended"), "neutral"
    return _("under way"), "info"


def checklist(organisation: Organisation, access: Access, counted: Numbers, connected: bool) -> list[Step]:  # noqa: FBT001
    """Say how far the organisation is in getting ready; nothing once its people sign in."""
    signed_in = Affiliation.objects.filter(organisation=organisation, employee__isnull=False).exists()
    steps = (
        (_("Connect the company sign-in"), connected, Permission.MANAGE_SIGN_IN, "sign_in_settings"),
        (_("Upload the roster"), counted.roster > 0, Permission.IMPORT_ROSTER, "import_new"),
        (_("Create a cohort"), counted.cohorts > 0, Permission.MANAGE_COHORTS, "cohort_new"),
        (_("Enrol people"), counted.enrolled > 0, Permission.IMPORT_ROSTER, "import_new"),
        (_("First person signed in"), signed_in, Permission.MANAGE_SIGN_IN, "sign_in_settings"),
    )
    if all(done for _label, done, _right, _page in steps):
        return []
    listed: list[Step] = []
    for label, done, right, page in steps:
        waiting = any(step.state == "current" for step in listed)
        url = reverse(page, args=[organisation.slug]) if access.allows(right) else ""
        listed.append(Step(label, "done" if done else "todo" if waiting else "current", url))
    return listed


def connection_states(organisation: Organisation) -> set[str]:
    """Return the states of the connections that were not closed."""
    live = Connection.objects.filter(organisation_id=organisation.pk, closed_at__isnull=True)
    return set(live.values_list("state", flat=True))


def tasks(organisation: Organisation, access: Access, states: set[str]) -> list[Task]:
    """Return what waits for somebody, the most urgent first."""
    listed = [
        _failing_sign_in(organisation, access) if Connection.State.FAILING in states else None,
        *_sign_in_matters(organisation, access),
        *_waiting_imports(organisation, access),
        _people_to_match(organisation, access),
        _stale_roster(organisation, access),
    ]
    return [task for task in listed if task]


def _page(access: Access, right: Permission, name: str, *args: object) -> str:
    return reverse(name, args=args) if access.allows(right) else ""


def _failing_sign_in(organisation: Organisation, access: Access) -> Task:
    url = _page(access, Permission.MANAGE_SIGN_IN, "sign_in_settings", organisation.slug)
    return Task(_("The company sign-in fails"), _("IT"), url, _("See why"))


def _sign_in_matters(organisation: Organisation, access: Access) -> list[Task]:
    """Changes of an identity provider that wait, certificates that end, addresses that cannot be read any more."""
    live = {each.pk: each for each in connections(organisation).filter(closed_at__isnull=True)}
    waiting = waiting_versions(organisation).filter(connection_id__in=live)
    listed = [
        _connection_task(
            organisation,
            access,
            live[version.connection_id],
            _("A change of the identity provider is held back")
            if version.state == version.State.HELD
            else _("New metadata of the identity provider waits"),
            _("Compare and decide"),
        )
        for version in waiting
    ]
    for blip in alarms(list(live.values())):
        term = _what_ends(blip)
        listed.append(_connection_task(organisation, access, blip.connection, term, _("See the certificates")))
    listed += [
        _connection_task(
            organisation,
            access,
            each,
            _("The metadata of the identity provider cannot be read any more"),
            _("See why"),
        )
        for each in live.values()
        if each.metadata_failure
    ]
    return listed


def _what_ends(blip: Blip) -> str:
    if blip.ours:
        ended = _("The portal’s certificate for the company sign-in has ended")
        ends = _("The portal’s certificate for the company sign-in ends on %(day)s")
    else:
        ended = _("A certificate of the company sign-in has ended")
        ends = _("A certificate of the company sign-in ends on %(day)s")
    return ended if blip.days < 0 else ends % {"day": day(blip.expires_at)}


def _connection_task(
    organisation: Organisation, access: Access, connection: Connection, term: str, action: str
) -> Task:
    url = _page(access, Permission.MANAGE_SIGN_IN, "sign_in_connection", organisation.slug, connection.public_id)
    return Task(term, _("IT"), url, action)


_AWAITED = (RosterImport.State.HELD, RosterImport.State.READY, RosterImport.State.UNCLEAR)


def _waiting_imports(organisation: Organisation, access: Access) -> list[Task]:
    waiting = RosterImport.objects.filter(organisation_id=organisation.pk, state__in=_AWAITED)
    listed = []
    for roster_import in waiting.order_by("state", "-id").only("id", "state", "looked_at", "stale")[:5]:
        term, action = _what_it_waits_for(roster_import)
        url = _page(access, Permission.IMPORT_ROSTER, "import_detail", organisation.slug, roster_import.pk)
        listed.append(Task(term, _("2 min"), url, action))
    return listed


def _what_it_waits_for(roster_import: RosterImport) -> tuple[str, str]:
    if roster_import.state == RosterImport.State.HELD:
        return _("An import is held"), _("Review the import")
    if roster_import.looked_at is None:
        return _("A file was read: say whether its columns are right"), _("See how it was read")
    if roster_import.stale:
        return _("Corrected rows wait to be compared"), _("Compare again")
    return _("An import awaits your confirmation"), _("Review the import")


def _people_to_match(organisation: Organisation, access: Access) -> Task | None:
    count = unlinked_affiliations(organisation)[:_MANY].count()
    if not count:
        return None
    term = ngettext("%(count)s person to recognise", "%(count)s people to recognise", count)
    shown = number(count) if count < _MANY else f"{number(count)}+"
    url = _page(access, Permission.MATCH_PEOPLE, "matches", organisation.slug)
    minutes = _("%(minutes)s min") % {"minutes": number((count + 1) // 2)}
    return Task(term % {"count": shown}, minutes, url, _("Recognise them"))


def _stale_roster(organisation: Organisation, access: Access) -> Task | None:
    latest = last_applied(organisation)
    days = (timezone.now() - latest.applied_at).days if latest and latest.applied_at else 0
    if latest is None or days <= STALE_DAYS:
        return None
    url = _page(access, Permission.IMPORT_ROSTER, "import_new", organisation.slug)
    url = url and f"{url}?like={latest.pk}"
    return Task(_("Roster from %(days)s days ago") % {"days": number(days)}, _("1 file"), url, _("Upload the roster"))
