"""What an xls says beside its values: the records of BIFF8 that hold formats, errors and what is out of sight."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.ooxml import zeros_shown
from imports.pipeline.sheets import ERROR_TEXTS, Mark, SheetFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN, _END = 0x0809, 0x000A
_SHEET, _FORMAT, _STYLE, _CALENDAR, _PASSWORD = 0x0085, 0x041E, 0x00E0, 0x0022, 0x002F
_ROW, _COLUMNS = 0x0208, 0x007D
_NUMBER, _SHORT_NUMBER, _SHORT_NUMBERS, _FORMULA, _ERROR = 0x0203, 0x027E, 0x00BD, 0x0006, 0x0205
_TEXTS: Final = frozenset({0x0204, 0x00FD, 0x00D6, 0x0201, 0x00BE})
_CELLS: Final = frozenset({_NUMBER, _SHORT_NUMBER, _SHORT_NUMBERS, _FORMULA, _ERROR}) | _TEXTS
_MAX_COLUMNS: Final = 256
_MAX_AREA: Final = 8_000_000


class BinaryWorkbook:
    """The facts of one workbook stream, all sheets found before the reader of values may trust their extent."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._widths: dict[int, int] = {}
        self._places: dict[str, int] = {}
        self.date_1904 = False
        self._read_globals()
        self._found = {sheet: self._scan(place) for sheet, place in self._places.items()}

    def facts(self, sheet: str) -> SheetFacts:
        return self._found.get(sheet, _NOTHING)[0]

    def marks(self, sheet: str) -> Iterator[Mark]:
        return iter(self._found.get(sheet, _NOTHING)[1])

    def _read_globals(self) -> None:
        formats: dict[int, int] = {}
        styles: list[int] = []
        for kind, payload in _records(self._stream, 0):
            if kind == _PASSWORD:
                raise UnreadableFile("password_protected")
            if kind == _FORMAT and (width := zeros_shown(_text(payload[2:]))):
                formats[int.from_bytes(payload[:2], "little")] = width
            elif kind == _STYLE:
                styles.append(int.from_bytes(payload[2:4], "little"))
            elif kind == _CALENDAR:
                self.date_1904 = payload[:1] == b"\1"
            elif kind == _SHEET and len(payload) > 8:
                self._places[_short_text(payload[6:])] = int.from_bytes(payload[:4], "little")
        self._widths = {index: formats[key] for index, key in enumerate(styles) if key in formats}

    def _scan(self, place: int) -> tuple[SheetFacts, list[Mark]]:
        marks: list[Mark] = []
        columns: set[int] = set()
        hidden = rows = width = 0
        for kind, payload in _records(self._stream, place):
            if kind == _ROW and len(payload) > 12:
                hidden += bool(payload[12] & 0x20)
            elif kind == _COLUMNS and len(payload) >= 10:
                first, last, _, _, options = struct.unpack_from("<5H", payload)
                columns.update(range(first, min(last, 255) + 1) if options & 1 else ())
            elif kind in _CELLS and len(payload) >= 6:
                row, column = struct.unpack_from("<2H", payload)
                rows, width = max(rows, row + 1), max(width, column + 1)
                marks.extend(() if kind in _TEXTS else self._marked(kind, payload))
        if width > _MAX_COLUMNS:
            raise UnreadableFile("damaged")
        if rows * width > _MAX_AREA:
            raise UnreadableFile("too_large", columns=str(width), rows=str(rows))
        return SheetFacts(hidden_rows=hidden, hidden_columns=frozenset(columns)), sorted(marks)

    def _marked(self, kind: int, payload: bytes) -> Iterator[Mark]:
        row, column, style = struct.unpack_from("<3H", payload)
        if kind == _SHORT_NUMBERS:
            for rank in range((len(payload) - 6) // 6):
                (style,) = struct.unpack_from("<H", payload, 4 + 6 * rank)
                if style in self._widths:
                    yield Mark(row + 1, column + rank, self._widths[style], "")
        elif (error := _error(kind, payload)) is not None:
            yield Mark(row + 1, column, 0, ERROR_TEXTS.get(error, "#ERR"))
        elif style in self._widths and kind != _ERROR:
            yield Mark(row + 1, column, self._widths[style], "")


_NOTHING: Final[tuple[SheetFacts, list[Mark]]] = (SheetFacts(), [])


def _error(kind: int, payload: bytes) -> int | None:
    """Return the number of the error that a cell shows, or nothing when it shows none."""
    if kind == _ERROR and len(payload) >= 8 and payload[7]:
        return payload[6]
    if kind == _FORMULA and len(payload) >= 14 and payload[12:14] == b"\xff\xff" and payload[6] == 2:
        return payload[8]
    return None


def _records(stream: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records of one part of the stream; what is embedded in it (charts) is passed over."""
    depth = 0
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<2H", stream, place)
        depth += (kind == _BEGIN) - (kind == _END)
        if depth <= 1:
            yield kind, stream[place + 4 : place + 4 + length]
        if depth <= 0:
            return
        place += 4 + length


def _text(payload: bytes) -> str:
    length, wide = int.from_bytes(payload[:2], "little"), payload[2:3] == b"\1"
    content = payload[3 : 3 + length * (2 if wide else 1)]
    return content.decode("utf-16-le" if wide else "latin-1", errors="replace")


def _short_text(payload: bytes) -> str:
    length, wide = payload[0], payload[1] & 1
    content = payload[2 : 2 + length * (2 if wide else 1)]
    return content.decode("utf-16-le" if wide else "latin-1", errors="replace")
