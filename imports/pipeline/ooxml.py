"""The package of an xlsx: its sheets, its number formats and its calendar, found by its relations.

Nothing in it is believed: entities are not resolved, sizes are checked before anything is unpacked, and the reader of
values is only given archives that were rebuilt here from checked parts.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from lxml import etree

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.sheets import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAX_PART: Final = 64 << 20
_CHUNK: Final = 1 << 20
_ZEROS: Final = re.compile(r'(?:\[\$-[^\]]*\])?"?(0{2,})"?(?:;.*)?')
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATION: Final = f"{{{_OFFICE}}}id"
_STRICT_RELATION: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_RELATIONS_HEAD: Final = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@dataclass(frozen=True, slots=True)
class _Part:
    sheet: Sheet
    part: str


class Package:
    """One xlsx archive; only its small parts are read when it is opened."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {name.lower(): name for name in archive.namelist()}
        main = next((target for kind, target in self._relations("").values() if kind == "officeDocument"), "")
        workbook = self._tree(main or "xl/workbook.xml")
        if workbook is None:
            raise UnreadableFile("damaged")
        relations = self._relations(main or "xl/workbook.xml")
        self._targets = {kind: target for kind, target in relations.values() if target.lower() in self._names}
        self._parts = {part.sheet.name: part for part in self._sheet_parts(workbook, relations)}
        properties = workbook.find("{*}workbookPr")
        self.date_1904 = properties is not None and properties.get("date1904") in {"1", "true"}
        self.sheets = tuple(part.sheet for part in self._parts.values())
        self.widths = self._zero_formats()

    def open_sheet(self, name: str) -> IO[bytes]:
        """Open the part of a sheet; the unpacked bytes are checked as they come."""
        return self._archive.open(self._names[self._parts[name].part.lower()])

    def unpacked(self, name: str, *, limit: int) -> bytes | None:
        """Return the part of a sheet, or None when it has more bytes than the limit."""
        entry = self._archive.getinfo(self._names[self._parts[name].part.lower()])
        return self._archive.read(entry) if entry.file_size <= limit else None

    def shared_bytes(self) -> int:
        """How large the table of shared texts is: it is parsed with each slice of a sheet."""
        part = self._targets.get("sharedStrings")
        return 0 if part is None else self._archive.getinfo(self._names[part.lower()]).file_size

    def any_shared(self, holds: Callable[[bytes], bool]) -> bool:
        """Whether `holds` is true of a piece of the shared texts; reading them to their end also checks their size."""
        part = self._targets.get("sharedStrings")
        if part is None:
            return False
        found, rest = False, b""
        with self._archive.open(self._names[part.lower()]) as stream:
            while chunk := stream.read(_CHUNK):
                found = found or holds(rest + chunk)
                rest = chunk[-16:]
        return found

    def rebuilt(self, *worksheet: bytes) -> io.BytesIO:
        """Return a workbook of one sheet with these pieces of XML, the styles and the shared texts of this package."""
        kinds: dict[str, str] = {
            kind: self._targets[kind] for kind in ("styles", "sharedStrings") if kind in self._targets
        }
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as target:
            for name, content in _skeleton(kinds, date_1904=self.date_1904).items():
                target.writestr(name, content)
            with target.open("xl/worksheets/sheet1.xml", "w") as sheet:
                for piece in worksheet:
                    sheet.write(piece)
            for kind, part in kinds.items():
                _copy_packed(self._archive, self._names[part.lower()], target, f"xl/{kind}.xml")
        stream.seek(0)
        return stream

    def _tree(self, part: str) -> etree._Element | None:
        name = self._names.get(part.lower())
        if name is None:
            return None
        if self._archive.getinfo(name).file_size > _MAX_PART:
            raise UnreadableFile("too_large")
        return parsed_part(self._archive.read(name))

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Return the relations of a part: identifier → kind and target."""
        folder, name = posixpath.split(part)
        tree = self._tree(posixpath.join(folder, "_rels", f"{name}.rels"))
        if tree is None:
            return {}
        return {
            relation.get("Id", ""): (
                relation.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, relation.get("Target", ""))).lstrip("/"),
            )
            for relation in tree.iter("{*}Relationship")
        }

    def _sheet_parts(self, workbook: etree._Element, relations: Mapping[str, tuple[str, str]]) -> list[_Part]:
        parts = []
        for sheet in workbook.iter("{*}sheet"):
            identifier = sheet.get(_RELATION) or sheet.get(_STRICT_RELATION) or ""
            kind, target = relations.get(identifier, ("", ""))
            if kind == "worksheet" and target.lower() in self._names:
                hidden = sheet.get("state") in {"hidden", "veryHidden"}
                parts.append(_Part(Sheet(sheet.get("name", ""), hidden=hidden), target))
        return parts

    def _zero_formats(self) -> dict[int, int]:
        """Map each cell style whose number format is only zeros (00000) to the number of digits it shows."""
        styles = self._tree(self._targets.get("styles", ""))
        if styles is None:
            return {}
        formats = {}
        for number_format in styles.iter("{*}numFmt"):
            if width := zeros_shown(number_format.get("formatCode", "")):
                formats[number_format.get("numFmtId")] = width
        cell_styles = styles.find("{*}cellXfs")
        if cell_styles is None:
            return {}
        identifiers = [style.get("numFmtId") for style in cell_styles.iter("{*}xf")]
        return {index: formats[key] for index, key in enumerate(identifiers) if key in formats}


def parsed_part(content: bytes) -> etree._Element:
    """Parse a small part; a workbook needs no entity and no outside document, and one that declares some attacks."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    if b"<!DOCTYPE" in content:
        raise UnreadableFile("damaged")
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise UnreadableFile("damaged") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableFile("damaged")
    return root


def zeros_shown(number_format: str) -> int:
    """Return how many digits a format of zeros alone shows (00000 or "00000"), else nothing."""
    zeros = _ZEROS.fullmatch(number_format)
    return min(len(zeros[1]), 64) if zeros else 0


def _skeleton(kinds: Mapping[str, str], *, date_1904: bool) -> dict[str, str]:
    """The parts around one sheet, as plain as they can be."""
    relations = "".join(
        f'<Relationship Id="{kind}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for kind, target in {"worksheet": "worksheets/sheet1.xml", **{kind: f"{kind}.xml" for kind in kinds}}.items()
    )
    root = f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    calendar = '<workbookPr date1904="1"/>' if date_1904 else ""
    return {
        "_rels/.rels": f"{_RELATIONS_HEAD}{root}</Relationships>",
        "xl/_rels/workbook.xml.rels": f"{_RELATIONS_HEAD}{relations}</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{calendar}'
        '<sheets><sheet name="1" sheetId="1" r:id="worksheet"/></sheets></workbook>',
    }


def _copy_packed(source: zipfile.ZipFile, name: str, target: zipfile.ZipFile, new_name: str) -> None:
    """Copy a part as it is packed: unpacking the shared texts for each slice would cost more than reading them."""
    entry = source.getinfo(name)
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        target.writestr(new_name, source.read(name))
        return
    with source.open(name):
        # Opening has checked the entry's own header; its packed bytes follow.
        stream = source.fp
        assert stream is not None
        stream.seek(entry.header_offset + 26)
        lengths = stream.read(4)
        start = int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        stream.seek(entry.header_offset + 30 + start)
        packed = stream.read(entry.compress_size)
    copied = zipfile.ZipInfo(new_name)
    copied.compress_type, copied.CRC = entry.compress_type, entry.CRC
    copied.compress_size, copied.file_size = entry.compress_size, entry.file_size
    out = target.fp
    assert out is not None
    copied.header_offset = out.tell()
    out.write(copied.FileHeader(zip64=False))
    out.write(packed)
    target.filelist.append(copied)
    target.NameToInfo[new_name] = copied
    target.start_dir = out.tell()  # Where the directory will be written.
