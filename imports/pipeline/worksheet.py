"""A worksheet's part as a stream: its head, its rows in blocks that tear no row, its tail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from lxml import etree

from imports.pipeline.canonical import Irregular, canonical, column_number
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.markup import DECLARATION, MAIN, RELATIONS, attributes_of, known, local, parsed, quoted, rewritten
from imports.pipeline.sensitive import discloses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_MAX_SHELL: Final = 16 << 20
_MAX_ROW: Final = 64 << 20
_ROOT: Final = re.compile(rb"<(?:([A-Za-z_][\w.-]*):)?(?:worksheet|sst)(?=[\s>/])")
_OPENING: Final = re.compile(rb"<worksheet[^>]*>")
_DATA: Final = re.compile(rb"<sheetData\s*(/?)>")
_ENCODING: Final = re.compile(rb"^\s*<\?xml[^>]*\sencoding\s*=\s*[\"'](?!utf-8[\"']|us-ascii[\"'])", re.IGNORECASE)
_END: Final = b"</sheetData>"
_HEAD: Final = ("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols")
# In the order of the schema, which programs insist on; what is not named here is not carried over: links, drawings,
# comments, tables, protection, headers and footers (free text), scenarios (values), extensions.
_TAIL: Final = (
    "autoFilter",
    "mergeCells",
    "conditionalFormatting",
    "dataValidations",
    "printOptions",
    "pageMargins",
    "pageSetup",
    "rowBreaks",
    "colBreaks",
    "ignoredErrors",
)
# A formula of a rule that leaves the workbook: other files, addresses, programs, and tables, which are not kept.
_OUTWARD: Final = re.compile(r"[\[|\\]|://|WEBSERVICE|\bRTD\b|\bCALL\b|REGISTER|#REF!", re.IGNORECASE)
_COLUMN: Final = re.compile(r"[0-9]{1,5}")
_EXTENDED: Final = "{http://schemas.microsoft.com/office/spreadsheetml/2009/9/main}"
_FORMULA: Final = "{http://schemas.microsoft.com/office/excel/2006/main}"


class Sheet:
    """The tail is known once the rows have been read."""

    def __init__(self, blocks: Iterable[bytes], *, thorough: bool) -> None:
        self._blocks = iter(canonical(blocks) if thorough else without_prefix(iter(blocks)))
        start, data = self._until_data()
        self._rest = b"" if data[1] else start[data.end() :]
        self._done = bool(data[1])
        self._after = start[data.end() :] if data[1] else b""
        self._before = start[: data.start()]

    def rows(self) -> Iterator[bytes]:
        """Yield the rows in blocks cut before a row."""
        rest = self._rest
        while not self._done:
            end = rest.find(_END)
            if end >= 0:
                self._after, self._done = rest[end + len(_END) :], True
                yield rest[:end]
                return
            cut = rest.rfind(b"<row ")
            if cut > 0:
                yield rest[:cut]
                rest = rest[cut:]
            rest += self._next(len(rest), _MAX_ROW)

    def head(self) -> str:
        """The declaration and all that stands before the rows."""
        root = _parsed(self._before + b"<sheetData/></worksheet>")
        for properties in root.iterfind("{*}sheetPr"):
            # The name of the sheet's module: macros are not carried over.
            properties.attrib.pop("codeName", "")
        elements = "".join(rewritten(child) for child in known(root) if local(child) in _HEAD)
        return f'{DECLARATION}<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}">{elements}<sheetData>'

    def tail(self, *, emptied: Collection[int] = ()) -> dict[str, list[etree._Element]]:
        """The elements after the rows that are carried over, by name, in the order of the schema."""
        opening = _OPENING.search(self._before)
        after = self._after
        for block in self._blocks:
            after += block
            if len(after) > _MAX_SHELL:
                raise Irregular
        root = _parsed((opening[0] if opening else b"") + after)
        found: dict[str, list[etree._Element]] = {name: [] for name in _TAIL}
        for child in known(root):
            if local(child) in found:
                found[local(child)].append(child)
        _restrict(found, root)
        for filtered in found["autoFilter"]:
            _forget_filters(filtered, emptied)
        return found

    def _until_data(self) -> tuple[bytes, re.Match[bytes]]:
        start = b""
        while True:
            if data := _DATA.search(start):
                return start, data
            start += self._next(len(start), _MAX_SHELL)

    def _next(self, size: int, most: int) -> bytes:
        block = next(self._blocks, None)
        if block is None or size > most:
            raise Irregular
        return block


def closing(tail: Mapping[str, list[etree._Element]], *, drawing: str = "") -> str:
    """Return the end of a sheet's part; `drawing` is the relation of the drawing that shows its comments."""
    parts = []
    for name in _TAIL:
        if name == "dataValidations":
            rules = "".join(rewritten(rule) for rule in tail[name])
            parts.append(f"<dataValidations>{rules}</dataValidations>" if rules else "")
        else:
            parts += map(rewritten, tail[name])
    shown = f'<legacyDrawing r:id="{quoted(drawing)}"/>' if drawing else ""
    return f"</sheetData>{''.join(parts)}{shown}</worksheet>"


def _parsed(content: bytes) -> etree._Element:
    try:
        return parsed(content)
    except UnreadableFile:
        # Not refused yet: the thorough way refuses what is an attack and reads what is only unusual.
        raise Irregular from None


def _restrict(found: dict[str, list[etree._Element]], root: etree._Element) -> None:
    """Keep the rules that stay inside the workbook; those on other sheets' lists leave their extension."""
    rules = [rule for group in found["dataValidations"] for rule in known(group)]
    found["dataValidations"] = [rule for rule in [*rules, *_extended_rules(root)] if not _leaves(rule)]
    found["conditionalFormatting"] = [group for group in found["conditionalFormatting"] if not _leaves(group)]


def _extended_rules(root: etree._Element) -> Iterator[etree._Element]:
    for extended in root.iter(f"{_EXTENDED}dataValidation"):
        rule = etree.Element(f"{{{MAIN}}}dataValidation", attributes_of(extended))
        for name in ("formula1", "formula2"):
            formula = extended.findtext(f"{_EXTENDED}{name}/{_FORMULA}f")
            if formula:
                etree.SubElement(rule, f"{{{MAIN}}}{name}").text = formula
        rule.set("sqref", extended.findtext(f"{_FORMULA}sqref", ""))
        yield rule


def _leaves(rule: etree._Element) -> bool:
    """Whether a rule points out of the workbook, or names somebody by a number."""
    return discloses(rewritten(rule)) or any(
        _OUTWARD.search(formula.text or "")
        for formula in rule.iter()
        if local(formula) in {"formula", "formula1", "formula2", "cfvo"}
    )


def _forget_filters(filtered: etree._Element, emptied: Collection[int]) -> None:
    """A filter lists the values that it shows: not those of a column that was emptied."""
    letters = re.match(r"[A-Z]+", filtered.get("ref", ""))
    first = column_number(letters[0]) - 1 if letters else 0
    for column in list(filtered):
        number = column.get("colId", "")
        if not _COLUMN.fullmatch(number) or first + int(number) in emptied or local(column) != "filterColumn":
            filtered.remove(column)


def without_prefix(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the blocks without the prefix of the workbook's namespace, as <x:c> of the OpenXML SDK has it."""
    first = next(blocks, b"").removeprefix(b"\xef\xbb\xbf")
    root = _ROOT.search(first)
    if root is None or b"<!" in first[: root.start()] or _ENCODING.match(first):
        raise Irregular
    if root[1] is None:
        yield first
        yield from blocks
        return
    declaration = b" xmlns:" + root[1] + b"="
    opening = first[: first.find(b">", root.end())]
    if declaration not in opening or b" xmlns=" in opening:
        raise Irregular
    rest = first.replace(declaration, b" xmlns=", 1)
    for block in blocks:
        # A tag is not torn before its prefix can be seen.
        cut = rest.rfind(b"<")
        yield _unprefixed(rest[:cut], root[1])
        rest = rest[cut:] + block
    yield _unprefixed(rest, root[1])


def _unprefixed(block: bytes, prefix: bytes) -> bytes:
    return block.replace(b"<" + prefix + b":", b"<").replace(b"</" + prefix + b":", b"</")


def well_formed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the blocks of a part while a parser makes sure that any program can read it."""
    parser = expat.ParserCreate()
    for block in blocks:
        _checked(parser, block)
        yield block
    _checked(parser, b"", final=True)


def _checked(parser: expat.XMLParserType, block: bytes, *, final: bool = False) -> None:
    try:
        parser.Parse(block, final)
    except expat.ExpatError:
        raise Irregular from None
