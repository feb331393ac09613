"""Validation: what a row becomes, what is said of it, and what is not a person."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.issues import Severity
from imports.pipeline.mapping import Mapping
from imports.pipeline.reading import ErrorCell, Row
from tests.imports.pipeline.checked import checked_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.pipeline.reading import Cell
    from imports.pipeline.validation import CheckedRow

FIELDS = tuple(field.name for field in ROSTER_FIELDS if field.name != "full_name")


def mapping(*fields: str, **options: Any) -> Mapping:
    columns = {field: index for index, field in enumerate(fields) if field}
    return Mapping("Effectif", 1, fields, columns, **options)


def check(
    rows: Sequence[tuple[Cell, ...]], *fields: str, names_required: bool = True, **options: Any
) -> list[CheckedRow]:
    numbered = [Row(number, cells) for number, cells in enumerate([fields, *rows], start=1)]
    return checked_rows(numbered, mapping(*fields, **options), names_required=names_required)


def person(**cells: Cell) -> CheckedRow:
    """Check one row of a complete person, with some cells in place of theirs."""
    complete: dict[str, Cell] = {"employee_number": "00123", "last_name": "Martin", "first_name": "Zoé"}
    row = complete | cells
    (checked,) = check([tuple(row.values())], *row)
    return checked


def codes(row: CheckedRow) -> list[str]:
    return [issue.code.value for issue in row.issues]


def test_a_row_has_the_mapped_fields_and_no_other() -> None:
    row = person(email=" Zoe.Martin@LaPoste.example ", hired_on="")
    assert row.values == {
        "employee_number": "00123",
        "email": "zoe.martin@laposte.example",
        "first_name": "Zoé",
        "last_name": "Martin",
        "hired_on": None,
    }
    assert (row.number, row.sort_name, row.issues, row.rejected) == (2, "martin zoe", [], False)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (4100.0, "4100"),
        (4100, "4100"),
        ("00123", "00123"),
        ("\u00a000123\u202f\u200b", "00123"),
        ("=1+1", "=1+1"),
        ("@SUM(A1)", "@SUM(A1)"),
    ],
)
def test_employee_numbers_are_kept_as_shown(cell: Cell, value: str) -> None:
    row = person(employee_number=cell)
    assert (row.values["employee_number"], row.issues) == (value, [])


@pytest.mark.parametrize(
    ("field", "cell", "code"),
    [
        ("employee_number", 12.5, "unexpected_value"),
        ("employee_number", -3.0, "unexpected_value"),
        ("employee_number", True, "unexpected_value"),
        ("employee_number", dt.date(2020, 1, 2), "unexpected_value"),
        ("employee_number", 1234567890123456789.0, "precision_lost"),
        ("employee_number", float("inf"), "precision_lost"),
        ("employee_number", "9" * 65, "too_long"),
        ("last_name", ErrorCell("#N/A"), "error_cell"),
        ("last_name", "#NOM?", "error_cell"),
        ("last_name", 12.0, "unexpected_value"),
        ("last_name", "x" * 151, "too_long"),
        ("last_name", "", "missing_last_name"),
        ("last_name", "\u200b\u00a0", "missing_last_name"),
        ("first_name", "", "missing_first_name"),
        ("hired_on", "13/25/2020", "invalid_date"),
        ("hired_on", "05/13/2020", "invalid_date"),
        ("hired_on", "31/02/2020", "invalid_date"),
        ("hired_on", "hier", "invalid_date"),
        ("hired_on", True, "invalid_date"),
        ("hired_on", dt.time(3, 4), "invalid_date"),
        ("hired_on", 1e300, "invalid_date"),
        ("hired_on", "01/01/1850", "date_out_of_range"),
        ("hired_on", "2999-01-01", "date_out_of_range"),
        ("manager_email", "chef", "invalid_email"),
    ],
)
def test_errors_reject_the_row(field: str, cell: Cell, code: str) -> None:
    row = person(**{field: cell})
    assert codes(row) == [code]
    assert row.rejected
    assert (row.issues[0].field, row.issues[0].column, row.issues[0].severity) == (
        field,
        field,
        Severity.ERROR,
    )


@pytest.mark.parametrize(
    "email",
    [
        "a@b.example",
        "a.b+c@sub.laposte.example",
        "o'neil@x-y.fr",
        "zoe@hôtel.example",
        "z@xn--htel-vqa.example",
    ],
)
def test_good_emails(email: str) -> None:
    assert person(email=email).issues == []


@pytest.mark.parametrize(
    "email",
    ["a", "a@", "@b.fr", "a@b", "a@@b.fr", "a b@c.fr", "a@b .fr", "jean.dupont(at)laposte.example", ".a@b.fr",
     "a..b@c.fr", "a@-b.fr", "a@b-.fr", "a@b..fr", "a@1.2.3.4", "a@b.fr, c@d.fr", f"{'a' * 65}@b.fr",
     f"a@{'b' * 64}.fr", f"a@{'b.' * 130}fr", "<a@b.fr>", "a@b_c.fr"],
)  # fmt: skip
def test_bad_emails_reject_the_row(email: str) -> None:
    row = person(email=email)
    assert codes(row)[0] in {"invalid_email", "too_long"}
    assert row.rejected


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("13/05/1995", dt.date(1995, 5, 13)),
        ("3/5/1995", dt.date(1995, 5, 3)),
        ("03-05-95", dt.date(1995, 5, 3)),
        ("03.05.12", dt.date(2012, 5, 3)),
        ("1995-05-13", dt.date(1995, 5, 13)),
        ("1995-05-13T00:00:00Z", dt.date(1995, 5, 13)),
        ("13/05/1995 00:00", dt.date(1995, 5, 13)),
        ("19950513", dt.date(1995, 5, 13)),
        (dt.datetime(1995, 5, 13, 8, 30), dt.date(1995, 5, 13)),  # noqa: DTZ001 - as a workbook gives it.
        (dt.date(1995, 5, 13), dt.date(1995, 5, 13)),
        (34832.0, dt.date(1995, 5, 13)),
        ("34832", dt.date(1995, 5, 13)),
        (59, dt.date(1900, 2, 28)),
        (61, dt.date(1900, 3, 1)),
    ],
)
def test_dates(cell: Cell, day: dt.date) -> None:
    row = person(hired_on=cell)
    assert (row.values["hired_on"], row.issues) == (day, [])


def test_serials_of_the_1904_calendar() -> None:
    fields = ("employee_number", "last_name", "first_name", "hired_on")
    (row,) = check([("1", "Martin", "Zoé", 33370.0)], *fields, date_1904=True)
    assert row.values["hired_on"] == dt.date(1995, 5, 13)


def test_warnings_keep_the_row() -> None:
    row = person(cohort=dt.date(2026, 1, 1), language="elfique")
    assert (codes(row), row.rejected) == (["date_as_text", "invalid_language"], False)
    assert (row.values["cohort"], row.values["language"]) == ("2026-01-01", "")
    assert person(language="Français").values["language"] == "fr"


def test_a_key_is_required_and_either_will_do() -> None:
    fields = ("employee_number", "email", "last_name", "first_name")
    rows = check([("", "", "Martin", "Zoé"), ("", "z@b.fr", "Martin", "Zoé"), ("1", "", "Martin", "Zoé")], *fields)
    assert [codes(row) for row in rows] == [["missing_key"], [], []]


def test_without_names_the_number_is_enough() -> None:
    (row,) = check([("00123",)], "employee_number", names_required=False)
    assert (row.values, row.sort_name, row.issues) == ({"employee_number": "00123"}, "", [])
    (row,) = check([("00123",)], "employee_number")
    assert codes(row) == ["missing_last_name", "missing_first_name"]


@pytest.mark.parametrize(
    "cells",
    [
        ("", "", "", ""),
        ("\u00a0", None, " ", ""),
        ("Total", "", "", 12.0),
        ("Sous-total Courrier", "", "", ""),
        ("Nombre de salariés : 12", "", "", ""),
        (12.0, "Total général", "", ""),
        ("Direction du Courrier", "", "", ""),
        ("", "PDC Chauvin", "", ""),
        ("employee_number", "last_name", "first_name", "site"),
    ],
)
def test_furniture_is_never_a_person(cells: tuple[Cell, ...]) -> None:
    assert check([cells], "employee_number", "last_name", "first_name", "site") == []


@pytest.mark.parametrize(
    "cells",
    [
        ("00123", "", "", ""),
        ("00123", "", "Zoé", ""),
        ("", "Total", "Jean", "Lyon"),
        ("Martin", "", "Zoé", ""),
    ],
)
def test_an_incomplete_person_is_said_not_skipped(cells: tuple[Cell, ...]) -> None:
    (row,) = check([cells], "employee_number", "last_name", "first_name", "site")
    assert row.rejected


def test_a_person_called_total_is_one() -> None:
    (row,) = check([("00123", "Total", "Jean")], "employee_number", "last_name", "first_name")
    assert not row.issues


@pytest.mark.parametrize(
    ("text", "last", "first", "found"),
    [
        ("DE LA TOUR Jean-Marc", "DE LA TOUR", "Jean-Marc", []),
        ("ROCHER Laurence", "ROCHER", "Laurence", []),
        ("Martin, Zoé", "Martin", "Zoé", []),
        ("Martin Zoé", "Martin", "Zoé", ["ambiguous_name"]),
        ("DUPONT JEAN MARIE", "DUPONT", "JEAN MARIE", ["ambiguous_name"]),
        ("de la Tour Jean", "de la Tour", "Jean", ["ambiguous_name"]),
        ("Laurence ROCHER", "ROCHER", "Laurence", ["ambiguous_name"]),
        ("ROCHER", "ROCHER", "", ["missing_first_name"]),
    ],
)
def test_full_names_are_cut(text: str, last: str, first: str, found: list[str]) -> None:
    (row,) = check([("1", text)], "employee_number", "full_name")
    assert (row.values["last_name"], row.values["first_name"], codes(row)) == (last, first, found)
    assert "full_name" not in row.values


def test_unmapped_columns_reject_nothing_and_are_not_read() -> None:
    cells = ("00123", ErrorCell("#REF!"), "Martin", "Zoé")
    (row,) = check([cells], "employee_number", "", "last_name", "first_name")
    assert row.issues == []


def test_shown_values_are_short() -> None:
    assert len(person(last_name="x" * 500).issues[0].value) == 80


cells = (
    st.none()
    | st.text(max_size=40)
    | st.sampled_from(["#N/A", "13/05/1995", "a@b.fr", "Total", "DUPONT Jean", "\ud800", "\x00"])
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
)


@given(rows=st.lists(st.lists(cells, max_size=13).map(tuple), max_size=6))
@settings(max_examples=200, deadline=None)
def test_any_cells_give_values_that_a_database_takes(rows: list[tuple[Cell, ...]]) -> None:
    for fields in (FIELDS, ("full_name", "email", "hired_on")):
        for row in check(rows, *fields):
            for value in (*row.values.values(), row.sort_name, *(issue.value for issue in row.issues)):
                if isinstance(value, str):
                    assert "\x00" not in value
                    value.encode()
                else:
                    assert value is None or type(value) is dt.date


@given(
    order=st.permutations(range(len(FIELDS))),
    rows=st.lists(st.lists(cells, min_size=len(FIELDS), max_size=len(FIELDS)).map(tuple), max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_the_order_of_columns_does_not_matter(order: list[int], rows: list[tuple[Cell, ...]]) -> None:
    shuffled = check([tuple(row[index] for index in order) for row in rows], *(FIELDS[index] for index in order))
    plain = check(rows, *FIELDS)
    assert [(row.number, row.values, set(codes(row))) for row in shuffled] == [
        (row.number, row.values, set(codes(row))) for row in plain
    ]
