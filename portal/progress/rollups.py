"""Counts that pages and reports read, so that they cost the same at ten thousand and at a million employees.

A rollup says how many people of a cohort and a site reached each step on a day of the organisation's calendar; a line
per cohort and site, and one per cohort, sum them up and say what holds up the others. Withdrawn people are not counted,
people who left are. Only what differs is written.

What one person does is counted by recounting their site in their cohorts; more than that recounts the cohort. There is
one definition of every count, for a site, a cohort and everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from portal.core.plans import whole_sets
from portal.core.tenancy import cursor_rows
from portal.progress.losses import CAUSE, FACTS, FACTS_OF_FEW, MAILS, MAILS_OF_FEW, QUIET, Loss

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from portal.organisations.models import Organisation

STEPS = ("enrolled", "invited", "delivered", "active", "started", "completed", "certified")
TIMES = {step: f"{step}_at" for step in STEPS} | {"active": "activated_at"}

_FEW = 5_000
"""So many people are joined one by one, more as whole sets."""

_NAMES = ", ".join(STEPS)
_COUNTS = ", ".join(f"count(*) FILTER (WHERE step = '{step}') AS {step}" for step in STEPS)
_REACHED = ", ".join(f"count({TIMES[step]}) AS {step}" for step in STEPS)
_SUMS = ", ".join(f"coalesce(sum({step}), 0)" for step in STEPS)
_STEPS = ", ".join(f"('{step}', e.{TIMES[step]})" for step in STEPS)

# Time alone makes somebody who was learning one who has stopped: that is no difference between counts and facts.
_SENSE = (
    "({0}.losses - '{1}' - '{2}') || jsonb_build_object('going', coalesce(({0}.losses ->> '{1}')::int, 0)"
    " + coalesce(({0}.losses ->> '{2}')::int, 0))"
)


def _sense(side: str) -> str:
    return _SENSE.format(side, Loss.LEARNING, Loss.STOPPED)


def _columns(side: str, names: Sequence[str]) -> str:
    return ", ".join(f"{side}.{name}" for name in names)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many counters were computed anew, and how many of those kept were different."""

    checked: int = 0
    different: int = 0

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(self.checked + other.checked, self.different + other.different)


def refresh(organisation: Organisation) -> Comparison:
    """Count everything anew: the roster and every cohort."""
    rows = cursor_rows("SELECT id FROM cohorts_cohort WHERE organisation_id = %s", [organisation.pk])
    return _refresh_roster(organisation.pk) + refresh_cohorts(organisation, [cohort_id for (cohort_id,) in rows])


def refresh_cohorts(organisation: Organisation, cohort_ids: Collection[int]) -> Comparison:
    """Count these cohorts anew."""
    if not cohort_ids:
        return Comparison()
    parameters = _parameters(organisation, cohort_ids)
    _take_people(
        "enrolments_enrolment e JOIN people_employee p ON p.id = e.employee_id"
        " AND p.organisation_id = e.organisation_id",
        "e.organisation_id = %(organisation)s AND e.cohort_id = ANY (%(cohorts)s)",
        parameters,
    )
    return _refresh("r.cohort_id = ANY (%(cohorts)s)", parameters)


def refresh_people(organisation: Organisation, employee_ids: Collection[int], *, besides: Collection[int]) -> None:
    """Count the sites of these people anew, in each of their cohorts but those counted `besides`."""
    parameters: dict[str, object] = {
        "organisation": organisation.pk,
        "people": list(employee_ids),
        "besides": list(besides),
    }
    cursor_rows("CREATE TEMP TABLE IF NOT EXISTS rollup_scope (cohort_id bigint, site text) ON COMMIT DROP")
    cursor_rows("TRUNCATE rollup_scope")
    scope = cursor_rows(
        "INSERT INTO rollup_scope SELECT DISTINCT e.cohort_id, p.site FROM enrolments_enrolment e"
        " JOIN people_employee p ON p.id = e.employee_id AND p.organisation_id = e.organisation_id"
        " WHERE e.organisation_id = %(organisation)s AND e.employee_id = ANY (%(people)s)"
        " AND NOT e.cohort_id = ANY (%(besides)s) RETURNING cohort_id",
        parameters,
    )
    if not scope:
        return
    cursor_rows("ANALYZE rollup_scope")
    parameters |= _parameters(organisation, {cohort_id for (cohort_id,) in scope})
    ((people,),) = cursor_rows(
        "SELECT coalesce(sum(active), 0) FROM progress_rosterrollup WHERE organisation_id = %(organisation)s"
        " AND site IN (SELECT site FROM rollup_scope)",
        parameters,
    )
    few = people <= _FEW
    _take_people(
        "rollup_scope t JOIN people_employee p ON p.organisation_id = %(organisation)s AND p.site = t.site"
        # The sum keeps the planner from the cohort's index: each person's enrolments are asked for, not all of them.
        " JOIN enrolments_enrolment e ON e.organisation_id = %(organisation)s AND e.employee_id = p.id"
        " AND e.cohort_id + 0 = t.cohort_id",
        "true",
        parameters,
        few=few,
    )
    _refresh("(r.cohort_id, r.site) IN (SELECT cohort_id, site FROM rollup_scope)", parameters, few=few)


def _parameters(organisation: Organisation, cohort_ids: Collection[int]) -> dict[str, object]:
    return {
        "organisation": organisation.pk,
        "cohorts": sorted(cohort_ids),
        "zone": organisation.time_zone,
        "quiet": timezone.now() - QUIET,
    }


def _take_people(tables: str, condition: str, parameters: dict[str, object], *, few: bool = False) -> None:
    """Fill `rollup_people` with who is counted."""
    times = ", ".join(f"{time} timestamptz" for time in TIMES.values())
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS rollup_people (id bigint, employee_id bigint, cohort_id bigint, site text,"
        f" {times}) ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE rollup_people")
    names = ", ".join(TIMES.values())
    with whole_sets(1 if few else None):
        cursor_rows(
            f"INSERT INTO rollup_people (id, employee_id, cohort_id, site, {names})"  # noqa: S608  Constants.
            f" SELECT e.id, e.employee_id, e.cohort_id, p.site, {_columns('e', list(TIMES.values()))} FROM {tables}"
            f" WHERE {condition} AND e.withdrawn_at IS NULL",
            parameters,
        )
    cursor_rows("ANALYZE rollup_people (id, employee_id, cohort_id)")


def _refresh(scope: str, parameters: dict[str, object], *, few: bool = False) -> Comparison:
    days, sites = _refresh_days(scope, parameters), _refresh_sites(scope, parameters, few=few)
    return days + sites + _refresh_summaries(parameters)


def _refresh_roster(organisation_id: int) -> Comparison:
    parameters = {"organisation": organisation_id}
    fresh = (
        "SELECT site, count(*) AS active FROM people_employee"
        " WHERE organisation_id = %(organisation)s AND active GROUP BY site"
    )
    gone = cursor_rows(
        f"""
        DELETE FROM progress_rosterrollup r WHERE r.organisation_id = %(organisation)s
        AND r.site NOT IN (SELECT site FROM ({fresh}) fresh) RETURNING r.id
        """,  # noqa: S608  The fragment is a constant.
        parameters,
    )
    written = cursor_rows(
        f"""
        INSERT INTO progress_rosterrollup AS r (organisation_id, site, active)
        SELECT %(organisation)s, site, active FROM ({fresh}) fresh
        ON CONFLICT (organisation_id, site) DO UPDATE SET active = excluded.active
        WHERE r.active <> excluded.active RETURNING r.id
        """,  # noqa: S608  The fragment is a constant.
        parameters,
    )
    kept = cursor_rows(
        "SELECT count(*) FROM progress_rosterrollup WHERE organisation_id = %(organisation)s", parameters
    )
    return Comparison(kept[0][0] + len(gone), len(gone) + len(written))


def _refresh_days(scope: str, parameters: dict[str, object]) -> Comparison:
    counts = ", ".join(f"{step} integer" for step in STEPS)
    cursor_rows(
        f"CREATE TEMP TABLE IF NOT EXISTS rollup_days (cohort_id bigint, site text, day date, {counts}) ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE rollup_days")
    cursor_rows(
        f"""
        INSERT INTO rollup_days (cohort_id, site, day, {_NAMES})
        SELECT e.cohort_id, e.site, (steps.at AT TIME ZONE %(zone)s)::date AS day, {_COUNTS}
        FROM rollup_people e CROSS JOIN LATERAL (VALUES {_STEPS}) AS steps (step, at)
        WHERE steps.at IS NOT NULL GROUP BY e.cohort_id, e.site, day
        """,  # noqa: S608  The fragments are constants.
        parameters,
    )
    return _write("progress_cohortrollup", "rollup_days", ("cohort_id", "site", "day"), STEPS, scope, parameters)


def _refresh_sites(scope: str, parameters: dict[str, object], *, few: bool = False) -> Comparison:
    counts = ", ".join(f"{step} integer" for step in STEPS)
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS rollup_sites"
        f" (cohort_id bigint, site text, {counts}, losses jsonb) ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE rollup_sites")
    mails, facts = (MAILS_OF_FEW, FACTS_OF_FEW) if few else (MAILS, FACTS)
    with whole_sets(1 if few else None):
        cursor_rows(
            f"""
            INSERT INTO rollup_sites (cohort_id, site, {_NAMES}, losses)
            SELECT reached.*, coalesce(held.losses, '{{}}') FROM (
                SELECT cohort_id, site, {_REACHED} FROM rollup_people GROUP BY cohort_id, site
            ) reached LEFT JOIN (
                SELECT cohort_id, site, jsonb_object_agg(cause, people) AS losses FROM (
                    SELECT e.cohort_id, e.site, {CAUSE} AS cause, count(*) AS people
                    FROM rollup_people e JOIN cohorts_cohort c ON c.id = e.cohort_id
                    JOIN people_employee p ON p.organisation_id = %(organisation)s AND p.id = e.employee_id
                    LEFT JOIN ({mails}) v ON v.enrolment_id = e.id
                    LEFT JOIN ({facts}) f ON f.employee_id = e.employee_id AND f.programme_id = c.programme_id
                    WHERE c.organisation_id = %(organisation)s GROUP BY 1, 2, 3
                ) causes WHERE cause IS NOT NULL GROUP BY cohort_id, site
            ) held USING (cohort_id, site)
            """,  # noqa: S608  The fragments are constants.
            parameters,
        )
    return _write("progress_cohortsite", "rollup_sites", ("cohort_id", "site"), (*STEPS, "losses"), scope, parameters)


def _write(  # noqa: PLR0917  One statement's parts.
    table: str,
    fresh: str,
    keys: Sequence[str],
    values: Sequence[str],
    scope: str,
    parameters: dict[str, object],
) -> Comparison:
    """Make the rows in scope those that were counted; say how many there are, and how many were different."""
    same = " AND ".join(f"r.{key} = n.{key}" for key in keys)
    exact = [name for name in values if name != "losses"]
    old, new = _columns("r", exact), _columns("n", exact)
    if "losses" in values:
        old, new = f"{old}, {_sense('r')}", f"{new}, {_sense('n')}"
    ((checked, different),) = cursor_rows(
        f"SELECT count(*), count(*) FILTER (WHERE r.id IS NULL OR ({old}) IS DISTINCT FROM ({new}))"  # noqa: S608
        f" FROM {fresh} n LEFT JOIN {table} r ON r.organisation_id = %(organisation)s AND {same}",
        parameters,
    )
    gone = cursor_rows(
        f"DELETE FROM {table} r WHERE r.organisation_id = %(organisation)s AND {scope}"  # noqa: S608
        f" AND NOT EXISTS (SELECT FROM {fresh} n WHERE {same}) RETURNING r.id",
        parameters,
    )
    names = ", ".join((*keys, *values))
    updates = ", ".join(f"{name} = excluded.{name}" for name in values)
    cursor_rows(
        f"INSERT INTO {table} AS r (organisation_id, {names}) SELECT %(organisation)s, {names} FROM {fresh}"  # noqa: S608
        f" ON CONFLICT (organisation_id, {', '.join(keys)}) DO UPDATE SET {updates}"
        f" WHERE ({_columns('r', values)}) IS DISTINCT FROM ({_columns('excluded', values)})",
        parameters,
    )
    return Comparison(checked + len(gone), different + len(gone))


def _refresh_summaries(parameters: dict[str, object]) -> Comparison:
    """One line per cohort. Its `as_of` moves each time, for it says when the figures were last known to be true."""
    described = ("programme_id", "name", "starts_on", "ends_on")
    columns = (*described, "roster", *STEPS, "losses", "weeks")
    names = ", ".join(columns)
    cursor_rows("DROP TABLE IF EXISTS summary_before")
    cursor_rows(
        f"CREATE TEMP TABLE summary_before ON COMMIT DROP AS SELECT cohort_id, {names}"  # noqa: S608  Constants.
        " FROM progress_cohortsummary WHERE organisation_id = %(organisation)s AND cohort_id = ANY (%(cohorts)s)",
        parameters,
    )
    updates = ", ".join(f"{name} = excluded.{name}" for name in (*columns, "as_of"))
    cursor_rows(
        f"""
        INSERT INTO progress_cohortsummary (organisation_id, cohort_id, {names}, as_of)
        SELECT %(organisation)s, c.id, {_columns("c", described)},
               (SELECT coalesce(sum(active), 0) FROM progress_rosterrollup
                WHERE organisation_id = %(organisation)s), totals.*,
               (SELECT coalesce(jsonb_object_agg(cause, people), '{{}}') FROM (
                    SELECT key AS cause, sum(value::int) AS people FROM progress_cohortsite s, jsonb_each_text(s.losses)
                    WHERE s.organisation_id = %(organisation)s AND s.cohort_id = c.id GROUP BY key) held),
               (SELECT coalesce(jsonb_object_agg(monday, people), '{{}}') FROM (
                    SELECT date_trunc('week', d.day)::date AS monday, sum(d.certified) AS people
                    FROM progress_cohortrollup d WHERE d.organisation_id = %(organisation)s AND d.cohort_id = c.id
                    AND d.certified > 0 GROUP BY 1) by_week),
               clock_timestamp()
        FROM cohorts_cohort c CROSS JOIN LATERAL (
            SELECT {_SUMS} FROM progress_cohortsite r
            WHERE r.organisation_id = %(organisation)s AND r.cohort_id = c.id
        ) totals
        WHERE c.organisation_id = %(organisation)s AND c.id = ANY (%(cohorts)s)
        ON CONFLICT (organisation_id, cohort_id) DO UPDATE SET {updates}
        """,  # noqa: S608  The fragments are constants.
        parameters,
    )
    exact = [name for name in columns if name != "losses"]
    old, new = (f"{_columns(side, exact)}, {_sense(side)}" for side in "bs")
    ((checked, different),) = cursor_rows(
        f"""
        SELECT count(*), count(*) FILTER (WHERE b.cohort_id IS NULL OR ({old}) IS DISTINCT FROM ({new}))
        FROM progress_cohortsummary s LEFT JOIN summary_before b USING (cohort_id)
        WHERE s.organisation_id = %(organisation)s AND s.cohort_id = ANY (%(cohorts)s)
        """,  # noqa: S608  The fragments are constants.
        parameters,
    )
    return Comparison(checked, different)
