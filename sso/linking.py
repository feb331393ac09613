"""Who somebody is on the roster: the rules by which a sign-in is linked to an employee without asking HR.

A wrong link gives one person another's course and certificate, so everything that is not certain is left to HR's
desk; the person can start meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.organisations.selectors import verified_domains
from portal.people.models import Affiliation, Employee, Membership
from sso.models import DeclinedMatch

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import User
    from sso.saml.attributes import MappedPerson


def trusted_email(organisation: Organisation, person: MappedPerson) -> str:
    """Return the asserted address when its domain is verified as the organisation's own, else "".

    An identity provider speaks only for its own organisation: what it says of other addresses is not even kept.
    """
    domain = person.email.rpartition("@")[2]
    trusted = len(person.email) <= 254 and domain in verified_domains(organisation)
    return person.email if trusted else ""


def certain_employee(organisation: Organisation, user: User, *, number: str, email: str) -> Employee | None:
    """Return the one employee that this login certainly is, if there is one.

    `email` must be trusted already. Whoever holds a role here is linked by hand: a directory's administrator could
    otherwise choose whose record an owner gets.
    """
    if Membership.objects.filter(organisation_id=organisation.pk, user=user).exists():
        return None
    employees = Employee.objects.filter(organisation_id=organisation.pk)
    by_number = employees.filter(employee_number=number).first() if number else None
    if by_number:
        return _free(by_number, user)
    carriers = list(employees.filter(email=email).order_by("id")[:2]) if email else []
    if len(carriers) != 1:
        # Nobody, or a shared mailbox.
        return None
    if number and carriers[0].employee_number:
        # The address is theirs but the number is not: addresses are handed on, numbers are not.
        return None
    return _free(carriers[0], user)


def _free(employee: Employee, user: User) -> Employee | None:
    """HR's "no" holds, whatever the sign-in says: a link that was taken back is not made again."""
    taken = Affiliation.objects.filter(organisation_id=employee.organisation_id, employee=employee).exists()
    if taken or not employee.active:
        return None
    declined = DeclinedMatch.objects.filter(
        organisation_id=employee.organisation_id, employee=employee, affiliation__user=user
    )
    return None if declined.exists() else employee
