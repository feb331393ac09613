"""The test sign-in: the real exchange, which signs nobody in and creates nobody, and what it showed.

The exchange itself fails in the POST, with a diagnosis of its own. What passes it is looked at here, also when it does
not say who the person is: whoever sets the connection up must see what came to mend it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sso.connecting import note_test_failed, note_test_passed
from sso.diagnosis import code_words
from sso.drafts import freeze_subject
from sso.linking import trusted_email
from sso.received import Received, forget_answers_of, keep_answer, opened_answer
from sso.replay import take_ticket
from sso.saml.attributes import MappedPerson, mapped
from sso.saml.errors import SAMLError
from sso.selectors import employees_named
from sso.services import TEST
from sso.traces import record_verdict

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from sso.models import Connection

_SAYS_NOTHING_NEW: Final = frozenset({"request_unknown", "request_used", "request_expired", "replay"})


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list: what was looked at, whether it is as it should be, what was seen, and what to do if not.

    Without a required one the test has failed; the others only say what people will miss.
    """

    label: str
    passed: bool
    seen: str
    advice: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class TrialResult:
    checks: list[Check]
    attributes: tuple[str, ...]
    error: SAMLError | None = None

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks if check.required)


@transaction.atomic
def complete_test(
    *, actor: Actor, organisation: Organisation, connection: Connection, ticket: str, nonce: str
) -> TrialResult:
    """Look at what a test brought, keep it for an hour, and record that the exchange works if it does.

    Raises:
        SAMLError: as `take_answer`.
    """
    taken = take_ticket(connection, ticket, nonce, TEST, now=timezone.now())
    received = opened_answer(taken.answer)
    if received is None:
        raise SAMLError("ticket_expired")
    keep_answer(taken.request, taken.answer)
    result = judged(organisation, connection, received)
    if result.passed:
        unfinished = connection.activated_at is None
        if unfinished:
            freeze_subject(connection=connection, source=mapped(received, connection.attribute_mapping).subject_source)
        note_test_passed(actor=actor, organisation=organisation, connection=connection)
    elif result.error:
        note_test_failed(actor=actor, organisation=organisation, connection=connection, code=result.error.code)
        record_verdict(connection=connection, request_id=taken.request.request_id, error=result.error)
    return result


@transaction.atomic
def note_failed_exchange(*, actor: Actor, connection: Connection, error: SAMLError) -> None:
    """Take back what an earlier test had shown, and forget what it brought: the exchange has failed since.

    An answer that comes a second time or too late says nothing of the connection.
    """
    if error.code not in _SAYS_NOTHING_NEW:
        organisation = connection.organisation
        note_test_failed(actor=actor, organisation=organisation, connection=connection, code=error.code)
        forget_answers_of(connection)


def judged(
    organisation: Organisation, connection: Connection, received: Received, *, with_roster: bool = True
) -> TrialResult:
    """Say how the portal would take what came. Whoever holds a set-up link learns nothing of the roster."""
    exchange = Check(_("The answer is signed, in time, and made for this connection"), True, "", required=True)
    try:
        person = mapped(received, connection.attribute_mapping)
    except SAMLError as error:
        return TrialResult([exchange, _nobody(error)], tuple(sorted(received.attributes)), error)
    checks = [
        exchange,
        Check(
            _("It says who the person is, in a way that does not change"), True, person.subject_source, required=True
        ),
        *_said(organisation, person),
    ]
    if with_roster:
        checks.append(_on_roster(organisation, person))
    return TrialResult(checks, tuple(sorted(received.attributes)))


def _nobody(error: SAMLError) -> Check:
    what, advice = code_words(error.code)
    return Check(
        _("It says who the person is, in a way that does not change"),
        False,
        error.details.get("received", ""),
        f"{what} {advice}",
        required=True,
    )


def _said(organisation: Organisation, person: MappedPerson) -> list[Check]:
    email = trusted_email(organisation, person)
    if email or not person.email:
        advice = _(
            "Send the work e-mail address, or choose its attribute: it leads people to their place on the roster."
        )
    else:
        advice = _("Its domain is not verified: an owner of your organisation verifies it on the page of the domains.")
    return [
        Check(
            _("It gives the employee number"),
            bool(person.employee_number),
            person.employee_number,
            _("Send the employee number if you can: it is the surest way to recognise people on the roster."),
        ),
        Check(_("It gives an e-mail address of a verified domain"), bool(email), email or person.email, advice),
        Check(
            _("It gives a name"),
            bool(person.display or person.last_name),
            person.display or f"{person.first_name} {person.last_name}".strip(),
            _("Send the first and the last name, so that people are greeted by theirs."),
        ),
    ]


def _on_roster(organisation: Organisation, person: MappedPerson) -> Check:
    email = trusted_email(organisation, person)
    known = employees_named(organisation, number=person.employee_number, email=email)
    return Check(
        _("The person is on the roster"),
        len(known) == 1,
        ", ".join(str(employee) for employee in known),
        _("Whoever is not recognised can start all the same; HR says later who it is."),
    )
