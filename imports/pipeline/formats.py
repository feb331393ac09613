"""What a file is, by its content: a reader for each kind of spreadsheet, a named refusal for everything else."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final

from imports.pipeline.issues import UnreadableFile

if TYPE_CHECKING:
    import zipfile

ZIP: Final = b"PK\x03\x04"
OLE: Final = bytes.fromhex("D0CF11E0A1B11AE1")
START: Final = 4096
_MAX_UNPACKED: Final = 4 << 30
# What is packed a thousand times smaller is a bomb; sheets of empty formatted cells reach two hundred.
_MAX_RATIO: Final = 400
_BOMB: Final = 256 << 20
_OTHER_ARCHIVES: Final = {
    "word/document.xml": "Word",
    "ppt/presentation.xml": "PowerPoint",
    "Index/Document.iwa": "Numbers",
    "index.xml": "Numbers",
    "Index.zip": "Numbers",
}
# Files that people rename to .xlsx, by their first bytes.
_STRANGERS: Final = (
    (re.compile(rb"%PDF-"), "not_a_spreadsheet", "PDF"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0\0\0|II\*\0|MM\0\*", re.DOTALL), "not_a_spreadsheet", "image"),
    (re.compile(rb"\{\\rtf"), "not_a_spreadsheet", "RTF"),
    (re.compile(rb"(?s)\s*<\?xml.{0,500}?(?:progid=\"Excel|office:spreadsheet)"), "unsupported_format", "XML 2003"),
    (re.compile(rb"(?s)\s*<\?xml.{0,200}?<office:document\b"), "unsupported_format", "fods"),
    (re.compile(rb"ID;P[A-Z][^\r\n]*\r?\n[PBOFCE];"), "unsupported_format", "SYLK"),
    (re.compile(rb"TABLE\r?\n0,1\r?\n"), "unsupported_format", "DIF"),
    # Old binary workbooks without a container: BIFF2 to BIFF4.
    (re.compile(rb"\x09[\x00\x02\x04]\x04\x00|\x09[\x02\x04]\x06\x00"), "unsupported_format", "Excel 4"),
    (
        re.compile(
            # Each alternative is atomic: many comments would otherwise be cut in endless ways.
            rb"(?is)(?>\s|<!--.*?-->|<\?xml[^>]*>)*+<(?:!doctype html|html|head|body|table|meta|style|div|script)\b"
            rb"|MIME-Version:.{0,2000}?text/html"
        ),
        "html_table",
        "HTML",
    ),
    (re.compile(rb"\s*<\?xml|\s*<[A-Za-z]+[ >]"), "not_a_spreadsheet", "XML"),
    (re.compile(rb"Rar!|7z\xbc\xaf|\x1f\x8b|PK\x05\x06|BZh[1-9]|\xfd7zXZ"), "not_a_spreadsheet", "archive"),
)


def refuse_strangers(start: bytes) -> None:
    """Refuse what is neither a workbook nor delimited text, by the first bytes of the file."""
    text = _plain(start)
    for pattern, code, kind in _STRANGERS:
        if pattern.match(text):
            raise UnreadableFile(code, kind=kind)


def _plain(start: bytes) -> bytes:
    """Return the first bytes as plain text when a mark says that they are text of two bytes a sign."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return start[: len(start) // 2 * 2].decode("utf-16", errors="replace").encode()
    return start.removeprefix(codecs.BOM_UTF8)


def archive_kind(archive: zipfile.ZipFile) -> str:
    """Return the kind of workbook that an archive is (xlsx, xlsb, ods), or refuse it."""
    entries = archive.infolist()
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableFile("password_protected")
    if sum(entry.file_size for entry in entries) > _MAX_UNPACKED or any(map(_is_bomb, entries)):
        raise UnreadableFile("too_large")
    names = {entry.filename for entry in entries}
    if "xl/workbook.bin" in names:
        return "xlsb"
    if any(name.lower().startswith("xl/workbook") for name in names):
        return "xlsx"
    if "mimetype" in names and "content.xml" in names and _is_ods(archive):
        return "ods"
    kind = next((kind for name, kind in _OTHER_ARCHIVES.items() if name in names), "archive")
    raise UnreadableFile("unsupported_format" if kind == "Numbers" else "not_a_spreadsheet", kind=kind)


def _is_bomb(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > _BOMB and entry.file_size > _MAX_RATIO * max(entry.compress_size, 1)


def _is_ods(archive: zipfile.ZipFile) -> bool:
    with archive.open("mimetype") as part:
        kind = part.read(100).strip()
    if not kind.endswith((b"opendocument.spreadsheet", b"opendocument.spreadsheet-template")):
        return False
    if "META-INF/manifest.xml" in archive.namelist():
        with archive.open("META-INF/manifest.xml") as part:
            if b"encryption-data" in part.read(1 << 20):
                raise UnreadableFile("password_protected")
    return True
