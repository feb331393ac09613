"""What is added to a sheet that goes back: coloured cells, comments, and lists of what may be written."""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from lxml import etree

from imports.pipeline.canonical import column_letters, column_number
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.markup import DECLARATION, MAIN, rewritten, shown_string

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_COLOUR: Final = "FFFFC7CE"
_AUTHOR: Final = "Portail"
_MAX_COMMENT: Final = 32_000
_MAX_LIST: Final = 255
_REFERENCES_AT_ONCE: Final = 500
_MAX_AREAS: Final = 1000
"""A sheet with more rules than anybody writes by hand is left to them."""
_SHAPES_IN_A_BLOCK: Final = 1024
_CELL: Final = re.compile(rb'<c r="([A-Z]{1,3})[0-9]+"([^<>]*?)(/>|>[^<]*(?:<(?!c |/c>)[^<]*)*</c>)')
_STYLE: Final = re.compile(rb' s="([0-9]{1,6})"')
_SPANS: Final = re.compile(rb' spans="[^"<>]*"')
_RANGE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})(?::([A-Z]{1,3})([0-9]{1,7}))?")
_VML: Final = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel">'
)
_SHAPE: Final = (
    '<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;visibility:hidden" '
    'fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:path o:connecttype="none"/>'
    '<v:textbox style="mso-direction-alt:auto"/><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
    "<x:Anchor>{left}, 15, {top}, 2, {right}, 15, {bottom}, 4</x:Anchor><x:AutoFill>False</x:AutoFill>"
    "<x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
)


class MarkedStyles:
    """The styles of a workbook, and for each one that is asked for the same with another fill."""

    def __init__(self, styles: etree._Element) -> None:
        self._root = styles
        self._cells = _group(styles, "cellXfs")
        self._count = len(self._cells)
        self._clones: dict[int, int] = {}

    def marked(self, style: int) -> int:
        """Return the number of the style that looks like `style` and is coloured."""
        own = style if style < self._count else 0
        return self._clones.setdefault(own, self._count + len(self._clones))

    def document(self) -> bytes:
        fills = _group(self._root, "fills")
        fill = etree.SubElement(etree.SubElement(fills, _main("fill")), _main("patternFill"), patternType="solid")
        etree.SubElement(fill, _main("fgColor"), rgb=_COLOUR)
        etree.SubElement(fill, _main("bgColor"), indexed="64")
        for style in self._clones:
            clone = copy.deepcopy(self._cells[style])
            clone.set("fillId", str(len(fills) - 1))
            clone.set("applyFill", "1")
            self._cells.append(clone)
        for group in (fills, self._cells):
            group.set("count", str(len(group)))
        anew = rewritten(self._root, attributes=f' xmlns="{MAIN}"')
        return f"{DECLARATION}{anew}".encode()


def _main(name: str) -> str:
    return f"{{{MAIN}}}{name}"


def _group(styles: etree._Element, name: str) -> etree._Element:
    group = styles.find(_main(name))
    if group is None or not len(group):
        raise UnreadableFile("damaged")
    return group


class MarkedRows:
    """Colours the cells that are named, by row and column; None is the first cell of a row, wherever it stands.

    The places found are kept: comments and lists are written at them.
    """

    def __init__(self, columns: Mapping[int, Iterable[int | None]], styles: MarkedStyles) -> None:
        self._columns = columns
        self._styles = styles
        self.first_cells: dict[int, int] = {}

    def marked(self, block: bytes) -> bytes:
        """Return a block of whole rows with its cells coloured."""
        pieces = block.split(b"<row ")
        for index in range(1, len(pieces)):
            piece = pieces[index]
            if not piece.startswith(b'r="'):
                raise UnreadableFile("damaged")
            number = int(piece[3 : piece.index(b'"', 3)])
            if number in self._columns:
                pieces[index] = self._row(piece, number)
        return b"<row ".join(pieces)

    def _row(self, piece: bytes, number: int) -> bytes:
        opening, _, content = piece.partition(b">")
        cells = {column_number(cell[1].decode()) - 1: cell for cell in _CELL.finditer(content)}
        self.first_cells[number] = min(cells, default=0)
        wanted = {self.first_cells[number] if column is None else column for column in self._columns[number]}
        written = {column: cell[0] for column, cell in cells.items()}
        for column in wanted:
            written[column] = self._coloured(cells.get(column), column, number)
        # The spans of a row announce its columns; there may be more of them now.
        opening = _SPANS.sub(b"", opening.removesuffix(b"/"))
        return b"%b>%b</row>" % (opening, b"".join(cell for _, cell in sorted(written.items())))

    def _coloured(self, cell: re.Match[bytes] | None, column: int, number: int) -> bytes:
        if cell is None:
            return f'<c r="{column_letters(column)}{number}" s="{self._styles.marked(0)}"/>'.encode()
        style = _STYLE.search(cell[2])
        marked = self._styles.marked(int(style[1]) if style else 0)
        return b'<c r="%b%d" s="%d"%b%b' % (cell[1], number, marked, _STYLE.sub(b"", cell[2]), cell[3])


def comments(notes: Iterable[tuple[int, int, str]]) -> Iterator[bytes]:
    """Yield the part of the comments: each (row, column, text)."""
    yield f'{DECLARATION}<comments xmlns="{MAIN}"><authors><author>{_AUTHOR}</author></authors><commentList>'.encode()
    for row, column, text in notes:
        shown = text if len(text) <= _MAX_COMMENT else f"{text[:_MAX_COMMENT]}…"
        place = f"{column_letters(column)}{row}"
        yield f'<comment ref="{place}" authorId="0"><text>{shown_string(shown)}</text></comment>'.encode()
    yield b"</commentList></comments>"


def drawing(notes: Sequence[tuple[int, int, str]]) -> Iterator[bytes]:
    """Yield the drawing without which no program shows a comment: a box beside each cell, shown on hovering."""
    blocks = ",".join(str(number) for number in range(1, len(notes) // _SHAPES_IN_A_BLOCK + 2))
    yield (
        f'{_VML}<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{blocks}"/></o:shapelayout>'
        '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
        '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
    ).encode()
    for rank, (row, column, text) in enumerate(notes):
        top = max(row - 2, 0)
        height = 3 + min(text.count("\n") + len(text) // 30, 20)
        yield _SHAPE.format(
            number=_SHAPES_IN_A_BLOCK + 1 + rank,
            left=column + 1,
            right=column + 4,
            top=top,
            bottom=top + height,
            row=row - 1,
            column=column,
        ).encode()
    yield b"</xml>"


class Lists:
    """Lists of allowed values as rules of a sheet; those too long for a rule stand in a sheet of their own."""

    def __init__(self, sheet: str) -> None:
        self.sheet = sheet
        self._cells: defaultdict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        self._long: dict[tuple[str, ...], str] = {}

    def add(self, allowed: tuple[str, ...], row: int, column: int) -> None:
        self._cells[allowed].append((column, row))

    def rules(self, existing: Iterable[etree._Element]) -> Iterator[etree._Element]:
        """Yield a rule for every list; cells that have a rule of their own keep it, for two would contradict."""
        ruled = _Ruled(existing)
        for allowed, cells in self._cells.items():
            free = [cell for cell in sorted(cells) if not ruled.has(*cell)]
            references = list(_ranges(free))
            for start in range(0, len(references), _REFERENCES_AT_ONCE):
                places = " ".join(references[start : start + _REFERENCES_AT_ONCE])
                rule = etree.Element(
                    _main("dataValidation"), type="list", errorStyle="warning", allowBlank="1", showErrorMessage="1"
                )
                rule.set("sqref", places)
                etree.SubElement(rule, _main("formula1")).text = self._formula(allowed)
                yield rule

    def _formula(self, allowed: tuple[str, ...]) -> str:
        inline = f'"{",".join(allowed)}"'
        if len(inline) <= _MAX_LIST and not any(re.search(r'[,"\n]|^\s|\s$', value) for value in allowed):
            return inline
        letters = self._long.setdefault(allowed, column_letters(len(self._long)))
        return f"'{self.sheet}'!${letters}$1:${letters}${len(allowed)}"

    def part(self) -> bytes | None:
        """The sheet of the long lists, one to a column, or nothing when there is none."""
        if not self._long:
            return None
        rows = []
        for number in range(1, max(map(len, self._long)) + 1):
            cells = "".join(
                f'<c r="{letters}{number}" t="inlineStr"><is>{shown_string(allowed[number - 1])}</is></c>'
                for allowed, letters in self._long.items()
                if number <= len(allowed)
            )
            rows.append(f'<row r="{number}">{cells}</row>')
        return f'{DECLARATION}<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'.encode()


class _Ruled:
    """The cells that the rules of a sheet cover already."""

    def __init__(self, rules: Iterable[etree._Element]) -> None:
        self._areas = [
            (column_number(area[1]) - 1, column_number(area[3] or area[1]) - 1, int(area[2]), int(area[4] or area[2]))
            for rule in rules
            for area in _RANGE.finditer(rule.get("sqref", ""))
        ]

    def has(self, column: int, row: int) -> bool:
        return len(self._areas) > _MAX_AREAS or any(
            left <= column <= right and top <= row <= bottom for left, right, top, bottom in self._areas
        )


def _ranges(cells: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Yield the fewest references for sorted cells: those under each other are one."""
    start = 0
    for index, (column, row) in enumerate(cells, start=1):
        if index < len(cells) and cells[index] == (column, row + 1):
            continue
        letters, first = column_letters(column), cells[start][1]
        yield f"{letters}{first}" if first == row else f"{letters}{first}:{letters}{row}"
        start = index
