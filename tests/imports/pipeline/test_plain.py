"""Plain workbooks: every value is read back as it was, and none is a formula or breaks the file."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from typing import TYPE_CHECKING

import openpyxl
import pytest

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.plain import MAX_TEXT, PlainSheet, sheet_name, write_plain
from imports.pipeline.reading import ErrorCell, Row
from tests.imports.pipeline.packages import SHEET, parts, values

if TYPE_CHECKING:
    from imports.pipeline.reading import Cell


def written(*cells: Cell, **looks: dict[int, float] | dict[int, str]) -> io.BytesIO:
    stream = io.BytesIO()
    write_plain(stream, [PlainSheet("Effectif", [Row(2, cells)], **looks)])  # type: ignore[arg-type]  # either look
    return stream


@pytest.mark.parametrize(
    "cell",
    [
        "00123", " é \n x ", "=1+1", "@x", "]]>", "<b>&amp;\"'", "_x0041_", "a\r\nb", 12.0, 12.5, -1e-9, 1e300, True,
        dt.date(2020, 5, 17), dt.datetime.fromisoformat("2020-05-17T08:30"), dt.timedelta(hours=30), "#N/A",
    ],
)  # fmt: skip
def test_a_value_is_read_as_it_was(cell: Cell) -> None:
    assert values(written(cell)) == [[], [cell]]


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("a\x00b\ud800c\ufffe", "a\ufffdb\ufffdc\ufffd"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (dt.date(1850, 1, 1), "1850-01-01"),
        (dt.time(8, 30), dt.time(8, 30)),
    ],
)
def test_what_a_workbook_cannot_hold_is_shown(cell: Cell, read: Cell) -> None:
    assert values(written(cell)) == [[], [read]]


def test_a_text_beyond_what_a_cell_holds_shows_that_it_goes_on() -> None:
    (_, (text,)) = values(written("x" * 40_000))
    assert (len(text), text[-1]) == (MAX_TEXT, "…")


def test_an_error_stays_an_error() -> None:
    cell = openpyxl.load_workbook(written(ErrorCell("#N/A"), ErrorCell("#SPILL!")))["Effectif"]["A2"]
    assert (cell.value, cell.data_type) == ("#N/A", "e")


def test_widths_and_number_formats_of_columns() -> None:
    sheet = openpyxl.load_workbook(written(7.0, "x", widths={1: 33.0}, formats={0: "00000"}))["Effectif"]
    assert (sheet["A2"].number_format, sheet.column_dimensions["B"].width) == ("00000", 33)


def test_neighbours_of_one_width_are_declared_together() -> None:
    sheet = parts(written("x", widths={0: 9.0, 1: 9.0, 2: 7.0, 5: 7.0}))[SHEET]
    assert re.findall(rb'min="(\d+)" max="(\d+)" width="(\d+)', sheet) == [
        (b"1", b"2", b"9"), (b"3", b"3", b"7"), (b"6", b"6", b"7"),
    ]  # fmt: skip


def test_more_columns_than_there_are_are_refused() -> None:
    with pytest.raises(UnreadableFile) as caught:
        written(*["x"] * 16_385)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("name", "taken", "found"),
    [
        ("Effectif", set(), "Effectif"),
        ("a/b:c[d]", set(), "a_b_c_d_"),
        ("'x'", set(), "x"),
        ("", set(), "_"),
        ("Effectif", {"effectif"}, "Effectif_2"),
        ("x" * 40, {"x" * 31}, "x" * 29 + "_2"),
    ],
)
def test_names_of_sheets(name: str, taken: set[str], found: str) -> None:
    assert sheet_name(name, taken) == found
