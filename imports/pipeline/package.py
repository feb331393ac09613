"""The package of a workbook: which of its parts are read, and how a new one is put together.

Nothing is copied as it is. A part is read by the role that the workbook gives it, and its successor is written under
a name of our own, so that absolute names, ../ and wrong content types lead nowhere.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Self

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.markup import DECLARATION, MAIN, RELATIONS, attributes_of, escaped, parsed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lxml import etree

_CHUNK: Final = 1 << 20
_MAX_PART: Final = 32 << 20
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, RuntimeError, ValueError)
_FORMATS: Final = "application/vnd.openxmlformats-officedocument"
_PACKAGE_FORMATS: Final = "application/vnd.openxmlformats-package"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPES: Final = {
    "workbook": f"{_FORMATS}.spreadsheetml.sheet.main+xml",
    "worksheet": f"{_FORMATS}.spreadsheetml.worksheet+xml",
    "sharedStrings": f"{_FORMATS}.spreadsheetml.sharedStrings+xml",
    "styles": f"{_FORMATS}.spreadsheetml.styles+xml",
    "theme": f"{_FORMATS}.theme+xml",
    "comments": f"{_FORMATS}.spreadsheetml.comments+xml",
    "vmlDrawing": f"{_FORMATS}.vmlDrawing",
}
# A name may point at cells of this workbook and do nothing else: no constant, no function, no other file.
_AREA: Final = r"(?:'(?:[^'\[\]]|'')+'|[^\W\d][\w.]*)!\$?[A-Z]{0,3}\$?[0-9]{0,7}(?::\$?[A-Z]{0,3}\$?[0-9]{0,7})?"
_AREAS: Final = re.compile(rf"{_AREA}(?:,{_AREA})*")
# Compression is half of the work: the third level takes half the time of the usual one for a tenth more bytes.
_LEVEL: Final = 3
_LARGE: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A worksheet as the workbook lists it; `rank` counts charts and other sheets too."""

    name: str
    part: str
    state: str
    rank: int


class Package:
    """The parts of an xlsx or xlsm by their roles."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries: dict[str, list[zipfile.ZipInfo]] = {}
        for entry in archive.infolist():
            # Names of parts do not depend on case.
            self._entries.setdefault(entry.filename.lower(), []).append(entry)
        self.workbook = self.tree("xl/workbook.xml")
        self._relations = self._read_relations()
        self.sheets = tuple(self._sheets())
        if len({sheet.name for sheet in self.sheets}) < len(self.sheets):
            raise UnreadableFile("damaged")
        self.styles = self._of_role("styles", "xl/styles.xml")
        self.strings = self._of_role("sharedStrings", "xl/sharedStrings.xml")
        self.theme = self._of_role("theme", "xl/theme/theme1.xml")

    def chunks(self, part: str) -> Iterator[bytes]:
        """Yield the bytes of a part; one that is listed twice means two things to two programs, and is refused."""
        with named_refusals(), self._archive.open(self._entry(part)) as stream:
            while block := stream.read(_CHUNK):
                yield block

    def size(self, part: str) -> int:
        return self._entry(part).file_size

    def tree(self, part: str) -> etree._Element:
        if self.size(part) > _MAX_PART:
            raise UnreadableFile("too_large")
        return parsed(b"".join(self.chunks(part)))

    def _entry(self, part: str) -> zipfile.ZipInfo:
        entries = self._entries.get(part.lower(), [])
        if len(entries) != 1:
            raise UnreadableFile("damaged")
        return entries[0]

    def _read_relations(self) -> dict[str, tuple[str, str]]:
        """Each relation of the workbook to a part that is there: its role and the part."""
        found = {}
        for relation in self.tree("xl/_rels/workbook.xml.rels").iter("{*}Relationship"):
            part = posixpath.normpath(posixpath.join("/xl", relation.get("Target", ""))).lstrip("/").lower()
            if relation.get("TargetMode") != "External" and part in self._entries:
                found[relation.get("Id", "")] = (relation.get("Type", "").rpartition("/")[2], part)
        return found

    def _sheets(self) -> Iterator[SheetPart]:
        for rank, sheet in enumerate(self.workbook.iterfind("{*}sheets/{*}sheet")):
            identifier = next((value for key, value in attributes_of(sheet).items() if key.endswith("}id")), "")
            role, part = self._relations.get(identifier, ("", ""))
            if role == "worksheet":
                yield SheetPart(sheet.get("name", ""), part, sheet.get("state", "visible"), rank)

    def _of_role(self, role: str, usual: str) -> str | None:
        """The part under its usual name, which is where the reader of values looks, or that of the relation."""
        if usual.lower() in self._entries:
            return usual
        return next((part for found, part in self._relations.values() if found == role), None)


class NewPackage:
    """A workbook that is written part by part, each from a stream; leaving it closes the archive."""

    def __init__(self, target: BinaryIO) -> None:
        target.seek(0)
        target.truncate()
        self._archive = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self._declared: list[tuple[str, str]] = []
        self._relations: list[tuple[str, str]] = []
        self._sheets: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        # An archive that is only forgotten would write its directory later, over whatever came after it.
        self._archive.close()

    def add_sheet(self, name: str, blocks: Iterable[bytes], *, state: str = "visible", size: int = 0) -> None:
        """Write the next worksheet; `size` is about what it will have."""
        self._sheets.append((name, state))
        part = f"worksheets/sheet{len(self._sheets)}.xml"
        self._write(f"xl/{part}", blocks, role="worksheet", size=size)
        self._relations.append(("worksheet", part))

    def add_part(self, role: str, blocks: Iterable[bytes], *, size: int = 0) -> None:
        """Write the workbook's part of a role: its strings, styles or theme."""
        part = "theme/theme1.xml" if role == "theme" else f"{role}.xml"
        self._write(f"xl/{part}", blocks, role=role, size=size)
        self._relations.append((role, part))

    def add_notes(self, comments: Iterable[bytes], drawing: Iterable[bytes]) -> None:
        """Write the comments of the last worksheet and the drawing that shows them, which is its NOTES."""
        number = len(self._sheets)
        self._write(f"xl/comments{number}.xml", comments, role="comments")
        self._write(f"xl/drawings/vmlDrawing{number}.vml", drawing, role="vmlDrawing")
        parts = [("vmlDrawing", f"../drawings/vmlDrawing{number}.vml"), ("comments", f"../comments{number}.xml")]
        self._write(f"xl/worksheets/_rels/sheet{number}.xml.rels", [_relationships(parts)])

    def finish(self, workbook: etree._Element | None = None, *, kept: Sequence[SheetPart] = ()) -> None:
        """Write the workbook itself, in the manner of an older one, and declare what it is made of."""
        self._relations.sort(key=lambda relation: relation[0] != "worksheet")
        document = _workbook(self._sheets, workbook, {sheet.rank: rank for rank, sheet in enumerate(kept)})
        self._write("xl/workbook.xml", [document.encode()], role="workbook")
        self._write("xl/_rels/workbook.xml.rels", [_relationships(self._relations)])
        self._write("_rels/.rels", [_relationships([("officeDocument", "xl/workbook.xml")])])
        declared = "".join(f'<Override PartName="/{part}" ContentType="{kind}"/>' for part, kind in self._declared)
        relations = f'<Default Extension="rels" ContentType="{_PACKAGE_FORMATS}.relationships+xml"/>'
        types = f'{DECLARATION}<Types xmlns="{_PACKAGE}/content-types">{relations}{declared}</Types>'
        self._write("[Content_Types].xml", [types.encode()])

    def _write(self, part: str, blocks: Iterable[bytes], *, role: str = "", size: int = 0) -> None:
        # Entries opened by name carry the date of 1980: the same file gives the same copy.
        with self._archive.open(part, "w", force_zip64=size > _LARGE) as stream:
            for block in blocks:
                stream.write(block)
        if role:
            self._declared.append((part, _TYPES[role]))


NOTES: Final = "rId1"
"""The relation of a worksheet to the drawing of its comments."""


def _relationships(parts: Iterable[tuple[str, str]]) -> bytes:
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/{role}" Target="{part}"/>'
        for number, (role, part) in enumerate(parts, start=1)
    )
    return f'{DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>'.encode()


def _workbook(sheets: Iterable[tuple[str, str]], older: etree._Element | None, ranks: Mapping[int, int]) -> str:
    listed = "".join(
        f'<sheet name="{quoted(name)}" sheetId="{number}" state="{quoted(state)}" r:id="rId{number}"/>'
        for number, (name, state) in enumerate(sheets, start=1)
    )
    before = after = ""
    if older is not None:
        properties = older.find("{*}workbookPr")
        if properties is not None and properties.get("date1904") in {"1", "true"}:
            before = '<workbookPr date1904="1"/>'
        view = older.find("{*}bookViews/{*}workbookView")
        active = ranks.get(_number(view.get("activeTab", "0"))) if view is not None else None
        before += f'<bookViews><workbookView activeTab="{active}"/></bookViews>' if active else ""
        names = "".join(filter(None, (_name(name, ranks) for name in older.iterfind("{*}definedNames/{*}definedName"))))
        after = f"<definedNames>{names}</definedNames>" if names else ""
    return (
        f'{DECLARATION}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
        f"{before}<sheets>{listed}</sheets>{after}</workbook>"
    )


def _name(name: etree._Element, ranks: Mapping[int, int]) -> str:
    """Return a defined name, on the sheet where it now belongs, or nothing when it is not only an area."""
    sheet = name.get("localSheetId")
    kept = {key: value for key, value in attributes_of(name).items() if key in {"name", "hidden"}}
    if sheet is not None:
        if _number(sheet) not in ranks:
            return ""
        kept["localSheetId"] = str(ranks[_number(sheet)])
    area = (name.text or "").strip()
    if not kept.get("name") or not _AREAS.fullmatch(area):
        return ""
    attributes = "".join(f' {key}="{quoted(value)}"' for key, value in kept.items())
    return f"<definedName{attributes}>{escaped(area)}</definedName>"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else -1


@contextlib.contextmanager
def named_refusals() -> Iterator[None]:
    """Turn what a damaged archive provokes while it is read into a named refusal."""
    try:
        yield
    except _BROKEN:
        raise UnreadableFile("damaged") from None
