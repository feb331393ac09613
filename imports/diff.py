"""The plan: what the staged rows would change, computed where the data is.

Each row ends as create, update, unchanged, merged or reject; whoever is absent from a full file gets a row `depart`
under number 0. It can be computed again at any time, as long as nothing of it was applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imports.holds import hold_departures, warn_of_departures
from imports.models import RosterImport
from imports.pipeline.issues import IssueCode, Severity, UnreadableFile
from imports.staging import VALUES, note_issue, staged_columns
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
    # The rows were written a moment ago and nothing is known of them yet: the planner takes them for few, and loops
    # over each for each. Every statement here joins whole sets.
    cursor_rows("SET LOCAL enable_nestloop = off")
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
    counts = _counts(plan, params)
    cursor_rows("SET LOCAL enable_nestloop TO DEFAULT")
    return counts


def forget_plan(roster_import: RosterImport) -> None:
    """Bring the rows back to what reading them gave: the plan will be made anew."""
    params = {
        "organisation": roster_import.organisation_id,
        "import": roster_import.pk,
        "rejecting": [code.value for code in _REJECTING],
        "found": [code.value for code in _FOUND_HERE],
    }
    cursor_rows(f"DELETE FROM imports_stagedrow s WHERE {_MINE} AND action = 'depart'", params)  # noqa: S608
    cursor_rows(
        f"""
        UPDATE imports_stagedrow s SET action = '', employee_id = NULL, changed = '{{}}', kept = '{{}}', before = NULL,
            departs = false, moves_site = false, held = false, done = false
        WHERE {_MINE} AND (action <> 'reject' OR number NOT IN (
            SELECT number FROM imports_rowissue WHERE organisation_id = %(organisation)s
            AND roster_import_id = %(import)s AND rank = 0 AND code <> ALL (%(rejecting)s)))
        """,  # noqa: S608
        params,
    )
    cursor_rows(f"DELETE FROM imports_rowissue s WHERE {_MINE} AND code = ANY (%(found)s)", params)  # noqa: S608


def _settle_repeated(params: dict[str, Any]) -> None:
    """Merge the rows that say the same of one key; reject all rows of a key that is used for different people.

    A row that was rejected on its own still carries its key: which of the two is right is not guessed.
    """
    values = ", ".join(f"s.{name}" for name in VALUES)
    cursor_rows(
        f"""
        CREATE TEMP TABLE repeated ON COMMIT DROP AS
        WITH keyed AS (
            SELECT s.id, s.number, s.employee_number, CASE WHEN s.employee_number = '' THEN s.email ELSE '' END AS email
            FROM imports_stagedrow s
            WHERE {_MINE} AND action IN ('', 'reject') AND (s.employee_number <> '' OR s.email <> '')
        ), twice AS (
            SELECT employee_number, email FROM keyed GROUP BY employee_number, email HAVING count(*) > 1
        )
        SELECT id, number, key, min(number) OVER w AS first, min(said) OVER w = max(said) OVER w AS same
        FROM (
            SELECT s.id, s.number, employee_number || ' ' || k.email AS key,
                   CASE s.action WHEN 'reject' THEN s.id::text ELSE md5(ROW({values})::text) END AS said
            FROM twice JOIN keyed k USING (employee_number, email) JOIN imports_stagedrow s USING (id, employee_number)
        ) compared
        WINDOW w AS (PARTITION BY key)
        """,  # noqa: S608
        params,
    )
    cursor_rows("DELETE FROM repeated WHERE same AND number = first")
    cursor_rows(
        f"UPDATE imports_stagedrow s SET action = CASE WHEN r.same THEN 'merged' ELSE 'reject' END, done = true"  # noqa: S608
        f" FROM repeated r WHERE {_MINE} AND s.id = r.id",
        params,
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


def _take_in(params: dict[str, Any]) -> None:
    create_intake()
    cursor_rows(
        f"INSERT INTO employee_intake (ref, {_INTAKE}) SELECT id, {_INTAKE} FROM imports_stagedrow s"  # noqa: S608
        f" WHERE {_MINE} AND action = ''",
        params,
    )


def _reject_ambiguous(params: dict[str, Any]) -> None:
    """Reject the rows of which several would be the same person: by the e-mail of somebody without a number."""
    cursor_rows(
        """
        CREATE TEMP TABLE ambiguous ON COMMIT DROP AS
        SELECT ref FROM (
            SELECT i.ref, count(*) OVER (PARTITION BY e.id) AS claims
            FROM employee_intake i
            JOIN people_employee e ON e.email = i.email AND e.employee_number = ''
            WHERE e.organisation_id = %(organisation)s AND i.email <> ''
              AND (i.employee_id IS NULL OR i.employee_id = e.id)
        ) claimed WHERE claims > 1
        """,
        params,
    )
    cursor_rows("DELETE FROM employee_intake WHERE ref IN (SELECT ref FROM ambiguous)")
    cursor_rows(
        "UPDATE imports_stagedrow s SET action = 'reject', done = true FROM ambiguous a"  # noqa: S608
        f" WHERE {_MINE} AND s.id = a.ref",
        params,
    )
    note_issue(
        IssueCode.AMBIGUOUS_KEY_EMAIL,
        Severity.ERROR,
        "SELECT s.number, %(email)s, jsonb_build_object('value', s.email)"
        " FROM ambiguous a JOIN imports_stagedrow s ON s.id = a.ref",
        params,
    )
    cursor_rows("DROP TABLE ambiguous")


def cohort_names(roster_import: RosterImport) -> list[str]:
    """The different cohorts that the rows to be applied name, as they are written.

    Raises:
        UnreadableFile: `too_many_cohorts`.
    """
    found = cursor_rows(
        f"SELECT DISTINCT cohort FROM imports_stagedrow s"  # noqa: S608
        f" WHERE {_MINE} AND cohort <> '' AND NOT done AND NOT held LIMIT %(limit)s",
        {"organisation": roster_import.organisation_id, "import": roster_import.pk, "limit": MAX_COHORTS + 1},
    )
    if len(found) > MAX_COHORTS:
        raise UnreadableFile("too_many_cohorts", limit=str(MAX_COHORTS))
    names = {name for (name,) in found} | {roster_import.cohort_name}
    return sorted(names - {""})


def create_cohort_names(names: Iterable[str], ids: dict[str, int]) -> None:
    """Make `cohort_named`: each way of writing a cohort, its key, and its id when it exists."""
    cursor_rows("CREATE TEMP TABLE cohort_named (name text, key text, cohort_id bigint) ON COMMIT DROP")
    written = list(names)
    keys = [cohort_key(name) for name in written]
    cursor_rows(
        "INSERT INTO cohort_named SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])",
        [written, keys, [ids.get(key) for key in keys]],
    )


def _find_joiners(plan: Plan, params: dict[str, Any]) -> None:
    """Make `joiner`: who would be enrolled, and where. Whoever leaves is not enrolled any more."""
    names = cohort_names(plan.roster_import)
    keys = [cohort_key(name) for name in names]
    known = cohorts(plan.organisation).filter(name_key__in=keys)
    create_cohort_names(names, dict(known.values_list("name_key", "pk")))
    cursor_rows("CREATE TEMP TABLE joiner (ref bigint, key text, PRIMARY KEY (ref, key)) ON COMMIT DROP")
    if names:
        cursor_rows(
            f"""
            INSERT INTO joiner
            SELECT DISTINCT i.ref, c.key
            FROM employee_intake i
            JOIN imports_stagedrow s ON s.id = i.ref
            JOIN cohort_named c ON c.name IN (s.cohort, %(everyone)s)
            LEFT JOIN enrolments_enrolment e ON e.organisation_id = %(organisation)s
                 AND e.employee_id = i.employee_id AND e.cohort_id = c.cohort_id
            WHERE {_MINE} AND e.id IS NULL AND coalesce(s.left_on, 'infinity') >= %(today)s
            """,  # noqa: S608
            {**params, "everyone": plan.roster_import.cohort_name},
        )


def _write_actions(params: dict[str, Any]) -> None:
    cursor_rows(
        f"""
        UPDATE imports_stagedrow s SET
            action = CASE WHEN o.action = 'unchanged' AND j.ref IS NOT NULL THEN 'update' ELSE o.action END,
            employee_id = o.employee_id, kept = o.kept,
            changed = CASE WHEN o.action <> 'create' AND j.ref IS NOT NULL THEN array_append(o.changed, 'cohort')
                           ELSE o.changed END,
            before = o.before,
            departs = coalesce(s.left_on < %(today)s, false),
            moves_site = 'site' = ANY (o.changed) AND o.before ->> 'site' <> '',
            done = o.action = 'unchanged' AND j.ref IS NULL
        FROM employee_outcome o LEFT JOIN (SELECT DISTINCT ref FROM joiner) j USING (ref)
        WHERE {_MINE} AND s.id = o.ref
        """,  # noqa: S608
        params,
    )


def _find_absent(params: dict[str, Any]) -> None:
    """Stage the departure of whoever is active and not in the file.

    A rejected row still counts as present: by its number, by its e-mail, and without either by its name.
    """
    cursor_rows(
        f"""
        INSERT INTO imports_stagedrow (organisation_id, roster_import_id, number, employee_id, employee_number, email,
            first_name, last_name, sort_name, site, department, manager_email, language, cohort,
            action, changed, kept, departs, moves_site, held, done)
        SELECT e.organisation_id, %(import)s, 0, e.id, e.employee_number, e.email,
            e.first_name, e.last_name, e.sort_name, e.site, e.department, e.manager_email, e.language, '',
            'depart', '{{active}}', '{{}}', false, false, false, false
        FROM people_employee e
        WHERE e.organisation_id = %(organisation)s AND e.active
          AND NOT EXISTS (SELECT 1 FROM employee_intake i WHERE i.employee_id = e.id)
          AND (e.employee_number = '' OR e.employee_number NOT IN (
               SELECT s.employee_number FROM imports_stagedrow s WHERE {_MINE} AND action = 'reject'))
          AND (e.email = '' OR e.email NOT IN (
               SELECT s.email FROM imports_stagedrow s WHERE {_MINE} AND action = 'reject'))
          AND (e.sort_name = '' OR e.sort_name NOT IN (
               SELECT s.sort_name FROM imports_stagedrow s
               WHERE {_MINE} AND action = 'reject' AND s.employee_number = '' AND s.email = ''))
        ORDER BY e.sort_name, e.id
        """,  # noqa: S608
        params,
    )


def _note_findings(params: dict[str, Any]) -> None:
    note_issue(
        IssueCode.EDITED_BY_HAND,
        Severity.INFO,
        "SELECT s.number, '', jsonb_build_object('fields', s.kept) FROM imports_stagedrow s"  # noqa: S608
        f" WHERE {_MINE} AND kept <> '{{}}'",
        params,
    )
    note_issue(
        IssueCode.NEW_COHORT,
        Severity.INFO,
        "SELECT coalesce(min(s.number) FILTER (WHERE s.cohort = c.name), 0), %(cohort)s,"
        " jsonb_build_object('value', min(c.name))"
        " FROM joiner j JOIN cohort_named c USING (key) JOIN imports_stagedrow s ON s.id = j.ref"
        " WHERE c.cohort_id IS NULL GROUP BY c.key",
        params,
    )


def _counts(plan: Plan, params: dict[str, Any]) -> dict[str, Any]:
    tally = {
        "rows": "number > 0",
        "create": "action = 'create'",
        "update": "action = 'update'",
        "unchanged": "action = 'unchanged'",
        "merged": "action = 'merged'",
        "reject": "action = 'reject'",
        "absent": "action = 'depart'",
        "deactivate": "action = 'depart' OR (departs AND action IN ('create', 'update', 'unchanged'))",
        "moves": "moves_site",
        "held": "held",
        "work": "NOT done",
        "without_email": "action = 'create' AND email = ''",
    }
    filters = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in tally.values())
    (numbers,) = cursor_rows(f"SELECT {filters} FROM imports_stagedrow s WHERE {_MINE}", params)  # noqa: S608
    arrivals = cursor_rows(
        "SELECT min(c.name), bool_or(c.cohort_id IS NOT NULL), count(DISTINCT j.ref)"
        " FROM joiner j JOIN cohort_named c USING (key) GROUP BY c.key ORDER BY c.key"
    )
    active = plan_active(plan.organisation.pk)
    cursor_rows("DROP TABLE joiner, cohort_named")
    return {
        **dict(zip(tally, numbers, strict=True)),
        "active": active,
        "cohorts": [{"name": name, "exists": exists, "people": people} for name, exists, people in arrivals],
    }


def plan_digest(roster_import: RosterImport) -> str:
    """Tell two plans apart that count the same: who arrives, who changes and from what, who leaves, what is held.

    Rows that change nobody are left out: they are most of a re-import, and nothing is agreed to in them.
    """
    ((digest,),) = cursor_rows(
        f"""
        SELECT md5(coalesce(string_agg(said, '' ORDER BY number, employee_id), '')) FROM (
            SELECT number, employee_id, md5(ROW(number, action, employee_id, changed, before, departs, held)::text) said
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
