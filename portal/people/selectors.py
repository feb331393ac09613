"""What is read of people, inside one organisation's scope unless said otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from django.utils import timezone

from portal.core.access import Access
from portal.core.actor import Actor, ActorKind
from portal.people.models import Affiliation, Employee, Membership, StaffRole, SupportAccess, User
from portal.people.roles import PERMISSIONS, SUPPORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from portal.organisations.models import Organisation


class RosterLine(TypedDict):
    employee_number: str
    email: str
    first_name: str
    last_name: str
    site: str
    department: str
    manager_email: str
    hired_on: str
    active: bool


def user_actor(user: User, *, on_behalf_of_programme: bool = False) -> Actor:
    return Actor(ActorKind.USER, str(user.pk), user.name or user.username, on_behalf_of_programme)


def has_left(organisation_id: int, user: User) -> bool:
    """Return whether the login is that of an inactive employee, by whatever door it comes.

    The last owner never has: the roster is not to lock an organisation out of its own portal.
    """
    inactive = Affiliation.objects.filter(organisation_id=organisation_id, user=user, employee__active=False)
    if not inactive.exists():
        return False
    owners = Membership.objects.filter(organisation_id=organisation_id, role=Membership.Role.OWNER)
    return list(owners.values_list("user_id", flat=True)[:2]) != [user.pk]


def access_to(organisation: Organisation, user: User) -> Access | None:
    """Return what this login may do here: by its role, or for an account manager by an open support access."""
    membership = Membership.objects.filter(organisation_id=organisation.pk, user=user).first()
    if membership and not has_left(organisation.pk, user):
        return Access(
            actor=user_actor(user),
            organisation_id=organisation.pk,
            role=membership.role,
            permissions=PERMISSIONS[membership.role],
            break_glass=membership.break_glass,
        )
    support = current_support(organisation, user) if user.staff_role == StaffRole.ACCOUNT_MANAGER else None
    if support:
        return Access(
            actor=user_actor(user, on_behalf_of_programme=True),
            organisation_id=organisation.pk,
            role=SUPPORT,
            permissions=PERMISSIONS[SUPPORT],
            support_until=support.expires_at,
        )
    return None


def current_support(organisation: Organisation, user: User) -> SupportAccess | None:
    open_now = SupportAccess.objects.filter(organisation_id=organisation.pk, user=user, expires_at__gt=timezone.now())
    return open_now.order_by("-expires_at").first()


def support_accesses(organisation: Organisation, *, limit: int = 20) -> QuerySet[SupportAccess]:
    """Who of the programme came in, the latest first."""
    opened = SupportAccess.objects.filter(organisation_id=organisation.pk).select_related("user")
    return opened.order_by("-id")[:limit]


def members(organisation: Organisation) -> QuerySet[Membership]:
    return (
        Membership.objects.filter(organisation_id=organisation.pk).select_related("user").order_by("user__name", "id")
    )


def roster(organisation: Organisation) -> QuerySet[Employee]:
    return Employee.objects.filter(organisation_id=organisation.pk)


def site_names(organisation: Organisation) -> list[str]:
    """The sites where somebody works, in the order of the database."""
    sites = roster(organisation).filter(active=True).exclude(site="")
    return list(sites.order_by("site").values_list("site", flat=True).distinct())


def roster_lines(organisation: Organisation) -> Iterator[RosterLine]:
    """Yield the whole roster, inactive people included, by employee number then e-mail."""
    employees = roster(organisation).order_by("employee_number", "email", "id")
    for employee in employees.iterator(chunk_size=5_000):
        yield RosterLine(
            employee_number=employee.employee_number,
            email=employee.email,
            first_name=employee.first_name,
            last_name=employee.last_name,
            site=employee.site,
            department=employee.department,
            manager_email=employee.manager_email,
            hired_on=employee.hired_on.isoformat() if employee.hired_on else "",
            active=employee.active,
        )


def affiliation_of(organisation: Organisation, user: User) -> Affiliation | None:
    return Affiliation.objects.filter(organisation=organisation, user=user).first()


def unlinked_affiliations(organisation: Organisation) -> QuerySet[Affiliation]:
    """The people who signed in and wait to be recognised."""
    return (
        Affiliation.objects.filter(organisation=organisation, employee__isnull=True)
        .select_related("user")
        .order_by("created_at", "id")
    )
