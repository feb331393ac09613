"""Merging: rows that HR corrected in their own workbook come back into the import they belong to.

A row that names the row it came from replaces that one, and no other: should it now carry another row's key, both are
rejected, as in any file. A row that names none replaces the rows of its key; or, when its key is what was wrong, the
one rejected row of its name. What is left is a new row, after the others. Fields that the workbook does not have stay
as they were: a column that is absent erases nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.landing import VALUES, land_staged
from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    from collections.abc import Collection

    from imports.models import RosterImport

_KEY = "{0}.employee_number || ' ' || CASE WHEN {0}.employee_number = '' THEN {0}.email ELSE '' END"


_HAS_KEY = "({0}.employee_number <> '' OR {0}.email <> '')"


def land_beside_staged(roster_import: RosterImport, *, fields: Collection[str]) -> None:
    """Put what has landed, of which these fields were read, in the place of the staged rows that it corrects."""
    cursor_rows("ALTER TABLE landing_row RENAME TO brought_row")
    cursor_rows("ALTER TABLE landing_issue RENAME TO brought_issue")
    cursor_rows("CREATE TEMP TABLE landing_row (LIKE brought_row INCLUDING DEFAULTS) ON COMMIT DROP")
    cursor_rows("CREATE TEMP TABLE landing_issue (LIKE brought_issue) ON COMMIT DROP")
    land_staged(roster_import)
    cursor_rows("ANALYZE landing_row")
    cursor_rows("ANALYZE brought_row")
    _find_places()
    _keep_absent_fields(fields)
    _take_places()
    cursor_rows("DROP TABLE brought_row, brought_issue, place")


def _find_places() -> None:
    """Make `place`: for each row brought, the row that it replaces, and whether it is to be taken at all."""
    cursor_rows(
        f"""
        CREATE TEMP TABLE place ON COMMIT DROP AS
        SELECT b.number AS brought, coalesce(min(o.number), min(k.number), min(n.number)) AS takes
        FROM brought_row b
        LEFT JOIN landing_row o ON o.number = b.origin
        LEFT JOIN landing_row k ON b.origin IS NULL AND {_HAS_KEY.format("b")}
             AND {_KEY.format("k")} = {_KEY.format("b")}
        LEFT JOIN (
            SELECT sort_name, min(number) AS number FROM landing_row WHERE rejected AND sort_name <> ''
            GROUP BY sort_name HAVING count(*) = 1
        ) n ON b.origin IS NULL AND n.sort_name = b.sort_name
        GROUP BY b.number
        """  # noqa: S608  The key is a constant.
    )
    # Two rows brought for one place: the second is a row of its own.
    cursor_rows("UPDATE place SET takes = NULL WHERE brought NOT IN (SELECT min(brought) FROM place GROUP BY takes)")


def _keep_absent_fields(fields: Collection[str]) -> None:
    absent = [name for name in (*VALUES, "attributes") if name not in fields]
    kept = ", ".join(f"{name} = l.{name}" for name in absent)
    if kept:
        cursor_rows(
            f"UPDATE brought_row b SET {kept} FROM place p JOIN landing_row l ON l.number = p.takes"  # noqa: S608
            " WHERE p.brought = b.number"
        )


def _take_places() -> None:
    cursor_rows(
        "UPDATE place p SET takes = n.number FROM (SELECT brought, (SELECT coalesce(max(number), 1) FROM landing_row)"
        " + row_number() OVER (ORDER BY brought) AS number FROM place WHERE takes IS NULL) n"
        " WHERE n.brought = p.brought"
    )
    cursor_rows(
        "CREATE TEMP TABLE replaced ON COMMIT DROP AS SELECT l.number FROM landing_row l"  # noqa: S608
        f" WHERE l.number IN (SELECT takes FROM place) OR ({_HAS_KEY.format('l')} AND {_KEY.format('l')} IN ("
        f"SELECT {_KEY.format('b')} FROM brought_row b WHERE b.origin IS NULL AND {_HAS_KEY.format('b')}))"
    )
    for table in ("row", "issue"):
        cursor_rows(f"DELETE FROM landing_{table} WHERE number IN (SELECT number FROM replaced)")  # noqa: S608
        cursor_rows(
            f"UPDATE brought_{table} b SET number = p.takes FROM place p WHERE p.brought = b.number"  # noqa: S608
        )
        cursor_rows(f"INSERT INTO landing_{table} SELECT * FROM brought_{table}")  # noqa: S608
    cursor_rows("UPDATE landing_row SET corrected = true WHERE number IN (SELECT takes FROM place)")
    cursor_rows("DROP TABLE replaced")
