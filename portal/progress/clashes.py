"""What contradicts itself in the facts about a person: dates that cannot be, and two accounts on the platform.

Looked for among the people whose facts are new, all of their facts each time, so that the order in which facts arrive
does not matter. What no longer contradicts itself, since a correction came, leaves the desk by itself.
"""

from __future__ import annotations

from portal.core.tenancy import cursor_rows
from portal.progress.landing import SAYS
from portal.progress.standing import STANDING

CODES = (
    "certificate_before_start",
    "finished_before_hired",
    "certified_twice",
    "finished_while_withdrawn",
    "two_accounts",
)

UNMATCHED = f"""
    SELECT count(*) FROM progress_completionevent c
    WHERE c.organisation_id = %(organisation)s AND c.employee_id IS NULL AND NOT EXISTS (
        SELECT FROM progress_deskitem d
        WHERE d.organisation_id = %(organisation)s AND d.kind = 'person' AND d.key = {SAYS.format("c")})
"""  # noqa: S608  The fragment is a constant.
"""How many facts match nobody and were not left aside."""

GONE = "gone"
"""The answer that nobody gave: what clashed does so no longer."""

_FOUND = f"""
    CREATE TEMP TABLE desk_found ON COMMIT DROP AS
    WITH facts AS (
        SELECT f.employee_id, f.programme_id, f.kind, f.occurred_at, f.account, f.email,
               (f.occurred_at AT TIME ZONE %(zone)s)::date AS day
        FROM ({STANDING}) f
    ), sums AS (
        SELECT employee_id, programme_id,
               min(occurred_at) FILTER (WHERE kind = 'started') AS started,
               min(occurred_at) FILTER (WHERE kind IN ('completed', 'certified')) AS finished,
               min(occurred_at) FILTER (WHERE kind = 'certified') AS certified,
               array_agg(DISTINCT day ORDER BY day) FILTER (WHERE kind = 'certified') AS days,
               bool_or(kind = 'revoked') AS revoked
        FROM facts GROUP BY employee_id, programme_id
    ), withdrawn AS (
        SELECT e.employee_id, c.programme_id, max(e.withdrawn_at) AS at
        FROM enrolments_enrolment e JOIN fact_people USING (employee_id)
        JOIN cohorts_cohort c ON c.organisation_id = e.organisation_id AND c.id = e.cohort_id
        WHERE e.organisation_id = %(organisation)s
        GROUP BY e.employee_id, c.programme_id HAVING bool_and(e.withdrawn_at IS NOT NULL)
    ), accounts AS (
        SELECT employee_id, array_agg(DISTINCT account) FILTER (WHERE account <> '') AS named,
               array_agg(DISTINCT email) FILTER (WHERE account = '' AND email <> '') AS addressed
        FROM facts GROUP BY employee_id
    ), found AS (
        SELECT 'dates' AS kind, 'certificate_before_start' AS code, employee_id, programme_id,
               jsonb_build_object('certified', certified, 'started', started) AS said
        FROM sums WHERE certified < started - interval '1 day'
        UNION ALL
        SELECT 'dates', 'finished_before_hired', s.employee_id, programme_id,
               jsonb_build_object('finished', finished, 'hired', e.hired_on)
        FROM sums s JOIN people_employee e ON e.organisation_id = %(organisation)s AND e.id = s.employee_id
        WHERE (finished AT TIME ZONE %(zone)s)::date < e.hired_on
        UNION ALL
        SELECT 'dates', 'certified_twice', employee_id, programme_id, jsonb_build_object('days', to_jsonb(days))
        FROM sums WHERE cardinality(days) > 1 AND NOT revoked
        UNION ALL
        SELECT 'dates', 'finished_while_withdrawn', employee_id, programme_id,
               jsonb_build_object('finished', finished, 'withdrawn', at)
        FROM sums JOIN withdrawn USING (employee_id, programme_id) WHERE finished > at
        UNION ALL
        SELECT 'accounts', 'two_accounts', employee_id, 0,
               jsonb_build_object('accounts', to_jsonb(coalesce(named, '{{}}') || coalesce(addressed, '{{}}')))
        FROM accounts WHERE cardinality(named) > 1 OR cardinality(addressed) > 1
    )
    SELECT kind, code, employee_id, said,
           concat_ws(':', code, employee_id, programme_id, left(md5(said::text), 12)) AS key
    FROM found
"""  # noqa: S608  The fragment is a constant.


def note_clashes(*, organisation_id: int, zone: str) -> None:
    """Bring the desk up to date for those of `fact_people`; three statements, whatever their number."""
    parameters = {"organisation": organisation_id, "zone": zone, "gone": GONE}
    cursor_rows("DROP TABLE IF EXISTS desk_found")
    cursor_rows(_FOUND, parameters)
    cursor_rows(
        "UPDATE progress_deskitem d SET settled_at = statement_timestamp(), answer = %(gone)s FROM fact_people p"
        " WHERE d.organisation_id = %(organisation)s AND d.employee_id = p.employee_id AND d.settled_at IS NULL"
        " AND d.kind IN ('dates', 'accounts') AND NOT EXISTS (SELECT FROM desk_found f WHERE f.key = d.key)",
        parameters,
    )
    cursor_rows(
        "INSERT INTO progress_deskitem AS d"
        " (organisation_id, kind, key, code, payload, employee_id, noted_at, settled_by, answer)"
        " SELECT %(organisation)s, kind, key, code, said, employee_id, statement_timestamp(), '', '' FROM desk_found"
        " ON CONFLICT (organisation_id, kind, key) DO UPDATE SET settled_at = NULL, answer = ''"
        " WHERE d.answer = %(gone)s",
        parameters,
    )


def count_desk(organisation_id: int) -> None:
    """Write down how much waits at the desk, for those who watch many organisations and see no person."""
    cursor_rows(
        f"""
        INSERT INTO progress_desksummary (organisation_id, unmatched, refused, contradicted, accounts, dates,
                                          delivered_by, delivered_at, as_of)
        SELECT %(organisation)s,
               ({UNMATCHED}),
               count(*) FILTER (WHERE kind = 'refused'), count(*) FILTER (WHERE kind = 'contradicted'),
               count(*) FILTER (WHERE kind = 'accounts'), count(*) FILTER (WHERE kind = 'dates'),
               coalesce((SELECT source FROM progress_delivery WHERE organisation_id = %(organisation)s
                         ORDER BY id DESC LIMIT 1), ''),
               (SELECT at FROM progress_delivery WHERE organisation_id = %(organisation)s ORDER BY id DESC LIMIT 1),
               statement_timestamp()
        FROM progress_deskitem WHERE organisation_id = %(organisation)s AND settled_at IS NULL
        ON CONFLICT (organisation_id) DO UPDATE SET
            unmatched = excluded.unmatched, refused = excluded.refused, contradicted = excluded.contradicted,
            accounts = excluded.accounts, dates = excluded.dates, delivered_by = excluded.delivered_by,
            delivered_at = excluded.delivered_at, as_of = excluded.as_of
        """,  # noqa: S608  The fragment is a constant.
        {"organisation": organisation_id},
    )
