"""A workbook written from values alone: for formats that are not rewritten in place.

Rows are written as they come. Text stands in its cell as text, so that none of it is ever a formula.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

from imports.pipeline.canonical import column_letters
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.markup import DECLARATION, MAIN, quoted, shown_string
from imports.pipeline.package import NewPackage
from imports.pipeline.reading import ErrorCell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from imports.pipeline.reading import Cell, Row

MAX_TEXT: Final = 32_767
"""The signs that a cell of Excel holds."""
_MAX_COLUMNS: Final = 16_384
_ROWS_AT_ONCE: Final = 512
_ERRORS: Final = frozenset({"#N/A", "#REF!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#VALUE!"})
_FORMULA_SIGNS: Final = ("=", "+", "-", "@")
_NOT_A_NAME: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_MAX_NAME: Final = 31
_EPOCH: Final = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a calendar, not an instant.
# Serials before it are one day off, for Excel believes in 29 February 1900.
_FIRST_DAY: Final = dt.datetime(1900, 3, 1)  # noqa: DTZ001
# Numbers of formats that every program has built in: they are shown in the way of the reader's country.
_GENERAL, _TEXT, _DAY, _INSTANT, _TIME, _DURATION = 0, 49, 14, 22, 21, 46
_FIRST_OWN: Final = 164


@dataclass(frozen=True)
class PlainSheet:
    """A sheet of values; widths (in signs) and number formats are those of whole columns."""

    name: str
    rows: Iterable[Row]
    widths: Mapping[int, float] = field(default_factory=dict)
    formats: Mapping[int, str] = field(default_factory=dict)
    frozen_rows: int = 0


def write_plain(target: BinaryIO, sheets: Iterable[PlainSheet]) -> None:
    """Write the sheets in their order; each one's rows are taken once."""
    styles = _Styles()
    names: set[str] = set()
    with NewPackage(target) as package:
        for sheet in sheets:
            package.add_sheet(sheet_name(sheet.name, names), _blocks(sheet, styles))
        package.add_part("styles", [styles.document().encode()])
        package.finish()


def sheet_name(name: str, taken: set[str]) -> str:
    """Return the name, or the nearest one that a workbook may have and that no other sheet has."""
    short = _NOT_A_NAME.sub("_", name).strip("'")[:_MAX_NAME] or "_"
    candidate, number = short, 1
    while candidate.casefold() in taken:
        number += 1
        ending = f"_{number}"
        candidate = short[: _MAX_NAME - len(ending)] + ending
    taken.add(candidate.casefold())
    return candidate


class _Styles:
    """The cell styles that were asked for, numbered as they came."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._numbers: dict[tuple[int, bool], int] = {(_GENERAL, False): 0}

    def number(self, number_format: int | str, *, text: bool = False) -> int:
        """Return the style of a number format; `text` keeps a text that looks like a formula when it is edited."""
        if isinstance(number_format, str):
            number_format = self._codes.setdefault(number_format, _FIRST_OWN + len(self._codes))
        return self._numbers.setdefault((number_format, text), len(self._numbers))

    def document(self) -> str:
        codes = "".join(f'<numFmt numFmtId="{key}" formatCode="{quoted(code)}"/>' for code, key in self._codes.items())
        formats = f'<numFmts count="{len(self._codes)}">{codes}</numFmts>' if codes else ""
        cells = "".join(
            f'<xf numFmtId="{key}" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="{int(text)}"'
            ' applyNumberFormat="1"/>'
            for key, text in self._numbers
        )
        return (
            f'{DECLARATION}<styleSheet xmlns="{MAIN}">{formats}'
            '<fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
            '<fills count="2"><fill><patternFill patternType="none"/></fill>'
            '<fill><patternFill patternType="gray125"/></fill></fills>'
            '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
            '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
            f'<cellXfs count="{len(self._numbers)}">{cells}</cellXfs>'
            '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
        )


def _blocks(sheet: PlainSheet, styles: _Styles) -> Iterator[bytes]:
    columns = "".join(_columns(sheet.widths))
    shown = f"<cols>{columns}</cols>" if columns else ""
    if rows := sheet.frozen_rows:
        pane = f'<pane ySplit="{rows}" topLeftCell="A{rows + 1}" activePane="bottomLeft" state="frozen"/>'
        shown = f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>{shown}'
    yield f'{DECLARATION}<worksheet xmlns="{MAIN}">{shown}<sheetData>'.encode()
    cells = _Cells(sheet.formats, styles)
    written: list[str] = []
    for row in sheet.rows:
        written.append(cells.row(row))
        if len(written) >= _ROWS_AT_ONCE:
            yield "".join(written).encode()
            written.clear()
    yield f"{''.join(written)}</sheetData></worksheet>".encode()


def _columns(widths: Mapping[int, float]) -> Iterator[str]:
    """Yield the widths of columns, neighbours of one width together."""
    known = sorted((index, min(width, 255.0)) for index, width in widths.items() if index < _MAX_COLUMNS)
    # Neighbours have the same distance between their index and their rank.
    for (_, width), run in itertools.groupby(enumerate(known), key=lambda item: (item[1][0] - item[0], item[1][1])):
        indexes = [index for _, (index, _) in run]
        yield f'<col min="{indexes[0] + 1}" max="{indexes[-1] + 1}" width="{width:.2f}" customWidth="1"/>'


class _Cells:
    """Writes rows; letters and styles of columns are looked up once."""

    def __init__(self, formats: Mapping[int, str], styles: _Styles) -> None:
        self._formats = formats
        self._styles = styles
        self._letters: list[str] = []

    def row(self, row: Row) -> str:
        if len(row.cells) > len(self._letters):
            if len(row.cells) > _MAX_COLUMNS:
                raise UnreadableFile("too_large", columns=str(len(row.cells)), rows=str(row.number))
            self._letters = list(map(column_letters, range(len(row.cells))))
        cells = [
            self._cell(f"{self._letters[index]}{row.number}", index, cell)
            for index, cell in enumerate(row.cells)
            if cell != "" and cell is not None
        ]
        return f'<row r="{row.number}">{"".join(cells)}</row>' if cells else ""

    def _cell(self, place: str, column: int, cell: Cell) -> str:
        if isinstance(cell, ErrorCell) and cell in _ERRORS:
            return f'<c r="{place}" t="e"><v>{cell}</v></c>'
        if isinstance(cell, str):
            return self._string(place, cell)
        if isinstance(cell, bool):
            return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
        if isinstance(cell, (int, float)):
            return self._numeric(place, cell, self._formats.get(column, _GENERAL))
        assert cell is not None
        serial, usual = _serial(cell)
        if serial is None:
            return self._string(place, str(cell))
        return self._numeric(place, serial, self._formats.get(column, usual))

    def _string(self, place: str, text: str) -> str:
        style = f' s="{self._styles.number(_TEXT, text=True)}"' if text.startswith(_FORMULA_SIGNS) else ""
        if len(text) > MAX_TEXT:
            text = f"{text[: MAX_TEXT - 1]}…"
        return f'<c r="{place}"{style} t="inlineStr"><is>{shown_string(text)}</is></c>'

    def _numeric(self, place: str, number: float, number_format: int | str) -> str:
        if not math.isfinite(number):
            return self._string(place, str(number))
        style = self._styles.number(number_format)
        value = int(number) if abs(number) < 1e15 and number == int(number) else number
        shown = f' s="{style}"' if style else ""
        return f'<c r="{place}"{shown}><v>{value!r}</v></c>'


def _serial(cell: dt.datetime | dt.date | dt.time | dt.timedelta) -> tuple[float | None, int]:
    """Return a date or a time as a number of days, with its usual format; nothing for days before the calendar."""
    if isinstance(cell, dt.timedelta):
        return cell / dt.timedelta(days=1), _DURATION
    if isinstance(cell, dt.time):
        since = dt.timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)
        return since / dt.timedelta(days=1), _TIME
    instant = cell.replace(tzinfo=None) if isinstance(cell, dt.datetime) else dt.datetime.combine(cell, dt.time())
    usual = _INSTANT if isinstance(cell, dt.datetime) and instant.time() != dt.time() else _DAY
    return (None if instant < _FIRST_DAY else (instant - _EPOCH) / dt.timedelta(days=1)), usual
