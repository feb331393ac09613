"""Counts that pages and reports read, so that they cost the same at ten thousand and at a million employees.

A rollup says how many people of a cohort and a site reached each step on a day of the organisation's calendar; totals
are sums over days. Withdrawn people are not counted, people who left are. Only what differs is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.core.plans import whole_sets
from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.organisations.models import Organisation

STEPS = ("enrolled", "invited", "started", "completed", "certified")

_NAMES = ", ".join(STEPS)
_COUNTS = ", ".join(f"count(*) FILTER (WHERE step = '{step}') AS {step}" for step in STEPS)
_SUMS = ", ".join(f"coalesce(sum({step}), 0)" for step in STEPS)
_TIMES = ", ".join(f"('{step}', e.{step}_at)" for step in STEPS)
_FRESH = ", ".join(f"{step} = excluded.{step}" for step in STEPS)
_OLD_STEPS = ", ".join(f"r.{step}" for step in STEPS)
_NEW_STEPS = ", ".join(f"excluded.{step}" for step in STEPS)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many counters were computed anew, and how many of those kept were different."""

    checked: int = 0
    different: int = 0

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(self.checked + other.checked, self.different + other.different)


def refresh(organisation: Organisation, cohort_ids: Sequence[int] | None = None) -> Comparison:
    """Count these cohorts anew; without `cohort_ids`, all of them and the roster."""
    compared = Comparison()
    if cohort_ids is None:
        compared += _refresh_roster(organisation.pk)
        rows = cursor_rows("SELECT id FROM cohorts_cohort WHERE organisation_id = %s", [organisation.pk])
        cohort_ids = [cohort_id for (cohort_id,) in rows]
    if not cohort_ids:
        return compared
    parameters = {
        "organisation": organisation.pk,
        "cohorts": list(cohort_ids),
        "zone": organisation.time_zone,
    }
    return compared + _refresh_days(parameters) + _refresh_summaries(parameters)


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


def _refresh_days(parameters: dict[str, object]) -> Comparison:
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS rollup_fresh (cohort_id bigint, site text, day date,"
        " enrolled integer, invited integer, started integer, completed integer, certified integer) ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE rollup_fresh")
    with whole_sets():
        cursor_rows(
            f"""
            INSERT INTO rollup_fresh (cohort_id, site, day, {_NAMES})
            SELECT e.cohort_id, p.site, (steps.at AT TIME ZONE %(zone)s)::date AS day, {_COUNTS}
            FROM enrolments_enrolment e
            JOIN people_employee p ON p.id = e.employee_id AND p.organisation_id = e.organisation_id
            CROSS JOIN LATERAL (VALUES {_TIMES}) AS steps (step, at)
            WHERE e.organisation_id = %(organisation)s AND e.cohort_id = ANY (%(cohorts)s)
              AND e.withdrawn_at IS NULL AND steps.at IS NOT NULL
            GROUP BY e.cohort_id, p.site, day
            """,  # noqa: S608  The fragments are constants.
            parameters,
        )
    gone = cursor_rows(
        "DELETE FROM progress_cohortrollup r WHERE r.organisation_id = %(organisation)s"
        " AND r.cohort_id = ANY (%(cohorts)s) AND NOT EXISTS (SELECT FROM rollup_fresh f"
        "  WHERE (f.cohort_id, f.site, f.day) = (r.cohort_id, r.site, r.day)) RETURNING r.id",
        parameters,
    )
    written = cursor_rows(
        f"""
        INSERT INTO progress_cohortrollup AS r (organisation_id, cohort_id, site, day, {_NAMES})
        SELECT %(organisation)s, cohort_id, site, day, {_NAMES} FROM rollup_fresh
        ON CONFLICT (organisation_id, cohort_id, site, day) DO UPDATE SET {_FRESH}
        WHERE ({_OLD_STEPS}) IS DISTINCT FROM ({_NEW_STEPS}) RETURNING r.id
        """,  # noqa: S608  The fragments are constants.
        parameters,
    )
    ((fresh,),) = cursor_rows("SELECT count(*) FROM rollup_fresh")
    return Comparison(fresh + len(gone), len(gone) + len(written))


def _refresh_summaries(parameters: dict[str, object]) -> Comparison:
    """One line per cohort. Its `as_of` moves each time, for it says when the figures were last known to be true."""
    described = ("programme_id", "name", "starts_on", "ends_on")
    columns = (*described, "roster", *STEPS)
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
        SELECT %(organisation)s, c.id, {", ".join(f"c.{name}" for name in described)},
               (SELECT coalesce(sum(active), 0) FROM progress_rosterrollup
                WHERE organisation_id = %(organisation)s), totals.*, clock_timestamp()
        FROM cohorts_cohort c CROSS JOIN LATERAL (
            SELECT {_SUMS} FROM progress_cohortrollup r
            WHERE r.organisation_id = %(organisation)s AND r.cohort_id = c.id
        ) totals
        WHERE c.organisation_id = %(organisation)s AND c.id = ANY (%(cohorts)s)
        ON CONFLICT (organisation_id, cohort_id) DO UPDATE SET {updates}
        """,  # noqa: S608  The fragments are constants.
        parameters,
    )
    old, new = (", ".join(f"{side}.{name}" for name in columns) for side in "bs")
    ((checked, different),) = cursor_rows(
        f"""
        SELECT count(*), count(*) FILTER (WHERE b.cohort_id IS NULL OR ({old}) IS DISTINCT FROM ({new}))
        FROM progress_cohortsummary s LEFT JOIN summary_before b USING (cohort_id)
        WHERE s.organisation_id = %(organisation)s AND s.cohort_id = ANY (%(cohorts)s)
        """,  # noqa: S608  The fragments are constants.
        parameters,
    )
    return Comparison(checked, different)
