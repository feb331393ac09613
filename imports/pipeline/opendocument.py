"""What an ods says beside its values: errors and 00123 as they are shown, rows and columns out of sight, merged cells.

An ods keeps the text that each cell shows beside its value, but no address: rows and columns are counted.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.sheets import Mark, SheetFacts, Span, bounded_spans

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator

_CHUNK: Final = 1 << 20
_MAX_ROW: Final = 64 << 20
_MAX_AREA: Final = 40_000_000
_MAX_COLUMNS: Final = 16_384
_ROW_TAG: Final = b"<table:table-row"
_START: Final = re.compile(rb"<table:table(?:-row|-column)?(?=[\s/>])[^>]*>")
_NAME: Final = re.compile(rb'\stable:name="([^"]*)"')
_OUT_OF_SIGHT: Final = re.compile(rb'\stable:visibility="(?:collapse|filter)"')
_ROWS_REPEATED: Final = re.compile(rb'\stable:number-rows-repeated="([0-9]{1,9})"')
_COLUMNS_REPEATED: Final = re.compile(rb'\stable:number-columns-repeated="([0-9]{1,9})"')
_ROWS_SPANNED: Final = re.compile(rb'\stable:number-rows-spanned="([0-9]{1,7})"')
_VALUED: Final = b"office:value-type="
_CELL: Final = re.compile(rb"<table:(?:covered-)?table-cell(?=[\s/>])([^>]*)>(?:\s*<text:p>([^<]{1,64})</text:p>)?")
# A number that is shown with zeros before it, and an error, whose value is an empty text.
_MARKED: Final = re.compile(rb"<text:p>(?:0[0-9]|#|Err:)")
_PADDED: Final = re.compile(rb"0[0-9]{1,63}")
_ERROR: Final = re.compile(rb"#[^<]{1,20}|Err:[0-9]{3}")


class _TableRow(NamedTuple):
    sheet: str
    number: int
    repeated: int
    hidden: bool
    content: bytes


class OpenDocument:
    """The facts of one ods, all sheets found in one pass."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._hidden_columns: dict[str, set[int]] = {}
        self._facts = self._survey()
        self.date_1904 = False

    def facts(self, sheet: str) -> SheetFacts:
        return self._facts.get(sheet, SheetFacts())

    def marks(self, sheet: str) -> Iterator[Mark]:
        """Yield the marked cells of a sheet, row by row."""
        for row in self._rows():
            if row.sheet != sheet or not _MARKED.search(row.content):
                continue
            marks = list(_marks(row.content))
            for number in range(row.number, row.number + row.repeated):
                yield from (Mark(number, column, width, text) for column, width, text in marks)

    def _survey(self) -> dict[str, SheetFacts]:
        last: dict[str, int] = {}
        widths: dict[str, int] = {}
        hidden: dict[str, int] = {}
        spans: dict[str, list[Span]] = {}
        for row in self._rows():
            filled = row.content.rfind(_VALUED)
            if filled < 0:
                continue
            last[row.sheet] = row.number + row.repeated - 1
            widths[row.sheet] = max(widths.get(row.sheet, 0), _width(row.content, filled))
            if last[row.sheet] * widths[row.sheet] > _MAX_AREA:
                raise UnreadableFile("too_large")
            hidden[row.sheet] = hidden.get(row.sheet, 0) + row.repeated * row.hidden
            if b"rows-spanned=" in row.content:
                spans.setdefault(row.sheet, []).extend(_spans(row))
        return {
            sheet: SheetFacts(
                number,
                widths[sheet],
                hidden[sheet],
                frozenset(self._hidden_columns.get(sheet, ())),
                bounded_spans(spans.get(sheet, ())),
            )
            for sheet, number in last.items()
        }

    def _rows(self) -> Iterator[_TableRow]:
        """Yield the rows of every sheet in the order of the file; what is repeated comes once."""
        sheet, number, column = "", 1, 0
        for piece in self._pieces():
            starts = list(_START.finditer(piece))
            ends = [match.start() for match in starts[1:]] + [len(piece)]
            for match, end in zip(starts, ends, strict=True):
                tag = match[0]
                if tag.startswith(_ROW_TAG):
                    repeated = _repeated(_ROWS_REPEATED, tag)
                    hidden = _OUT_OF_SIGHT.search(tag) is not None
                    yield _TableRow(sheet, number, repeated, hidden, piece[match.end() : end])
                    number += repeated
                elif tag.startswith(b"<table:table-column"):
                    following = min(column + _repeated(_COLUMNS_REPEATED, tag), _MAX_COLUMNS)
                    if _OUT_OF_SIGHT.search(tag):
                        self._hidden_columns.setdefault(sheet, set()).update(range(column, following))
                    column = following
                else:
                    named = _NAME.search(tag)
                    sheet, number, column = html.unescape(named[1].decode(errors="replace")) if named else "", 1, 0

    def _pieces(self) -> Iterator[bytes]:
        """Yield the document in pieces cut before a row, so that no row is torn."""
        rest = b""
        with self._archive.open("content.xml") as stream:
            while block := stream.read(_CHUNK):
                rest += block
                cut = rest.rfind(_ROW_TAG)
                if cut > 0:
                    yield rest[:cut]
                    rest = rest[cut:]
                elif len(rest) > _MAX_ROW:
                    raise UnreadableFile("too_large")
        yield rest


def _repeated(pattern: re.Pattern[bytes], tag: bytes) -> int:
    match = pattern.search(tag)
    return int(match[1]) if match else 1


def _width(content: bytes, filled: int) -> int:
    """How many columns a row spans up to its last value."""
    until = content[: content.find(b">", filled)]
    width = until.count(b"table-cell")
    if b"columns-repeated" in until:
        width += sum(int(times) - 1 for times in _COLUMNS_REPEATED.findall(until))
    return width


def _cells(content: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Yield each cell's column, how often it is repeated, its attributes and the one text that it shows."""
    column = 0
    for match in _CELL.finditer(content):
        repeated = min(_repeated(_COLUMNS_REPEATED, match[1]), _MAX_COLUMNS)
        yield column, repeated, match[1], match[2] or b""
        column += repeated
        if column > _MAX_COLUMNS:
            return


def _marks(content: bytes) -> Iterator[tuple[int, int, str]]:
    for column, repeated, attributes, text in _cells(content):
        if b'value-type="float"' in attributes and _PADDED.fullmatch(text):
            width = len(text)
        elif b'office:string-value=""' in attributes and _ERROR.fullmatch(text):
            width = 0
        else:
            continue
        for each in range(column, column + repeated):
            yield each, width, text.decode(errors="replace")


def _spans(row: _TableRow) -> Iterator[Span]:
    for column, _, attributes, _ in _cells(row.content):
        rows = _repeated(_ROWS_SPANNED, attributes)
        if rows > 1:
            yield Span(row.number, row.number + rows - 1, column)
