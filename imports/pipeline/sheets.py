"""What reading gives, whatever the format: sheets, rows, cells, and what a sheet says beside its values."""

from __future__ import annotations

import datetime as dt
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from imports.pipeline.issues import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_ROWS: Final = 1_048_576

# An empty cell is "" (None is taken as empty too); numbers of a workbook are floats, as in Excel itself.
Cell: TypeAlias = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta | None


class ErrorCell(str):
    """An error as the spreadsheet shows it (#N/A): a value that no cell of a person may have."""

    __slots__ = ()


class Row(NamedTuple):
    """A row under the number that the spreadsheet shows; in delimited text, the number of the record."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet by its name; a hidden one is read like the others, and said."""

    name: str
    hidden: bool = False


class Span(NamedTuple):
    """A merged range that runs over several rows: its first cell stands for the cells under it."""

    first_row: int
    last_row: int
    column: int


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What a sheet says beside its values; rows and columns that HR does not see are read all the same."""

    rows: int = 0
    columns: int = 0
    hidden_rows: int = 0
    hidden_columns: frozenset[int] = frozenset()
    spans: tuple[Span, ...] = ()


class Mark(NamedTuple):
    """A cell that needs more than its value: `width` digits are shown or, at 0, the error `text`."""

    row: int
    column: int
    width: int
    text: str


# A column merged to the last row of a workbook is one million; hostile files merge every column.
_MAX_SPANNED: Final = 4_000_000
# What a spreadsheet, ours among them, puts in front of a text so that it is not taken for a formula.
_FORMULA_SIGNS: Final = frozenset("=+-@＝＋－＠\t\r\n")

_ERRORS: Final = frozenset({
    "#N/A", "#REF!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#VALUE!", "#SPILL!", "#CALC!", "#BUSY!",
    "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#PYTHON!", "#GETTING_DATA", "#ERR",
    "#NOM?", "#NUL!", "#NOMBRE!", "#VALEUR!", "#PROPAGATION!", "#CALCUL!",
})  # fmt: skip
# The errors of the binary formats, by their numbers.
ERROR_TEXTS: Final = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip


def is_error(cell: Cell) -> bool:
    """Whether a cell is an error, or the text of one: exports and old formats write errors as text."""
    return isinstance(cell, str) and cell[:1] == "#" and (isinstance(cell, ErrorCell) or cell in _ERRORS)


def unquoted(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return the cells, their texts without the apostrophe that keeps them from being formulas."""
    if any(isinstance(cell, str) and cell.startswith("'") for cell in cells):
        return tuple(_without_quote(cell) if isinstance(cell, str) else cell for cell in cells)
    return tuple(cells)


def _without_quote(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA_SIGNS else text


def marked_rows(rows: Iterator[Row], marks: Iterator[Mark]) -> Iterator[Row]:
    """Give marked cells what is shown in them; rows and marks come in the same order."""
    mark = next(marks, None)
    for row in rows:
        if mark is None or mark.row > row.number:
            yield row
            continue
        cells = list(row.cells)
        while mark is not None and mark.row <= row.number:
            if mark.row == row.number:
                # An error in the last columns is empty to the reader of values, which then leaves it out.
                cells += [""] * (mark.column + 1 - len(cells) if mark.width == 0 else 0)
                if mark.column < len(cells):
                    cells[mark.column] = _shown(cells[mark.column], mark)
            mark = next(marks, None)
        yield Row(row.number, tuple(cells))


def _shown(cell: Cell, mark: Mark) -> Cell:
    if mark.width == 0:
        return ErrorCell(mark.text)
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and cell == cell // 1:
        return f"{int(cell):0{mark.width}d}"
    return cell


def spread_spans(rows: Iterator[Row], spans: Sequence[Span]) -> Iterator[Row]:
    """Repeat the first cell of each merged range in the rows that it covers: they show it too."""
    waiting = deque(sorted(spans))
    # Merged ranges do not overlap, so that a column has one at a time.
    opened: dict[int, tuple[int, Cell]] = {}
    for row in rows:
        opened = {column: (last, value) for column, (last, value) in opened.items() if last >= row.number}
        cells = _filled(row.cells, opened)
        while waiting and waiting[0].first_row <= row.number:
            span = waiting.popleft()
            if span.first_row == row.number and span.column < len(cells):
                opened[span.column] = (span.last_row, cells[span.column])
        yield row if cells is row.cells else Row(row.number, cells)


def _filled(cells: tuple[Cell, ...], opened: dict[int, tuple[int, Cell]]) -> tuple[Cell, ...]:
    if not opened:
        return cells
    filled = list(cells)
    for column, (_, value) in opened.items():
        if column < len(filled) and filled[column] in {"", None}:
            filled[column] = value
    return tuple(filled)


def bounded_spans(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return the spans; refuse ranges merged over more cells than a roster can mean."""
    if sum(span.last_row - span.first_row for span in spans) > _MAX_SPANNED:
        raise UnreadableFile("too_large")
    return tuple(spans)


def refuse_beyond(last_row: int, limit: int) -> None:
    """Refuse a sheet that goes on after the last row that is taken."""
    if last_row > limit:
        raise UnreadableFile("too_many_rows", limit=str(limit))
