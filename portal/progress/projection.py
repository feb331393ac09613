"""From facts to steps: what all the facts about a person in a programme say together.

The steps are computed from every fact each time, so neither the order in which facts arrive nor how often matters.
A certificate counts as started and completed; one that was revoked at its time or later does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.plans import whole_sets
from portal.core.tenancy import cursor_rows
from portal.enrolments.services import create_step_intake, note_enrolments_changed, record_steps
from portal.people.learners import correct_employees_certified, note_employees_certified
from portal.progress.certificates import issue_certificates
from portal.progress.standing import STANDING

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation


_STEPS = "employee_id, programme_id, first_fact_at, started_at, completed_at, certified_at, certificate_url, progress"


def create_people() -> None:
    """Make `fact_people`, which the caller fills with the employees to project, and what the projection needs."""
    cursor_rows("CREATE TEMP TABLE IF NOT EXISTS fact_people (employee_id bigint PRIMARY KEY) ON COMMIT DROP")
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS fact_steps (employee_id bigint, programme_id bigint,"
        " first_fact_at timestamptz, started_at timestamptz, completed_at timestamptz,"
        " first_certified_at timestamptz, certified_at timestamptz, certificate_url text, progress smallint)"
        " ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE fact_people, fact_steps")


def people_of_landing() -> None:
    """Project those of whom the landing speaks."""
    cursor_rows(
        "INSERT INTO fact_people SELECT DISTINCT employee_id FROM event_landing WHERE employee_id IS NOT NULL"
        " ON CONFLICT DO NOTHING"
    )


def people_since(organisation_id: int, event_pk: int) -> None:
    """Project those about whom something was kept since this event, itself included."""
    cursor_rows(
        "INSERT INTO fact_people SELECT DISTINCT employee_id FROM progress_completionevent"
        " WHERE organisation_id = %s AND id >= %s AND employee_id IS NOT NULL ON CONFLICT DO NOTHING",
        [organisation_id, event_pk],
    )


def people_enrolled_late(organisation_id: int, cohort_ids: list[int]) -> None:
    """Project those in these cohorts whose facts came before their enrolment: nothing has reached it yet."""
    with whole_sets():
        cursor_rows(
            "INSERT INTO fact_people SELECT DISTINCT e.employee_id FROM enrolments_enrolment e"
            " JOIN cohorts_cohort c ON c.id = e.cohort_id AND c.organisation_id = e.organisation_id"
            " JOIN progress_completionevent f ON f.organisation_id = e.organisation_id"
            "  AND f.employee_id = e.employee_id AND f.programme_id = c.programme_id"
            " WHERE e.organisation_id = %(organisation)s AND e.cohort_id = ANY (%(cohorts)s)"
            " AND e.started_at IS NULL ON CONFLICT DO NOTHING",
            {"organisation": organisation_id, "cohorts": cohort_ids},
        )


def people_named(organisation_id: int, employee_ids: list[int]) -> None:
    """Project these people, as far as they still have facts, or a certificate that facts had given."""
    cursor_rows(
        "INSERT INTO fact_people SELECT employee_id FROM progress_completionevent"
        " WHERE organisation_id = %(organisation)s AND employee_id = ANY (%(employees)s)"
        " UNION SELECT employee_id FROM progress_certificate"
        " WHERE organisation_id = %(organisation)s AND employee_id = ANY (%(employees)s) ON CONFLICT DO NOTHING",
        {"organisation": organisation_id, "employees": employee_ids},
    )


def people_of(organisation_id: int, employee_ids: list[int]) -> None:
    """Project those of these people who have facts that may not have reached an enrolment."""
    cursor_rows(
        "INSERT INTO fact_people SELECT DISTINCT f.employee_id FROM progress_completionevent f"
        " WHERE f.organisation_id = %(organisation)s AND f.employee_id = ANY (%(people)s)"
        " AND EXISTS (SELECT 1 FROM enrolments_enrolment e WHERE e.organisation_id = %(organisation)s"
        "  AND e.employee_id = f.employee_id AND e.started_at IS NULL) ON CONFLICT DO NOTHING",
        {"organisation": organisation_id, "people": employee_ids},
    )


def people_with_facts(organisation_id: int) -> None:
    """Project everyone who has facts, or whose enrolments say so."""
    cursor_rows(
        "INSERT INTO fact_people SELECT employee_id FROM progress_completionevent"
        " WHERE organisation_id = %(organisation)s AND employee_id IS NOT NULL"
        " UNION SELECT employee_id FROM enrolments_enrolment WHERE organisation_id = %(organisation)s"
        " AND (started_at IS NOT NULL OR completed_at IS NOT NULL OR certified_at IS NOT NULL"
        " OR activated_by = 'fact')",
        {"organisation": organisation_id},
    )


def project_people(*, actor: Actor, organisation: Organisation) -> int:
    """Carry the facts of `fact_people` to their enrolments; return how many enrolments changed."""
    ((people,),) = cursor_rows("SELECT count(*) FROM fact_people")
    if not people:
        return 0
    with whole_sets(people):
        _sum_up(organisation.pk)
        _sum_up_nothing(organisation.pk)
        create_step_intake()
        cursor_rows(f"INSERT INTO step_intake ({_STEPS}) SELECT {_STEPS} FROM fact_steps")  # noqa: S608  Constants.
        changed = record_steps(actor=actor, organisation=organisation)
        _note_certified(organisation)
        issue_certificates(actor=actor, organisation=organisation)
    return changed


def note_learning(organisation: Organisation) -> None:
    """Have those of `fact_people` who are under way counted anew: a new fact says so even when it changes no step."""
    pairs = cursor_rows(
        "SELECT e.employee_id, e.cohort_id FROM fact_people JOIN enrolments_enrolment e USING (employee_id)"
        " WHERE e.organisation_id = %s AND e.started_at IS NOT NULL AND e.completed_at IS NULL",
        [organisation.pk],
    )
    note_enrolments_changed(
        organisation_id=organisation.pk, pairs=[(employee_id, cohort_id) for employee_id, cohort_id in pairs]
    )


def _sum_up(organisation_id: int) -> None:
    cursor_rows(
        f"""
        INSERT INTO fact_steps
        SELECT employee_id, programme_id, min(occurred_at),
               min(occurred_at) FILTER (WHERE valid OR kind IN ('started', 'progressed', 'completed')),
               min(occurred_at) FILTER (WHERE valid OR kind = 'completed'),
               min(occurred_at) FILTER (WHERE valid), max(occurred_at) FILTER (WHERE valid),
               coalesce((array_agg(certificate_url ORDER BY occurred_at DESC, event_id DESC)
                         FILTER (WHERE valid))[1], ''),
               coalesce(max(progress), 0)
        FROM (
            SELECT f.*, f.kind = 'certified' AND f.occurred_at > coalesce(
                       max(f.occurred_at) FILTER (WHERE f.kind = 'revoked')
                       OVER (PARTITION BY f.employee_id, f.programme_id), '-infinity') AS valid
            FROM ({STANDING}) f
        ) facts
        GROUP BY employee_id, programme_id
        """,  # noqa: S608  The fragment is a constant.
        {"organisation": organisation_id},
    )


def _sum_up_nothing(organisation_id: int) -> None:
    """Whoever has no facts any more, as after a correction or since they were others', has no steps of them either."""
    cursor_rows(
        "INSERT INTO fact_steps (employee_id, programme_id, certificate_url, progress)"
        " SELECT DISTINCT e.employee_id, c.programme_id, '', 0"
        " FROM enrolments_enrolment e JOIN fact_people USING (employee_id)"
        " JOIN cohorts_cohort c ON c.organisation_id = e.organisation_id AND c.id = e.cohort_id"
        " WHERE e.organisation_id = %s AND (e.started_at IS NOT NULL OR e.completed_at IS NOT NULL"
        "  OR e.certified_at IS NOT NULL OR e.activated_by = 'fact')"
        " AND NOT EXISTS (SELECT FROM fact_steps s WHERE s.employee_id = e.employee_id"
        "  AND s.programme_id = c.programme_id)",
        [organisation_id],
    )


def _note_certified(organisation: Organisation) -> None:
    days = cursor_rows(
        "SELECT employee_id, (min(first_certified_at) AT TIME ZONE %s)::date FROM fact_steps"
        " WHERE first_certified_at IS NOT NULL GROUP BY employee_id",
        [organisation.time_zone],
    )
    if days:
        note_employees_certified(organisation_id=organisation.pk, days=dict(days))
    late = cursor_rows(
        """
        SELECT e.id, first.day FROM fact_people p
        JOIN people_employee e ON e.organisation_id = %(organisation)s AND e.id = p.employee_id
        JOIN people_learnerreference r ON r.id = e.learner_id AND r.first_certified_on IS NOT NULL
        LEFT JOIN (
            SELECT employee_id, (min(first_certified_at) AT TIME ZONE %(zone)s)::date AS day
            FROM fact_steps GROUP BY employee_id
        ) first ON first.employee_id = e.id
        WHERE first.day IS NULL OR first.day > r.first_certified_on
        """,
        {"organisation": organisation.pk, "zone": organisation.time_zone},
    )
    if late:
        correct_employees_certified(organisation_id=organisation.pk, days=dict(late))
