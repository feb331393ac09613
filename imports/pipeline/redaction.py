"""Redaction: the copy of an uploaded file that replaces it, without what a roster must never bring in.

Columns of the roster's sheet are emptied as its mapping says; every other sheet is examined here, since a second one
may hold the payroll. Headers stay, so that places and order stay.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Final

from imports.pipeline.canonical import Irregular
from imports.pipeline.delimited import DelimitedText
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.looks import column_looks
from imports.pipeline.mapping import HEADER_SEARCH
from imports.pipeline.minimisation import forbidden_content, forbidden_header
from imports.pipeline.plain import PlainSheet, sheet_name, write_plain
from imports.pipeline.reading import MAX_ROWS, Row, open_workbook
from imports.pipeline.sensitive import MASK, discloses
from imports.pipeline.surgery import rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from imports.pipeline.reading import Cell, Workbook

_SAMPLE: Final = 240
# A tab and a line end are passed over before a formula.
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
# A spreadsheet set to another delimiter cuts a cell there, and takes what follows for a cell of its own.
_CUT_FORMULA: Final = re.compile(r"([;,|\t]\s*)(?=[=+@-])")


class CopyFormat(StrEnum):
    """What the copy is, whatever was uploaded."""

    XLSX = "xlsx"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Emptied:
    """The columns (from 0) of a sheet whose cells under the header row are emptied; the headers stay."""

    header_row: int
    columns: frozenset[int]


@dataclass(frozen=True, slots=True)
class RedactedCopy:
    """What was written: `values_only` when formatting could not be carried over.

    `renamed` gives the new name of each sheet whose own no xlsx may have (OpenDocument takes longer ones).
    """

    format: CopyFormat
    values_only: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)


def redact(source: BinaryIO, target: BinaryIO, *, emptied: Mapping[str, Emptied]) -> RedactedCopy:
    """Write the redacted copy of a file; `emptied` names what goes from the roster's sheet.

    Raises:
        UnreadableFile: as reading the file does.
    """
    with open_workbook(source) as workbook:
        if unknown := set(emptied) - set(workbook.sheet_names):
            raise UnreadableFile("unknown_sheet", sheet=min(unknown))
        if workbook.format == "csv":
            _redact_delimited(source, target, _all_emptied(workbook, emptied))
            return RedactedCopy(CopyFormat.CSV)
        columns = _all_emptied(workbook, emptied)
        if workbook.format == "xlsx" and _rewritten(source, target, columns):
            return RedactedCopy(CopyFormat.XLSX)
        taken: set[str] = set()
        names = {name: sheet_name(name, taken) for name in workbook.sheet_names}
        _write_values(source, target, workbook, columns, names)
        renamed = {old: new for old, new in names.items() if old != new}
        return RedactedCopy(CopyFormat.XLSX, values_only=True, renamed=renamed)


def _rewritten(source: BinaryIO, target: BinaryIO, columns: Mapping[str, Mapping[int, int]]) -> bool:
    for thorough in (False, True):
        try:
            rewrite(source, target, columns, thorough=thorough)
        except Irregular:
            continue
        return True
    return False


def _all_emptied(workbook: Workbook, emptied: Mapping[str, Emptied]) -> dict[str, dict[int, int]]:
    """Return, for every sheet, each column to empty with the number of the last row that stays."""
    return {
        name: dict.fromkeys(emptied[name].columns, emptied[name].header_row)
        if name in emptied
        else forbidden_columns(list(itertools.islice(workbook.rows(name), _SAMPLE)))
        for name in workbook.sheet_names
    }


def forbidden_columns(sample: Sequence[Row]) -> dict[int, int]:
    """Return the columns of an unmapped sheet that hold what must go, with the row under which they are emptied."""
    found: dict[int, int] = {}
    width = max((len(row.cells) for row in sample), default=0)
    for column in range(width):
        cells = [(row.number, row.cells[column]) for row in sample if column < len(row.cells)]
        if forbidden_content(cell for _, cell in cells):
            found[column] = _above_first(cells)
    wide = any(_filled(row) > 1 for row in sample)
    for row in sample[:HEADER_SEARCH]:
        # Alone in its row, a text is a title: under it stand all kinds of columns.
        if wide and _filled(row) < 2:
            continue
        for column, cell in enumerate(row.cells):
            if isinstance(cell, str) and forbidden_header(cell):
                found[column] = min(row.number, found.get(column, row.number))
    return found


def _above_first(cells: Sequence[tuple[int, Cell]]) -> int:
    """Return the row above the first cell that is a number of the kind for which the column goes."""
    return next(number for number, cell in cells if forbidden_content([cell])) - 1


def _filled(row: Row) -> int:
    return sum(1 for cell in row.cells if cell not in {"", None})


def _without(rows: Iterator[Row], emptied: Mapping[int, int]) -> Iterator[Row]:
    for row in rows:
        cells = tuple(
            "" if row.number > emptied.get(column, MAX_ROWS) else _guarded(cell)
            for column, cell in enumerate(row.cells)
        )
        yield Row(row.number, cells)


def _guarded(cell: Cell) -> Cell:
    if isinstance(cell, float) and abs(cell) > 1e14 and cell.is_integer():
        return MASK if discloses(str(int(cell))) else cell
    return MASK if isinstance(cell, str) and len(cell) > 14 and discloses(cell) else cell


def _write_values(
    source: BinaryIO,
    target: BinaryIO,
    workbook: Workbook,
    columns: Mapping[str, Mapping[int, int]],
    names: Mapping[str, str],
) -> None:
    looks = column_looks(source) if workbook.format == "ods" else {}
    sheets = (
        PlainSheet(
            names[name],
            _without(workbook.rows(name), columns[name]),
            looks[name].widths if name in looks else _widths(workbook, name),
            looks[name].formats if name in looks else {},
        )
        for name in workbook.sheet_names
    )
    write_plain(target, sheets)


def _widths(workbook: Workbook, sheet: str) -> dict[int, float]:
    """Return widths that show the first rows whole: those of the binary formats are not read."""
    widths: dict[int, float] = {}
    for row in itertools.islice(workbook.rows(sheet), _SAMPLE):
        for column, cell in enumerate(row.cells):
            widths[column] = max(widths.get(column, 8.0), min(len(str(cell)) + 2.0, 60.0))
    return widths


def _redact_delimited(source: BinaryIO, target: BinaryIO, columns: Mapping[str, Mapping[int, int]]) -> None:
    content = DelimitedText(source)
    (emptied,) = columns.values()
    rows = (Row(number, tuple(record)) for number, record in enumerate(content.records(), start=1))
    write_delimited(target, ([*row.cells] for row in _without(rows, emptied)), content.delimiter)


def write_delimited(target: BinaryIO, records: Iterator[list[Cell]], delimiter: str) -> None:
    """Write records as UTF-8 with its mark; a text that a spreadsheet would take for a formula gets an apostrophe."""
    target.seek(0)
    target.truncate()
    text = io.TextIOWrapper(target, encoding="utf-8-sig", errors="replace", newline="")
    try:
        writer = csv.writer(text, delimiter=delimiter)
        for record in records:
            writer.writerow([_harmless(cell) for cell in record])
    finally:
        text.detach()


def _harmless(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    shown = _CUT_FORMULA.sub(r"\1'", cell)
    return f"'{shown}" if shown.startswith(_FORMULA_SIGNS) else shown
