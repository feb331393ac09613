"""The test sign-in: the real exchange, which signs nobody in and creates nobody, and what it showed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from sso.connecting import note_test_passed
from sso.linking import trusted_email
from sso.selectors import employees_named
from sso.services import TEST, take_answer

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from sso.models import Connection
    from sso.services import Answer


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list: what was looked at, whether it is as it should be, and what was seen."""

    label: str
    passed: bool
    seen: str


@dataclass(frozen=True, slots=True)
class TrialResult:
    checks: list[Check]
    attributes: tuple[str, ...]


@transaction.atomic
def complete_test(
    *, actor: Actor, organisation: Organisation, connection: Connection, ticket: str, nonce: str
) -> TrialResult:
    """Record that the exchange works, and say what it would have done.

    Raises:
        SAMLError: as `take_answer`.
    """
    _request, answer = take_answer(connection=connection, ticket=ticket, nonce=nonce, purpose=TEST)
    note_test_passed(actor=actor, organisation=organisation, connection=connection)
    return TrialResult(_checks(organisation, answer), answer.attributes)


def _checks(organisation: Organisation, answer: Answer) -> list[Check]:
    """The first two have passed, or there would be no answer; the others say how people will be recognised."""
    person = answer.person
    email = trusted_email(organisation, person)
    known = employees_named(organisation, number=person.employee_number, email=email)
    return [
        Check(_("The answer is signed, in time, and made for this connection"), True, ""),
        Check(_("It says who the person is, in a way that does not change"), True, person.subject_source),
        Check(_("It gives the employee number"), bool(person.employee_number), person.employee_number),
        Check(_("It gives an e-mail address of a verified domain"), bool(email), email),
        Check(
            _("It gives a name"),
            bool(person.display or person.last_name),
            person.display or f"{person.first_name} {person.last_name}".strip(),
        ),
        Check(
            _("The person is on the roster"),
            len(known) == 1,
            ", ".join(str(employee) for employee in known),
        ),
    ]
