"""What an OpenDocument spreadsheet says of its columns beside their values: widths and number formats.

They stand before a sheet's rows and in the styles, so that only the beginning of each sheet is read.
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, BinaryIO, Final

from lxml import etree

from imports.pipeline.markup import attributes_of, local
from imports.pipeline.package import named_refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK: Final = 1 << 20
_BEGINNING: Final = 1 << 18
_MAX_STYLES: Final = 16 << 20
_MAX_COLUMNS: Final = 1024
_MAX_SHEETS: Final = 256
_TABLE: Final = re.compile(rb"<table:table\s[^>]*>")
_TAG: Final = 4096
_ROOT: Final = re.compile(rb"<office:document-content[^>]*>")
_BODY: Final = b"<office:body"
_LENGTH: Final = re.compile(r"([0-9.]{1,10})(cm|mm|in|pt)")
# A column's width is counted in digits of the usual font: about 5.2 to the centimetre.
_SIGNS: Final = {"cm": 5.2, "mm": 0.52, "in": 13.2, "pt": 0.183}
_DATE_PARTS: Final = {
    "day": ("d", "dd"),
    "month": ("m", "mm"),
    "year": ("yy", "yyyy"),
    "hours": ("h", "hh"),
    "minutes": ("m", "mm"),
    "seconds": ("s", "ss"),
}


@dataclass
class ColumnLooks:
    """The looks of a sheet's columns, by index."""

    widths: dict[int, float] = field(default_factory=dict)
    formats: dict[int, str] = field(default_factory=dict)


def column_looks(source: BinaryIO) -> dict[str, ColumnLooks]:
    """Return the looks of each sheet's columns, as far as they are declared plainly."""
    with named_refusals(), zipfile.ZipFile(source) as archive, archive.open("content.xml") as stream:
        head = b""
        while _BODY not in head and len(head) < _MAX_STYLES and (block := stream.read(_CHUNK)):
            head += block
        before, _, after = head.partition(_BODY)
        root = _ROOT.search(before)
        if root is None:
            return {}
        styles = _Styles(_lenient(before))
        looks = {}
        for beginning in itertools.islice(_beginnings(after, stream), _MAX_SHEETS):
            table = next(_lenient(root[0] + beginning).iterfind("{*}table"), None)
            if table is not None:
                looks[_own(table, "name")] = _looks(table, styles)
        return looks


def _beginnings(start: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the first bytes of every sheet."""
    rest, more = start, True
    while True:
        table = _TABLE.search(rest)
        if table is not None and (not more or len(rest) - table.start() >= _BEGINNING):
            yield rest[table.start() : table.start() + _BEGINNING]
            rest = rest[table.end() :]
            continue
        if not more:
            return
        # Without a sheet in sight only what may be the beginning of its tag is kept.
        rest = rest[table.start() :] if table else rest[-_TAG:]
        block = stream.read(_CHUNK)
        more, rest = bool(block), rest + block


def _lenient(content: bytes) -> etree._Element:
    """Parse a piece that ends anywhere: what follows the last whole element does not matter."""
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        root = None
    # A parser that recovers from everything may be left with nothing.
    return etree.Element("nothing") if root is None else root


def _own(element: etree._Element, name: str) -> str:
    """Return an attribute by its name without the namespace."""
    return next((value for key, value in attributes_of(element).items() if key.endswith(f"}}{name}")), "")


def _repeated(element: etree._Element) -> int:
    count = _own(element, "number-columns-repeated")
    return min(int(count), _MAX_COLUMNS) if count.isdecimal() and len(count) < 6 else 1


class _Styles:
    """The styles of columns and cells, by name."""

    def __init__(self, root: etree._Element) -> None:
        self.widths: dict[str, float] = {}
        self.formats: dict[str, str] = {}
        codes = {}
        for group in root.iterfind("{*}automatic-styles/*"):
            if local(group) in {"number-style", "date-style", "percentage-style"}:
                codes[_own(group, "name")] = _code(group)
        for style in root.iterfind("{*}automatic-styles/{*}style"):
            name, properties = _own(style, "name"), style.find("{*}table-column-properties")
            length = _LENGTH.fullmatch(_own(properties, "column-width")) if properties is not None else None
            if length and length[1].count(".") < 2 and length[1] != ".":
                self.widths[name] = float(length[1]) * _SIGNS[length[2]]
            if code := codes.get(_own(style, "data-style-name")):
                self.formats[name] = code


def _code(style: etree._Element) -> str:
    """Return a number format as workbooks write it; empty when it has a part without a counterpart here."""
    parts = []
    for part in style:
        name = local(part)
        if name == "text":
            parts.append("".join(f"\\{sign}" for sign in (part.text or "")[:20]))
        elif name == "number":
            parts.append(_digits(part))
        elif name in _DATE_PARTS:
            parts.append(_DATE_PARTS[name][_own(part, "style") == "long"])
        else:
            return ""
    return "".join(parts).replace("\\%", "%")


def _digits(number: etree._Element) -> str:
    whole, places = _own(number, "min-integer-digits"), _own(number, "decimal-places")
    least = min(int(whole), 20) if whole.isdecimal() and len(whole) < 4 else 1
    decimals = min(int(places), 20) if places.isdecimal() and len(places) < 4 else 0
    shown = "#,##0" if _own(number, "grouping") == "true" else "0" * least or "#"
    return f"{shown}.{'0' * decimals}" if decimals else shown


def _looks(table: etree._Element, styles: _Styles) -> ColumnLooks:
    looks, defaults, column = ColumnLooks(), {}, 0
    for declared in table.iter("{*}table-column"):
        for index in range(column, min(column + _repeated(declared), _MAX_COLUMNS)):
            defaults[index] = _own(declared, "default-cell-style-name")
            if width := styles.widths.get(_own(declared, "style-name")):
                looks.widths[index] = width
        column = min(column + _repeated(declared), _MAX_COLUMNS)
    seen: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in table.iter("{*}table-row"):
        for index, style in _numeric_styles(row):
            seen[index][styles.formats.get(style or defaults.get(index, ""), "")] += 1
    for index, codes in seen.items():
        if code := codes.most_common(1)[0][0]:
            looks.formats[index] = code
    return looks


def _numeric_styles(row: etree._Element) -> Iterator[tuple[int, str]]:
    """Yield the columns of a row that hold a number or a date, with the style of the cell."""
    column = 0
    for cell in row:
        if _own(cell, "value-type") in {"float", "date", "percentage"} and column < _MAX_COLUMNS:
            yield column, _own(cell, "style-name")
        column += _repeated(cell)
