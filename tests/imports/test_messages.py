"""Every code has its sentence, and every sentence its parameters."""

from __future__ import annotations

import pytest

from imports.messages import field_label, file_message, row_message
from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.issues import IssueCode

FILES = [
    "empty_file",
    "not_a_spreadsheet",
    "unsupported_format",
    "password_protected",
    "truncated",
    "damaged",
    "broken_quotes",
    "too_many_rows",
    "too_large",
    "unknown_sheet",
    "no_header",
    "too_many_cohorts",
    "upload_again",
    "internal",
    "stopped",
    "roster_changed",
]


@pytest.mark.parametrize("code", IssueCode)
def test_every_issue_has_a_sentence(code: IssueCode) -> None:
    said = row_message(code, {})

    assert said != row_message("strange", {}).replace("strange", code.value)
    assert said.endswith(".")


@pytest.mark.parametrize("code", FILES)
def test_every_refused_file_has_a_sentence(code: str) -> None:
    assert file_message(code, {}) != file_message("strange", {}).replace("strange", code)


def test_an_unknown_code_is_said_with_its_name() -> None:
    assert "strange" in row_message("strange", {})
    assert "strange" in file_message("strange", {})


def test_a_value_of_the_file_is_text_and_nothing_else() -> None:
    assert "%(value)s %s" in row_message("invalid_email", {"value": "%(value)s %s"})


def test_numbers_are_written_as_in_the_tables() -> None:
    assert "1\u202f119" in row_message("duplicate_merged", {"first": 1_119})
    assert "200\u202f000" in file_message("too_many_rows", {"limit": 200_000})
    assert "1119" in row_message("invalid_email", {"value": "1119"})


def test_fields_are_called_by_their_names() -> None:
    assert field_label("employee_number") in file_message("no_header", {"missing": "employee_number, last_name"})
    assert field_label("site") in row_message("edited_by_hand", {"fields": ["site"]})
    assert all(field_label(field.name) for field in ROSTER_FIELDS)
