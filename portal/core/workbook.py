"""Workbooks and CSV files that go out: no cell of them can become a formula in the reader's spreadsheet.

What people write into a roster (a site named "=HYPERLINK(…)") is opened later by someone else. Text that a spreadsheet
could take for a formula is given an apostrophe in front; numbers stay numbers, which are no danger.
"""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, TypeAlias, cast

from rustpy_xlsxwriter import FastExcel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Cell: TypeAlias = str | int | float | None

# The wide forms are folded into the plain signs by spreadsheets set to Japanese or Chinese.
_JOINERS = "\u200c\u200d"
"""Signs of no width: emojis are joined by them, and letters of Persian and of India's languages kept apart."""
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet with one row of headings; `rows` may be a generator and is read once."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def safe_cell(value: Cell) -> Cell:
    """Return the value as it may stand in a spreadsheet."""
    if not isinstance(value, str):
        return value
    shown = value if value.isprintable() else "".join(map(_shown, value))
    return f"'{shown}" if shown.lstrip(_JOINERS).startswith(_STARTS_A_FORMULA) else shown


def _shown(sign: str) -> str:
    """Keep spaces of every kind, line ends and joiners; what else cannot be seen or breaks the file becomes a mark."""
    kept = sign.isprintable() or sign in "\t\n\r" or sign in _JOINERS or unicodedata.category(sign) == "Zs"
    return sign if kept else "\ufffd"


def write_csv(out: IO[str], header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write rows one by one as they come."""
    writer = csv.writer(out)
    writer.writerow([safe_cell(name) for name in header])
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])


def write_xlsx(out: BinaryIO, sheets: Iterable[Sheet]) -> None:
    """Write sheets whose rows are taken one by one; headings are bold and stay in view."""
    workbook = FastExcel(out, autofit=True).format(bold_headers=True).freeze(row=1)
    for sheet in sheets:
        workbook = workbook.sheet(sheet.name, _records(sheet))
    workbook.save()


def _records(sheet: Sheet) -> Iterator[dict[str, Cell]]:
    header = [cast("str", safe_cell(name)) for name in sheet.header]
    for row in sheet.rows:
        yield dict(zip(header, map(safe_cell, row), strict=True))
