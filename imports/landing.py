"""Landing: where the rows of an import stand while its plan is made.

They come from the process that reads the file, as lines of COPY, or back from what was staged when a plan is made anew.
The relations are temporary: COPY cannot go into a table under row-level security, and of a temporary relation the
planner can be told how many rows it has.
"""

from __future__ import annotations

import dataclasses
from typing import IO, TYPE_CHECKING, Any

from django.db import connection

from imports.models import RosterImport, RowIssue, StagedRow
from imports.pipeline.copying import RANKS
from imports.pipeline.issues import IssueCode, Severity
from portal.core.tenancy import cursor_rows
from portal.people.intake import DATE_FIELDS, TEXT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imports.pipeline.fields import Field

TEXTS = (*TEXT_FIELDS, "cohort")
VALUES = (*TEXTS, *DATE_FIELDS)

REJECTING = (IssueCode.DUPLICATE_CONFLICT, IssueCode.AMBIGUOUS_KEY_EMAIL)
"""What a plan finds wrong with a row that could be read."""
FOUND_BY_PLAN = (
    *REJECTING,
    IssueCode.DUPLICATE_MERGED,
    IssueCode.EDITED_BY_HAND,
    IssueCode.NEW_COHORT,
    IssueCode.LAST_OWNER,
    IssueCode.UPLOADER_LEAVES,
)

_SAID = "corrected, twin_id, twin_why, twin_said"
_ROW = ", ".join(("number", "sort_name", *VALUES, "attributes"))
_ISSUE = 'number, "column", code, severity, rank, params'
_STORED_ISSUE = f"organisation_id, roster_import_id, {_ISSUE}"


def room(model: type[StagedRow | RowIssue], name: str) -> int:
    """Return the most characters that a column holds."""
    column = model._meta.get_field(name)  # noqa: SLF001  Django documents _meta.
    return getattr(column, "max_length", None) or 0


def storable(field: Field) -> Field:
    """A text that the column cannot hold is an issue of its row, never cut off in silence."""
    if field.name not in TEXTS:
        return field
    return dataclasses.replace(field, max_length=min(field.max_length, room(StagedRow, field.name)))


def create_landing() -> None:
    """Make `landing_row` and `landing_issue`, empty."""
    texts = ", ".join(f"{name} text NOT NULL DEFAULT ''" for name in ("sort_name", *TEXTS))
    dates = ", ".join(f"{name} date" for name in DATE_FIELDS)
    cursor_rows(
        "CREATE TEMP TABLE landing_row"
        " (number integer NOT NULL, origin integer, rejected boolean NOT NULL DEFAULT false,"
        f" {texts}, {dates}, attributes jsonb NOT NULL DEFAULT '{{}}', action text NOT NULL DEFAULT '',"
        " corrected boolean NOT NULL DEFAULT false, twin_id bigint,"
        " twin_why text NOT NULL DEFAULT '', twin_said text NOT NULL DEFAULT '') ON COMMIT DROP"
    )
    cursor_rows(
        'CREATE TEMP TABLE landing_issue (number integer, "column" text, code text, severity text, rank smallint,'
        " params jsonb) ON COMMIT DROP"
    )


def land_rows(fields: Sequence[str], lines: Iterable[bytes]) -> None:
    """Take the reader's lines of rows, as they come."""
    columns = ", ".join(("number", "rejected", "sort_name", "attributes", *fields))
    _copy(f"COPY landing_row ({columns}) FROM STDIN", lines)


def land_issues(lines: IO[bytes]) -> None:
    """Take the reader's lines of issues, which it said between the rows."""
    lines.seek(0)
    _copy("COPY landing_issue FROM STDIN", iter(lambda: lines.read(1 << 20), b""))


def land_staged(roster_import: RosterImport) -> None:
    """Take back what was staged, as it was read and as HR corrected it: its plan will be made anew."""
    params = {**_params(roster_import), "rejecting": [code.value for code in REJECTING]}
    cursor_rows(
        f"""
        INSERT INTO landing_row (rejected, {_SAID}, {_ROW})
        SELECT action = 'reject' AND number IN (
                   SELECT number FROM imports_rowissue WHERE organisation_id = %(organisation)s
                   AND roster_import_id = %(import)s AND rank = 0 AND code <> ALL (%(rejecting)s)), {_SAID}, {_ROW}
        FROM imports_stagedrow
        WHERE organisation_id = %(organisation)s AND roster_import_id = %(import)s AND number > 0 ORDER BY number
        """,  # noqa: S608  The names are constants.
        params,
    )
    cursor_rows(
        f"INSERT INTO landing_issue ({_ISSUE}) SELECT {_ISSUE} FROM imports_rowissue"  # noqa: S608
        " WHERE organisation_id = %(organisation)s AND roster_import_id = %(import)s AND code <> ALL (%(found)s)",
        {**params, "found": [code.value for code in FOUND_BY_PLAN]},
    )
    clear_staged(organisation_id=roster_import.organisation_id, import_id=roster_import.pk)


def note_issue(code: IssueCode, severity: Severity, rows: str, params: dict[str, Any]) -> None:
    """Note an issue for each row of the query `rows`, which gives number, column and params."""
    cursor_rows(
        f"INSERT INTO landing_issue ({_ISSUE})"  # noqa: S608
        ' SELECT number, "column", %(code)s, %(severity)s, %(rank)s, params'
        f' FROM ({rows}) found (number, "column", params)',
        {**params, "code": code.value, "severity": severity.value, "rank": RANKS[severity]},
    )


def stage_issues(roster_import: RosterImport) -> None:
    cursor_rows(
        f"INSERT INTO imports_rowissue ({_STORED_ISSUE})"  # noqa: S608
        f" SELECT %(organisation)s, %(import)s, {_ISSUE} FROM landing_issue ORDER BY rank, number",
        _params(roster_import),
    )


def clear_staged(*, organisation_id: int, import_id: int) -> None:
    """Delete what was staged of an import that is read again, or will not be applied."""
    for table in ("imports_rowissue", "imports_siteplan", "imports_stagedrow"):
        cursor_rows(
            f"DELETE FROM {table} WHERE organisation_id = %s AND roster_import_id = %s",  # noqa: S608
            [organisation_id, import_id],
        )


def _params(roster_import: RosterImport) -> dict[str, Any]:
    return {"organisation": roster_import.organisation_id, "import": roster_import.pk}


def _copy(sql: str, blocks: Iterable[bytes]) -> None:
    """COPY is the driver's own: without the wrapper its errors would not be Django's, and nobody would catch them."""
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(sql) as copy:
        for block in blocks:
            copy.write(block)
