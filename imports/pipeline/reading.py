"""Reading: any spreadsheet becomes a stream of numbered rows; content decides the format, never the name."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import itertools
import re
import struct
import zipfile
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias

import python_calamine as calamine

from imports.pipeline.delimited import DelimitedText
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.ooxml import SheetFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.pipeline.ooxml import Mark

MAX_ROWS: Final = 1_048_576
_MAX_UNPACKED: Final = 4 << 30
CSV_SHEET: Final = "csv"


class ErrorCell(str):
    """An error as the spreadsheet shows it (#N/A): a value that no cell of a person may have."""

    __slots__ = ()


# An empty cell is "" (None is taken as empty too); numbers of a workbook are floats, as in Excel itself.
Cell: TypeAlias = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta | None

_ERRORS: Final = frozenset({
    "#N/A", "#REF!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#VALUE!", "#SPILL!", "#CALC!", "#BUSY!",
    "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#PYTHON!", "#GETTING_DATA", "#ERR",
    "#NOM?", "#NUL!", "#NOMBRE!", "#VALEUR!", "#PROPAGATION!", "#CALCUL!",
})  # fmt: skip
# What the readers of archives and of values are known to raise on damaged files.
_READER_ERRORS: Final = (
    calamine.CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    LookupError,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,
)
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = bytes.fromhex("D0CF11E0A1B11AE1")
_OTHER_ARCHIVES: Final = {
    "word/document.xml": "Word",
    "ppt/presentation.xml": "PowerPoint",
    "Index/Document.iwa": "Numbers",
}
# Files that people rename to .xlsx, by their first bytes.
_STRANGERS: Final = (
    (re.compile(rb"%PDF-"), "PDF"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0\0\0", re.DOTALL), "image"),
    (re.compile(rb"\{\\rtf"), "RTF"),
    (re.compile(rb"\s*<\?xml[^>]*>\s*<\?mso-application progid=\"Excel"), "XML Spreadsheet 2003"),
    (re.compile(rb"(?is)\s*(?:<!--.*?-->\s*)?<(?:!doctype html|html|head|body|table|meta|style)"), "HTML"),
    (re.compile(rb"\s*<\?xml|\s*<[A-Za-z]+[ >]"), "XML"),
    (re.compile(rb"Rar!|7z\xbc\xaf|\x1f\x8b|PK\x05\x06"), "archive"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row under the number that the spreadsheet shows; in delimited text, the number of the record."""

    number: int
    cells: tuple[Cell, ...]


class Workbook:
    """An open file. A sheet is parsed when its rows are first asked for; the tallest one is kept."""

    def __init__(self, content: _Spreadsheet | DelimitedText, workbook_format: str) -> None:
        self._content = content
        self.format = workbook_format
        book = content if isinstance(content, _Spreadsheet) else None
        self.sheet_names: tuple[str, ...] = (CSV_SHEET,) if book is None else book.sheet_names
        self.date_1904 = book is not None and book.date_1904

    def rows(self, sheet: str) -> Iterator[Row]:
        """Yield the rows of a sheet from its top, blank ones included; more than MAX_ROWS are refused."""
        if sheet not in self.sheet_names:
            raise UnreadableFile("unknown_sheet", sheet=sheet)
        if isinstance(self._content, DelimitedText):
            return _delimited_rows(self._content)
        return self._content.rows(sheet)


@contextlib.contextmanager
def open_workbook(source: Path | BinaryIO) -> Iterator[Workbook]:
    """Open a file of any kind, or raise UnreadableFile with the reason; a stream must be seekable."""
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(source.open("rb")) if isinstance(source, Path) else source
        stream.seek(0)
        start = stream.read(4096)
        if not start.strip():
            raise UnreadableFile("empty_file")
        if start.startswith(_ZIP):
            yield _open_archive(stream, stack)
        elif start.startswith(_OLE):
            yield _open_ole(stream)
        else:
            _refuse_strangers(start)
            yield Workbook(DelimitedText(stream), "csv")


def _refuse_strangers(start: bytes) -> None:
    for pattern, kind in _STRANGERS:
        if pattern.match(start):
            code = "unsupported_format" if kind == "XML Spreadsheet 2003" else "not_a_spreadsheet"
            raise UnreadableFile(code, kind=kind)


def _open_archive(stream: BinaryIO, stack: contextlib.ExitStack) -> Workbook:
    try:
        archive = stack.enter_context(zipfile.ZipFile(stream))
    except _READER_ERRORS:
        # The directory of an archive stands at its end: without it, the end is missing.
        raise UnreadableFile("truncated") from None
    names = set(archive.namelist())
    if sum(entry.file_size for entry in archive.infolist()) > _MAX_UNPACKED:
        raise UnreadableFile("too_large")
    with _named_refusals():
        if "xl/workbook.bin" in names:
            return Workbook(_Spreadsheet(stream), "xlsb")
        if "xl/workbook.xml" in names:
            return Workbook(_Spreadsheet(stream, SheetFacts(archive)), "xlsx")
        if "mimetype" in names and _kind_of_opendocument(archive).endswith(b"opendocument.spreadsheet"):
            return Workbook(_Spreadsheet(stream), "ods")
    kind = next((kind for name, kind in _OTHER_ARCHIVES.items() if name in names), "archive")
    raise UnreadableFile("unsupported_format" if kind == "Numbers" else "not_a_spreadsheet", kind=kind)


def _kind_of_opendocument(archive: zipfile.ZipFile) -> bytes:
    with archive.open("mimetype") as part:
        return part.read(100).strip()


def _open_ole(stream: BinaryIO) -> Workbook:
    """Open an old binary workbook; a protected xlsx is such a container around an encrypted package."""
    stream.seek(0)
    content = stream.read()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise UnreadableFile("password_protected")
    if not any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        raise UnreadableFile("not_a_spreadsheet", kind="Office 97")
    with _named_refusals():
        return Workbook(_Spreadsheet(io.BytesIO(content)), "xls")


def _rehearse(read) -> None:
    pass


class _Spreadsheet:
    """A workbook read by calamine, completed by the facts that it does not give."""

    def __init__(self, stream: BinaryIO, facts: SheetFacts | None = None) -> None:
        stream.seek(0)
        _rehearse(lambda: calamine.CalamineWorkbook.from_filelike(stream))
        stream.seek(0)
        # From a stream calamine looks at the content; from a path it would believe the extension.
        self._workbook = calamine.CalamineWorkbook.from_filelike(stream)
        self._facts = facts
        self._kept: tuple[calamine.CalamineSheet, bool] | None = None
        self.sheet_names = tuple(
            sheet.name for sheet in self._workbook.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet
        )
        self.date_1904 = facts is not None and facts.date_1904

    def rows(self, name: str) -> Iterator[Row]:
        with _named_refusals():
            sheet, marked = self._sheet(name)
        if sheet.end is None:
            return
        # Rows come from the top of the sheet but columns only from the first filled one.
        margin: tuple[Cell, ...] = ("",) * (sheet.start[1] if sheet.start else 0)
        marks = self._facts.marks(name) if self._facts is not None and marked else iter(())
        with _named_refusals():
            pending = deque(itertools.islice(marks, 1))
            for number, values in enumerate(sheet.iter_rows(), start=1):
                cells: tuple[Cell, ...] = (*margin, *values)
                while pending and pending[0].row <= number:
                    cells = _marked(cells, pending.popleft(), number)
                    pending.extend(itertools.islice(marks, 1))
                yield Row(number, cells)

    def _sheet(self, name: str) -> tuple[calamine.CalamineSheet, bool]:
        """Return a parsed sheet and whether some of its cells are marked."""
        if self._kept is not None and self._kept[0].name == name:
            return self._kept
        marked = self._facts is not None and self._facts.survey(name)
        _rehearse(lambda: self._workbook.get_sheet_by_name(name))
        sheet = self._workbook.get_sheet_by_name(name)
        if sheet.end is not None and sheet.end[0] >= MAX_ROWS:
            raise UnreadableFile("too_many_rows", limit=str(MAX_ROWS))
        if self._kept is None or sheet.height >= self._kept[0].height:
            self._kept = (sheet, marked)
        return sheet, marked


def _marked(cells: tuple[Cell, ...], mark: Mark, number: int) -> tuple[Cell, ...]:
    if mark.row != number or mark.column >= len(cells):
        return cells
    cell = cells[mark.column]
    shown: Cell = cell
    if mark.width == 0:
        shown = ErrorCell(mark.text)
    elif isinstance(cell, float) and cell.is_integer():
        shown = f"{int(cell):0{mark.width}d}"
    return (*cells[: mark.column], shown, *cells[mark.column + 1 :])


def _delimited_rows(text: DelimitedText) -> Iterator[Row]:
    for number, record in enumerate(text.records(), start=1):
        if number > MAX_ROWS:
            raise UnreadableFile("too_many_rows", limit=str(MAX_ROWS))
        yield Row(number, tuple(record))


def is_error(cell: Cell) -> bool:
    """Whether a cell is an error, or the text of one: exports and old formats write errors as text."""
    return isinstance(cell, str) and cell[:1] == "#" and (isinstance(cell, ErrorCell) or cell in _ERRORS)


@contextlib.contextmanager
def _named_refusals() -> Iterator[None]:
    """Turn whatever a hostile or damaged file provokes in the readers into a named refusal."""
    try:
        yield
    except calamine.PasswordError:
        raise UnreadableFile("password_protected") from None
    except _READER_ERRORS:
        raise UnreadableFile("damaged") from None
    except BaseException as problem:
        # A panic of the Rust reader derives from BaseException and its class cannot be imported.
        if type(problem).__name__ != "PanicException":
            raise
        raise UnreadableFile("damaged") from None
