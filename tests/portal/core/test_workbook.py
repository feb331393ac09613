"""No cell that goes out can become a formula, and nothing else is changed."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.workbook import Sheet, safe_cell, write_csv, write_xlsx


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_what_could_be_a_formula_is_text(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("value", [5, -5, 1.5, None, "00123", "PDC Lyon-Est", "a=b", ""])
def test_everything_else_stays(value: str | float | None) -> None:
    assert safe_cell(value) == value


@pytest.mark.parametrize("value", ["Équipe 👩\u200d💻", "می\u200cخواهم", "\u200d"])
def test_signs_that_join_or_part_others_stay(value: str) -> None:
    assert safe_cell(value) == value


def test_a_formula_does_not_hide_behind_a_joiner() -> None:
    assert safe_cell("\u200d\u200c=1+1") == "'\u200d\u200c=1+1"


@given(st.text())
def test_a_cell_never_begins_with_a_formula(text: str) -> None:
    shown = safe_cell(text)
    assert isinstance(shown, str)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    shown.encode()


def test_csv_is_written_row_by_row() -> None:
    out = io.StringIO(newline="")
    write_csv(out, ["site", "n"], (("=A1", -number) for number in range(2)))
    assert list(csv.reader(io.StringIO(out.getvalue()))) == [["site", "n"], ["'=A1", "0"], ["'=A1", "-1"]]


def test_a_workbook_has_text_and_numbers_only() -> None:
    out = io.BytesIO()
    rows = [("=1+1", -3, None), ("https://example.fr/", 10**15, "\x00\x0b")]
    write_xlsx(out, [Sheet("Un", ["=a", "b", "c"], iter(rows)), Sheet("Deux", ["a"], [("x",)])])
    workbook = openpyxl.load_workbook(out)
    assert workbook.sheetnames == ["Un", "Deux"]
    cells = [[(cell.value, cell.data_type) for cell in row] for row in workbook["Un"].iter_rows()]
    assert cells == [
        [("'=a", "s"), ("b", "s"), ("c", "s")],
        [("'=1+1", "s"), (-3, "n"), (None, "n")],
        [("https://example.fr/", "s"), (10**15, "n"), ("\ufffd\ufffd", "s")],
    ]
    assert not any(cell.hyperlink for row in workbook["Un"].iter_rows() for cell in row)
