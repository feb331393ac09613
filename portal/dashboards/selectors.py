"""The roster as HR reads it: filtered, searched, and paged by key so that the last page costs what the first does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q, Sum

from portal.people.models import Employee
from portal.people.search import employees_matching
from portal.progress.models import RosterRollup

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from portal.organisations.models import Organisation

PAGE = 50
ACTIVE, INACTIVE, ALL = "active", "inactive", "all"


@dataclass(frozen=True, slots=True)
class RosterPage:
    """`after` leads to the next page. It is an id: a name does not belong in an address."""

    employees: list[Employee]
    after: int | None


def roster_sites(organisation: Organisation) -> dict[str, int]:
    """Return how many active people each site has, from the counts."""
    counts = RosterRollup.objects.filter(organisation_id=organisation.pk, active__gt=0).order_by("site")
    return dict(counts.values_list("site", "active"))


def roster_size(organisation: Organisation) -> int:
    counts = RosterRollup.objects.filter(organisation_id=organisation.pk)
    return int(counts.aggregate(active=Sum("active", default=0))["active"])


def roster_page(
    organisation: Organisation, *, text: str = "", site: str = "", state: str = ACTIVE, after: int | None = None
) -> RosterPage:
    """Return fifty people by name. A search shows its first fifty: more letters find fewer people."""
    found = employees_matching(organisation, text) if text else Employee.objects.filter(organisation_id=organisation.pk)
    if site:
        found = found.filter(site=site)
    if state != ALL:
        found = found.filter(active=state != INACTIVE)
    if after is not None:
        found = _beyond(found, organisation, after)
    employees = list(found.order_by("sort_name", "id")[: PAGE + 1])
    more = len(employees) > PAGE
    return RosterPage(employees[:PAGE], employees[PAGE - 1].pk if more else None)


def employee_of(organisation: Organisation, employee_id: int) -> Employee | None:
    return Employee.objects.filter(organisation_id=organisation.pk, pk=employee_id).first()


def _beyond(found: QuerySet[Employee], organisation: Organisation, after: int) -> QuerySet[Employee]:
    last = employee_of(organisation, after)
    if last is None:
        return found
    # The first condition says the same as the second, less precisely: it is the one that the index can start from.
    return found.filter(Q(sort_name__gte=last.sort_name)).filter(
        Q(sort_name__gt=last.sort_name) | Q(sort_name=last.sort_name, pk__gt=last.pk)
    )
