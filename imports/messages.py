"""What is said of a file or a row: a code and its parameters become a sentence that says what to do.

Sentences are made when they are shown, in the reader's language; only codes and parameters are stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.core.templatetags.ui import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.utils.functional import _StrPromise

FIELDS: dict[str, _StrPromise] = {
    "employee_number": _("employee number"),
    "email": _("e-mail"),
    "first_name": _("first name"),
    "last_name": _("last name"),
    "full_name": _("last and first name"),
    "site": _("site"),
    "department": _("department"),
    "manager_email": _("manager’s e-mail"),
    "hired_on": _("hiring date"),
    "left_on": _("leaving date"),
    "cohort": _("cohort"),
    "language": _("language"),
    "active": _("activity"),
}

_ROWS: dict[str, _StrPromise] = {
    "missing_key": _("This row has neither an employee number nor an e-mail: add one of them."),
    "missing_last_name": _("The last name is missing: add it."),
    "missing_first_name": _("The first name is missing: add it."),
    "ambiguous_name": _(
        "“%(value)s” was read as last name “%(last_name)s” and first name “%(first_name)s”: check "
        "it, or give them in two columns."
    ),
    "invalid_email": _("“%(value)s” is not an e-mail address: correct it, or leave the cell empty."),
    "invalid_date": _("“%(value)s” is not a date: write it as DD/MM/YYYY."),
    "date_out_of_range": _("The date “%(value)s” is not between %(first)s and %(last)s: check the year."),
    "date_as_text": _("The spreadsheet turned this cell into a date: “%(value)s” was kept. Format the column as text."),
    "invalid_language": _("“%(value)s” is not a language of the programme: write fr or en. The cell was left out."),
    "error_cell": _("The cell shows the error %(value)s: correct its formula, or type the value."),
    "unexpected_value": _("“%(value)s” is not what this column should hold: correct it."),
    "precision_lost": _(
        "The spreadsheet has lost the last digits of this number: format the column as text and type it again."
    ),
    "too_long": _("This text has %(length)s characters and %(limit)s are taken: shorten it."),
    "duplicate_merged": _("This row repeats row %(first)s with the same values: they count once."),
    "duplicate_conflict": _(
        "“%(value)s” stands for several rows with different values, the first being row %(first)s: "
        "none of them was taken. Keep the right one."
    ),
    "ambiguous_key_email": _(
        "Several rows carry the e-mail “%(value)s” of a person known without an employee number: "
        "none of them was taken. Say who it is by keeping one."
    ),
    "edited_by_hand": _("Corrected by hand earlier, so the file does not change it: %(fields)s."),
    "last_owner": _("%(value)s is the last owner of this space and would become inactive: name another owner first."),
    "uploader_leaves": _("%(value)s, who uploaded this file, would become inactive."),
    "new_cohort": _("The cohort “%(value)s” does not exist yet: it is created when the import is applied."),
}

_FILES: dict[str, _StrPromise] = {
    "empty_file": _("This file is empty. Save it once more from your spreadsheet, then upload it."),
    "not_a_spreadsheet": _(
        "This file is not a spreadsheet, whatever its name says (%(kind)s). Save the roster as "
        "xlsx, ods or CSV, then upload it."
    ),
    "unsupported_format": _("This format is not read (%(kind)s). Save the roster as xlsx, ods or CSV, then upload it."),
    "password_protected": _("This workbook is protected by a password. Save a copy without one, then upload it."),
    "truncated": _("The end of this file is missing. Download or save it again, then upload it."),
    "damaged": _(
        "This file is damaged and cannot be read. Open it in your spreadsheet, save a copy, then upload that."
    ),
    "broken_quotes": _(
        "A quotation mark is never closed in this CSV file. Save it again from your spreadsheet, then upload it."
    ),
    "html_table": _(
        "This file is a web page under the name of a workbook (HTML). Open it in your spreadsheet, save it as xlsx, "
        "then upload that."
    ),
    "too_many_rows": _(
        "This sheet has more than %(limit)s rows. Split it into several files, then upload them one by one."
    ),
    "too_large": _(
        "This file would be too large once unpacked. Save the roster alone, without pictures, then upload it."
    ),
    "unknown_sheet": _("This workbook has no sheet “%(sheet)s”. Check its name."),
    "no_header": _(
        "No row of this file names the columns that are needed (missing: %(missing)s). Add a row "
        "of headers above the people, then upload the file."
    ),
    "unknown_field": _("“%(field)s” is no field of a roster. Choose the columns again."),
    "unknown_header": _("This file has no column %(header)s. Choose the columns again."),
    "forbidden_column": _(
        "The column “%(header)s” holds what a roster must not bring in, so it cannot be used. Choose another one."
    ),
    "same_column_twice": _("The column “%(header)s” was chosen twice. Choose it once."),
    "missing_fields": _("Columns that are needed are not chosen: %(missing)s. Choose them, or another row of headers."),
    "same_field_twice": _("Two columns were chosen for “%(field)s”: keep one of them."),
    "copy_gone": _("This file is no longer kept, so it cannot be downloaded."),
    "too_many_cohorts": _(
        "The cohort column holds more than %(limit)s different values: it is probably another kind "
        "of column. Rename it, then upload the file."
    ),
    "upload_again": _("This file was not read in time and has been deleted. Upload it again."),
    "internal": _(
        "Something went wrong on our side while reading this file. Nothing was written; upload it again, or tell us "
        "the number of this import: %(number)s."
    ),
    "stopped": _(
        "Something went wrong on our side while this import was applied or undone, so it stopped. Undo what it "
        "changed, or tell us its number: %(number)s."
    ),
    "roster_changed": _(
        "The roster changed while this import was applied, so it stopped. Undo it, then upload the file again."
    ),
}
_NOTES: dict[str, _StrPromise] = {
    "hidden_sheet": _("The people are on the sheet “%(sheet)s”, which is hidden: check that it is the right one."),
    "other_sheets": _("Other sheets look like rosters and were not read: %(names)s. Choose one to read it instead."),
    "two_line_header": _("The headers stand on two lines: the titles of row %(row)s were read with those under them."),
    "duplicate_header": _("Several columns are called “%(header)s”: check which one is used."),
    "hidden_rows": _("Hidden rows were read like the others: %(count)s. Delete those that should not count."),
    "hidden_columns": _("Hidden columns were read like the others: %(headers)s."),
    "merged_cells": _(
        "Cells are merged over several rows, and each of these rows was given the value: %(count)s. Check them."
    ),
}
_FORBIDDEN: dict[str, _StrPromise] = {
    "nir": _("social security number"),
    "birth": _("date or place of birth"),
    "salary": _("pay"),
    "address": _("private address"),
    "phone": _("private telephone"),
    "bank": _("bank account"),
}
_CONTENT: dict[str, _StrPromise] = {
    "email": _("its cells look like e-mail addresses"),
    "manager_email": _("its cells look like e-mail addresses"),
    "hired_on": _("its cells look like dates"),
    "left_on": _("its cells look like dates"),
    "employee_number": _("its cells look like employee numbers"),
}
_REASONS: dict[str, _StrPromise] = {
    "synonym": _("known header"),
    "remembered": _("as you confirmed it before"),
    "similar": _("its header is like a known one"),
    "content": _("its cells look like it"),
    "chosen": _("chosen by you"),
}
_UNKNOWN = _("Something in this file was not understood (%(code)s). Check it, or ask the programme for help.")


class _Params(dict[str, Any]):
    """A sentence that asks for what was not stored still reads as a sentence."""

    def __missing__(self, key: str) -> str:
        return "…"


def field_label(name: str) -> str:
    return str(FIELDS.get(name, name))


def row_message(code: str, params: Mapping[str, Any]) -> str:
    """The sentence of an issue."""
    shown = _shown(params)
    if "fields" in shown:
        shown["fields"] = _enumeration(shown["fields"])
    return str(_ROWS.get(code, _UNKNOWN)) % _Params(shown, code=code)


def file_message(code: str, params: Mapping[str, Any]) -> str:
    """The sentence of a file that was refused."""
    shown = _Params(_shown(params), code=code)
    if "missing" in shown:
        shown["missing"] = _enumeration(str(shown["missing"]).split(", "))
    return str(_FILES.get(code, _UNKNOWN)) % shown


def note_message(code: str, params: Mapping[str, Any]) -> str:
    """The sentence of something to know of how a file was read."""
    return str(_NOTES.get(code, _UNKNOWN)) % _Params(_shown(params), code=code)


def forbidden_label(kind: str) -> str:
    """What a column holds that a roster must not bring in."""
    return str(_FORBIDDEN.get(kind, _("personal data that is not needed")))


def reason_label(reason: str, field: str) -> str:
    """Why a column feeds a field."""
    if reason == "content" and field in _CONTENT:
        return str(_CONTENT[field])
    return str(_REASONS.get(reason, ""))


def _shown(params: Mapping[str, Any]) -> _Params:
    """Counts and row numbers are written as the tables write them; all else is text of the file."""
    return _Params({name: number(value) if type(value) is int else value for name, value in params.items()})


def _enumeration(names: Iterable[str]) -> str:
    return gettext(", ").join(map(field_label, names))
