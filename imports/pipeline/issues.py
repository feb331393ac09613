"""What can be wrong with a file or a row, as stable codes; their sentences are written elsewhere."""

from __future__ import annotations

import dataclasses
from enum import StrEnum

MAX_SHOWN = 80


class Severity(StrEnum):
    """An error rejects its row; a warning and an information do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class IssueCode(StrEnum):
    """One code per thing that can be said of a row; codes are stored, so they are never renamed."""

    # Found while a row is read.
    MISSING_KEY = "missing_key"
    MISSING_LAST_NAME = "missing_last_name"
    MISSING_FIRST_NAME = "missing_first_name"
    AMBIGUOUS_NAME = "ambiguous_name"
    INVALID_EMAIL = "invalid_email"
    INVALID_DATE = "invalid_date"
    DATE_OUT_OF_RANGE = "date_out_of_range"
    DATE_AS_TEXT = "date_as_text"
    INVALID_LANGUAGE = "invalid_language"
    ERROR_CELL = "error_cell"
    UNEXPECTED_VALUE = "unexpected_value"
    PRECISION_LOST = "precision_lost"
    TOO_LONG = "too_long"
    # Found when the rows are compared with each other and with the roster.
    DUPLICATE_MERGED = "duplicate_merged"
    DUPLICATE_CONFLICT = "duplicate_conflict"
    AMBIGUOUS_KEY_EMAIL = "ambiguous_key_email"
    EDITED_BY_HAND = "edited_by_hand"
    LAST_OWNER = "last_owner"
    UPLOADER_LEAVES = "uploader_leaves"
    NEW_COHORT = "new_cohort"


@dataclasses.dataclass(frozen=True, slots=True)
class Issue:
    """One finding about one row; `column` is the header as the file has it, "" for the whole row."""

    code: IssueCode
    severity: Severity
    column: str = ""
    field: str = ""
    value: str = ""
    params: dict[str, str] = dataclasses.field(default_factory=dict)


class UnreadableFile(Exception):  # noqa: N818 - it names what the person sees, not a programming error.
    """The file as a whole is refused; `code` says why and `params` completes the sentence.

    Codes: empty_file, not_a_spreadsheet, html_table, unsupported_format, password_protected, truncated, damaged,
    broken_quotes, too_many_rows, too_large, unknown_sheet, no_header; for a mapping that HR corrects: unknown_field,
    unknown_header, forbidden_column, same_column_twice, missing_fields.
    """

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def shown(value: object) -> str:
    """Return a value of the file short enough for a list of issues."""
    text = str(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
