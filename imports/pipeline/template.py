"""The workbook to fill in: the headers that are recognised, examples on a sheet of their own, help in each column.

Every word is an argument, so that the module knows no language.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Final

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation

from imports.pipeline.markup import literal, printable
from imports.pipeline.plain import MAX_TEXT, sheet_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.worksheet.worksheet import Worksheet

_ROWS: Final = 10_000
"""The rows under a rule."""
_TEXT_FORMAT: Final = "@"
_DATE_FORMAT: Final = "dd/mm/yyyy"
_HEADER_FILL: Final = PatternFill("solid", fgColor="FFE8EEF7")
_EXAMPLE_FONT: Final = Font(italic=True, color="FF6B7280")
_MAX_MESSAGE: Final = 255
_NOT_INLINE: Final = re.compile(r'[,"\n]|^\s|\s$')
_AUTHOR: Final = "Portail"
_FIRST_DAY: Final = dt.date(1900, 3, 1)
_LAST_DAY: Final = dt.date(2100, 12, 31)


class ColumnKind(StrEnum):
    """What is written in a column: `text` keeps leading zeros, a `choice` admits only what is listed."""

    TEXT = "text"
    DATE = "date"
    CHOICE = "choice"


@dataclass(frozen=True)
class TemplateColumn:
    """A column: what stands in its header and its comment, its examples, and what it suggests."""

    header: str
    hint: str = ""
    kind: ColumnKind = ColumnKind.TEXT
    examples: tuple[str | dt.date, ...] = ()
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateWords:
    """The names of the sheets, and what is said of a value that is not in a list or not a date."""

    sheet: str
    examples: str
    lists: str
    not_listed: str
    not_a_date: str


def write_template(target: BinaryIO, *, columns: Sequence[TemplateColumn], words: TemplateWords) -> None:
    """Write the template; suggestions warn (a new site is a site), a choice does not let anything else pass."""
    book = openpyxl.Workbook()
    book.properties.creator = _AUTHOR
    sheet = book.worksheets[0]
    taken: set[str] = set()
    sheet.title = sheet_name(words.sheet, taken)
    lists = book.create_sheet(sheet_name(words.lists, taken))
    _write_headers(sheet, columns)
    for index, column in enumerate(columns, start=1):
        _prepare(sheet, index, column)
        if rule := _rule(lists, index, column, words):
            letter = get_column_letter(index)
            rule.add(f"{letter}2:{letter}{_ROWS + 1}")
            sheet.add_data_validation(rule)
    _write_examples(book.create_sheet(sheet_name(words.examples, taken), 1), columns)
    lists.sheet_state = "hidden"
    book.save(target)


def _write_headers(sheet: Worksheet, columns: Sequence[TemplateColumn]) -> None:
    for index, column in enumerate(columns, start=1):
        cell = sheet.cell(1, index)
        _write_text(sheet, 1, index, column.header)
        cell.font = Font(bold=True)
        cell.fill = _HEADER_FILL
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        if column.hint:
            cell.comment = Comment(printable(column.hint)[:MAX_TEXT], _AUTHOR, height=110, width=260)
        longest = max((len(str(example)) for example in column.examples), default=0)
        sheet.column_dimensions[get_column_letter(index)].width = min(max(14, len(column.header) + 4, longest + 2), 60)
    sheet.freeze_panes = "A2"


def _write_text(sheet: Worksheet, row: int, column: int, text: str) -> None:
    """Write a text as text: openpyxl would take one that begins with = for a formula."""
    cell = sheet.cell(row, column)
    cell.value = printable(literal(text))[:MAX_TEXT]
    cell.data_type = "s"
    cell.number_format = _TEXT_FORMAT
    cell.quotePrefix = text.startswith(("=", "+", "-", "@"))


def _prepare(sheet: Worksheet, index: int, column: TemplateColumn) -> None:
    """Give the whole column its format: employee numbers are typed with their zeros, and keep them."""
    number_format = _DATE_FORMAT if column.kind is ColumnKind.DATE else _TEXT_FORMAT
    sheet.column_dimensions[get_column_letter(index)].number_format = number_format


def _write_examples(sheet: Worksheet, columns: Sequence[TemplateColumn]) -> None:
    _write_headers(sheet, columns)
    for index, column in enumerate(columns, start=1):
        for row, example in enumerate(column.examples, start=2):
            cell = sheet.cell(row, index)
            if isinstance(example, str):
                _write_text(sheet, row, index, example)
            else:
                cell.value = example
                cell.number_format = _DATE_FORMAT
            cell.font = _EXAMPLE_FONT


def _rule(lists: Worksheet, index: int, column: TemplateColumn, words: TemplateWords) -> DataValidation | None:
    if column.kind is ColumnKind.DATE:
        first, last = ((day - dt.date(1899, 12, 30)).days for day in (_FIRST_DAY, _LAST_DAY))
        rule = DataValidation("date", operator="between", formula1=str(first), formula2=str(last), errorStyle="warning")
        return _explained(rule, words.not_a_date)
    if not column.suggestions:
        return None
    rule = DataValidation("list", formula1=_source(lists, index, column.suggestions))
    rule.errorStyle = "stop" if column.kind is ColumnKind.CHOICE else "warning"
    return _explained(rule, words.not_listed)


def _source(lists: Worksheet, index: int, values: Sequence[str]) -> str:
    """Return a list as a rule names it: in the rule itself while it is short, or in the hidden sheet."""
    inline = f'"{",".join(values)}"'
    if len(inline) <= _MAX_MESSAGE and not any(
        _NOT_INLINE.search(value) or not value.isprintable() for value in values
    ):
        return inline
    for row, value in enumerate(values, start=1):
        _write_text(lists, row, index, value)
    letter = get_column_letter(index)
    return f"{quote_sheetname(lists.title)}!${letter}$1:${letter}${len(values)}"


def _explained(rule: DataValidation, message: str) -> DataValidation:
    rule.allow_blank = True
    rule.showErrorMessage = True
    rule.error = printable(message)[:_MAX_MESSAGE]
    return rule
