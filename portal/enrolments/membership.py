"""Who is in a cohort by its rules: kept current by set, as the roster, the rules and the calendar change.

Whoever is named comes in. Whoever came in by a rule that names them no more, and has not begun the course, is withdrawn
by the rule, and comes back when it names them again. Nobody else is touched: who was enrolled by a person or a file
stays, who was withdrawn by a person stays out, who has left the organisation stays counted where they were. A cohort
that has ended is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.cohorts.models import Cohort
from portal.cohorts.rules import named, rules_of
from portal.core.plans import whole_sets
from portal.core.tenancy import cursor_rows
from portal.enrolments.services import STATE, note_enrolments_changed
from portal.enrolments.unsent import withdraw_unsent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from portal.cohorts.rules import Named, Rule
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

# An enrolment `e` that its rule may take back: made by it, and nothing of the course has happened.
_BY_RULE = "e.enrolled_by = 'rule' AND e.started_at IS NULL"
_PAIR = (
    "e.organisation_id = %(organisation)s AND e.cohort_id = %(cohort)s AND p.organisation_id = %(organisation)s"
    " AND p.id = e.employee_id"
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What rules would do now. `stay`: no longer named, but begun; `kept_out`: named, but withdrawn by a person."""

    named: int
    join: int
    leave: int
    stay: int
    kept_out: int


def membership_outlook(
    organisation: Organisation, *, membership: str, rules: Sequence[Rule], cohort_id: int = 0
) -> Outlook:
    """Count what a membership would do to a cohort, or to a new one, before it is saved."""
    wanted = named(membership, rules)
    params = {**wanted.params, "organisation": organisation.pk, "cohort": cohort_id}
    holds = f"coalesce({wanted.condition}, false)"
    by_itself = membership != Cohort.Membership.HAND
    with whole_sets():
        ((people, join, leave, stay, kept_out),) = cursor_rows(
            f"""
            SELECT count(*) FILTER (WHERE {holds}),
                   count(*) FILTER (WHERE {holds} AND (e.id IS NULL OR e.withdrawn_by = 'rule')),
                   count(*) FILTER (WHERE p.active AND NOT {holds} AND e.withdrawn_at IS NULL AND {_BY_RULE}),
                   count(*) FILTER (WHERE p.active AND NOT {holds} AND e.withdrawn_at IS NULL
                                    AND e.enrolled_by = 'rule' AND e.started_at IS NOT NULL),
                   count(*) FILTER (WHERE {holds} AND e.withdrawn_at IS NOT NULL AND e.withdrawn_by <> 'rule')
            FROM people_employee p
            LEFT JOIN (SELECT * FROM enrolments_enrolment
                       WHERE organisation_id = %(organisation)s AND cohort_id = %(cohort)s) e ON e.employee_id = p.id
            WHERE p.organisation_id = %(organisation)s
            """,  # noqa: S608  The conditions are constants.
            params,
        )
    return Outlook(people, join, leave, stay, kept_out) if by_itself else Outlook(0, 0, 0, 0, 0)


@transaction.atomic
def follow_rules(*, actor: Actor, organisation: Organisation, cohort_ids: Iterable[int] | None = None) -> int:
    """Make these cohorts, or all, hold whom their rules name; return how many enrolments changed."""
    cohorts = Cohort.objects.filter(organisation_id=organisation.pk).exclude(membership=Cohort.Membership.HAND)
    if cohort_ids is not None:
        cohorts = cohorts.filter(pk__in=list(cohort_ids))
    today = timezone.localdate(timezone=ZoneInfo(organisation.time_zone))
    current = [cohort for cohort in cohorts.order_by("pk") if _still_runs(cohort, today)]
    rules = rules_of(organisation, [cohort.pk for cohort in current])
    return sum(_follow(actor, organisation, cohort, named(cohort.membership, rules[cohort.pk])) for cohort in current)


def _still_runs(cohort: Cohort, today: date) -> bool:
    return cohort.ends_on is None or cohort.ends_on >= today


def _follow(actor: Actor, organisation: Organisation, cohort: Cohort, wanted: Named) -> int:
    params = {**wanted.params, "organisation": organisation.pk, "cohort": cohort.pk}
    with whole_sets():
        left = _withdraw(wanted, params)
        back = _bring_back(wanted, params)
        came = _enrol(wanted, params)
    if left:
        withdraw_unsent(actor=actor, organisation=organisation, cohort_id=cohort.pk, employee_ids=left)
    changed = [*left, *back, *came]
    if changed:
        note_enrolments_changed(
            organisation_id=organisation.pk, pairs=[(employee_id, cohort.pk) for employee_id in changed]
        )
        record_event(
            actor=actor,
            organisation_id=organisation.pk,
            action=Action.RULES_FOLLOWED,
            subject=str(cohort.pk),
            data={"name": cohort.name, "enrolled": len(back) + len(came), "withdrawn": len(left)},
        )
    return len(changed)


def _withdraw(wanted: Named, params: dict[str, Any]) -> list[int]:
    rows = cursor_rows(
        "UPDATE enrolments_enrolment e SET withdrawn_at = statement_timestamp(), withdrawn_by = 'rule',"  # noqa: S608
        f" state = 'withdrawn' FROM people_employee p WHERE {_PAIR} AND e.withdrawn_at IS NULL AND {_BY_RULE}"
        f" AND p.active AND ({wanted.condition}) IS NOT TRUE RETURNING e.employee_id",
        params,
    )
    return [employee_id for (employee_id,) in rows]


def _bring_back(wanted: Named, params: dict[str, Any]) -> list[int]:
    rows = cursor_rows(
        "UPDATE enrolments_enrolment e SET withdrawn_at = NULL, withdrawn_by = '',"  # noqa: S608
        f" state = (SELECT {STATE} FROM (SELECT NULL::timestamptz AS withdrawn_at, e.certified_at, e.completed_at,"
        " e.activated_at, e.invited_at) steps)"
        f" FROM people_employee p WHERE {_PAIR} AND e.withdrawn_by = 'rule' AND e.withdrawn_at IS NOT NULL"
        f" AND {wanted.condition} RETURNING e.employee_id",
        params,
    )
    return [employee_id for (employee_id,) in rows]


def _enrol(wanted: Named, params: dict[str, Any]) -> list[int]:
    rows = cursor_rows(
        "INSERT INTO enrolments_enrolment"  # noqa: S608  The condition is a constant.
        " (organisation_id, employee_id, cohort_id, state, enrolled_at, enrolled_by, certificate_url, progress)"
        " SELECT %(organisation)s, p.id, %(cohort)s, 'enrolled', statement_timestamp(), 'rule', '', 0"
        f" FROM people_employee p WHERE p.organisation_id = %(organisation)s AND {wanted.condition}"
        " AND NOT EXISTS (SELECT 1 FROM enrolments_enrolment e WHERE e.organisation_id = %(organisation)s"
        "  AND e.cohort_id = %(cohort)s AND e.employee_id = p.id)"
        " ON CONFLICT (organisation_id, employee_id, cohort_id) DO NOTHING RETURNING employee_id",
        params,
    )
    return [employee_id for (employee_id,) in rows]
