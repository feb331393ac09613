"""Applying a plan, chunk by chunk.

Each chunk is one transaction that writes people, enrolments, what changed, and the fact that it is done. Killed
between two statements it leaves nothing; taken up again it begins where it stopped.
The import's row is locked first, so that two workers follow each other and the second finds the chunk done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from imports.diff import cohort_names, create_cohort_names
from imports.models import RosterImport
from portal.cohorts.services import cohorts_for_names
from portal.core.errors import Refusal
from portal.core.tenancy import cursor_rows
from portal.enrolments.services import create_enrolment_intake, enrol_employees
from portal.people.intake import DATE_FIELDS, TEXT_FIELDS, create_intake, match_intake
from portal.people.services import deactivate_employees, upsert_employees

if TYPE_CHECKING:
    from imports.diff import Plan
    from portal.core.actor import Actor

_INTAKE = ", ".join((*TEXT_FIELDS, "sort_name", *DATE_FIELDS))
_TO_DO = "s.organisation_id = %(organisation)s AND s.roster_import_id = %(import)s AND NOT s.done AND NOT s.held"


def apply_chunk(*, actor: Actor, plan: Plan) -> int:
    """Apply the next rows, then the next departures; return how many, 0 at the end.

    The caller holds the lock of the import's row.
    """
    params = {**plan.params, "limit": settings.IMPORT_CHUNK_ROWS}
    written = _write_people(actor, plan, params) or _deactivate_absent(actor, plan, params)
    if written:
        RosterImport.objects.filter(pk=plan.roster_import.pk).update(
            done_rows=plan.roster_import.done_rows + written, heartbeat_at=timezone.now()
        )
    return written


def _write_people(actor: Actor, plan: Plan, params: dict[str, Any]) -> int:
    _take_rows(params)
    ((taken,),) = cursor_rows("SELECT count(*) FROM employee_intake")
    if taken:
        cursor_rows("ANALYZE employee_intake")
        _upsert(actor, plan)
        cursor_rows(
            "INSERT INTO imports_importchange"
            " (organisation_id, roster_import_id, employee_id, action, before, after, undone)"
            " SELECT %(organisation)s, %(import)s, employee_id, action, before, after, '' FROM employee_outcome"
            " WHERE action IN ('create', 'update') ORDER BY ref",
            params,
        )
        _enrol(actor, plan, params)
    cursor_rows("DROP TABLE staying")
    return int(taken)


def _take_rows(params: dict[str, Any]) -> None:
    """Mark the next rows done and take them in: people into the intake, those who do not leave into `staying`.

    They are taken up to an id, not joined to a list of ids: a join would be planned with the figures of before the
    upload, and go through that list for each row.
    """
    create_intake()
    cursor_rows("CREATE TEMP TABLE staying (ref bigint, cohort text) ON COMMIT DROP")
    cursor_rows(
        f"""
        WITH next AS (
            SELECT max(id) AS last FROM (
                SELECT id FROM imports_stagedrow s
                WHERE {_TO_DO} AND action IN ('create', 'update') ORDER BY id LIMIT %(limit)s) rows
        ), taken AS (
            UPDATE imports_stagedrow s SET done = true
            WHERE {_TO_DO} AND action IN ('create', 'update') AND s.id <= (SELECT last FROM next) RETURNING s.*
        ), stay AS (
            INSERT INTO staying (ref, cohort) SELECT id, cohort FROM taken WHERE NOT departs
        )
        INSERT INTO employee_intake (ref, employee_id, {_INTAKE}) SELECT id, employee_id, {_INTAKE} FROM taken
        """,  # noqa: S608
        params,
    )


def _upsert(actor: Actor, plan: Plan) -> None:
    """Write the people; if somebody was added by hand since the plan was made, find who each row is once more."""
    try:
        upsert_employees(actor=actor, organisation=plan.organisation, intake=plan.intake)
    except Refusal:
        match_intake(plan.organisation.pk)
        cursor_rows("TRUNCATE employee_outcome")
        upsert_employees(actor=actor, organisation=plan.organisation, intake=plan.intake)


def _enrol(actor: Actor, plan: Plan, params: dict[str, Any]) -> None:
    """Enrol the chunk's people in the cohorts that its rows and the import name; those who leave are left out."""
    everyone = plan.roster_import.cohort_name
    names = {name for (name,) in cursor_rows("SELECT DISTINCT cohort FROM staying")} | {everyone}
    names.discard("")
    if not names:
        return
    found = cohorts_for_names(actor=actor, organisation=plan.organisation, names=sorted(names))
    create_cohort_names(names, {key: cohort.pk for key, cohort in found.items()})
    create_enrolment_intake()
    cursor_rows(
        "INSERT INTO enrolment_intake (employee_id, cohort_id)"
        " SELECT o.employee_id, c.cohort_id FROM employee_outcome o"
        " JOIN staying s USING (ref) JOIN cohort_named c ON c.name IN (s.cohort, %s)",
        [everyone],
    )
    enrol_employees(actor=actor, organisation=plan.organisation)
    cursor_rows(
        "INSERT INTO imports_importchange (organisation_id, roster_import_id, employee_id, cohort_id, action, undone)"
        " SELECT %(organisation)s, %(import)s, employee_id, cohort_id, 'enrol', '' FROM enrolment_outcome",
        params,
    )
    cursor_rows("DROP TABLE cohort_named")


def _deactivate_absent(actor: Actor, plan: Plan, params: dict[str, Any]) -> int:
    rows = cursor_rows(
        f"SELECT id, employee_id FROM imports_stagedrow s"  # noqa: S608
        f" WHERE {_TO_DO} AND action = 'depart' ORDER BY id LIMIT %(limit)s",
        params,
    )
    if not rows:
        return 0
    left = deactivate_employees(
        actor=actor, organisation=plan.organisation, employee_ids=[employee_id for _, employee_id in rows]
    )
    cursor_rows(
        "INSERT INTO imports_importchange (organisation_id, roster_import_id, employee_id, action, undone)"
        " SELECT %(organisation)s, %(import)s, left_now, 'deactivate', '' FROM unnest(%(left)s::bigint[]) left_now",
        {**params, "left": left},
    )
    cursor_rows(
        "UPDATE imports_stagedrow s SET done = true"
        " WHERE s.organisation_id = %(organisation)s AND s.id = ANY (%(rows)s)",
        {**params, "rows": [pk for pk, _ in rows]},
    )
    return len(rows)


def create_named_cohorts(*, actor: Actor, plan: Plan) -> None:
    """Create the cohorts that the import names and that do not exist yet: they are the confirming person's doing."""
    names = cohort_names(plan.roster_import)
    if names:
        cohorts_for_names(actor=actor, organisation=plan.organisation, names=names)
