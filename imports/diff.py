"""The plan: what the staged rows would change, computed where the data is.

Each row ends as create, update, unchanged, merged or reject; whoever is absent from a full file gets a row `depart`
under number 0. It can be computed again at any time, as long as nothing of it was applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imports.holds import hold_departures, warn_of_departures
from imports.models import RosterImport, StagedRow
from imports.pipeline.issues import IssueCode, Severity, UnreadableFile
from imports.staging import RANKS, VALUES, staged_columns
from portal.cohorts.selectors import cohort_key, cohorts
from portal.core.tenancy import cursor_rows
from portal.people.intake import (
    DATE_FIELDS,
    TEXT_FIELDS,
    Intake,
    compare_intake,
    create_intake,
    match_intake,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from imports.pipeline.mapping import Mapping
    from portal.organisations.models import Organisation

MAX_COHORTS = 1_000
"""More different cohorts in one file mean that the column is not one of cohorts."""

_REJECTING = (IssueCode.DUPLICATE_CONFLICT, IssueCode.AMBIGUOUS_KEY_EMAIL)
_FOUND_HERE = (
    *_REJECTING,
    IssueCode.DUPLICATE_MERGED,
    IssueCode.EDITED_BY_HAND,
    IssueCode.NEW_COHORT,
    IssueCode.LAST_OWNER,
    IssueCode.UPLOADER_LEAVES,
)
_MINE = "s.organisation_id = %(organisation)s AND s.roster_import_id = %(import)s"
_INTAKE = ", ".join((*TEXT_FIELDS, "sort_name", *DATE_FIELDS))


@dataclass(frozen=True, slots=True)
class Plan:
    """What one computation needs: the import, whose it is, how its file was read, and the day it counts from."""

    roster_import: RosterImport
    organisation: Organisation
    mapping: Mapping
    today: date

    @property
    def intake(self) -> Intake:
        return Intake(columns=frozenset(staged_columns(self.mapping)) - {"cohort"}, today=self.today)

    @property
    def params(self) -> dict[str, Any]:
        return {
            "organisation": self.organisation.pk,
            "import": self.roster_import.pk,
            "today": self.today,
            "key": self._header("employee_number", "email"),
            "email": self._header("email"),
            "cohort": self._header("cohort"),
        }

    def _header(self, *fields: str) -> str:
        known = self.mapping.field_headers
        return next((known[field][:255] for field in fields if field in known), "")


def make_plan(plan: Plan) -> dict[str, Any]:
    """Decide what each row would do, what is held, and return the counts.

    Raises:
        UnreadableFile: `too_many_cohorts`.
    """
    params = plan.params
    _settle_repeated(params)
    _take_in(params)
    match_intake(plan.organisation.pk)
    _reject_ambiguous(params)
    compare_intake(plan.intake, plan.organisation.pk)
    _find_joiners(plan, params)
    _write_actions(params)
    if plan.roster_import.mode == RosterImport.Mode.FULL:
        _find_absent(params)
    _note_findings(params)
    warn_of_departures(plan.organisation, plan.roster_import)
    hold_departures(plan.organisation, plan.roster_import)
    return _counts(plan, params)


def forget_plan(roster_import: RosterImport) -> None:
    """Bring the rows back to what reading them gave: the plan will be made anew."""
    params = {
        "organisation": roster_import.organisation_id,
        "import": roster_import.pk,
        "rejecting": list(_REJECTING),
        "found": list(_FOUND_HERE),
    }
    cursor_rows(f"DELETE FROM imports_stagedrow s WHERE {_MINE} AND action = 'depart'", params)
    cursor_rows(
        f"UPDATE imports_stagedrow s SET action = '', employee_id = NULL, changed = '{{}}', kept = '{{}}', before = NULL,"
        f" departs = false, moves_site = false, held = false, done = false WHERE {_MINE} AND (action <> 'reject' OR number"
        " IN (SELECT number FROM imports_rowissue WHERE organisation_id = %(organisation)s"
        " AND roster_import_id = %(import)s AND code = ANY (%(rejecting)s)))",
        params,
    )
    cursor_rows(f"DELETE FROM imports_rowissue s WHERE {_MINE} AND code = ANY (%(found)s)", params)


def note_issue(code: IssueCode, severity: Severity, rows: str, params: dict[str, Any]) -> None:
    """Store an issue for each row of the query `rows`: number, column, params."""
    cursor_rows(
        'INSERT INTO imports_rowissue (organisation_id, roster_import_id, number, "column", code, severity, rank, params)'
        f" SELECT %(organisation)s, %(import)s, found.*, %(code)s, %(severity)s, %(rank)s"
        f' FROM ({rows}) found (number, "column", params)'.replace(
            "found.*, %(code)s, %(severity)s, %(rank)s",
            'found.number, found."column", %(code)s, %(severity)s, %(rank)s, found.params',
        ),
        {**params, "code": code, "severity": severity, "rank": RANKS[severity]},
    )
