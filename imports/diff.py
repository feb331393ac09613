"""The plan: what the rows of an import would change, computed where the data is.

Each row ends as create, update, unchanged, merged or reject; whoever is absent from a full file gets a row `depart`
under a number below 0. A plan takes what has landed (`imports.landing`), whether from the file or from an older plan,
and writes the staged rows once; it can be made again at any time, as long as nothing of it was applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imports.holds import hold_departures, warn_of_departures
from imports.landing import VALUES, note_issue, stage_issues
from imports.models import RosterImport
from imports.pipeline.copying import fields_read
from imports.pipeline.issues import IssueCode, Severity, UnreadableFile
from imports.staging import stage_absent, stage_plan
from imports.twins import find_twins, join_twins
from portal.cohorts.selectors import cohort_key, cohorts
from portal.core.plans import whole_sets
from portal.core.tenancy import cursor_rows
from portal.people.intake import (
    ATTRIBUTES,
    INTAKE,
    Intake,
    compare_intake,
    create_intake,
    fill_intake,
    match_intake,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from imports.pipeline.mapping import Mapping
    from portal.organisations.models import Organisation

MAX_COHORTS = 1_000
"""More different cohorts in one file mean that the column is not one of cohorts."""

_UNDECIDED = f"SELECT number AS ref, {INTAKE} FROM landing_row WHERE action = ''"  # noqa: S608
_MINE = "s.organisation_id = %(organisation)s AND s.roster_import_id = %(import)s"
_TALLY = {
    "rows": "number > 0",
    "create": "action = 'create'",
    "update": "action = 'update'",
    "unchanged": "action = 'unchanged'",
    "merged": "action = 'merged'",
    "reject": "action = 'reject'",
    "absent": "action = 'depart'",
    "deactivate": "leaves AND action <> 'reject'",
    "moves": "moves_site",
    "renamed": "renamed",
    "twins": "twin_id IS NOT NULL",
    "corrected": "corrected",
    "work": "action IN ('create', 'update', 'depart')",
    "held": "held",
    "without_email": "action = 'create' AND email = ''",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What one computation needs: the import, whose it is, how its file was read, and the day it counts from."""

    roster_import: RosterImport
    organisation: Organisation
    mapping: Mapping
    today: date

    @property
    def intake(self) -> Intake:
        attributes = {ATTRIBUTES} if self.mapping.extras else set()
        columns = frozenset(fields_read(self.mapping, VALUES)) - {"cohort"} | attributes
        return Intake(columns=columns, today=self.today, keep_edited=not self.roster_import.override_edits)

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
    """Decide what each row that has landed would do, stage it, say what is held, and return the counts.

    Raises:
        UnreadableFile: `too_many_cohorts`.
    """
    params = plan.params
    with whole_sets():
        cursor_rows("UPDATE landing_row SET action = 'reject' WHERE rejected")
        cursor_rows("ANALYZE landing_row (number, rejected, action, employee_number, email, cohort)")
        _settle_repeated(params)
        create_intake()
        fill_intake(_UNDECIDED, plan.organisation.pk)
        match_intake(plan.organisation.pk)
        _reject_ambiguous(params)
        join_twins(plan.organisation.pk)
        compare_intake(plan.intake, plan.organisation.pk)
        find_twins(plan.organisation.pk, full=plan.roster_import.mode == RosterImport.Mode.FULL)
        _find_joiners(plan, params)
        stage_plan(params)
        if plan.roster_import.mode == RosterImport.Mode.FULL:
            stage_absent(params)
        _note_findings(params)
        warn_of_departures(plan.organisation, plan.roster_import)
        stage_issues(plan.roster_import)
        hold_departures(plan.organisation, plan.roster_import)
        counts = _counts(plan, params)
        cursor_rows("DROP TABLE landing_row, landing_issue, joiner, cohort_named, twin")
    return counts


def _settle_repeated(params: dict[str, Any]) -> None:
    """Merge the rows that say the same of one key; reject all rows of a key that is used for different people.

    A row that was rejected on its own still carries its key: which of the two is right is not guessed.
    """
    values = ", ".join(f"l.{name}" for name in (*VALUES, "attributes"))
    key = "employee_number || ' ' || CASE WHEN employee_number = '' THEN email ELSE '' END"
    cursor_rows(
        f"""
        CREATE TEMP TABLE repeated ON COMMIT DROP AS
        WITH twice AS (
            SELECT {key} AS key FROM landing_row WHERE employee_number <> '' OR email <> ''
            GROUP BY 1 HAVING count(*) > 1
        )
        SELECT number, key, min(number) OVER w AS first, min(said) OVER w = max(said) OVER w AS same
        FROM (
            SELECT l.number, key, CASE WHEN l.rejected THEN l.number::text ELSE md5(ROW({values})::text) END AS said
            FROM landing_row l JOIN twice ON key = {key}
        ) compared
        WINDOW w AS (PARTITION BY key)
        """,  # noqa: S608
    )
    cursor_rows("DELETE FROM repeated WHERE same AND number = first")
    cursor_rows(
        "UPDATE landing_row l SET action = CASE WHEN r.same THEN 'merged' ELSE 'reject' END"
        " FROM repeated r WHERE l.number = r.number"
    )
    said = "jsonb_build_object('value', trim(key), 'first', first)"
    note_issue(
        IssueCode.DUPLICATE_MERGED,
        Severity.WARNING,
        f"SELECT number, %(key)s, {said} FROM repeated WHERE same",  # noqa: S608
        params,
    )
    note_issue(
        IssueCode.DUPLICATE_CONFLICT,
        Severity.ERROR,
        f"SELECT number, %(key)s, {said} FROM repeated WHERE NOT same",  # noqa: S608
        params,
    )
    cursor_rows("DROP TABLE repeated")


def _reject_ambiguous(params: dict[str, Any]) -> None:
    """Reject the rows of which several would be the same person: by the e-mail of somebody without a number."""
    cursor_rows(
        """
        CREATE TEMP TABLE ambiguous ON COMMIT DROP AS
        SELECT ref, email FROM (
            SELECT i.ref, i.email, count(*) OVER (PARTITION BY e.id) AS claims
            FROM employee_intake i
            JOIN people_employee e ON e.email = i.email AND e.employee_number = ''
            WHERE e.organisation_id = %(organisation)s AND i.email <> ''
              AND (i.employee_id IS NULL OR i.employee_id = e.id)
        ) claimed WHERE claims > 1
        """,
        params,
    )
    cursor_rows("DELETE FROM employee_intake WHERE ref IN (SELECT ref FROM ambiguous)")
    cursor_rows("UPDATE landing_row l SET action = 'reject' FROM ambiguous a WHERE l.number = a.ref")
    note_issue(
        IssueCode.AMBIGUOUS_KEY_EMAIL,
        Severity.ERROR,
        "SELECT ref, %(email)s, jsonb_build_object('value', email) FROM ambiguous",
        params,
    )
    cursor_rows("DROP TABLE ambiguous")


def cohort_names(roster_import: RosterImport) -> list[str]:
    """The different cohorts that the rows to be applied name, as they are written."""
    found = cursor_rows(
        "SELECT DISTINCT cohort FROM imports_stagedrow s"  # noqa: S608
        f" WHERE {_MINE} AND cohort <> '' AND action IN ('create', 'update') AND (NOT held OR %(all)s)",
        {
            "organisation": roster_import.organisation_id,
            "import": roster_import.pk,
            "all": roster_import.release != RosterImport.Release.FREE,
        },
    )
    return sorted({name for (name,) in found} | {roster_import.cohort_name} - {""})


def create_cohort_names(names: Iterable[str], ids: dict[str, int]) -> None:
    """Make `cohort_named`: each way of writing a cohort, its key, and its id when it exists."""
    cursor_rows("CREATE TEMP TABLE cohort_named (name text, key text, cohort_id bigint) ON COMMIT DROP")
    written = list(names)
    keys = [cohort_key(name) for name in written]
    cursor_rows(
        "INSERT INTO cohort_named SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])",
        [written, keys, [ids.get(key) for key in keys]],
    )


def _landed_cohorts(roster_import: RosterImport) -> list[str]:
    found = cursor_rows(
        "SELECT DISTINCT cohort FROM landing_row WHERE action = '' AND cohort <> '' LIMIT %s", [MAX_COHORTS + 1]
    )
    if len(found) > MAX_COHORTS:
        raise UnreadableFile("too_many_cohorts", limit=str(MAX_COHORTS))
    return sorted({name for (name,) in found} | {roster_import.cohort_name} - {""})


def _find_joiners(plan: Plan, params: dict[str, Any]) -> None:
    """Make `joiner`: who would be enrolled, and where. Whoever leaves is not enrolled any more."""
    names = _landed_cohorts(plan.roster_import)
    keys = [cohort_key(name) for name in names]
    known = cohorts(plan.organisation).filter(name_key__in=keys)
    create_cohort_names(names, dict(known.values_list("name_key", "pk")))
    cursor_rows("CREATE TEMP TABLE joiner (ref bigint, key text) ON COMMIT DROP")
    if names:
        cursor_rows(
            """
            INSERT INTO joiner
            SELECT DISTINCT l.number, c.key
            FROM landing_row l
            JOIN employee_outcome o ON o.ref = l.number
            JOIN cohort_named c ON c.name IN (l.cohort, %(everyone)s)
            LEFT JOIN enrolments_enrolment e ON e.organisation_id = %(organisation)s
                 AND e.employee_id = o.employee_id AND e.cohort_id = c.cohort_id
            WHERE e.id IS NULL AND coalesce(l.left_on, 'infinity') >= %(today)s
            """,
            {**params, "everyone": plan.roster_import.cohort_name},
        )
    cursor_rows("ANALYZE joiner")


def _note_findings(params: dict[str, Any]) -> None:
    note_issue(
        IssueCode.EDITED_BY_HAND,
        Severity.INFO,
        "SELECT ref, '', jsonb_build_object('fields', kept) FROM employee_outcome WHERE kept <> '{}'",
        params,
    )
    note_issue(
        IssueCode.NEW_COHORT,
        Severity.INFO,
        "SELECT coalesce(min(l.number) FILTER (WHERE l.cohort = c.name), 0), %(cohort)s,"
        " jsonb_build_object('value', min(c.name))"
        " FROM joiner j JOIN cohort_named c USING (key) JOIN landing_row l ON l.number = j.ref"
        " WHERE c.cohort_id IS NULL GROUP BY c.key",
        params,
    )


def _counts(plan: Plan, params: dict[str, Any]) -> dict[str, Any]:
    filters = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in _TALLY.values())
    (numbers,) = cursor_rows(f"SELECT {filters} FROM imports_stagedrow s WHERE {_MINE}", params)  # noqa: S608
    counts = dict(zip(_TALLY, numbers, strict=True))
    if plan.roster_import.held_whole:
        counts["held"] = counts["work"]
    arrivals = cursor_rows(
        "SELECT min(c.name), bool_or(c.cohort_id IS NOT NULL), count(DISTINCT j.ref)"
        " FROM joiner j JOIN cohort_named c USING (key) GROUP BY c.key ORDER BY c.key"
    )
    ((mails,),) = cursor_rows(
        "SELECT count(DISTINCT j.ref) FROM joiner j JOIN landing_row l ON l.number = j.ref WHERE l.email <> ''"
    )
    kept = cursor_rows("SELECT count(*) FROM employee_outcome WHERE kept <> '{}'")
    return {
        **counts,
        "kept": kept[0][0],
        "mails": mails,
        "active": plan_active(plan.organisation.pk),
        "cohorts": [{"name": name, "exists": exists, "people": people} for name, exists, people in arrivals],
    }


def plan_digest(roster_import: RosterImport) -> str:
    """Tell two plans apart that count the same: who arrives, who changes and from what, who leaves, what is held.

    Rows that change nobody are left out: they are most of a re-import, and nothing is agreed to in them.
    """
    ((digest,),) = cursor_rows(
        f"""
        SELECT md5(coalesce(string_agg(said, '' ORDER BY number, employee_id), '')) FROM (
            SELECT number, employee_id,
                   md5(ROW(greatest(number, 0), action, employee_id, changed, before, departs, held)::text) said
            FROM imports_stagedrow s WHERE {_MINE} AND action NOT IN ('unchanged', 'merged')
        ) told
        """,  # noqa: S608
        {"organisation": roster_import.organisation_id, "import": roster_import.pk},
    )
    return str(digest)


def plan_active(organisation_id: int) -> int:
    """How many people are active now: what the plan's shares are shares of."""
    ((active,),) = cursor_rows(
        "SELECT count(*) FROM people_employee WHERE organisation_id = %s AND active", [organisation_id]
    )
    return int(active)
