"""Cells: one cleaner per kind of field turns a cell into a value, or says what is wrong with it."""

from __future__ import annotations

import datetime as dt
import functools
import re
import unicodedata
from types import NoneType
from typing import TYPE_CHECKING, Final

from imports.pipeline.fields import Field, FieldKind
from imports.pipeline.issues import IssueCode, Severity
from imports.pipeline.reading import is_error
from portal.core.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from imports.pipeline.reading import Cell

    Value = str | dt.date | None
    Cleaner = Callable[[Cell], Value]

# Signs that show nothing but make two equal texts differ, and surrogates, which no database stores.
_INVISIBLE: Final = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LOCAL: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL: Final = r"[^\W_]+(?:-+[^\W_]+)*"
_EMAIL: Final = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+(?!\d+$){_LABEL}")
_MAX_LOCAL: Final = 64
_MAX_LABEL: Final = 63
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})")
_ISO: Final = re.compile(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})")
_MIDNIGHT: Final = re.compile(r"[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$")
_SERIAL: Final = re.compile(r"\d{5}(?:\.0+)?")
# Tuples, not unions: a union is built anew, and walked slowly, for each of a million cells.
_UNNUMBERED: Final = (bool, dt.date, dt.time, dt.timedelta)
_LONGEST_DATE: Final = 40
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2100
# A workbook keeps 15 digits: beyond, the last ones of a number are zeros that nobody typed.
_EXACT: Final = 1e15
_LANGUAGES: Final = {
    "fr": "fr", "fra": "fr", "fre": "fr", "francais": "fr", "french": "fr", "fr fr": "fr", "fr ca": "fr",
    "fr be": "fr", "fr ch": "fr", "en": "en", "eng": "en", "anglais": "en", "english": "en", "en gb": "en",
    "en us": "en",
}  # fmt: skip


class CellFinding(Exception):  # noqa: N818 - a finding is part of the work, not a failure of the program.
    """What is wrong with a cell; a warning carries the value to keep."""

    def __init__(
        self, code: IssueCode, *, severity: Severity = Severity.ERROR, keep: Value = "", **params: str
    ) -> None:
        super().__init__(code)
        self.code = code
        self.severity = severity
        self.keep = keep
        self.params = params


def clean_text(text: str) -> str:
    """Return the text in NFC, without invisible signs, its spaces of every kind trimmed and collapsed."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", _CONTROL.sub(" ", _INVISIBLE.sub("", text)))
    return " ".join(text.split())


def cleaner(field: Field, *, date_1904: bool = False) -> Cleaner:
    """Return the cleaner of a field."""
    cleaners: dict[FieldKind, Cleaner] = {
        FieldKind.EMAIL: functools.partial(_email, limit=field.max_length),
        FieldKind.CODE: functools.partial(_code, limit=field.max_length),
        FieldKind.DATE: functools.partial(_date, epoch=_epoch(date_1904=date_1904)),
        FieldKind.LANGUAGE: _language,
        FieldKind.ROW_NUMBER: _row_number,
        FieldKind.TEXT: functools.partial(_label, limit=field.max_length),
    }
    return cleaners.get(field.kind, functools.partial(_name, limit=field.max_length))


def repeats(field: Field) -> bool:
    """Whether the values of a field come again and again down a column."""
    return field.name != "email" and field.kind not in {FieldKind.CODE, FieldKind.ROW_NUMBER}


class Memory(dict["Cell", "Value"]):
    """What a cleaner made of each text and day, since most columns repeat themselves; other cells pass through.

    A number is not remembered: 1, 1.0 and TRUE are one key.
    """

    LIMIT: Final = 1 << 16

    def __init__(self, function: Cleaner) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, cell: Cell) -> Value:
        value = self._function(cell)
        if isinstance(cell, (str, dt.date)) and len(self) < self.LIMIT:
            self[cell] = value
        return value


def as_text(cell: Cell) -> str:
    """Return a cell as the spreadsheet shows it: numbers gain no ".0"."""
    if isinstance(cell, str):
        return clean_text(cell)
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ")
    return str(cell)


def written_day(cell: Cell) -> dt.date | None:
    """Return the date that a cell is, or says in full; a bare number is none: it may be anything."""
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if not isinstance(cell, str) or len(cell) > _LONGEST_DATE or not any(sign in cell for sign in "/.-"):
        return None
    try:
        return _from_text(_MIDNIGHT.sub("", clean_text(cell)))
    except CellFinding:
        return None


def _checked_text(cell: Cell, limit: int) -> str:
    text = clean_text(cell) if isinstance(cell, str) else as_text(cell)
    if text[:1] == "#" and is_error(cell):
        raise CellFinding(IssueCode.ERROR_CELL)
    if len(text) > limit:
        raise CellFinding(IssueCode.TOO_LONG, limit=str(limit), length=str(len(text)))
    return text


def _code(cell: Cell, *, limit: int) -> str:
    if isinstance(cell, str):
        return _checked_text(cell, limit)
    if isinstance(cell, _UNNUMBERED):
        raise CellFinding(IssueCode.UNEXPECTED_VALUE)
    if isinstance(cell, (float, int)):
        if not abs(cell) < _EXACT:
            raise CellFinding(IssueCode.PRECISION_LOST)
        if cell < 0 or cell != int(cell):
            raise CellFinding(IssueCode.UNEXPECTED_VALUE)
    return _checked_text(cell, limit)


def _name(cell: Cell, *, limit: int) -> str:
    if not isinstance(cell, (str, NoneType)):
        raise CellFinding(IssueCode.UNEXPECTED_VALUE)
    return _checked_text(cell, limit)


def _label(cell: Cell, *, limit: int) -> str:
    text = _checked_text(cell, limit)
    if isinstance(cell, (dt.date, dt.time, dt.timedelta)):
        # Excel turns "janv. 2026" into a date: the text that HR typed is gone, so the person is told.
        raise CellFinding(IssueCode.DATE_AS_TEXT, severity=Severity.WARNING, keep=text)
    return text


def _email(cell: Cell, *, limit: int) -> str:
    text = _checked_text(cell, limit).lower()
    if text and not _is_email(text):
        raise CellFinding(IssueCode.INVALID_EMAIL)
    return text


def _is_email(text: str) -> bool:
    if not _EMAIL.fullmatch(text):
        return False
    local, _, domain = text.partition("@")
    if len(local) > _MAX_LOCAL:
        return False
    return len(domain) <= _MAX_LABEL or max(map(len, domain.split("."))) <= _MAX_LABEL


def _language(cell: Cell) -> str:
    text = _checked_text(cell, 100)
    if not text:
        return ""
    if language := _LANGUAGES.get(fold(text)):
        return language
    raise CellFinding(IssueCode.INVALID_LANGUAGE, severity=Severity.WARNING, keep="")


def _row_number(cell: Cell) -> str | None:
    """Read a row's number that we wrote ourselves; anything else in its place names no row."""
    text = as_text(cell)
    return text if text.isascii() and text.isdecimal() and len(text) <= 7 else None


def _epoch(*, date_1904: bool) -> dt.date:
    return dt.date(1904, 1, 1) if date_1904 else dt.date(1899, 12, 30)


def _date(cell: Cell, *, epoch: dt.date) -> dt.date | None:
    """Read a date; of a cell that is none, no date is kept: an empty text would not fit a column of dates."""
    try:
        return _in_range(_day(cell, epoch))
    except CellFinding as finding:
        finding.keep = None
        raise


def _in_range(day: dt.date | None) -> dt.date | None:
    if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise CellFinding(IssueCode.DATE_OUT_OF_RANGE, first=str(_FIRST_YEAR), last=str(_LAST_YEAR))
    return day


def _day(cell: Cell, epoch: dt.date) -> dt.date | None:
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, _UNNUMBERED):
        raise CellFinding(IssueCode.INVALID_DATE)
    if isinstance(cell, (float, int)):
        return _from_serial(cell, epoch)
    text = _checked_text(cell, 100)
    if not text:
        return None
    if _SERIAL.fullmatch(text):
        return _from_serial(float(text), epoch)
    return _from_text(_MIDNIGHT.sub("", text))


def _from_serial(serial: float, epoch: dt.date) -> dt.date:
    try:
        # Excel believes in 29 February 1900: before it, serials are one day off.
        early = 1 if serial < 60 and epoch.year == 1899 else 0
        return epoch + dt.timedelta(days=int(serial) + early)
    except (OverflowError, ValueError):
        raise CellFinding(IssueCode.INVALID_DATE) from None


def _from_text(text: str) -> dt.date:
    """Read JJ/MM/AAAA or ISO; MM/DD is never guessed, since a wrong date looks as good as a right one."""
    try:
        if match := _DAY_FIRST.fullmatch(text):
            day, month, year = (int(part) for part in match.groups())
            return dt.date(year if len(match[3]) == 4 else _full_year(year), month, day)
        if match := _ISO.fullmatch(text):
            return dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    raise CellFinding(IssueCode.INVALID_DATE)


def _full_year(year: int) -> int:
    return 2000 + year if year < 50 else 1900 + year
