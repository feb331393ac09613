"""Writing enrolments: in bulk through temporary relations, like the employees they enrol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from portal.cohorts.services import note_cohorts_changed
from portal.core.tenancy import cursor_rows
from portal.enrolments.invitations import withdraw_mails_of

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

# The furthest step that the times of a row speak of, best first.
_STATE = (
    "CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN certified_at IS NOT NULL THEN 'certified'"
    " WHEN completed_at IS NOT NULL THEN 'completed' WHEN activated_at IS NOT NULL THEN 'active'"
    " WHEN invited_at IS NOT NULL THEN 'invited' ELSE 'enrolled' END"
)


def create_enrolment_intake() -> None:
    """Make `enrolment_intake`, which the caller fills, and `enrolment_outcome`, which names the new enrolments."""
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS enrolment_intake"
        " (employee_id bigint NOT NULL, cohort_id bigint NOT NULL) ON COMMIT DROP"
    )
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS enrolment_outcome"
        " (employee_id bigint NOT NULL, cohort_id bigint NOT NULL) ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE enrolment_intake, enrolment_outcome")


@transaction.atomic
def enrol_employees(*, actor: Actor, organisation: Organisation) -> int:
    """Enrol the pairs of `enrolment_intake` and return how many are new. The chunked job's end is audited.

    Whoever is in the cohort already, withdrawn included, stays as they are.
    """
    del actor
    cursor_rows(
        """
        WITH made AS (
            INSERT INTO enrolments_enrolment
                (organisation_id, employee_id, cohort_id, state, enrolled_at, certificate_url, progress)
            SELECT DISTINCT %(organisation)s::bigint, employee_id, cohort_id, 'enrolled', statement_timestamp(), '', 0
            FROM enrolment_intake
            ON CONFLICT (organisation_id, employee_id, cohort_id) DO NOTHING
            RETURNING employee_id, cohort_id
        )
        INSERT INTO enrolment_outcome (employee_id, cohort_id) SELECT employee_id, cohort_id FROM made
        """,
        {"organisation": organisation.pk},
    )
    touched = cursor_rows("SELECT cohort_id, count(*) FROM enrolment_outcome GROUP BY cohort_id")
    if touched:
        note_cohorts_changed(organisation_id=organisation.pk, cohort_ids=[cohort_id for cohort_id, _ in touched])
    return sum(count for _, count in touched)


@transaction.atomic
def unenrol_employees(*, actor: Actor, organisation: Organisation) -> list[tuple[int, int]]:
    """Take back the enrolments of `enrolment_intake` in which nothing has happened yet; return those removed."""
    cursor_rows("CREATE INDEX IF NOT EXISTS enrolment_intake_pair ON enrolment_intake (employee_id, cohort_id)")
    waiting = cursor_rows(
        "SELECT e.id FROM enrolments_enrolment e JOIN enrolment_intake i USING (employee_id, cohort_id)"
        " WHERE e.organisation_id = %s AND e.state = 'enrolled'",
        [organisation.pk],
    )
    withdraw_mails_of(
        actor=actor, organisation=organisation, enrolment_ids=[enrolment_id for (enrolment_id,) in waiting]
    )
    removed = cursor_rows(
        "DELETE FROM enrolments_enrolment e USING enrolment_intake i"
        " WHERE e.organisation_id = %s AND e.employee_id = i.employee_id AND e.cohort_id = i.cohort_id"
        " AND e.state = 'enrolled' RETURNING e.employee_id, e.cohort_id",
        [organisation.pk],
    )
    if removed:
        note_cohorts_changed(organisation_id=organisation.pk, cohort_ids=[cohort_id for _, cohort_id in removed])
    return [(employee_id, cohort_id) for employee_id, cohort_id in removed]


@transaction.atomic(savepoint=False)
def activate_enrolments(*, actor: Actor, organisation: Organisation, employee_id: int) -> int:
    """Record a first sign-in on each of the person's enrolments that were not active yet."""
    del actor
    changed = cursor_rows(
        "UPDATE enrolments_enrolment SET activated_at = statement_timestamp(),"
        " state = CASE WHEN state IN ('enrolled', 'invited') THEN 'active' ELSE state END"
        " WHERE organisation_id = %s AND employee_id = %s AND activated_at IS NULL AND withdrawn_at IS NULL"
        " RETURNING cohort_id",
        [organisation.pk, employee_id],
    )
    if changed:
        note_cohorts_changed(organisation_id=organisation.pk, cohort_ids=[cohort_id for (cohort_id,) in changed])
    return len(changed)


def create_step_intake() -> None:
    """Make `step_intake`: what the facts say of a person in a programme, one row for each."""
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS step_intake (employee_id bigint NOT NULL, programme_id bigint NOT NULL,"
        " first_fact_at timestamptz, started_at timestamptz, completed_at timestamptz, certified_at timestamptz,"
        " certificate_url text NOT NULL, progress smallint NOT NULL) ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE step_intake")


@transaction.atomic
def record_steps(*, actor: Actor, organisation: Organisation) -> int:
    """Write the steps of `step_intake` to every enrolment of those people in that programme; return how many changed.

    A person's facts count in each of their cohorts of the programme. The steps replace what was there, so that a
    revocation steps back and the order in which facts arrive does not matter.
    """
    del actor
    changed = cursor_rows(
        f"""
        UPDATE enrolments_enrolment e SET
            activated_at = least(e.activated_at, s.first_fact_at), started_at = s.started_at,
            completed_at = s.completed_at, certified_at = s.certified_at,
            certificate_url = s.certificate_url, progress = s.progress,
            state = (SELECT {_STATE} FROM (SELECT e.withdrawn_at, s.certified_at, s.completed_at,
                     least(e.activated_at, s.first_fact_at) AS activated_at, e.invited_at) steps)
        FROM step_intake s JOIN cohorts_cohort c ON c.programme_id = s.programme_id
        WHERE e.organisation_id = %(organisation)s AND c.organisation_id = %(organisation)s
          AND e.employee_id = s.employee_id AND e.cohort_id = c.id
          AND (e.started_at, e.completed_at, e.certified_at, e.certificate_url, e.progress,
               e.activated_at)
              IS DISTINCT FROM (s.started_at, s.completed_at, s.certified_at, s.certificate_url, s.progress,
               least(e.activated_at, s.first_fact_at))
        RETURNING e.cohort_id
        """,  # noqa: S608  The fragment is a constant.
        {"organisation": organisation.pk},
    )
    if changed:
        note_cohorts_changed(organisation_id=organisation.pk, cohort_ids=[cohort_id for (cohort_id,) in changed])
    return len(changed)


@transaction.atomic
def take_back_activation(*, actor: Actor, organisation: Organisation, employee_id: int) -> int:
    """Forget the sign-in and the steps on a person's enrolments: they were somebody else's.

    Facts that are the person's own bring their steps back when they are projected again.
    """
    del actor
    changed = cursor_rows(
        f"""
        UPDATE enrolments_enrolment e SET activated_at = NULL, started_at = NULL, completed_at = NULL,
            certified_at = NULL, certificate_url = '', progress = 0,
            state = (SELECT {_STATE} FROM (SELECT e.withdrawn_at, NULL::timestamptz AS certified_at,
                     NULL::timestamptz AS completed_at, NULL::timestamptz AS activated_at, e.invited_at) steps)
        WHERE e.organisation_id = %s AND e.employee_id = %s RETURNING e.cohort_id
        """,  # noqa: S608  The fragment is a constant.
        [organisation.pk, employee_id],
    )
    if changed:
        note_cohorts_changed(organisation_id=organisation.pk, cohort_ids=[cohort_id for (cohort_id,) in changed])
    return len(changed)
