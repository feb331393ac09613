"""Whom a cohort's rules name, as one condition on the roster.

A person is named when they are active and every rule holds. A rule without values, and a cohort of rules without a
rule, name nobody: what was left empty by mistake must not enrol everyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.cohorts.models import Cohort, CohortRule

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from portal.organisations.models import Organisation

Field = CohortRule.Field
LISTS = (Field.SITE, Field.DEPARTMENT, Field.LANGUAGE)
DAYS = (Field.HIRED_BEFORE, Field.HIRED_FROM)

_CONDITIONS = {
    Field.SITE: "p.site = ANY (%(site)s)",
    Field.DEPARTMENT: "p.department = ANY (%(department)s)",
    Field.LANGUAGE: "p.language = ANY (%(language)s)",
    Field.HIRED_BEFORE: "p.hired_on < %(hired_before)s",
    Field.HIRED_FROM: "p.hired_on >= %(hired_from)s",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition: the `values` of a field that count, or the `day` of those on the hiring date."""

    field: str
    values: tuple[str, ...] = ()
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """The condition on `people_employee p`, with its parameters. It may be unknown (NULL): then it does not hold."""

    condition: str
    params: dict[str, Any]


def named(membership: str, rules: Iterable[Rule]) -> Named:
    """Return whom a membership names; one kept by hand names nobody."""
    given = list(rules)
    if membership == Cohort.Membership.EVERYONE:
        return Named("p.active", {})
    if membership != Cohort.Membership.RULES or not given:
        return Named("false", {})
    conditions = ["p.active", *(_CONDITIONS[Field(rule.field)] for rule in given)]
    params = {rule.field: list(rule.values) if rule.field in LISTS else rule.day for rule in given}
    return Named(" AND ".join(conditions), params)


def rules_of(organisation: Organisation, cohort_ids: Iterable[int]) -> dict[int, list[Rule]]:
    """Return the rules of these cohorts, each cohort's in the order of the fields."""
    found: dict[int, list[Rule]] = {cohort_id: [] for cohort_id in cohort_ids}
    order = {field: place for place, field in enumerate(Field.values)}
    rows = CohortRule.objects.filter(organisation_id=organisation.pk, cohort_id__in=found)
    for row in sorted(rows, key=lambda row: order[row.field]):
        found[row.cohort_id].append(Rule(row.field, tuple(row.values), row.day))
    return found
