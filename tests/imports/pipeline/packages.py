"""Packages of workbooks taken apart and put together again, so that a test can write what no library writes."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import python_calamine as calamine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SHEET = "xl/worksheets/sheet1.xml"
NIR = "185057500100216"
IBAN = "FR7630006000011234567890189"


def altered(
    stream: io.BytesIO, changes: Mapping[str, Callable[[bytes], bytes] | bytes | str] | None = None
) -> io.BytesIO:
    """Return the archive with parts replaced, transformed or added."""
    changes = dict(changes or {})
    result = io.BytesIO()
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            change = changes.pop(name, None)
            content = source.read(name)
            target.writestr(name, change(content) if callable(change) else content if change is None else change)
        for name, added in changes.items():
            assert not callable(added)
            target.writestr(name, added)
    return result


def parts(stream: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def holds(stream: io.BytesIO, text: str) -> list[str]:
    """Return the places of an archive where a text can be found, whatever its encoding."""
    needles = [text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be")]
    raw = {"(the archive)": stream.getvalue(), **parts(stream)}
    return [name for name, content in raw.items() if any(needle in content + name.encode() for needle in needles)]


def values(stream: io.BytesIO, sheet: int = 0) -> list[list[Any]]:
    """Return the values that calamine reads, from cell A1 on, without the empty margins at the end."""
    stream.seek(0)
    found = calamine.CalamineWorkbook.from_filelike(stream).get_sheet_by_index(sheet).to_python(skip_empty_area=False)
    return trimmed(found)


def trimmed(rows: list[list[Any]]) -> list[list[Any]]:
    result = []
    for row in rows:
        cells = list(row)
        while cells and cells[-1] == "":
            cells.pop()
        result.append(cells)
    while result and not result[-1]:
        result.pop()
    return result


def with_shared_strings(stream: io.BytesIO) -> io.BytesIO:
    """Move the strings of the first sheet to the list of strings, as Excel and LibreOffice write them."""
    found: dict[bytes, int] = {}

    def shared(cell: re.Match[bytes]) -> bytes:
        return b' t="s"><v>%d</v></c>' % found.setdefault(cell[1], len(found))

    def moved(sheet: bytes) -> bytes:
        return re.sub(rb' t="inlineStr"><is>(.*?)</is></c>', shared, sheet, flags=re.DOTALL)

    sheet = moved(parts(stream)[SHEET])
    strings = b"".join(b"<si>%b</si>" % content for content in found)
    head = (
        b'<?xml version="1.0" encoding="UTF-8"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    )
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    declared = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%b"/></Types>' % kind
    role = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    relation = b'<Relationship Id="rIdS" Type="%b" Target="sharedStrings.xml"/></Relationships>' % role
    return altered(
        stream,
        {
            SHEET: sheet,
            "xl/sharedStrings.xml": head + strings + b"</sst>",
            "[Content_Types].xml": lambda content: content.replace(b"</Types>", declared),
            "xl/_rels/workbook.xml.rels": lambda content: content.replace(b"</Relationships>", relation),
        },
    )


def with_prefix(sheet: bytes) -> bytes:
    """Return a part as the OpenXML SDK writes it."""
    prefixed = re.sub(rb"<(/?)([a-zA-Z])", rb"<\1x:\2", sheet)
    return prefixed.replace(b" xmlns=", b" xmlns:x=", 1)


def without_references(sheet: bytes) -> bytes:
    return re.sub(rb'<(row|c) r="[A-Z0-9]+"', rb"<\1", sheet)
