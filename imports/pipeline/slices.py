"""A sheet of an xlsx in slices: its XML is cut between rows, and each slice is parsed as a small workbook.

The reader of values holds a whole sheet in memory: a million rows of eight columns take 0.9 GB, and looking at the
first rows costs as much as reading them all. In slices the memory stays the same however long the sheet is.
What the reader of values does not give (error cells, 00123 shown by a number format, rows out of sight, merged cells)
is found in the same bytes by searches, which cost a tenth of reading the values.
"""

from __future__ import annotations

import functools
import io
import itertools
import re
from typing import IO, TYPE_CHECKING, Final

import python_calamine as calamine

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.sheets import Mark, Row, SheetFacts, Span, bounded_spans, marked_rows, refuse_beyond, unquoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.pipeline.ooxml import Package
    from imports.pipeline.sheets import Cell

_CHUNK: Final = 1 << 20
# A sheet of up to so many bytes is unpacked once, to be searched and then parsed.
_UNPACKED: Final = 64 << 20
# Small slices cost no more than large ones, and the first rows alone tell which sheet and which header it is.
_SLICE: Final = 2 << 20
# The shared texts are parsed again with each slice: where they are many, it must be worth it.
_SHARED_PER_SLICE: Final = 2
_LARGEST_SLICE: Final = 48 << 20
_MAX_ROW: Final = 128 << 20
_MAX_HEAD: Final = 8 << 20
# How many cells a slice, and a sheet, may span from the first to the last: far more than a roster of any length.
_MAX_SLICE_AREA: Final = 8_000_000
_MAX_AREA: Final = 256_000_000
_SHEET_DATA: Final = re.compile(rb"<([\w.-]+:)?sheetData\s*(/?)>")
_ROOT: Final = re.compile(rb"<(?:[\w.-]+:)?worksheet\b[^>]*>")
# A search for one literal beginning is several times faster than one for alternatives: most files have double quotes.
# A cell that has formatting alone is closed at once: it counts for nothing.
_WIDE: Final = re.compile(rb' r="([A-Z]{2,3})[0-9]+"(?:[^>]*[^/>])?><[^/]')
_WIDE_OTHERWISE: Final = re.compile(rb"""\sr=["']([A-Z]{2,3})[0-9]+["'](?:[^>]*[^/>])?>\s*<[^/]""")
_HIDDEN: Final = re.compile(rb"""\shidden=["'](?:1|true)["']""")
_COLUMN: Final = re.compile(rb"<(?:[\w.-]+:)?col\s[^>]*>")
_MERGED: Final = re.compile(
    rb"""<(?:[\w.-]+:)?mergeCell\s[^>]*?ref=["']([A-Z]{1,3})([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})"""
)
_ATTRIBUTE: Final = re.compile(rb"""\s(min|max)=["']([0-9]{1,5})["']""")
_MAX_COLUMNS: Final = 16_384


class SheetXML:
    """The XML of one sheet: what stands before its rows, its rows in pieces, and what stands after them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._buffer, self._ended, self.tail = b"", False, b""
        match = self._sheet_data()
        self.head = self._buffer[: match.start()]
        root = _ROOT.search(self.head)
        if root is None:
            raise UnreadableFile("damaged")
        prefix = match[1] or b""
        self.open_tag, self.close_tag = root[0] + b"<" + prefix + b"sheetData>", b"</" + prefix + b"sheetData>"
        self.end_tag = self.close_tag + b"</" + prefix + b"worksheet>"
        self.row_tag = b"<" + prefix + b"row"
        self._row = re.compile(re.escape(self.row_tag) + rb"(?=[\s>/])([^>]*)>")
        self.number = re.compile(re.escape(self.row_tag) + rb"""\s(?:[^>]*?\s)?r=["']([0-9]{1,9})["']""")
        self._ended = bool(match[2])
        self._buffer = self._buffer[match.end() :]

    def pieces(self, *sizes: int) -> Iterator[bytes]:
        """Yield the rows in pieces of about these sizes, the last of which goes on; no row is torn."""
        remaining = list(sizes)
        while not self._ended:
            size = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            piece = self._piece(size)
            if self.row_tag in piece:
                yield piece
        self.tail = self._buffer

    def _piece(self, size: int) -> bytes:
        parts, filled, overlap = [self._buffer], len(self._buffer), b""
        while True:
            last = parts[-1]
            # The closing tag may lie across two blocks.
            seen = overlap + last
            end = seen.find(self.close_tag)
            if end >= 0:
                whole = b"".join(parts)
                end = len(whole) - len(last) - len(overlap) + end
                self._ended, self._buffer = True, whole[end + len(self.close_tag) :]
                return whole[:end]
            if filled >= size and (cut := (whole := b"".join(parts)).rfind(self.row_tag)) > 0:
                self._buffer = whole[cut:]
                return whole[:cut]
            if filled > _MAX_ROW:
                raise UnreadableFile("too_large")
            overlap = seen[-len(self.close_tag) :]
            parts.append(self._read())
            filled += len(parts[-1])

    def _read(self) -> bytes:
        block = self._stream.read(_CHUNK)
        if not block:
            raise UnreadableFile("damaged")
        return block

    def _sheet_data(self) -> re.Match[bytes]:
        while not (match := _SHEET_DATA.search(self._buffer)):
            if len(self._buffer) > _MAX_HEAD:
                raise UnreadableFile("damaged")
            self._buffer += self._read()
        return match

    def rest(self) -> bytes:
        """Return all that follows the rows."""
        parts = [self.tail]
        while block := self._stream.read(_CHUNK):
            parts.append(block)
            if len(parts) * _CHUNK > _MAX_ROW:
                raise UnreadableFile("too_large")
        return b"".join(parts)

    def hidden_rows(self, piece: bytes) -> int:
        """How many rows of the piece are out of sight."""
        if b"hidden=" not in piece:
            return 0
        return sum(_HIDDEN.search(match[1]) is not None for match in self._row.finditer(piece))

    def last_number(self, piece: bytes, before: int) -> int:
        """The number of the last row that has a value, or `before` when none has."""
        filled = max(piece.rfind(b"v>"), piece.rfind(b"is>"))
        start = piece.rfind(self.row_tag, 0, filled) if filled > 0 else -1
        if start < 0:
            return before
        if stated := self.number.match(piece, start):
            return int(stated[1])
        return max(self.numbered(piece[:filled], before)[1])

    def numbered(self, piece: bytes, before: int) -> tuple[bytes, list[int]]:
        """Return the piece and the numbers of its rows; a first row without a number follows the piece before."""
        start = piece.find(self.row_tag)
        if self.number.match(piece, start):
            return piece, list(map(int, self.number.findall(piece)))
        numbers: list[int] = []
        for row in self._row.finditer(piece):
            stated = self.number.match(row[0])
            numbers.append(int(stated[1]) if stated else (numbers[-1] if numbers else before) + 1)
        place = start + len(self.row_tag)
        return piece[:place] + b' r="%d"' % (before + 1) + piece[place:], numbers

    def halves(self, piece: bytes) -> tuple[bytes, bytes]:
        """Cut a piece of several rows near its middle."""
        starts = [match.start() for match in self._row.finditer(piece)]
        if len(starts) < 2:
            raise UnreadableFile("damaged")
        cut = starts[len(starts) // 2]
        return piece[:cut], piece[cut:]


class SlicedSheets:
    """The sheets of one package, read in slices."""

    def __init__(self, package: Package, *, max_rows: int) -> None:
        self._package, self._max_rows = package, max_rows
        self._facts: dict[str, SheetFacts] = {}
        self._unpacked: tuple[str, bytes | None] = ("", None)
        self.sheets, self.date_1904 = package.sheets, package.date_1904
        self._quoted = package.any_shared(_may_quote)
        shared = _SHARED_PER_SLICE * package.shared_bytes()
        self._sizes = (_SLICE, min(max(_SLICE, shared), _LARGEST_SLICE))

    def facts(self, name: str) -> SheetFacts:
        """Search the sheet to its end, without parsing it; what was found is remembered."""
        if name not in self._facts:
            self._unpacked = name, self._package.unpacked(name, limit=_UNPACKED)
            with self._open(name) as stream:
                self._facts[name] = _survey(SheetXML(stream))
        return self._facts[name]

    def _open(self, name: str) -> IO[bytes]:
        known, content = self._unpacked
        return self._package.open_sheet(name) if name != known or content is None else io.BytesIO(content)

    def rows(self, name: str) -> Iterator[Row]:
        with self._open(name) as stream:
            xml, last, width = SheetXML(stream), 0, self.facts(name).columns
            for piece in xml.pieces(*self._sizes):
                slice_, numbers = xml.numbered(piece, last)
                yield from self._slice(xml, slice_, numbers, last, width)
                last = max([last, *numbers])

    def _slice(self, xml: SheetXML, piece: bytes, numbers: list[int], last: int, width: int) -> Iterator[Row]:
        refuse_beyond(max(numbers, default=0), self._max_rows)
        if len(numbers) > 1 and width * (max(numbers) - min(numbers)) > _MAX_SLICE_AREA:
            # Two cells far apart would span an area that no memory holds.
            for half in xml.halves(piece):
                part, part_numbers = xml.numbered(half, last)
                yield from self._slice(xml, part, part_numbers, last, width)
                last = max([last, *part_numbers])
            return
        sheet = self._parsed(xml, piece)
        if sheet.end is None or sheet.start is None:
            return
        refuse_beyond(sheet.end[0] + 1, self._max_rows)
        if sheet.start[0] < last:
            raise UnreadableFile("damaged")
        rows = _rows(sheet, last, quoted=self._quoted or _may_quote(piece))
        yield from marked_rows(rows, self._found(piece)) if self._has_marks(piece) else rows

    def _parsed(self, xml: SheetXML, piece: bytes) -> calamine.CalamineSheet:
        rebuilt = self._package.rebuilt(xml.open_tag, piece, xml.end_tag)
        return calamine.CalamineWorkbook.from_filelike(rebuilt).get_sheet_by_index(0)

    def _has_marks(self, piece: bytes) -> bool:
        return bool(self._package.widths) or (b't="e"' if _is_usual(piece) else b"t='e'") in piece

    def _found(self, piece: bytes) -> Iterator[Mark]:
        """Yield the marked cells in the order of the file, which is the order of its rows."""
        for match in _marked_cells(tuple(self._package.widths), usual=_is_usual(piece)).finditer(piece):
            width = 0 if match["error"] else self._package.widths[int(match["style"])]
            text = (match["text"] or b"#ERR").decode(errors="replace")
            yield Mark(int(match["row"]), column_index(match["column"]), width, text)


def _rows(sheet: calamine.CalamineSheet, last: int, *, quoted: bool) -> Iterator[Row]:
    # What is blank above and beside the filled area is left out by the reader of values.
    top, margin = sheet.start or (0, 0)
    before = ("",) * margin
    yield from (Row(number, ()) for number in range(last + 1, top + 1))
    values: Iterator[tuple[Cell, ...]] = map(tuple, sheet.to_python())
    if margin:
        values = ((*before, *cells) for cells in values)
    if quoted:
        values = map(unquoted, values)
    yield from map(Row._make, zip(itertools.count(top + 1), values))


def _survey(xml: SheetXML) -> SheetFacts:
    rows = hidden = 0
    width = 26
    for piece in xml.pieces(_CHUNK):
        rows = xml.last_number(piece, rows)
        hidden += xml.hidden_rows(piece)
        width = max(width, _columns(piece))
        if rows * width > _MAX_AREA:
            raise UnreadableFile("too_large", columns=str(width), rows=str(rows))
    return SheetFacts(rows, width, hidden, _hidden_columns(xml.head), _spans(xml.rest()))


def _hidden_columns(head: bytes) -> frozenset[int]:
    hidden: set[int] = set()
    for column in _COLUMN.findall(head):
        if _HIDDEN.search(column):
            bounds = {name: int(value) for name, value in _ATTRIBUTE.findall(column)}
            hidden.update(range(bounds.get(b"min", 1) - 1, min(bounds.get(b"max", 0), _MAX_COLUMNS)))
    return frozenset(hidden)


def _spans(tail: bytes) -> tuple[Span, ...]:
    found = (Span(int(first), int(last), column_index(column)) for column, first, last in _MERGED.findall(tail))
    return bounded_spans([span for span in found if span.last_row > span.first_row])


def _columns(piece: bytes) -> int:
    """How many columns the filled cells of a piece may span; sheets up to column Z count as that wide."""
    wide = _WIDE_OTHERWISE if b" r='" in piece else _WIDE
    return max(26, 0, *(column_index(name) + 1 for name in set(wide.findall(piece))))


def _is_usual(piece: bytes) -> bool:
    """Whether cells are written as nearly all programs write them."""
    return b'<c r="' in piece[:_CHUNK]


def _may_quote(texts: bytes) -> bool:
    """Whether a text may begin with an apostrophe, however it is written."""
    return (b"'" in texts and b">'" in texts) or (b"&" in texts and (b">&apos;" in texts or b">&#" in texts))


def column_index(letters: bytes) -> int:
    """Return the index of a column from its letters: A is 0, AA is 26."""
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


@functools.lru_cache(maxsize=8)
def _marked_cells(styles: tuple[int, ...], *, usual: bool) -> re.Pattern[bytes]:
    """Match error cells and, when the workbook has them, cells with one of the zero formats.

    Programs write a cell's attributes in the order r, s, t; others are read by the slower pattern.
    """
    styled = b"|".join(str(style).encode() for style in styles) or rb"(?!)"
    shown = rb"[^>]*>(?:<f[^>]*/>|<f.*?</f>)?<(?:\w+:)?v>(?P<text>#[^<]{1,20})"
    if usual:
        error = rb'[^>]*?(?P<error> t="e")(?:' + shown + rb")?"
        zeros = rb' s="(?P<style>' + styled + rb')"(?! t="[^n])'
        return re.compile(rb' r="(?P<column>[A-Z]{1,3})(?P<row>[0-9]{1,7})"(?:' + error + rb"|" + zeros + rb")")
    place = rb"""<(?:[\w.-]+:)?c(?=\s[^>]*?\br=["'](?P<column>[A-Z]{1,3})(?P<row>[0-9]{1,7})["'])"""
    error = rb"""(?=[^>]*?(?P<error>\st=["']e["']))(?:""" + shown + rb")?"
    zeros = rb"""(?=[^>]*?\ss=["'](?P<style>""" + styled + rb""")["'])(?![^>]*?\st=["'][^n])"""
    return re.compile(place + rb"(?:" + error + rb"|" + zeros + rb")")
