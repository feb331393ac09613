"""Blocks: rows checked together say what each says alone, in whatever company it comes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.pipeline.blocks import BLOCK_ROWS, check_blocks
from imports.pipeline.copying import block_lines
from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.mapping import Mapping
from imports.pipeline.reading import ErrorCell, Row
from tests.imports.pipeline.checked import checked_rows

if TYPE_CHECKING:
    from imports.pipeline.reading import Cell

EXCEL_DAY = dt.datetime(2020, 3, 12)  # noqa: DTZ001  Spreadsheets know no time zones.
HEADERS = ("employee_number", "last_name", "first_name", "email", "site", "hired_on", "language")
FULL_NAME = ("employee_number", "full_name", "email")
CELLS = st.sampled_from(
    ("", "00123", 7.0, "Martin", "MARTIN Zoé", "zoe martin", "zoe@laposte.example", "zoe@", "12/03/2020", "31/02/2020",
     EXCEL_DAY, dt.date(2020, 3, 12), dt.date(1066, 1, 1), 1, 1.0, True, None, "fr", "Klingon",
     ErrorCell("#N/A"), "a\tb\\c", "Total")
)  # fmt: skip


def mapping(headers: tuple[str, ...]) -> Mapping:
    return Mapping("Effectif", 1, headers, {header: rank for rank, header in enumerate(headers)})


@pytest.mark.parametrize("headers", [HEADERS, FULL_NAME, HEADERS[:3], HEADERS[1:4]])
@pytest.mark.parametrize("options", [{}, {"names_required": False}])
@given(st.data())
@settings(max_examples=40)
def test_a_row_says_the_same_in_any_company(
    headers: tuple[str, ...], options: dict[str, bool], data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.tuples(*[CELLS] * len(headers)), max_size=8))
    numbered = [Row(number, cells) for number, cells in enumerate(rows, start=2)]

    together = checked_rows(numbered, mapping(headers), **options)

    faulty = Row(99, ("x",) + ("#N/A",) * (len(headers) - 1))
    alone = [checked_rows([row], mapping(headers), **options) for row in numbered]
    beside_a_fault = [checked_rows([row, faulty], mapping(headers), **options) for row in numbered]
    assert together == [row for found in alone for row in found]
    assert together == [row for found in beside_a_fault for row in found if row.number != 99]


def test_people_come_in_blocks_and_what_is_to_be_said_of_one_keeps_no_other_back() -> None:
    people: list[tuple[Cell, ...]] = [(f"{rank:05d}", "Martin", "Zoé") for rank in range(2 * BLOCK_ROWS + 1)]
    people[3] = ("00003", "", "Zoé")
    numbered = [Row(number, cells) for number, cells in enumerate(people, start=2)]

    blocks = list(check_blocks(numbered, mapping(HEADERS[:3]), ROSTER_FIELDS))

    assert [len(block) for block in blocks] == [BLOCK_ROWS, BLOCK_ROWS, 1]
    assert [[row.number for row in block.others] for block in blocks] == [[5], [], []]


def test_what_has_to_be_escaped_is_and_what_stands_beside_it_is_not() -> None:
    rows = [Row(2, ("1", "O\\Hara", "Zoé")), Row(3, ("2", "Martin", "Léa"))]
    (block,) = check_blocks(rows, mapping(HEADERS[:3]), ROSTER_FIELDS)

    lines = block_lines(block, HEADERS[:3], room=9).decode()

    assert lines == "2\tf\to hara zo\t{}\t1\tO\\\\Hara\tZoé\n3\tf\tmartin le\t{}\t2\tMartin\tLéa\n"
