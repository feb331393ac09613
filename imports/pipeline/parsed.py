"""Workbooks whose sheets are parsed whole (xls, xlsb, ods), completed by what the reader of values does not give."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Protocol

import python_calamine as calamine

from imports.pipeline.sheets import (
    Row,
    Sheet,
    SheetFacts,
    Span,
    bounded_spans,
    marked_rows,
    refuse_beyond,
    unquoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.pipeline.sheets import Mark


class Facts(Protocol):
    """What a format says beside its values."""

    date_1904: bool

    def facts(self, sheet: str, /) -> SheetFacts: ...

    def marks(self, sheet: str, /) -> Iterator[Mark]: ...


class ParsedSheets:
    """A workbook parsed sheet by sheet; the tallest sheet is kept, so that it is parsed once."""

    def __init__(self, stream: BinaryIO, source: Facts, *, max_rows: int) -> None:
        stream.seek(0)
        # From a stream the reader looks at the content; from a path it would believe the extension.
        self._workbook = calamine.CalamineWorkbook.from_filelike(stream)
        self._source, self._max_rows = source, max_rows
        self._kept: calamine.CalamineSheet | None = None
        self._facts: dict[str, SheetFacts] = {}
        self.sheets = tuple(
            Sheet(sheet.name, hidden=sheet.visible != calamine.SheetVisibleEnum.Visible)
            for sheet in self._workbook.sheets_metadata
            if sheet.typ == calamine.SheetTypeEnum.WorkSheet
        )
        self.date_1904 = source.date_1904

    def facts(self, name: str) -> SheetFacts:
        """Return what the sheet says beside its values; the parsed sheet knows its height and its merged cells."""
        if name not in self._facts:
            facts, sheet = self._source.facts(name), self._sheet(name)
            height = 0 if sheet.end is None else sheet.end[0] + 1
            spans = [
                Span(first + 1, last + 1, column)
                for (first, column), (last, _) in sheet.merged_cell_ranges or ()
                if last > first
            ]
            # A merged range that the reader of values does not know may be known to the format's own facts.
            self._facts[name] = replace(facts, rows=height, spans=bounded_spans(spans) or facts.spans)
        return self._facts[name]

    def rows(self, name: str) -> Iterator[Row]:
        sheet = self._sheet(name)
        if sheet.end is None:
            return iter(())
        # Rows come from the top of the sheet but columns only from the first filled one.
        top, margin = sheet.start or (0, 0)
        before = ("",) * margin
        rows = (
            Row(number, unquoted((*before, *cells)) if number > top else ())
            for number, cells in enumerate(sheet.iter_rows(), start=1)
        )
        return marked_rows(rows, self._source.marks(name))

    def _sheet(self, name: str) -> calamine.CalamineSheet:
        if self._kept is not None and self._kept.name == name:
            return self._kept
        sheet = self._workbook.get_sheet_by_name(name)
        if sheet.end is not None:
            refuse_beyond(sheet.end[0] + 1, self._max_rows)
        if self._kept is None or sheet.height >= self._kept.height:
            self._kept = sheet
        return sheet
