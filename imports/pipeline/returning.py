"""Your own workbook back: the redacted copy, with what must be corrected coloured and explained in its place."""

from __future__ import annotations

import itertools
import tempfile
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from imports.pipeline.annotations import Lists, MarkedRows, MarkedStyles, comments, drawing
from imports.pipeline.canonical import Irregular
from imports.pipeline.delimited import DelimitedText
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.package import NOTES, NewPackage, Package, named_refusals
from imports.pipeline.plain import PlainSheet, sheet_name, write_plain
from imports.pipeline.reading import CSV_SHEET, Row, open_workbook
from imports.pipeline.redaction import CopyFormat, write_delimited
from imports.pipeline.surgery import copy_theme
from imports.pipeline.worksheet import Sheet, closing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from imports.pipeline.package import SheetPart
    from imports.pipeline.reading import Cell

_LISTS: Final = "_lists"
_SPOOLED: Final = 8 << 20
_REMARK_WIDTH: Final = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a cell, or in a row as a whole, and what may be written instead where that is a list."""

    row: int
    column: int | None
    message: str
    allowed: tuple[str, ...] = ()


def mark(
    copy: BinaryIO,
    target: BinaryIO,
    *,
    copy_format: CopyFormat,
    sheet: str,
    header_row: int,
    faults: Sequence[Fault],
    heading: str,
) -> None:
    """Write the copy with its faults: in a workbook at their cells, in delimited text in a last column, `heading`."""
    if copy_format is CopyFormat.CSV:
        _mark_delimited(copy, target, header_row=header_row, faults=faults, heading=heading)
        return
    with named_refusals():
        archive = zipfile.ZipFile(copy)
    with archive, NewPackage(target) as returned:
        try:
            _mark_workbook(Package(archive), returned, sheet, _Places(faults))
        except Irregular:
            # Copies are regular: this one is not as it was written.
            raise UnreadableFile("damaged") from None


def only_faulty(
    copy: BinaryIO,
    target: BinaryIO,
    *,
    copy_format: CopyFormat,
    sheet: str,
    header_row: int,
    faults: Sequence[Fault],
    origin_heading: str,
    remark_heading: str,
) -> None:
    """Write a workbook of the rows to correct only; its first column says where each stood in the file."""
    messages = _by_row(faults)
    numbers = {row: number for number, row in enumerate(sorted(messages), start=2)}
    with open_workbook(copy) as workbook, tempfile.SpooledTemporaryFile(_SPOOLED) as spooled:
        name = CSV_SHEET if copy_format is CopyFormat.CSV else sheet
        headers = next((row.cells for row in workbook.rows(name) if row.number == header_row), ())
        chosen = _chosen(workbook.rows(name), numbers, messages, len(headers))
        first = Row(1, (origin_heading, *headers, remark_heading))
        widths = {column: max(12.0, len(str(header)) + 2.0) for column, header in enumerate(first.cells)}
        widths[len(headers) + 1] = _REMARK_WIDTH
        plain = PlainSheet(sheet, itertools.chain((first,), chosen), widths, frozen_rows=1)
        extract = cast("BinaryIO", spooled)
        write_plain(extract, [plain])
        moved = [
            Fault(numbers[fault.row], 0 if fault.column is None else fault.column + 1, fault.message, fault.allowed)
            for fault in faults
        ]
        mark(
            extract,
            target,
            copy_format=CopyFormat.XLSX,
            sheet=sheet_name(sheet, set()),
            header_row=1,
            faults=moved,
            heading=remark_heading,
        )


def _by_row(faults: Sequence[Fault]) -> dict[int, str]:
    """Return what is to be said of each row: every sentence once."""
    sentences: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for fault in faults:
        sentences[fault.row][fault.message] = None
    return {row: " ".join(said) for row, said in sentences.items()}


def _chosen(rows: Iterator[Row], numbers: Mapping[int, int], messages: Mapping[int, str], width: int) -> Iterator[Row]:
    for row in rows:
        if row.number in numbers:
            cells = (*map(_as_text, row.cells[:width]), *[""] * (width - len(row.cells)))
            yield Row(numbers[row.number], (row.number, *cells, messages[row.number]))


def _as_text(cell: Cell) -> Cell:
    """Take off the apostrophe that protects a text in delimited copies: in a workbook the cell itself is text."""
    return cell[1:] if isinstance(cell, str) and cell[:1] == "'" and cell[1:2] in {"=", "+", "-", "@"} else cell


class _Places:
    """The faults by the cells at which they are shown."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = faults
        self.columns: defaultdict[int, set[int | None]] = defaultdict(set)
        for fault in faults:
            self.columns[fault.row].add(fault.column)

    def notes(self, first_cells: Mapping[int, int]) -> list[tuple[int, int, str]]:
        """Return one comment for each cell; a cell may have more than one fault, a sheet no two comments there."""
        sentences: defaultdict[tuple[int, int], dict[str, None]] = defaultdict(dict)
        for fault in self._faults:
            column = first_cells.get(fault.row, 0) if fault.column is None else fault.column
            sentences[fault.row, column][fault.message] = None
        return [(row, column, "\n".join(said)) for (row, column), said in sorted(sentences.items())]

    def lists(self, sheet: str) -> Lists:
        lists = Lists(sheet)
        for place, allowed in {
            (fault.row, fault.column): fault.allowed for fault in self._faults if fault.allowed
        }.items():
            row, column = place
            if column is not None:
                lists.add(allowed, row, column)
        return lists


def _mark_workbook(package: Package, returned: NewPackage, name: str, places: _Places) -> None:
    if name not in {sheet.name for sheet in package.sheets} or package.styles is None:
        raise UnreadableFile("unknown_sheet", sheet=name)
    styles = MarkedStyles(package.tree(package.styles))
    lists = places.lists(sheet_name(_LISTS, {sheet.name.casefold() for sheet in package.sheets}))
    for sheet in package.sheets:
        size = package.size(sheet.part)
        if sheet.name != name:
            returned.add_sheet(sheet.name, package.chunks(sheet.part), state=sheet.state, size=size)
            continue
        rows = MarkedRows(places.columns, styles)
        returned.add_sheet(name, _marked_sheet(package, sheet, rows, lists), state=sheet.state, size=size)
        notes = places.notes(rows.first_cells)
        returned.add_notes(comments(notes), drawing(notes))
    if (part := lists.part()) is not None:
        returned.add_sheet(lists.sheet, [part], state="hidden")
    if package.strings is not None:
        returned.add_part("sharedStrings", package.chunks(package.strings), size=package.size(package.strings))
    returned.add_part("styles", [styles.document()])
    copy_theme(package, returned)
    returned.finish(package.workbook, kept=package.sheets)


def _marked_sheet(package: Package, part: SheetPart, rows: MarkedRows, lists: Lists) -> Iterator[bytes]:
    sheet = Sheet(package.chunks(part.part), thorough=False)
    yield sheet.head().encode()
    yield from map(rows.marked, sheet.rows())
    tail = sheet.tail()
    tail["dataValidations"] += list(lists.rules(tail["dataValidations"]))
    yield closing(tail, drawing=NOTES).encode()


def _mark_delimited(
    copy: BinaryIO, target: BinaryIO, *, header_row: int, faults: Sequence[Fault], heading: str
) -> None:
    content = DelimitedText(copy)
    remarks: dict[int, Cell] = {**_by_row(faults), header_row: heading}
    # Every row gets its remark in the same column, however short the row is.
    width = max(map(len, content.records()), default=0)
    records = (
        [*record, *[""] * (width - len(record)), remarks.get(number, "")] if record else []
        for number, record in enumerate(content.records(), start=1)
    )
    write_delimited(target, records, content.delimiter)
