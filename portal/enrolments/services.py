"""Writing enrolments: in bulk through temporary relations, like the employees they enrol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from portal.cohorts.services import note_cohorts_changed
from portal.core.tenancy import cursor_rows
from portal.core.worklist import note_work
from portal.enrolments.models import Enrolment
from portal.enrolments.unsent import withdraw_unsent_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

ENROLMENT_CHANGED = "enrolment"
"""The enrolments of one person changed: the subject is the employee. For many, their cohorts are named instead."""

MOST_NOTED = 500

# The furthest step that the times of a row speak of, best first.
STATE = (
    "CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN certified_at IS NOT NULL THEN 'certified'"
    " WHEN completed_at IS NOT NULL THEN 'completed' WHEN activated_at IS NOT NULL THEN 'active'"
    " WHEN invited_at IS NOT NULL THEN 'invited' ELSE 'enrolled' END"
)

# The first sign-in or the first fact `s`, whichever came first. A time that came of a fact is the facts' again: without
# any, as after a correction, nothing of it is left.
_OWN = "CASE WHEN e.activated_by <> 'fact' THEN e.activated_at END"
_ACTIVE_AT = f"least({_OWN}, s.first_fact_at)"
_ACTIVE_BY = (
    f"CASE WHEN s.first_fact_at < coalesce({_OWN}, 'infinity') THEN 'fact'"
    f" WHEN {_OWN} IS NOT NULL THEN e.activated_by ELSE '' END"
)

# An enrolment `e` that is taken up again where it was: what had happened in it has not gone.
_REINSTATED = (
    "withdrawn_at = NULL, withdrawn_by = '', enrolled_by = %(cause)s,"  # noqa: S608  The fragment is a constant.
    f" state = (SELECT {STATE} FROM (SELECT NULL::timestamptz AS withdrawn_at, e.certified_at, e.completed_at,"
    " e.activated_at, e.invited_at) steps)"
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


def note_enrolments_changed(*, organisation_id: int, pairs: Collection[tuple[int, int]]) -> None:
    """Say whose enrolments, or which cohorts when they are many, have to be counted anew."""
    people = {employee_id for employee_id, _ in pairs}
    if len(people) > MOST_NOTED:
        note_cohorts_changed(organisation_id=organisation_id, cohort_ids=[cohort_id for _, cohort_id in pairs])
    elif people:
        note_work(organisation_id=organisation_id, topic=ENROLMENT_CHANGED, subject_ids=sorted(people))


@transaction.atomic
def enrol_employees(*, actor: Actor, organisation: Organisation, cause: str = Enrolment.Cause.IMPORT) -> int:
    """Enrol the pairs of `enrolment_intake` and return how many are new. The chunked job's end is audited.

    Whoever is in the cohort already stays as they are, and so does whoever a person withdrew; whom only a rule withdrew
    comes back, for a file says more than a rule.
    """
    del actor
    params = {"organisation": organisation.pk, "cause": str(cause)}
    cursor_rows(
        f"""
        WITH made AS (
            INSERT INTO enrolments_enrolment AS e
                (organisation_id, employee_id, cohort_id, state, enrolled_at, enrolled_by, certificate_url, progress)
            SELECT DISTINCT %(organisation)s::bigint, employee_id, cohort_id, 'enrolled', statement_timestamp(),
                   %(cause)s, '', 0
            FROM enrolment_intake
            ON CONFLICT (organisation_id, employee_id, cohort_id) DO NOTHING
            RETURNING employee_id, cohort_id
        ), back AS (
            UPDATE enrolments_enrolment e SET {_REINSTATED}
            FROM (SELECT DISTINCT employee_id, cohort_id FROM enrolment_intake) i
            WHERE e.organisation_id = %(organisation)s AND e.employee_id = i.employee_id
              AND e.cohort_id = i.cohort_id AND e.withdrawn_at IS NOT NULL AND e.withdrawn_by = 'rule'
            RETURNING e.employee_id, e.cohort_id
        )
        INSERT INTO enrolment_outcome (employee_id, cohort_id)
        SELECT employee_id, cohort_id FROM made UNION ALL SELECT employee_id, cohort_id FROM back
        """,  # noqa: S608  The fragment is a constant.
        params,
    )
    pairs = cursor_rows("SELECT employee_id, cohort_id FROM enrolment_outcome")
    note_enrolments_changed(organisation_id=organisation.pk, pairs=[(one, other) for one, other in pairs])
    return len(pairs)


@transaction.atomic
def unenrol_employees(*, actor: Actor, organisation: Organisation) -> list[tuple[int, int]]:
    """Take back the enrolments of `enrolment_intake` in which nothing has happened yet; return those removed.

    Invitations that have not left go with them. One that is about to leave, or has left, has happened.
    """
    cursor_rows("CREATE INDEX IF NOT EXISTS enrolment_intake_pair ON enrolment_intake (employee_id, cohort_id)")
    untouched = (
        "e.organisation_id = %(organisation)s AND e.employee_id = i.employee_id AND e.cohort_id = i.cohort_id"
        " AND (e.state = 'enrolled' OR e.withdrawn_by = 'rule' AND e.invited_at IS NULL AND e.activated_at IS NULL)"
    )
    params = {"organisation": organisation.pk}
    waiting = cursor_rows(
        f"SELECT e.id FROM enrolments_enrolment e, enrolment_intake i WHERE {untouched}",  # noqa: S608  A constant.
        params,
    )
    withdraw_unsent_of(
        actor=actor, organisation=organisation, enrolment_ids=[enrolment_id for (enrolment_id,) in waiting]
    )
    removed = cursor_rows(
        f"DELETE FROM enrolments_enrolment e USING enrolment_intake i WHERE {untouched}"  # noqa: S608  A constant.
        " AND NOT EXISTS (SELECT 1 FROM enrolments_invitation v WHERE v.organisation_id = %(organisation)s"
        "  AND v.enrolment_id = e.id AND v.state NOT IN ('planned', 'withdrawn'))"
        " RETURNING e.employee_id, e.cohort_id",
        params,
    )
    # What is gone cannot be counted by whose it was.
    if removed:
        note_cohorts_changed(organisation_id=organisation.pk, cohort_ids=[cohort_id for _, cohort_id in removed])
    return [(employee_id, cohort_id) for employee_id, cohort_id in removed]


@transaction.atomic(savepoint=False)
def activate_enrolments(*, actor: Actor, organisation: Organisation, employee_id: int) -> int:
    """Record a first sign-in on each of the person's enrolments that were not active yet."""
    del actor
    changed = cursor_rows(
        "UPDATE enrolments_enrolment SET activated_at = statement_timestamp(), activated_by = 'sign-in',"
        " state = CASE WHEN state IN ('enrolled', 'invited') THEN 'active' ELSE state END"
        " WHERE organisation_id = %s AND employee_id = %s AND activated_at IS NULL AND withdrawn_at IS NULL"
        " RETURNING cohort_id",
        [organisation.pk, employee_id],
    )
    note_enrolments_changed(
        organisation_id=organisation.pk, pairs=[(employee_id, cohort_id) for (cohort_id,) in changed]
    )
    return len(changed)


@transaction.atomic
def carry_deliveries(*, actor: Actor, organisation: Organisation, enrolment_ids: Collection[int] | None = None) -> int:
    """Write what became of the invitations to these enrolments, or to all; return how many changed.

    An invitation has left when one of its mails has. One that the server took has arrived until it comes back: many
    servers never say more. Whoever writes down what became of invitations calls this with their enrolments: they are
    counted anew in any case, for a mail that came back may change why somebody is held up and nothing else.
    """
    del actor
    params = {"organisation": organisation.pk, "enrolments": list(enrolment_ids or ())}
    which = "true" if enrolment_ids is None else "n.id = ANY (%(enrolments)s)"
    changed = cursor_rows(
        f"""
        UPDATE enrolments_enrolment e SET invited_at = told.sent_at, delivered_at = told.delivered_at,
            state = (SELECT {STATE} FROM (SELECT e.withdrawn_at, e.certified_at, e.completed_at, e.activated_at,
                     told.sent_at AS invited_at) steps)
        FROM (
            SELECT n.id, min(v.sent_at) AS sent_at,
                   min(CASE WHEN v.state = 'delivered' THEN v.answered_at ELSE v.sent_at END)
                       FILTER (WHERE v.state IN ('sent', 'delivered')) AS delivered_at
            FROM enrolments_enrolment n JOIN enrolments_invitation v
              ON v.enrolment_id = n.id AND v.organisation_id = n.organisation_id
            WHERE n.organisation_id = %(organisation)s AND {which} GROUP BY n.id
        ) told
        WHERE e.organisation_id = %(organisation)s AND e.id = told.id
          AND (e.invited_at, e.delivered_at) IS DISTINCT FROM (told.sent_at, told.delivered_at)
        RETURNING e.employee_id, e.cohort_id
        """,  # noqa: S608  The fragments are constants.
        params,
    )
    if enrolment_ids is None:
        pairs = [(employee_id, cohort_id) for employee_id, cohort_id in changed]
    else:
        told = Enrolment.objects.filter(organisation_id=organisation.pk, pk__in=enrolment_ids)
        pairs = list(told.values_list("employee_id", "cohort_id"))
    note_enrolments_changed(organisation_id=organisation.pk, pairs=pairs)
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
            activated_at = {_ACTIVE_AT}, activated_by = {_ACTIVE_BY}, started_at = s.started_at,
            completed_at = s.completed_at, certified_at = s.certified_at,
            certificate_url = s.certificate_url, progress = s.progress,
            state = (SELECT {STATE} FROM (SELECT e.withdrawn_at, s.certified_at, s.completed_at,
                     {_ACTIVE_AT} AS activated_at, e.invited_at) steps)
        FROM step_intake s JOIN cohorts_cohort c ON c.programme_id = s.programme_id
        WHERE e.organisation_id = %(organisation)s AND c.organisation_id = %(organisation)s
          AND e.employee_id = s.employee_id AND e.cohort_id = c.id
          AND (e.started_at, e.completed_at, e.certified_at, e.certificate_url, e.progress,
               e.activated_at, e.activated_by)
              IS DISTINCT FROM (s.started_at, s.completed_at, s.certified_at, s.certificate_url, s.progress,
               {_ACTIVE_AT}, {_ACTIVE_BY})
        RETURNING e.employee_id, e.cohort_id
        """,  # noqa: S608  The fragments are constants.
        {"organisation": organisation.pk},
    )
    pairs = [(employee_id, cohort_id) for employee_id, cohort_id in changed]
    note_enrolments_changed(organisation_id=organisation.pk, pairs=pairs)
    return len(pairs)


@transaction.atomic
def take_back_activation(*, actor: Actor, organisation: Organisation, employee_id: int) -> int:
    """Forget the sign-in and the steps on a person's enrolments: they were somebody else's.

    Facts that are the person's own bring their steps back when they are projected again.
    """
    del actor
    changed = cursor_rows(
        f"""
        UPDATE enrolments_enrolment e SET activated_at = NULL, activated_by = '', started_at = NULL,
            completed_at = NULL, certified_at = NULL, certificate_url = '', progress = 0,
            state = (SELECT {STATE} FROM (SELECT e.withdrawn_at, NULL::timestamptz AS certified_at,
                     NULL::timestamptz AS completed_at, NULL::timestamptz AS activated_at, e.invited_at) steps)
        WHERE e.organisation_id = %s AND e.employee_id = %s RETURNING e.cohort_id
        """,  # noqa: S608  The fragment is a constant.
        [organisation.pk, employee_id],
    )
    note_enrolments_changed(
        organisation_id=organisation.pk, pairs=[(employee_id, cohort_id) for (cohort_id,) in changed]
    )
    return len(changed)
