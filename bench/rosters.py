"""Rosters: from the uploaded workbook to people enrolled, against reading it and inserting what it says.

The floor checks nothing, shows no plan and cannot be undone; it writes into the product's own tables, with their keys,
their indexes and their row-level security.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from python_calamine import CalamineWorkbook

from bench.measuring import Line, compare
from bench.stage import (
    COHORTS,
    import_roster,
    new_organisation,
    one_percent_moved,
    people,
    write_workbook,
)
from portal.cohorts.services import cohorts_for_names
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope

if TYPE_CHECKING:
    from pathlib import Path

    from portal.organisations.models import Organisation


def measure(*, rows: int, runs: int, directory: Path) -> list[Line]:
    first = write_workbook(directory / f"roster-{rows}.xlsx", people(rows))
    moved = write_workbook(directory / f"roster-{rows}-moved.xlsx", one_percent_moved(people(rows)))
    there = new_organisation()
    import_roster(there, first)
    return [
        compare(
            what="roster, new people",
            rows=rows,
            runs=runs,
            goal=2,
            prepare=_organisation_with_cohorts,
            floor=lambda organisation: _inserted(organisation, first),
            ours=lambda organisation: _checked_import(organisation, first, create=rows, update=0),
        ),
        compare(
            what="roster again, unchanged",
            rows=rows,
            runs=runs,
            goal=1.5,
            prepare=lambda: there,
            floor=lambda organisation: _landed(organisation, first),
            ours=lambda organisation: _checked_import(organisation, first, create=0, update=0),
        ),
        _re_import(there, rows=rows, runs=runs, files=(moved, first)),
    ]


def _re_import(there: Organisation, *, rows: int, runs: int, files: tuple[Path, Path]) -> Line:
    """Import the two files by turns: each time the same people move to the other department and back."""
    turns = iter(files * runs)
    return compare(
        what="roster again, 1 % changed",
        rows=rows,
        runs=runs,
        goal=1.5,
        prepare=lambda: there,
        floor=lambda organisation: _landed(organisation, files[0]),
        ours=lambda organisation: _checked_import(organisation, next(turns), create=0, update=rows // 100),
    )


def _organisation_with_cohorts() -> Organisation:
    organisation = new_organisation()
    with organisation_scope(organisation.pk):
        cohorts_for_names(actor=OPERATOR, organisation=organisation, names=COHORTS)
    return organisation


def _checked_import(organisation: Organisation, path: Path, *, create: int, update: int) -> None:
    counts = import_roster(organisation, path).counts
    if (counts["create"], counts["update"]) != (create, update):
        raise RuntimeError(f"The import came to something else: {counts}.")


def _landed(organisation: Organisation, path: Path) -> None:
    """Read the workbook and send its rows to a temporary table."""
    with organisation_scope(organisation.pk):
        _land(path)


def _inserted(organisation: Organisation, path: Path) -> None:
    """Read, send down, and insert employees and enrolments, each by one statement."""
    with organisation_scope(organisation.pk):
        _land(path)
        params = {"organisation": organisation.pk}
        cursor_rows(
            "INSERT INTO people_employee (organisation_id, employee_number, last_name, first_name, sort_name, email,"
            " site, department, manager_email, language, hired_on, active, edited, created_at, changed_at)"
            " SELECT %(organisation)s, number, last_name, first_name, lower(last_name || ' ' || first_name), email,"
            " site, department, '', '', hired_on, true, '{}', now(), now() FROM landing",
            params,
        )
        cursor_rows(
            "INSERT INTO enrolments_enrolment"
            " (organisation_id, employee_id, cohort_id, state, enrolled_at, certificate_url, progress)"
            " SELECT e.organisation_id, e.id, c.id, 'enrolled', now(), '', 0 FROM landing l"
            " JOIN people_employee e ON e.employee_number = l.number AND e.organisation_id = %(organisation)s"
            " JOIN cohorts_cohort c ON c.name = l.cohort AND c.organisation_id = %(organisation)s",
            params,
        )


def _land(path: Path) -> None:
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows()
    next(rows)
    cursor_rows(
        "CREATE TEMP TABLE landing (number text, last_name text, first_name text, email text, site text,"
        " department text, hired_on date, cohort text) ON COMMIT DROP"
    )
    with connection.cursor() as cursor, cursor.copy("COPY landing FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor_rows("ANALYZE landing")
