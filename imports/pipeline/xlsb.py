"""What an xlsb says beside its values: the records of BIFF12 that hold formats, errors and what is out of sight."""

from __future__ import annotations

import posixpath
import struct
from typing import TYPE_CHECKING, Final

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.ooxml import parsed_part, zeros_shown
from imports.pipeline.sheets import ERROR_TEXTS, Mark, SheetFacts, Span, bounded_spans

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator

_MAX_PART: Final = 1 << 30
_ROW, _SHORT_NUMBER, _ERROR, _NUMBER, _FORMULA_NUMBER, _FORMULA_ERROR = 0, 2, 3, 5, 9, 11
_NUMBERS: Final = frozenset({_SHORT_NUMBER, _NUMBER, _FORMULA_NUMBER})
_ERRORS: Final = frozenset({_ERROR, _FORMULA_ERROR})
_MARKED: Final = _NUMBERS | _ERRORS
_CELLS: Final = frozenset(range(1, 12))
_MAX_AREA: Final = 40_000_000
_FORMAT, _STYLE, _COLUMNS, _CALENDAR, _SHEET, _MERGED = 44, 47, 60, 153, 156, 176
_STYLES_BEGIN, _STYLES_END = 617, 618
_MAX_COLUMNS: Final = 16_384


class BinaryPackage:
    """The facts of one xlsb archive; a sheet is searched when it is first asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._found: dict[str, tuple[SheetFacts, list[Mark]]] = {}
        self.date_1904 = False
        self._parts = self._sheet_parts()
        self._widths = self._zero_formats()

    def facts(self, sheet: str) -> SheetFacts:
        return self._scanned(sheet)[0]

    def marks(self, sheet: str) -> Iterator[Mark]:
        return iter(self._scanned(sheet)[1])

    def _records(self, part: str) -> Iterator[tuple[int, bytes]]:
        if part not in self._archive.namelist():
            return
        if self._archive.getinfo(part).file_size > _MAX_PART:
            raise UnreadableFile("too_large")
        yield from _records(self._archive.read(part))

    def _sheet_parts(self) -> dict[str, str]:
        targets = self._targets()
        parts = {}
        for kind, payload in self._records("xl/workbook.bin"):
            if kind == _CALENDAR:
                self.date_1904 = bool(payload[:1] and payload[0] & 1)
            elif kind == _SHEET and len(payload) > 12:
                relation, place = _text(payload, 8)
                parts[_text(payload, place)[0]] = targets.get(relation, "")
        return parts

    def _targets(self) -> dict[str, str]:
        name = "xl/_rels/workbook.bin.rels"
        if name not in self._archive.namelist():
            return {}
        return {
            relation.get("Id", ""): posixpath.normpath(posixpath.join("/xl", relation.get("Target", ""))).lstrip("/")
            for relation in parsed_part(self._archive.read(name)).iter("{*}Relationship")
        }

    def _zero_formats(self) -> dict[int, int]:
        formats: dict[int, int] = {}
        styles: list[int] = []
        inside = False
        for kind, payload in self._records("xl/styles.bin"):
            if kind in {_STYLES_BEGIN, _STYLES_END}:
                inside = kind == _STYLES_BEGIN
            elif kind == _FORMAT and (width := zeros_shown(_text(payload, 2)[0])):
                formats[int.from_bytes(payload[:2], "little")] = width
            elif kind == _STYLE and inside:
                styles.append(int.from_bytes(payload[2:4], "little"))
        return {index: formats[key] for index, key in enumerate(styles) if key in formats}

    def _scanned(self, sheet: str) -> tuple[SheetFacts, list[Mark]]:
        if sheet not in self._found:
            self._found[sheet] = self._scan(self._parts.get(sheet, ""))
        return self._found[sheet]

    def _scan(self, part: str) -> tuple[SheetFacts, list[Mark]]:
        row = hidden = width = 0
        columns: set[int] = set()
        spans: list[Span] = []
        marks: list[Mark] = []
        for kind, payload in self._records(part):
            if kind == _ROW and len(payload) >= 12:
                row = int.from_bytes(payload[:4], "little") + 1
                hidden += bool(payload[11] & 0x10)
            elif kind in _CELLS:
                width = max(width, int.from_bytes(payload[:4], "little") + 1)
                marks.extend(self._marked(kind, row, payload) if kind in _MARKED else ())
            elif kind == _COLUMNS and len(payload) >= 17 and payload[16] & 1:
                first, last = struct.unpack_from("<2I", payload)
                columns.update(range(first, min(last + 1, _MAX_COLUMNS)))
            elif kind == _MERGED and len(payload) >= 16:
                first, last, column, _ = struct.unpack_from("<4I", payload)
                spans += [Span(first + 1, last + 1, column)] if last > first else []
        if row * width > _MAX_AREA:
            raise UnreadableFile("too_large", columns=str(width), rows=str(row))
        facts = SheetFacts(row, width, hidden, frozenset(columns), bounded_spans(spans))
        return facts, marks

    def _marked(self, kind: int, row: int, payload: bytes) -> Iterator[Mark]:
        column = int.from_bytes(payload[:4], "little")
        if column >= _MAX_COLUMNS:
            return
        if kind in _ERRORS:
            yield Mark(row, column, 0, ERROR_TEXTS.get(payload[8] if len(payload) > 8 else -1, "#ERR"))
        elif width := self._widths.get(int.from_bytes(payload[4:7], "little")):
            yield Mark(row, column, width, "")


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each record's kind and payload; both kind and length are written in groups of seven bits."""
    place, end = 0, len(content)
    while place < end:
        kind = content[place]
        place += 1
        if kind & 0x80 and place < end:
            kind = (kind & 0x7F) | content[place] << 7
            place += 1
        length = shift = 0
        while place < end and shift < 28:
            group = content[place]
            place += 1
            length |= (group & 0x7F) << shift
            shift += 7
            if not group & 0x80:
                break
        yield kind, content[place : place + length]
        place += length


def _text(payload: bytes, place: int) -> tuple[str, int]:
    """Return a text and the place after it."""
    length = int.from_bytes(payload[place : place + 4], "little")
    if length == 0xFFFFFFFF:
        return "", place + 4
    end = place + 4 + 2 * length
    return payload[place + 4 : end].decode("utf-16-le", errors="replace"), end
