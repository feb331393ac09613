"""The people behind a number of a cohort: by step or by what holds them up, by site, fifty at a time."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from portal.core.plans import in_order
from portal.core.tenancy import cursor_rows
from portal.people.models import Employee
from portal.progress.losses import CAUSE, QUIET, Loss
from portal.progress.models import CohortSite, CohortSummary
from portal.progress.rollups import STEPS, TIMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation

PAGE = 50
WITHDRAWN = "withdrawn"

# Which states the people of a cause can be in: the index finds them, the cause is then asked of those alone.
_STATES = {
    Loss.NO_ADDRESS: ("enrolled",),
    Loss.UNINVITED: ("enrolled",),
    Loss.UNSENT: ("enrolled", "invited"),
    Loss.BOUNCED: ("invited",),
    Loss.SILENT: ("invited",),
    Loss.UNSTARTED: ("active",),
    Loss.STOPPED: ("active",),
    Loss.LEARNING: ("active",),
    Loss.UNCERTIFIED: ("completed",),
    Loss.LEFT: ("enrolled", "invited", "active", "completed"),
}


_LIST = """
    SELECT p.id, coalesce(nullif(trim(p.first_name || ' ' || p.last_name), ''), nullif(p.employee_number, ''),
           p.email), p.employee_number, p.email, p.site, p.active, e.state,
           coalesce(e.withdrawn_at, e.certified_at, e.completed_at, e.started_at, e.activated_at, e.invited_at,
                    e.enrolled_at), e.enrolled_by, e.withdrawn_by, coalesce({cause}, '')
    FROM people_employee p
    JOIN enrolments_enrolment e ON e.organisation_id = %(organisation)s AND e.employee_id = p.id
     AND {in_cohort}
    LEFT JOIN LATERAL (SELECT i.state FROM enrolments_invitation i WHERE i.organisation_id = %(organisation)s
        AND i.enrolment_id = e.id AND i.state NOT IN ('planned', 'queued', 'withdrawn')
        ORDER BY i.number DESC LIMIT 1) v ON true
    LEFT JOIN LATERAL (SELECT c.employee_id FROM progress_completionevent c
        WHERE c.organisation_id = %(organisation)s AND c.employee_id = e.employee_id
        AND c.programme_id = %(programme)s AND c.occurred_at > %(quiet)s LIMIT 1) f ON true
    WHERE p.organisation_id = %(organisation)s AND {conditions}
    ORDER BY p.sort_name, p.id LIMIT %(limit)s
"""

# Walking by name, each person's enrolments are asked for: hidden from the planner, the cohort's index cannot tempt it
# to read the whole cohort for each of them.
_IN_COHORT = {True: "e.cohort_id + 0 = %(cohort)s", False: "e.cohort_id = %(cohort)s"}

_MANY = 50
"""A list with at least one in so many of the roster is walked by name; a shorter one is read whole and sorted."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One person of a cohort: how far they are since when, and by which cause they are there or are not."""

    employee_id: int
    name: str
    employee_number: str
    email: str
    site: str
    active: bool
    state: str
    since: datetime
    enrolled_by: str
    withdrawn_by: str
    cause: str


@dataclass(frozen=True, slots=True)
class ParticipantPage:
    people: list[Participant]
    after: int | None


def participant_page(
    organisation: Organisation,
    cohort: Cohort,
    *,
    step: str = "",
    loss: str = "",
    site: str | None = None,
    after: int | None = None,
    many: bool = False,
) -> ParticipantPage:
    """Return people by name; `after` is the last person of the page before.

    `many` says that the list holds a good part of the roster (`people_counted`).
    """
    params: dict[str, Any] = {
        "organisation": organisation.pk,
        "cohort": cohort.pk,
        "programme": cohort.programme_id,
        "quiet": timezone.now() - QUIET,
        "site": site,
        "limit": PAGE + 1,
    }
    conditions = [*_conditions(step, loss, params), "true" if site is None else "p.site = %(site)s"]
    last = Employee.objects.filter(organisation_id=organisation.pk, pk=after).first() if after else None
    if last:
        params |= {"name": last.sort_name, "after": last.pk}
        # The first condition says the same as the second, less precisely: it is the one that the index starts from.
        conditions.append("p.sort_name >= %(name)s AND (p.sort_name, p.id) > (%(name)s, %(after)s)")
    statement = _LIST.format(cause=CAUSE, conditions=" AND ".join(conditions), in_cohort=_IN_COHORT[many])
    with in_order() if many else nullcontext():
        rows = cursor_rows(statement, params)
    people = [Participant(*row) for row in rows[:PAGE]]
    return ParticipantPage(people, people[-1].employee_id if len(rows) > PAGE else None)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many a list holds, from the counts, and whether that is a good part of the roster. None: not counted."""

    people: int | None = None
    many: bool = False


def people_counted(
    organisation: Organisation, cohort: Cohort, *, step: str = "", loss: str = "", site: str | None = None
) -> Counted:
    """Say how long a list is; those withdrawn are not counted. One site is a short list."""
    if step == WITHDRAWN:
        return Counted()
    if site is not None:
        place = CohortSite.objects.filter(organisation_id=organisation.pk, cohort=cohort, site=site).first()
        return Counted(_of(place, step, loss))
    summary = CohortSummary.objects.filter(organisation_id=organisation.pk, cohort=cohort).first()
    people = _of(summary, step, loss)
    return Counted(people, summary is not None and people * _MANY >= summary.roster)


def _of(line: CohortSummary | CohortSite | None, step: str, loss: str) -> int:
    if line is None:
        return 0
    return int(line.losses.get(loss, 0) if loss else getattr(line, step or "enrolled"))


def _conditions(step: str, loss: str, params: dict[str, Any]) -> Sequence[str]:
    if step == WITHDRAWN:
        return ["e.withdrawn_at IS NOT NULL"]
    conditions = ["e.withdrawn_at IS NULL"]
    if step in STEPS:
        conditions.append(f"e.{TIMES[step]} IS NOT NULL")
    if loss in _STATES:
        params |= {"states": list(_STATES[Loss(loss)]), "loss": loss}
        conditions.append(f"e.state = ANY (%(states)s) AND {CAUSE} = %(loss)s")
    return conditions
