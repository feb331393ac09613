"""Staging: the rows of a plan, with what each would do, are written once, from the relations the plan was made in."""

from __future__ import annotations

from typing import Any

from imports.landing import VALUES
from portal.core.tenancy import cursor_rows
from portal.people.intake import TEXT_FIELDS

_WRITTEN = (
    "organisation_id, roster_import_id, number, sort_name, {values}, attributes, action, employee_id, changed, kept,"
    " before, departs, leaves, moves_site, renamed, held, corrected, twin_id, twin_why, twin_said"
)


def stage_plan(params: dict[str, Any]) -> None:
    """Write every row of the file with its action, and every issue. Takes the relations of `imports.diff`."""
    values = ", ".join(f"l.{name}" for name in VALUES)
    cursor_rows(
        f"""
        INSERT INTO imports_stagedrow ({_WRITTEN.format(values=", ".join(VALUES))})
        SELECT %(organisation)s, %(import)s, number, sort_name, {values.replace("l.", "")}, attributes, action,
            employee_id, changed, kept, before, departs, leaves, moves_site, renamed, false, corrected,
            twin_id, twin_why, twin_said
        FROM (
            SELECT l.number, l.sort_name, {values}, l.attributes, l.corrected,
                CASE WHEN l.action <> '' THEN l.action WHEN o.action = 'unchanged' AND j.joins THEN 'update'
                     ELSE o.action END AS action,
                o.employee_id, coalesce(o.kept, '{{}}') AS kept, o.before,
                CASE WHEN o.action <> 'create' AND j.joins THEN array_append(o.changed, 'cohort')
                     ELSE coalesce(o.changed, '{{}}') END AS changed,
                o.ref IS NOT NULL AND coalesce(l.left_on < %(today)s, false) AS departs,
                o.ref IS NOT NULL AND coalesce(l.left_on < %(today)s, false) AS leaves,
                coalesce('site' = ANY (o.changed) AND o.before ->> 'site' <> '', false) AS moves_site,
                coalesce(o.changed && ARRAY['last_name', 'first_name'], false) AS renamed,
                t.employee_id AS twin_id, coalesce(t.why, '') AS twin_why, coalesce(t.said, '') AS twin_said
            FROM landing_row l
            LEFT JOIN employee_outcome o ON o.ref = l.number
            CROSS JOIN LATERAL (SELECT l.number IN (SELECT ref FROM joiner) AS joins) j
            LEFT JOIN twin t ON t.ref = l.number
        ) planned ORDER BY number
        """,  # noqa: S608  The names are constants.
        params,
    )


def stage_absent(params: dict[str, Any]) -> None:
    """Write the departure of whoever is active and not in the file, under numbers below 0.

    A rejected row still counts as present: by its number, by its e-mail, and without either by its name.
    """
    columns = ", ".join(TEXT_FIELDS)
    theirs = ", ".join(f"e.{name}" for name in TEXT_FIELDS)
    cursor_rows(
        f"""
        INSERT INTO imports_stagedrow ({_WRITTEN.format(values=columns + ", cohort")})
        SELECT e.organisation_id, %(import)s, -row_number() OVER (ORDER BY e.sort_name DESC, e.id DESC), e.sort_name,
            {theirs}, '', '{{}}', 'depart', e.id, '{{active}}', '{{}}', NULL,
            false, true, false, false, false, false, NULL, '', ''
        FROM people_employee e
        WHERE e.organisation_id = %(organisation)s AND e.active
          AND NOT EXISTS (SELECT 1 FROM employee_intake i WHERE i.employee_id = e.id)
          AND NOT EXISTS (SELECT 1 FROM landing_row r WHERE r.action = 'reject'
                          AND r.employee_number <> '' AND r.employee_number = e.employee_number)
          AND NOT EXISTS (SELECT 1 FROM landing_row r WHERE r.action = 'reject' AND r.email <> '' AND r.email = e.email)
          AND NOT EXISTS (SELECT 1 FROM landing_row r WHERE r.action = 'reject' AND r.sort_name <> ''
                          AND r.employee_number = '' AND r.email = '' AND r.sort_name = e.sort_name)
        """,  # noqa: S608  The names are constants.
        params,
    )
