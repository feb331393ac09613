"""Who somebody is on the roster: the rules by which a sign-in is linked to an employee without asking HR.

A wrong link gives one person another's course and certificate, so everything that is not certain is left to HR's
desk; the person can start meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.tenancy import cursor_rows
from portal.organisations.selectors import verified_domains
from portal.people.models import Employee, Membership

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import User
    from sso.saml.attributes import MappedPerson


def trusted_email(organisation: Organisation, person: MappedPerson) -> str:
    """Return the asserted address when its domain is verified as the organisation's own, else "".

    An identity provider speaks only for its own organisation: what it says of other addresses is not even kept.
    """
    if not person.email:
        return ""
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
    employee_id = free_employee_id(organisation, number=number, email=email)
    if employee_id is None:
        return None
    return Employee.objects.filter(organisation_id=organisation.pk, pk=employee_id).first()


def free_employee_id(organisation: Organisation, *, number: str, email: str) -> int | None:
    """Return the one active employee whom this number or this trusted address names and who is nobody's yet."""
    if not number and not email:
        return None
    rows = cursor_rows(
        """
        SELECT true, e.id, e.employee_number, e.active, EXISTS (
            SELECT FROM people_affiliation a WHERE a.organisation_id = e.organisation_id AND a.employee_id = e.id)
        FROM people_employee e
        WHERE e.organisation_id = %(organisation)s AND e.employee_number = %(number)s AND e.employee_number <> ''
        UNION ALL (
        SELECT false, e.id, e.employee_number, e.active, EXISTS (
            SELECT FROM people_affiliation a WHERE a.organisation_id = e.organisation_id AND a.employee_id = e.id)
        FROM people_employee e
        WHERE e.organisation_id = %(organisation)s AND e.email = %(email)s AND e.email <> '' ORDER BY e.id LIMIT 2)
        """,
        {"organisation": organisation.pk, "number": number, "email": email},
    )
    named = [row[1:] for row in rows if row[0]]
    carriers = [row[1:] for row in rows if not row[0]]
    if not named and len(carriers) != 1:
        # Nobody, or a shared mailbox.
        return None
    employee_id, its_number, active, taken = named[0] if named else carriers[0]
    if not named and number and its_number:
        # The address is theirs but the number is not: addresses are handed on, numbers are not.
        return None
    return int(employee_id) if active and not taken else None
