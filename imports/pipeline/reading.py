"""Reading: any spreadsheet becomes a stream of numbered rows; content decides the format, never the name."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

import python_calamine as calamine

from imports.pipeline.biff import BinaryWorkbook
from imports.pipeline.compound import CompoundFile
from imports.pipeline.delimited import DelimitedText
from imports.pipeline.formats import OLE, START, ZIP, archive_kind, refuse_strangers
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.ooxml import Package
from imports.pipeline.opendocument import OpenDocument
from imports.pipeline.parsed import ParsedSheets
from imports.pipeline.sheets import MAX_ROWS, Cell, ErrorCell, Row, Sheet, SheetFacts, is_error, spread_spans, unquoted
from imports.pipeline.slices import SlicedSheets
from imports.pipeline.xlsb import BinaryPackage

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CSV_SHEET", "MAX_ROWS", "Cell", "ErrorCell", "Row", "Sheet", "Workbook", "is_error", "open_workbook"]

CSV_SHEET: Final = "csv"
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


class _Content(Protocol):
    """The sheets of one kind of file."""

    @property
    def sheets(self) -> tuple[Sheet, ...]: ...

    @property
    def date_1904(self) -> bool: ...

    def facts(self, name: str, /) -> SheetFacts: ...

    def rows(self, name: str, /) -> Iterator[Row]: ...


class Workbook:
    """An open file; nothing of a sheet is parsed before its rows or its facts are asked for."""

    def __init__(self, content: _Content, workbook_format: str) -> None:
        if not content.sheets:
            raise UnreadableFile("damaged")
        self._content = content
        self.format = workbook_format
        self.sheets = content.sheets
        self.sheet_names = tuple(sheet.name for sheet in content.sheets)
        self.date_1904 = content.date_1904

    def rows(self, sheet: str) -> Iterator[Row]:
        """Yield the rows of a sheet from its top, blank ones too where they matter; beyond MAX_ROWS it is refused."""
        self._known(sheet)
        return self._rows(sheet)

    def facts(self, sheet: str) -> SheetFacts:
        """Return how long a sheet is, what is out of sight in it, and what is merged."""
        self._known(sheet)
        with _named_refusals():
            return self._content.facts(sheet)

    def height(self, sheet: str) -> int:
        """Return the number of the last row that holds something; delimited text is read to its end for it."""
        if self.format == "csv":
            return sum(1 for _ in self.rows(sheet))
        return self.facts(sheet).rows

    def _rows(self, sheet: str) -> Iterator[Row]:
        with _named_refusals():
            spans = self._content.facts(sheet).spans if self.format != "csv" else ()
            rows = self._content.rows(sheet)
            yield from spread_spans(rows, spans) if spans else rows

    def _known(self, sheet: str) -> None:
        if sheet not in self.sheet_names:
            raise UnreadableFile("unknown_sheet", sheet=sheet)


@contextlib.contextmanager
def open_workbook(source: Path | BinaryIO) -> Iterator[Workbook]:
    """Open a file of any kind, or raise UnreadableFile with the reason; a stream must be seekable."""
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(source.open("rb")) if isinstance(source, Path) else source
        stream.seek(0)
        start = stream.read(START)
        if not start.strip():
            raise UnreadableFile("empty_file")
        if start.startswith(ZIP):
            yield _open_archive(stream, stack)
        elif start.startswith(OLE):
            yield _open_compound(stream)
        else:
            refuse_strangers(start)
            yield Workbook(_Delimited(DelimitedText(stream)), "csv")


def _open_archive(stream: BinaryIO, stack: contextlib.ExitStack) -> Workbook:
    try:
        archive = stack.enter_context(zipfile.ZipFile(stream))
    except _READER_ERRORS:
        # The directory of an archive stands at its end: without it, the end is missing.
        raise UnreadableFile("truncated") from None
    with _named_refusals():
        kind = archive_kind(archive)
        content: _Content
        if kind == "xlsx":
            content = SlicedSheets(Package(archive), max_rows=MAX_ROWS)
        elif kind == "xlsb":
            content = ParsedSheets(stream, BinaryPackage(archive), max_rows=MAX_ROWS)
        else:
            content = ParsedSheets(stream, OpenDocument(archive), max_rows=MAX_ROWS)
    return Workbook(content, kind)


def _open_compound(stream: BinaryIO) -> Workbook:
    """Open an old binary workbook; a protected xlsx is such a container around an encrypted package."""
    stream.seek(0)
    content = stream.read()
    with _named_refusals():
        compound = CompoundFile(content)
        if "EncryptedPackage" in compound.names:
            raise UnreadableFile("password_protected")
        if compound.truncated:
            raise UnreadableFile("truncated")
        workbook = compound.stream("Workbook") or compound.stream("Book")
        if workbook is None:
            raise UnreadableFile("not_a_spreadsheet", kind="Office 97")
        facts = BinaryWorkbook(workbook)
        return Workbook(ParsedSheets(io.BytesIO(content), facts, max_rows=MAX_ROWS), "xls")


class _Delimited:
    """Delimited text as a workbook of one sheet."""

    date_1904 = False
    sheets = (Sheet(CSV_SHEET),)

    def __init__(self, text: DelimitedText) -> None:
        self._text = text

    def facts(self, _name: str) -> SheetFacts:
        return SheetFacts()

    def rows(self, _name: str) -> Iterator[Row]:
        for number, record in enumerate(self._text.records(), start=1):
            if number > MAX_ROWS:
                raise UnreadableFile("too_many_rows", limit=str(MAX_ROWS))
            yield Row(number, unquoted(record))


@contextlib.contextmanager
def _named_refusals() -> Iterator[None]:
    """Turn whatever a hostile or damaged file provokes in the readers into a named refusal."""
    try:
        yield
    except calamine.PasswordError:
        raise UnreadableFile("password_protected") from None
    except MemoryError:
        raise UnreadableFile("too_large") from None
    except _READER_ERRORS:
        raise UnreadableFile("damaged") from None
    except BaseException as problem:
        # A panic of the Rust reader derives from BaseException and its class cannot be imported.
        if type(problem).__name__ != "PanicException":
            raise
        raise UnreadableFile("damaged") from None
