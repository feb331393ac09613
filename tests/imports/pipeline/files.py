"""Small files of every kind, built from values, so that a test shows all that it reads."""

from __future__ import annotations

import csv
import datetime as dt
import io
import struct
import zipfile
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import openpyxl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

HEADER = ("Matricule", "Nom", "Prénom", "Courriel")
PEOPLE = (
    ("00123", "Martin", "Zoé", "zoe.martin@laposte.example"),
    ("00124", "Durand", "Luc", ""),
)


def xlsx(
    sheets: Mapping[str, Iterable[Sequence[Any]]],
    *,
    formats: Mapping[str, str] | None = None,
    date_1904: bool = False,
) -> io.BytesIO:
    """Write sheets from cell A1 on; `formats` gives number formats by cell of the last sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]  # a new workbook has one sheet
    if date_1904:
        book.epoch = dt.datetime(1904, 1, 1)  # noqa: DTZ001 - a calendar, not an instant.
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row, start=1):
                if value is not None:
                    sheet.cell(number, column).value = value
    for cell, number_format in (formats or {}).items():
        sheet[cell].number_format = number_format
    stream = io.BytesIO()
    book.save(stream)
    return stream


def delimited(rows: Iterable[Sequence[str]], *, delimiter: str = ";", encoding: str = "utf-8") -> io.BytesIO:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return io.BytesIO(text.getvalue().encode(encoding))


_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
_ODS_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<office:document-content xmlns:office="{_OASIS}:office:1.0" '
    f'xmlns:table="{_OASIS}:table:1.0" xmlns:text="{_OASIS}:text:1.0">'
    '<office:body><office:spreadsheet><table:table table:name="Effectif">'
)
_ODS_FOOT = "</table:table></office:spreadsheet></office:body></office:document-content>"


def ods(rows: Iterable[Sequence[str | float]], *, zeros: int = 0) -> io.BytesIO:
    """Write a workbook whose numbers are shown with this many digits."""

    def cell(value: str | float) -> str:
        kind = "string" if isinstance(value, str) else "float"
        number = "" if isinstance(value, str) else f' office:value="{value}"'
        shown = f"{int(value):0{zeros}d}" if zeros and not isinstance(value, str) else str(value)
        text = f"<text:p>{escape(shown)}</text:p>"
        return f'<table:table-cell office:value-type="{kind}"{number}>{text}</table:table-cell>'

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": _ODS_HEAD + lines + _ODS_FOOT,
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_OASIS}:manifest:1.0"/>',
        }
    )


def repacked(
    stream: io.BytesIO,
    changes: Mapping[str, Callable[[bytes], bytes]],
    added: Mapping[str, bytes] | None = None,
) -> io.BytesIO:
    """Write an archive anew, some of its parts changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name in source.namelist():
            content = source.read(name)
            out.writestr(name, changes[name](content) if name in changes else content)
        for name, content in (added or {}).items():
            out.writestr(name, content)
    return target


def archive(parts: Mapping[str, str | bytes]) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        for name, content in parts.items():
            zipped.writestr(name, content)
    return stream


def xls(rows: Iterable[Sequence[str | float]], *, zeros: bool = False) -> io.BytesIO:
    """Write a workbook as Excel 97 does: records of BIFF8 in the stream "Workbook" of a compound file.

    With `zeros`, numbers are shown by the format 00000.
    """

    def record(kind: int, payload: bytes) -> bytes:
        return struct.pack("<HH", kind, len(payload)) + payload

    def text(value: str) -> bytes:
        return struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")

    cells = b""
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            place = struct.pack("<HHH", number, column, 0)
            if isinstance(value, str):
                cells += record(0x0204, place + text(value))
            else:
                cells += record(0x0203, place + struct.pack("<d", value))
    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    name = b"\x08\x00" + b"Effectif"
    styles = b""
    if zeros:
        styles = record(0x041E, struct.pack("<HHB", 164, 5, 0) + b"00000")
        styles += record(0x00E0, struct.pack("<HH", 0, 164) + bytes(16))
    begin += styles
    start = len(begin) + 4 + 6 + len(name) + 4
    index = record(0x0085, struct.pack("<IH", start, 0) + name)
    end = record(0x000A, b"")
    sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0)) + cells + end
    return compound({"Workbook": begin + index + end + sheet})


def compound(streams: Mapping[str, bytes]) -> io.BytesIO:
    """Write a compound file (OLE), the container of old Office files and of encrypted new ones."""
    free, chain_end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    allocation = [table, chain_end]
    entries = [_entry("Root Entry", 5, chain_end, 0, child=1)]
    body = b""
    for rank, (name, content) in enumerate(streams.items(), start=1):
        # Streams under 4,096 bytes would live in a second, smaller table.
        padded = content.ljust(max(4096, -(-len(content) // 512) * 512), b"\0")
        first, count = len(allocation), len(padded) // 512
        allocation += [*range(first + 1, first + count), chain_end]
        following = rank + 1 if rank < len(streams) else free
        entries.append(_entry(name, 2, first, len(padded), right=following))
        body += padded
    header = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, chain_end, 0, chain_end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    sectors = struct.pack("<128I", *allocation, *[free] * (128 - len(allocation)))
    return io.BytesIO(header + sectors + b"".join(entries).ljust(512, b"\0") + body)


def _entry(name: str, kind: int, start: int, size: int, *, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF) -> bytes:
    encoded = name.encode("utf-16-le")
    return (
        encoded.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(encoded) + 2, kind, 1, 0xFFFFFFFF, right, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )


def xlsb(
    rows: Iterable[Sequence[str | float | None]],
    *,
    zeros: Sequence[tuple[int, int]] = (),
    errors: Sequence[tuple[int, int]] = (),
    hidden_row: int | None = None,
) -> io.BytesIO:
    """Write a workbook as Excel's binary format has it; no program at hand writes one.

    `zeros` are cells (row, column) under the format 00000, `errors` cells that show #N/A.
    """

    def cell(row: int, column: int, value: str | float) -> bytes:
        head = struct.pack("<II", column, 1 if (row, column) in zeros else 0)
        if (row, column) in errors:
            return _record12(3, head + b"\x2a")
        return (
            _record12(6, head + _text12(value))
            if isinstance(value, str)
            else _record12(5, head + struct.pack("<d", value))
        )

    kept = [tuple(row) for row in rows]
    body = b""
    for row, values in enumerate(kept):
        hidden = 0x10 if row == hidden_row else 0
        body += _record12(0, struct.pack("<IIHBBB", row, 0, 300, 0, hidden, 0) + struct.pack("<I", 0))
        body += b"".join(cell(row, column, value) for column, value in enumerate(values) if value is not None)
    extent = struct.pack("<4I", 0, len(kept) - 1, 0, max(map(len, kept)) - 1)
    sheet = b"".join((_record12(129), _record12(148, extent), _record12(145), body, _record12(146), _record12(130)))
    bundle = struct.pack("<II", 0, 1) + _text12("rId1") + _text12("Effectif")
    workbook = b"".join((_record12(131), _record12(143), _record12(156, bundle), _record12(144), _record12(132)))
    styles = _record12(278) + _record12(615, struct.pack("<I", 1))
    styles += _record12(44, struct.pack("<H", 164) + _text12("00000")) + _record12(616)
    styles += _record12(617, struct.pack("<I", 2))
    styles += b"".join(_record12(47, struct.pack("<HH", 0xFFFF, number) + bytes(12)) for number in (0, 164))
    styles += _record12(618) + _record12(279)
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"

    def relations(kind: str, target: str) -> str:
        relation = f'<Relationship Id="rId1" Type="{office}/{kind}" Target="{target}"/>'
        return f'<Relationships xmlns="{package}">{relation}</Relationships>'

    return archive(
        {
            "_rels/.rels": relations("officeDocument", "xl/workbook.bin"),
            "xl/_rels/workbook.bin.rels": relations("worksheet", "worksheets/sheet1.bin"),
            "xl/workbook.bin": workbook,
            "xl/styles.bin": styles,
            "xl/worksheets/sheet1.bin": sheet,
        }
    )


def _record12(kind: int, payload: bytes = b"") -> bytes:
    """A record of BIFF12: its kind and its length in groups of seven bits."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    length, groups = len(payload), []
    while length >= 0x80:
        groups.append(length & 0x7F | 0x80)
        length >>= 7
    return head + bytes([*groups, length]) + payload


def _text12(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode("utf-16-le")
