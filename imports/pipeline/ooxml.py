"""What an xlsx says beside its values: error cells, zeros shown by number format, the 1904 calendar.

The reader of values returns an error cell as an empty one, and 00123 shown by the format 00000 as 123.
Both are found here by a search through the sheet's XML, which costs a tenth of reading the values.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lxml import etree

from imports.pipeline.issues import UnreadableFile

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator

_CHUNK: Final = 1 << 20
_MAX_PART: Final = 64 << 20
_MAX_CELL: Final = 4 << 20
_MAX_AREA: Final = 64_000_000
_WIDE: Final = re.compile(rb' r="([A-Z]{2,3})[0-9]')
_ROW_NUMBER: Final = re.compile(rb' r="([0-9]{1,9})"')
_ZEROS: Final = re.compile(r'"?(0{2,})"?')
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


class Mark(NamedTuple):
    """A cell that needs more than its value: `width` digits are shown or, at 0, the error `text`."""

    row: int
    column: int
    width: int
    text: str


class SheetFacts:
    """The facts of one xlsx archive; nothing is read before it is asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        workbook = self._tree("xl/workbook.xml")
        properties = None if workbook is None else workbook.find("{*}workbookPr")
        self.date_1904 = properties is not None and properties.get("date1904") in {"1", "true"}
        self._parts = {} if workbook is None else self._sheet_parts(workbook)
        self._widths = self._zero_formats()

    def survey(self, sheet: str) -> bool:
        """Tell whether a sheet has marked cells; refuse one whose cells span an area that no memory holds."""
        columns, rows, marked = 26, 0, bool(self._widths)
        for chunk in self._chunks(sheet):
            rows = max(rows, *map(int, _ROW_NUMBER.findall(chunk)[-1:]), 0)
            if _WIDE.search(chunk):
                columns = max(columns, *(column_index(name) + 1 for name in set(_WIDE.findall(chunk))))
            marked = marked or b' t="e"' in chunk
        if columns * rows > _MAX_AREA:
            raise UnreadableFile("too_large", columns=str(columns), rows=str(rows))
        return marked

    def marks(self, sheet: str) -> Iterator[Mark]:
        """Yield the marked cells of a sheet in the order of the file, which is the order of its rows."""
        pattern = _marked_cells(self._widths)
        for chunk in self._chunks(sheet):
            for match in pattern.finditer(chunk):
                width = 0 if match["error"] else self._widths[int(match["style"])]
                text = (match["text"] or b"#ERR").decode(errors="replace")
                yield Mark(int(match["row"]), column_index(match["column"]), width, text)

    def _chunks(self, sheet: str) -> Iterator[bytes]:
        """Yield the bytes of a sheet's part, cut before a cell's reference so that no cell is torn."""
        part = self._parts.get(sheet)
        if part is None:
            return
        rest = b""
        with self._archive.open(part) as stream:
            while block := stream.read(_CHUNK):
                block = rest + block
                cut = block.rfind(b' r="')
                if cut <= 0:
                    # No cell for so long (links, validations): nothing can be torn, waiting would hoard it.
                    cut = len(block) if len(block) > _MAX_CELL else 0
                rest = block[cut:]
                yield block[:cut]
        yield rest

    def _tree(self, part: str) -> etree._Element | None:
        if part not in self._archive.namelist():
            return None
        if self._archive.getinfo(part).file_size > _MAX_PART:
            raise UnreadableFile("too_large")
        # A workbook needs no entity and no outside document; one that declares them is an attack.
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            return etree.fromstring(self._archive.read(part), parser)
        except etree.XMLSyntaxError:
            raise UnreadableFile("damaged") from None

    def _sheet_parts(self, workbook: etree._Element) -> dict[str, str]:
        relations = self._tree("xl/_rels/workbook.xml.rels")
        if relations is None:
            return {}
        targets = {relation.get("Id"): relation.get("Target", "") for relation in relations.iter("{*}Relationship")}
        known = set(self._archive.namelist())
        parts = {}
        for sheet in workbook.iter("{*}sheet"):
            target = targets.get(sheet.get(_RELATION) or sheet.get(_STRICT_RELATION), "")
            part = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
            if part in known:
                parts[sheet.get("name", "")] = part
        return parts

    def _zero_formats(self) -> dict[int, int]:
        """Map each cell style whose number format is only zeros (00000) to the number of digits it shows."""
        styles = self._tree("xl/styles.xml")
        if styles is None:
            return {}
        formats = {}
        for number_format in styles.iter("{*}numFmt"):
            if zeros := _ZEROS.fullmatch(number_format.get("formatCode", "")):
                formats[number_format.get("numFmtId")] = len(zeros[1])
        cell_styles = styles.find("{*}cellXfs")
        if cell_styles is None:
            return {}
        identifiers = [style.get("numFmtId") for style in cell_styles.iter("{*}xf")]
        return {index: formats[key] for index, key in enumerate(identifiers) if key in formats}


def column_index(letters: bytes) -> int:
    """Return the index of a column from its letters: A is 0, AA is 26."""
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def _marked_cells(widths: dict[int, int]) -> re.Pattern[bytes]:
    """Match error cells and, when the workbook has them, cells with one of the zero formats."""
    styled = b"|".join(str(style).encode() for style in widths) or rb"(?!)"
    shown = rb"[^>]*>(?:<f[^>]*/>|<f.*?</f>)?<v>(?P<text>#[^<]{1,20})"
    error = rb'[^>]*?(?P<error> t="e")(?:' + shown + rb")?"
    zeros = rb' s="(?P<style>' + styled + rb')"(?! t="[^n])'
    return re.compile(rb' r="(?P<column>[A-Z]{1,3})(?P<row>[0-9]{1,7})"(?:' + error + rb"|" + zeros + rb")")
