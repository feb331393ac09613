"""Applying a plan, chunk by chunk: arrivals, then changes, then departures, each in the order of their numbers.

Each chunk is one transaction that writes people, enrolments, what changed, and how far the work has come. Killed
between two statements it leaves nothing; taken up again it begins where it stopped. The import's row is locked first,
so that two workers follow each other. The staged rows are only read: a hundred thousand of them are not written again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from imports.diff import cohort_names, create_cohort_names
from imports.models import RosterImport, StagedRow
from portal.cohorts.services import cohorts_for_names
from portal.core.errors import Refusal
from portal.core.tenancy import cursor_rows
from portal.enrolments.services import create_enrolment_intake, enrol_employees
from portal.people.intake import INTAKE, create_intake, match_intake
from portal.people.services import deactivate_employees, upsert_employees

if TYPE_CHECKING:
    from imports.diff import Plan
    from portal.core.actor import Actor

BEFORE_ALL = -(2**31)
"""Below the number of any row."""

_PHASES = (StagedRow.Action.CREATE, StagedRow.Action.UPDATE, StagedRow.Action.DEPART)
_RELEASED = {
    RosterImport.Release.FREE: " AND NOT s.held",
    RosterImport.Release.HELD: " AND s.held",
    RosterImport.Release.ALL: "",
}


def apply_chunk(*, actor: Actor, plan: Plan) -> int:
    """Apply the next rows and return how many, 0 at the end. The caller holds the lock of the import's row."""
    # The end of the apply is flushed, and all that came before with it: a chunk that a crash takes back is done again.
    cursor_rows("SET LOCAL synchronous_commit = off")
    roster_import = plan.roster_import
    place = roster_import.cursor_action or _PHASES[0]
    for phase in _PHASES[_PHASES.index(StagedRow.Action(place)) :]:
        after = roster_import.cursor_number if phase == place else BEFORE_ALL
        params = {**plan.params, "action": phase, "after": after, "limit": settings.IMPORT_CHUNK_ROWS}
        write = _deactivate_absent if phase == StagedRow.Action.DEPART else _write_people
        written, last = write(actor, plan, params)
        if written:
            RosterImport.objects.filter(pk=roster_import.pk).update(
                cursor_action=phase,
                cursor_number=last,
                done_rows=roster_import.done_rows + written,
                heartbeat_at=timezone.now(),
            )
            return written
    return 0


def to_do(roster_import: RosterImport) -> str:
    """The condition of the rows `s` that an apply takes, whatever their action; it takes the plan's parameters."""
    return (
        "s.organisation_id = %(organisation)s AND s.roster_import_id = %(import)s"
        + _RELEASED[RosterImport.Release(roster_import.release)]
    )


def _write_people(actor: Actor, plan: Plan, params: dict[str, Any]) -> tuple[int, int]:
    _take_rows(plan, params)
    ((taken, last),) = cursor_rows("SELECT count(*), max(ref) FROM employee_intake")
    if taken:
        cursor_rows("ANALYZE employee_intake (ref, employee_id)")
        _upsert(actor, plan)
        create_enrolment_intake()
        _enrol(actor, plan)
        _note_changes(params)
    cursor_rows("DROP TABLE staying")
    return int(taken), int(last or 0)


def _take_rows(plan: Plan, params: dict[str, Any]) -> None:
    """Take the next rows in: people into the intake, those who do not leave into `staying` too."""
    create_intake()
    cursor_rows("CREATE TEMP TABLE staying (ref bigint, cohort text) ON COMMIT DROP")
    cursor_rows(
        f"""
        WITH taken AS (
            SELECT * FROM imports_stagedrow s WHERE {to_do(plan.roster_import)}
            AND s.action = %(action)s AND s.number > %(after)s ORDER BY s.number LIMIT %(limit)s
        ), stay AS (
            INSERT INTO staying (ref, cohort) SELECT number, cohort FROM taken WHERE NOT departs
        )
        INSERT INTO employee_intake (ref, employee_id, {INTAKE}) SELECT number, employee_id, {INTAKE} FROM taken
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


def _note_changes(params: dict[str, Any]) -> None:
    """Note who came or changed, newcomers with the cohorts that they joined, then whom else joined which."""
    cursor_rows(
        """
        INSERT INTO imports_importchange
            (organisation_id, roster_import_id, employee_id, cohort_ids, action, before, after, undone)
        SELECT %(organisation)s, %(import)s, o.employee_id, joined.cohort_ids, o.action, o.before, o.after, ''
        FROM employee_outcome o
        LEFT JOIN (SELECT employee_id, array_agg(cohort_id) AS cohort_ids FROM enrolment_outcome GROUP BY 1) joined
             ON joined.employee_id = o.employee_id AND o.action = 'create'
        WHERE o.action IN ('create', 'update') ORDER BY o.ref
        """,
        params,
    )
    cursor_rows(
        """
        INSERT INTO imports_importchange (organisation_id, roster_import_id, employee_id, cohort_id, action, undone)
        SELECT %(organisation)s, %(import)s, j.employee_id, j.cohort_id, 'enrol', '' FROM enrolment_outcome j
        WHERE NOT EXISTS (
            SELECT 1 FROM employee_outcome o WHERE o.employee_id = j.employee_id AND o.action = 'create')
        """,
        params,
    )


def _enrol(actor: Actor, plan: Plan) -> None:
    """Enrol the chunk's people in the cohorts that its rows and the import name; those who leave are left out."""
    everyone = plan.roster_import.cohort_name
    names = {name for (name,) in cursor_rows("SELECT DISTINCT cohort FROM staying")} | {everyone}
    names.discard("")
    if not names:
        return
    found = cohorts_for_names(actor=actor, organisation=plan.organisation, names=sorted(names))
    create_cohort_names(names, {key: cohort.pk for key, cohort in found.items()})
    cursor_rows(
        "INSERT INTO enrolment_intake (employee_id, cohort_id)"
        " SELECT o.employee_id, c.cohort_id FROM employee_outcome o"
        " JOIN staying s USING (ref) JOIN cohort_named c ON c.name IN (s.cohort, %s)",
        [everyone],
    )
    enrol_employees(actor=actor, organisation=plan.organisation)
    cursor_rows("DROP TABLE cohort_named")


def _deactivate_absent(actor: Actor, plan: Plan, params: dict[str, Any]) -> tuple[int, int]:
    rows = cursor_rows(
        f"SELECT number, employee_id FROM imports_stagedrow s WHERE {to_do(plan.roster_import)}"  # noqa: S608
        " AND s.action = %(action)s AND s.number > %(after)s ORDER BY s.number LIMIT %(limit)s",
        params,
    )
    if not rows:
        return 0, 0
    left = deactivate_employees(
        actor=actor, organisation=plan.organisation, employee_ids=[employee_id for _, employee_id in rows]
    )
    cursor_rows(
        "INSERT INTO imports_importchange (organisation_id, roster_import_id, employee_id, action, undone)"
        " SELECT %(organisation)s, %(import)s, left_now, 'deactivate', '' FROM unnest(%(left)s::bigint[]) left_now",
        {**params, "left": left},
    )
    return len(rows), rows[-1][0]


def create_named_cohorts(*, actor: Actor, plan: Plan) -> None:
    """Create the cohorts that the import names and that do not exist yet: they are the confirming person's doing."""
    names = cohort_names(plan.roster_import)
    if names:
        cohorts_for_names(actor=actor, organisation=plan.organisation, names=names)
