"""An xlsx or xlsm becomes a redacted xlsx: its parts are rewritten as they stream by, never loaded.

Formatting stays as it is, since the bytes around the values stay. What the emptied cells held is in two places, the
cell and the workbook's list of strings: there, only strings that a cell still uses are kept.
"""

from __future__ import annotations

import html
import re
import zipfile
from typing import TYPE_CHECKING, BinaryIO, Final

from imports.pipeline.canonical import Irregular, canonical, column_letters
from imports.pipeline.markup import DECLARATION, DRAWING, MAIN, namespace_of, rewritten
from imports.pipeline.package import NewPackage, Package, named_refusals
from imports.pipeline.sensitive import MASK, discloses, may_disclose
from imports.pipeline.worksheet import Sheet, closing, well_formed, without_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from imports.pipeline.package import SheetPart

_MAX_STRINGS: Final = 64_000_000
_MAX_STRING: Final = 4 << 20
_RUN: Final = (
    rb"/?(?:rPr|rPh|b|i|u|strike|sz|color|rFont|family|charset|scheme|vertAlign|outline|shadow|condense|extend"
    rb"|phoneticPr)(?: [^<>]*)?/?>"
)
# The tags that this module understands, the commonest first; what meets any other is rewritten in another way.
_IRREGULAR: Final = re.compile(
    rb"<(?!/v>|v>|/c>"
    rb'|c r="[A-Z]{1,3}[1-9][0-9]{0,6}"(?: [a-z]{1,2}="[0-9A-Za-z]*")*/?>'
    rb'|/?row>|row r="[1-9][0-9]{0,6}"(?: [A-Za-z]+="[^"<>]*"| \w+:dyDescent="[^"<>]*")*/?>'
    rb'|/?(?:is|t|r|si)>|[vt] xml:space="[a-z]+">|(?:[vt]|is|si)/>|f[ >/]|/f>|' + _RUN + rb")"
)
# Up to the end of a cell and never into the next one: a cell without an end costs no search through all others.
_INSIDE: Final = rb"[^<]*(?:<(?!c |/c>)[^<]*)*"
_FORMULA: Final = re.compile(rb"<f(?: [^<>]*)?(?:/>|>[^<]*</f>)")
_FORMULA_LEFT: Final = re.compile(rb"</?f[ >/]")
_PHONETIC_LEFT: Final = re.compile(rb"</?rPh|<phoneticPr")
_OPENED: Final = re.compile(rb'<c r="[^<>]*')
_METADATA: Final = re.compile(rb' (?:cm|vm)="[^"<>]*"')
_DESCENT: Final = re.compile(rb'(<row [^<>]*?) \w+:dyDescent="[^"<>]*"')
_PHONETIC: Final = re.compile(rb"<rPh [^<]*(?:<(?!/?rPh)[^<]*)*</rPh>|<phoneticPr(?: [^<>]*)?(?:/>|></phoneticPr>)")
_STRING_OF_CELL: Final = re.compile(rb' t="s"[^<>]*><v>([0-9]{1,8})</v>')
_FILLED: Final = re.compile(rb'<c r="[^<>]* t="s"(?:[^<>]*[^<>/])?>(?!</c>|<v></v>|<v/>)')
_CELL: Final = re.compile(rb'<c r="([A-Z]+[0-9]+)"([^<>]*[^<>/])?>(' + _INSIDE + rb")</c>")
_STYLE: Final = re.compile(rb' s="[0-9]+"')
_TAG: Final = re.compile(rb"<[^<>]*>")
_STRING: Final = re.compile(rb"<si>([^<]*(?:<(?!/?si>)[^<]*)*)</si>|<si/>")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE]\+?[0-9]{1,2})?")


def rewrite(source: BinaryIO, target: BinaryIO, emptied: Mapping[str, Mapping[int, int]], *, thorough: bool) -> None:
    """Write the redacted copy; `emptied` has every sheet that was read, with the columns that go.

    Each of these comes with the row under which it is emptied.

    Raises:
        Irregular: a sheet is not in the form that can be rewritten with certainty. `thorough` reads unusual forms
            too, at several times the cost.
    """
    with named_refusals():
        archive = zipfile.ZipFile(source)
    with archive, NewPackage(target) as copy:
        package = Package(archive)
        if {sheet.name for sheet in package.sheets} != set(emptied):
            # The reader of values sees other sheets: nobody has looked at what these hold.
            raise Irregular
        used = UsedStrings()
        for sheet in package.sheets:
            blocks = _rewritten_sheet(package, sheet, emptied[sheet.name], used, thorough=thorough)
            copy.add_sheet(sheet.name, well_formed(blocks), state=sheet.state, size=package.size(sheet.part))
        if package.strings is not None:
            chunks = package.chunks(package.strings)
            strings = rewritten_strings(canonical(chunks) if thorough else without_prefix(chunks), used)
            copy.add_part("sharedStrings", well_formed(strings), size=package.size(package.strings))
        copy_looks(package, copy)
        copy.finish(package.workbook, kept=package.sheets)


class UsedStrings:
    """Which of the workbook's strings some cell still shows: one byte for each, however many cells there are."""

    def __init__(self) -> None:
        self._flags = bytearray()

    def __contains__(self, index: int) -> bool:
        return index < len(self._flags) and self._flags[index] == 1

    def add(self, indexes: Iterable[bytes]) -> None:
        numbers = set(map(int, indexes))
        highest = max(numbers, default=-1)
        if highest >= _MAX_STRINGS:
            raise Irregular
        self._flags.extend(bytes(max(0, highest + 1 - len(self._flags))))
        for number in numbers:
            self._flags[number] = 1


def _rewritten_sheet(
    package: Package, part: SheetPart, emptied: Mapping[int, int], used: UsedStrings, *, thorough: bool
) -> Iterator[bytes]:
    sheet = Sheet(package.chunks(part.part), thorough=thorough)
    rows = _Rows(emptied, used)
    yield sheet.head().encode()
    yield from map(rows.rewritten, sheet.rows())
    yield closing(sheet.tail(emptied=emptied)).encode()


class _Rows:
    """Rewrites blocks of rows."""

    def __init__(self, emptied: Mapping[int, int], used: UsedStrings) -> None:
        self._below = {column_letters(index).encode(): row for index, row in emptied.items()}
        columns = b"|".join(self._below) or rb"(?!)"
        self._emptied = re.compile(rb'<c r="(' + columns + rb')([0-9]+)"([^<>]*?)(?:/>|>(?:' + _INSIDE + rb"</c>)?)")
        self._used = used

    def rewritten(self, block: bytes) -> bytes:
        if _IRREGULAR.search(block):
            raise Irregular
        if self._below:
            block = self._emptied.sub(self._without_value, block)
        if b"<f" in block:
            block = _without(block, _FORMULA, _FORMULA_LEFT)
        if b' cm="' in block or b' vm="' in block:
            block = _OPENED.sub(lambda opened: _METADATA.sub(b"", opened[0]), block)
        if b":dyDescent" in block:
            block = _DESCENT.sub(rb"\1", block)
        if b"<rPh" in block or b"<phoneticPr" in block:
            block = _without(block, _PHONETIC, _PHONETIC_LEFT)
        if may_disclose(block):
            block = _CELL.sub(_masked, block)
        return self._counted(block)

    def _without_value(self, cell: re.Match[bytes]) -> bytes:
        if int(cell[2]) <= self._below[cell[1]]:
            return cell[0]
        if not cell[0].endswith((b"/>", b"</c>")):
            raise Irregular
        style = _STYLE.search(cell[3])
        return b'<c r="%b%b"%b/>' % (cell[1], cell[2], style[0] if style else b"")

    def _counted(self, block: bytes) -> bytes:
        """Note the strings that are used; a reference that was not understood would lose its string."""
        indexes = _STRING_OF_CELL.findall(block)
        if len(indexes) != block.count(b' t="s"') and len(indexes) != len(_FILLED.findall(block)):
            raise Irregular
        self._used.add(indexes)
        return block


def _without(block: bytes, pattern: re.Pattern[bytes], left: re.Pattern[bytes]) -> bytes:
    """Take out all that matches; what is `left` of its kind was written in a way that is not understood."""
    block = pattern.sub(b"", block)
    if left.search(block):
        raise Irregular
    return block


def _masked(cell: re.Match[bytes]) -> bytes:
    attributes = cell[2] or b""
    if b' t="s"' in attributes or not discloses(_value(cell[3], text=b' t="' in attributes)):
        return cell[0]
    style = _STYLE.search(attributes)
    shown = b'<is><t xml:space="preserve">%b</t></is>' % MASK.encode()
    return b'<c r="%b"%b t="inlineStr">%b</c>' % (cell[1], style[0] if style else b"", shown)


def _value(content: bytes, *, text: bool) -> str:
    """Return what a cell or a string shows, the pieces of a rich text as one."""
    value = html.unescape(_TAG.sub(b"", content).decode(errors="replace"))
    if not text and _NUMBER.fullmatch(value) and float(value).is_integer():
        return str(int(float(value)))
    return value


def rewritten_strings(blocks: Iterable[bytes], used: UsedStrings) -> Iterator[bytes]:
    """Yield the list of strings at the same places, without those that no cell shows any more."""
    yield f'{DECLARATION}<sst xmlns="{MAIN}">'.encode()
    index = 0
    for block in _string_blocks(blocks):
        if _IRREGULAR.search(block):
            raise Irregular
        strings = _STRING.findall(_without(block, _PHONETIC, _PHONETIC_LEFT))
        if len(strings) != block.count(b"<si"):
            raise Irregular
        kept = [content if place in used else b"<t/>" for place, content in enumerate(strings, start=index)]
        index += len(strings)
        if may_disclose(b"</si><si>".join(kept)):
            kept = list(map(_guarded_string, kept))
        if kept:
            yield b"<si>%b</si>" % b"</si><si>".join(kept)
    yield b"</sst>"


def _guarded_string(content: bytes) -> bytes:
    return b"<t>%b</t>" % MASK.encode() if discloses(_value(content, text=True)) else content


def _string_blocks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut the list before strings; what stands before the first and after the last one is left out."""
    rest, started = b"", False
    for block in blocks:
        rest += block
        if not started:
            if (first := rest.find(b"<si")) < 0:
                if len(rest) > _MAX_STRING:
                    raise Irregular
                continue
            rest, started = rest[first:], True
        cut = rest.rfind(b"<si")
        if cut <= 0:
            if len(rest) > _MAX_STRING:
                raise Irregular
            continue
        yield rest[:cut]
        rest = rest[cut:]
    if started:
        yield rest[: rest.rfind(b"</si>") + 5] if b"</si>" in rest else rest[: rest.find(b">") + 1]


def copy_looks(package: Package, copy: NewPackage) -> None:
    """Write the styles and the theme anew: they hold no value."""
    _copy_look(package, copy, "styles", package.styles, MAIN)
    copy_theme(package, copy)


def copy_theme(package: Package, copy: NewPackage) -> None:
    """Write the theme anew: the colours of cells refer to it."""
    _copy_look(package, copy, "theme", package.theme, DRAWING)


def _copy_look(package: Package, copy: NewPackage, role: str, part: str | None, namespace: str) -> None:
    look = None if part is None else package.tree(part)
    if look is not None and namespace_of(look) == namespace:
        prefix = ":a" if namespace == DRAWING else ""
        anew = rewritten(look, attributes=f' xmlns{prefix}="{namespace}"')
        copy.add_part(role, [f"{DECLARATION}{anew}".encode()])
