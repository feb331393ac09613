"""From facts to steps: what all the facts about a person in a programme say together.

The steps are computed from every fact each time, so neither the order in which facts arrive nor how often matters.
A certificate counts as started and completed; one that was revoked at its time or later does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.plans import whole_sets
from portal.core.tenancy import cursor_rows
from portal.enrolments.services import create_step_intake, record_steps
from portal.people.learners import note_employees_certified
from portal.progress.certificates import issue_certificates

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


def people_with_facts(organisation_id: int) -> None:
    """Project everyone."""
    cursor_rows(
        "INSERT INTO fact_people SELECT DISTINCT employee_id FROM progress_completionevent"
        " WHERE organisation_id = %s AND employee_id IS NOT NULL",
        [organisation_id],
    )


def project_people(*, actor: Actor, organisation: Organisation) -> int:
    """Carry the facts of `fact_people` to their enrolments; return how many enrolments changed."""
    ((people,),) = cursor_rows("SELECT count(*) FROM fact_people")
    if not people:
        return 0
    with whole_sets(people):
        _sum_up(organisation.pk)
        create_step_intake()
        cursor_rows(f"INSERT INTO step_intake ({_STEPS}) SELECT {_STEPS} FROM fact_steps")  # noqa: S608  Constants.
        changed = record_steps(actor=actor, organisation=organisation)
        _note_certified(organisation)
        issue_certificates(actor=actor, organisation=organisation)
    return changed


def _sum_up(organisation_id: int) -> None:
    cursor_rows(
        """
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
            FROM progress_completionevent f JOIN fact_people USING (employee_id)
            WHERE f.organisation_id = %s
        ) facts
        GROUP BY employee_id, programme_id
        """,
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
