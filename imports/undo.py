"""Undoing, chunk by chunk from the newest change back: what the import changed, and only where nothing happened since.

Each change says what became of it: `restored`, `partly`, `removed`, `inactive`, or `kept`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from portal.core.tenancy import cursor_rows
from portal.enrolments.services import create_enrolment_intake, unenrol_employees
from portal.people.restore import create_restore, reactivate_employees, remove_employees, restore_employees

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

# Somebody edited by hand, a later import that stands, a sign-in, or a value that is no longer the one written.
_CHANGED_SINCE = (
    "(c.action = 'create' AND (e.edited <> '{}' OR e.learner_id IS NOT NULL OR EXISTS ("
    "SELECT 1 FROM imports_importchange l WHERE l.organisation_id = c.organisation_id"
    " AND l.employee_id = c.employee_id AND l.id > c.id AND l.roster_import_id <> c.roster_import_id"
    " AND l.action <> 'enrol' AND l.undone = ''))"
    " OR c.action = 'update' AND EXISTS (SELECT 1 FROM jsonb_each(c.after) w"
    " WHERE to_jsonb(e) -> w.key IS DISTINCT FROM w.value)"
    " OR c.action = 'deactivate' AND e.active)"
)


# The cohorts that a change `c` says somebody joined; `cohort_id` stands in the changes that are about nothing else.
_JOINED = "unnest(coalesce(c.cohort_ids, ARRAY[c.cohort_id])) AS joined (cohort_id)"
_CONTACTED = (
    f"(c.undone IN ('', 'kept') AND EXISTS (SELECT 1 FROM {_JOINED}"  # noqa: S608  The fragment is a constant.
    " JOIN enrolments_enrolment n ON n.cohort_id = joined.cohort_id WHERE n.organisation_id = c.organisation_id"
    " AND n.employee_id = c.employee_id AND n.state <> 'enrolled'))"
)


def undo_chunk(*, actor: Actor, organisation: Organisation, import_id: int) -> int:
    """Take back the newest changes that stand; return how many, 0 at the end. The caller holds the import's lock."""
    params = {"organisation": organisation.pk, "import": import_id, "limit": settings.IMPORT_CHUNK_ROWS}
    cursor_rows(
        "CREATE TEMP TABLE undo_now ON COMMIT DROP AS"
        " SELECT id, employee_id, cohort_id, cohort_ids, action, before, after FROM imports_importchange"
        " WHERE organisation_id = %(organisation)s AND roster_import_id = %(import)s AND undone = ''"
        " ORDER BY id DESC LIMIT %(limit)s",
        params,
    )
    _tell_enrolments_apart(params)
    cursor_rows("ALTER TABLE undo_now ADD PRIMARY KEY (id)")
    cursor_rows("ANALYZE undo_now")
    counts = Counter(dict(cursor_rows("SELECT action, count(*) FROM undo_now GROUP BY action")))
    # Enrolments go first: a person is removed only when none is left.
    if counts["enrol"]:
        _unenrol(actor, organisation, params)
    for action, take_back in (
        ("deactivate", reactivate_employees),
        ("update", restore_employees),
        ("create", remove_employees),
    ):
        if counts[action]:
            _fill_restore(action, params)
            if action == "create":
                _unenrol_newcomers(actor, organisation)
            take_back(actor=actor, organisation=organisation)
            _record_results(params)
    cursor_rows("DROP TABLE undo_now")
    return counts.total()


def _tell_enrolments_apart(params: dict[str, Any]) -> None:
    """Make a change of its own of each enrolment that stands with its person's coming."""
    cursor_rows(
        """
        WITH apart AS (
            INSERT INTO imports_importchange (organisation_id, roster_import_id, employee_id, cohort_id, action, undone)
            SELECT %(organisation)s, %(import)s, employee_id, unnest(cohort_ids), 'enrol', '' FROM undo_now
            RETURNING id, employee_id, cohort_id, action
        )
        INSERT INTO undo_now (id, employee_id, cohort_id, action) SELECT * FROM apart
        """,
        params,
    )
    cursor_rows(
        "UPDATE imports_importchange c SET cohort_ids = NULL FROM undo_now u"
        " WHERE c.organisation_id = %(organisation)s AND c.id = u.id AND u.cohort_ids IS NOT NULL",
        params,
    )


def undo_results(*, organisation_id: int, import_id: int) -> dict[str, int]:
    """What the undo came to: people by result, and enrolments apart."""
    rows = cursor_rows(
        "SELECT CASE WHEN action = 'enrol' THEN 'enrolments_' || undone ELSE undone END, count(*)"
        " FROM imports_importchange WHERE organisation_id = %s AND roster_import_id = %s GROUP BY 1",
        [organisation_id, import_id],
    )
    return {result: count for result, count in rows if result}


def _unenrol(actor: Actor, organisation: Organisation, params: dict[str, Any]) -> None:
    create_enrolment_intake()
    cursor_rows(
        "INSERT INTO enrolment_intake (employee_id, cohort_id) SELECT employee_id, cohort_id FROM undo_now"
        " WHERE action = 'enrol'"
    )
    unenrol_employees(actor=actor, organisation=organisation)
    cursor_rows(
        "UPDATE imports_importchange c SET undone = CASE WHEN EXISTS (SELECT 1 FROM enrolments_enrolment e"
        " WHERE e.organisation_id = c.organisation_id AND e.employee_id = c.employee_id AND e.cohort_id = c.cohort_id)"
        " THEN 'kept' ELSE 'removed' END"
        " FROM undo_now u WHERE c.organisation_id = %(organisation)s AND c.id = u.id AND u.action = 'enrol'",
        params,
    )


def _unenrol_newcomers(actor: Actor, organisation: Organisation) -> None:
    """Take back what the cohorts' rules made of the people who go: they came in because the import brought them."""
    create_enrolment_intake()
    cursor_rows(
        "INSERT INTO enrolment_intake (employee_id, cohort_id) SELECT e.employee_id, e.cohort_id"
        " FROM enrolments_enrolment e JOIN employee_restore r USING (employee_id)"
        " JOIN people_employee p ON p.organisation_id = e.organisation_id AND p.id = e.employee_id"
        " WHERE e.organisation_id = %s AND e.enrolled_by = 'rule' AND p.edited = '{}' AND p.learner_id IS NULL",
        [organisation.pk],
    )
    unenrol_employees(actor=actor, organisation=organisation)


def _fill_restore(action: str, params: dict[str, Any]) -> None:
    """Hand over the people; those whom a later import has changed as well stay with that import."""
    create_restore()
    later = (
        "EXISTS (SELECT 1 FROM imports_importchange l WHERE l.organisation_id = %(organisation)s"
        " AND l.employee_id = u.employee_id AND l.id > u.id AND l.roster_import_id <> %(import)s"
        " AND l.action <> 'enrol' AND l.undone = '')"
    )
    stays = later if action == "create" else "false"
    cursor_rows(
        "INSERT INTO employee_restore (ref, employee_id, before, after)"  # noqa: S608
        f" SELECT id, employee_id, before, after FROM undo_now u WHERE action = %(action)s AND NOT {stays}",
        {**params, "action": action},
    )
    cursor_rows(
        "UPDATE imports_importchange c SET undone = 'kept' FROM undo_now u WHERE c.organisation_id = %(organisation)s"
        " AND c.id = u.id AND u.action = %(action)s AND u.id NOT IN (SELECT ref FROM employee_restore)",
        {**params, "action": action},
    )


def _record_results(params: dict[str, Any]) -> None:
    """Write the results; whoever does not exist any more needs nothing taken back."""
    cursor_rows(
        "UPDATE imports_importchange c SET undone = coalesce(nullif(r.result, ''), 'kept') FROM employee_restore r"
        " WHERE c.organisation_id = %(organisation)s AND c.id = r.ref",
        params,
    )


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an undo would come to now: people removed, restored and left alone, and enrolments that have begun."""

    people: int
    changed_since: int
    enrolments: int
    contacted: int


def undo_outlook(*, organisation_id: int, import_id: int) -> Outlook:
    """Say beforehand what taking an import back would come to; another import or a hand may change it meanwhile."""
    params = {"organisation": organisation_id, "import": import_id}
    ((people, changed),) = cursor_rows(
        f"SELECT count(*), count(*) FILTER (WHERE {_CHANGED_SINCE}) FROM imports_importchange c"  # noqa: S608
        " JOIN people_employee e ON e.id = c.employee_id AND e.organisation_id = %(organisation)s"
        " WHERE c.organisation_id = %(organisation)s AND c.roster_import_id = %(import)s AND c.undone = ''"
        " AND c.action <> 'enrol'",
        params,
    )
    ((enrolments, contacted),) = cursor_rows(
        "SELECT count(*), count(*) FILTER (WHERE n.state <> 'enrolled') FROM imports_importchange c"  # noqa: S608
        f" CROSS JOIN LATERAL {_JOINED} JOIN enrolments_enrolment n"
        " ON n.employee_id = c.employee_id AND n.cohort_id = joined.cohort_id AND n.organisation_id = %(organisation)s"
        " WHERE c.organisation_id = %(organisation)s AND c.roster_import_id = %(import)s AND c.undone = ''",
        params,
    )
    return Outlook(people, changed, enrolments, contacted)


def people_left_alone(
    *, organisation_id: int, import_id: int, why: str, after: int = 0, limit: int = 50
) -> list[tuple[int, int, str, str]]:
    """A page of the people whom an undo leaves, or left, as they are: change id, employee id, name, key.

    `why`: `changed` (something happened to them since) or `contacted` (an invitation has left, or they have begun).
    """
    condition = {
        "changed": f"(c.action <> 'enrol' AND (c.undone IN ('kept', 'partly', 'inactive') OR c.undone = ''"
        f" AND {_CHANGED_SINCE}))",
        "contacted": _CONTACTED,
    }[why]
    return cursor_rows(
        "SELECT c.id, e.id, trim(e.first_name || ' ' || e.last_name),"  # noqa: S608  The conditions are constants.
        " coalesce(nullif(e.employee_number, ''), e.email)"
        " FROM imports_importchange c JOIN people_employee e ON e.id = c.employee_id"
        " AND e.organisation_id = %(organisation)s WHERE c.organisation_id = %(organisation)s"
        f" AND c.roster_import_id = %(import)s AND c.id > %(after)s AND {condition} ORDER BY c.id LIMIT %(limit)s",
        {"organisation": organisation_id, "import": import_id, "after": after, "limit": limit},
    )
