"""Twins: arrivals who are likely people of the roster under another key, for HR to say.

Somebody is a likely twin of an arrival when no row of the file is theirs, and they have the arrival's e-mail address,
its name and date of entry, or, missing from a full file, its name and site. When several are, nobody is proposed.
"""

from __future__ import annotations

from portal.core.tenancy import cursor_rows

_MATCHES = (
    ("email", "i.email <> '' AND e.email = i.email"),
    ("hired", "i.sort_name <> '' AND e.sort_name = i.sort_name AND e.hired_on = i.hired_on"),
)
_IN_A_FULL_FILE = ("site", "i.sort_name <> '' AND e.sort_name = i.sort_name AND i.site <> '' AND e.site = i.site")


def join_twins(organisation_id: int) -> None:
    """Give the rows of which HR said that they are somebody known that person, unless another row is theirs by key."""
    cursor_rows(
        "UPDATE employee_intake i SET employee_id = l.twin_id FROM landing_row l"
        " WHERE l.number = i.ref AND l.twin_said = 'same' AND i.employee_id IS NULL"
        " AND EXISTS (SELECT 1 FROM people_employee e WHERE e.organisation_id = %s AND e.id = l.twin_id)"
        " AND NOT EXISTS (SELECT 1 FROM employee_intake other WHERE other.employee_id = l.twin_id)",
        [organisation_id],
    )


def find_twins(organisation_id: int, *, full: bool) -> None:
    """Make `twin`: for each arrival at most one employee, why, and what HR said of the two."""
    cursor_rows("CREATE TEMP TABLE twin (ref bigint, employee_id bigint, why text, said text) ON COMMIT DROP")
    cursor_rows(
        "INSERT INTO twin SELECT l.number, l.twin_id, l.twin_why, 'same' FROM landing_row l"
        " JOIN employee_intake i ON i.ref = l.number AND i.employee_id = l.twin_id WHERE l.twin_said = 'same'"
    )
    for why, condition in (*_MATCHES, *([_IN_A_FULL_FILE] if full else [])):
        cursor_rows(
            f"""
            INSERT INTO twin
            SELECT ref, employee_id, %(why)s, CASE WHEN l.twin_id = employee_id AND l.twin_said = 'other'
                                                   THEN 'other' ELSE '' END
            FROM (
                SELECT i.ref, e.id AS employee_id, count(*) OVER (PARTITION BY i.ref) AS candidates,
                       count(*) OVER (PARTITION BY e.id) AS claims
                FROM employee_intake i JOIN people_employee e ON {condition}
                WHERE i.employee_id IS NULL AND e.organisation_id = %(organisation)s AND e.active
                  AND NOT EXISTS (SELECT 1 FROM employee_intake known WHERE known.employee_id = e.id)
                  AND NOT EXISTS (SELECT 1 FROM twin t WHERE t.ref = i.ref OR t.employee_id = e.id)
            ) likely JOIN landing_row l ON l.number = ref
            WHERE candidates = 1 AND claims = 1
            """,  # noqa: S608  The conditions are constants.
            {"why": why, "organisation": organisation_id},
        )
    cursor_rows("ANALYZE twin")
