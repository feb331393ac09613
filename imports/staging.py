"""Staging: checked rows become `StagedRow` and `RowIssue`, streamed, one transaction per chunk.

COPY cannot go into a table under row-level security: it fills a temporary landing table, and INSERT … SELECT carries
it over. Only the columns that the file has are sent.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from imports.models import RosterImport, RowIssue, StagedRow
from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.issues import Severity
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.people.intake import DATE_FIELDS, TEXT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imports.pipeline.fields import Field
    from imports.pipeline.issues import Issue, IssueCode
    from imports.pipeline.mapping import Mapping
    from imports.pipeline.validation import CheckedRow

TEXTS = (*TEXT_FIELDS, "cohort")
VALUES = (*TEXTS, *DATE_FIELDS)
RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}

_ISSUE = 'organisation_id, roster_import_id, number, "column", code, severity, rank, params'


class NoLongerWanted(Exception):  # noqa: N818  It names what happened.
    """The import was cancelled while its file was read."""


def _room(model: type[StagedRow | RowIssue], name: str) -> int:
    column = model._meta.get_field(name)  # noqa: SLF001  Django documents _meta.
    return getattr(column, "max_length", None) or 0


def _storable(field: Field) -> Field:
    """A text that the column cannot hold is an issue of its row, never cut off in silence."""
    if field.name not in TEXTS:
        return field
    return dataclasses.replace(field, max_length=min(field.max_length, _room(StagedRow, field.name)))


_SORT_NAME = _room(StagedRow, "sort_name")
_HEADER = _room(RowIssue, "column")
FIELDS = tuple(_storable(field) for field in ROSTER_FIELDS)


def staged_columns(mapping: Mapping) -> tuple[str, ...]:
    """The staged fields that the file has: one "NOM Prénom" column gives two."""
    present = set(mapping.columns)
    if "full_name" in present:
        present |= {"last_name", "first_name"}
    return tuple(name for name in VALUES if name in present)


def stage_rows(*, roster_import: RosterImport, mapping: Mapping, rows: Iterable[CheckedRow]) -> int:
    """Store the rows and their issues; return how many rows there are. Progress is visible after each chunk."""
    columns = staged_columns(mapping)
    remaining, count = iter(rows), 0
    while chunk := list(itertools.islice(remaining, settings.IMPORT_CHUNK_ROWS)):
        with organisation_scope(roster_import.organisation_id):
            _stage_people(roster_import, columns, chunk)
            _stage_issues(roster_import, chunk)
            count += len(chunk)
            still = RosterImport.objects.filter(pk=roster_import.pk, state=RosterImport.State.PREPARING)
            if not still.update(done_rows=count, heartbeat_at=timezone.now()):
                raise NoLongerWanted
    return count


def clear_staged(*, organisation_id: int, import_id: int) -> None:
    """Delete what was staged: by an interrupted reading, or for an import that will not be applied."""
    for table in ("imports_rowissue", "imports_stagedrow"):
        cursor_rows(
            f"DELETE FROM {table} WHERE organisation_id = %s AND roster_import_id = %s",  # noqa: S608
            [organisation_id, import_id],
        )


def note_issue(code: IssueCode, severity: Severity, rows: str, params: dict[str, Any]) -> None:
    """Store an issue for each row of the query `rows`, which gives number, column and params."""
    cursor_rows(
        f"INSERT INTO imports_rowissue ({_ISSUE})"  # noqa: S608
        f' SELECT %(organisation)s, %(import)s, number, "column", %(code)s, %(severity)s, %(rank)s, params'
        f' FROM ({rows}) found (number, "column", params)',
        {**params, "code": code.value, "severity": severity.value, "rank": RANKS[severity]},
    )


def _stage_people(roster_import: RosterImport, columns: Sequence[str], rows: Iterable[CheckedRow]) -> None:
    kinds = ", ".join(f"{name} text" for name in columns)
    cursor_rows(
        "CREATE TEMP TABLE landing_row (number integer, rejected boolean, sort_name text"
        f"{', ' if kinds else ''}{kinds}) ON COMMIT DROP"
    )
    _copy(
        "landing_row",
        ((row.number, row.rejected, row.sort_name[:_SORT_NAME], *map(row.values.get, columns)) for row in rows),
    )
    texts = ", ".join(f"coalesce({name}, '')" if name in columns else "''" for name in TEXTS)
    # Dates come down as text too, so that an empty one is no date instead of the end of the whole file.
    dates = ", ".join(f"nullif({name}, '')::date" if name in columns else "NULL::date" for name in DATE_FIELDS)
    cursor_rows(
        f"INSERT INTO imports_stagedrow (organisation_id, roster_import_id, number, sort_name, {', '.join(VALUES)},"  # noqa: S608
        " action, changed, kept, departs, moves_site, held, done)"
        f" SELECT %s, %s, number, sort_name, {texts}, {dates}, CASE WHEN rejected THEN 'reject' ELSE '' END,"
        " '{}', '{}', false, false, false, rejected FROM landing_row ORDER BY number",
        [roster_import.organisation_id, roster_import.pk],
    )
    cursor_rows("DROP TABLE landing_row")


def _stage_issues(roster_import: RosterImport, rows: Iterable[CheckedRow]) -> None:
    found = [
        (
            row.number,
            issue.column[:_HEADER],
            issue.code.value,
            issue.severity.value,
            RANKS[issue.severity],
            _params(issue),
        )
        for row in rows
        for issue in row.issues
    ]
    if not found:
        return
    cursor_rows(
        'CREATE TEMP TABLE landing_issue (number integer, "column" text, code text, severity text, rank smallint,'
        " params jsonb) ON COMMIT DROP"
    )
    _copy("landing_issue", found)
    cursor_rows(
        f"INSERT INTO imports_rowissue ({_ISSUE})"  # noqa: S608
        ' SELECT %s, %s, number, "column", code, severity, rank, params FROM landing_issue',
        [roster_import.organisation_id, roster_import.pk],
    )
    cursor_rows("DROP TABLE landing_issue")


def _params(issue: Issue) -> str:
    return json.dumps({"field": issue.field, "value": issue.value, **issue.params})


def _copy(table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """COPY is the driver's own: without the wrapper its errors would not be Django's, and nobody would catch them."""
    sql = f"COPY {table} FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)
