"""Redaction: every kind of file gives a copy without what must go, and sheets that nobody mapped are looked at."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import TYPE_CHECKING

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.reading import Row, open_workbook
from imports.pipeline.redaction import CopyFormat, Emptied, RedactedCopy, forbidden_columns, redact
from tests.imports.pipeline.files import delimited, ods, xls, xlsx
from tests.imports.pipeline.packages import IBAN, NIR, holds, values

if TYPE_CHECKING:
    from collections.abc import Mapping

ROSTER = (
    ("Matricule", "Nom", "Salaire", "Site"),
    ("00123", "Martin", "canary", "=1+1"),
    ("00124", "Durand", "41234", "@Lyon"),
)
COPIED = [list(ROSTER[0]), ["00123", "Martin", "", "=1+1"], ["00124", "Durand", "", "@Lyon"]]
SALARY = Emptied(1, frozenset({2}))


def copied(stream: io.BytesIO, emptied: Mapping[str, Emptied]) -> tuple[RedactedCopy, io.BytesIO]:
    target = io.BytesIO(b"what was there before, and longer than nothing" * 1000)
    return redact(stream, target, emptied=emptied), target


@pytest.mark.parametrize("stream", [xls(ROSTER), ods(ROSTER)], ids=["xls", "ods"])
def test_other_workbooks_become_an_xlsx_of_values(stream: io.BytesIO) -> None:
    outcome, copy = copied(stream, {"Effectif": SALARY})
    assert outcome == RedactedCopy(CopyFormat.XLSX, values_only=True)
    assert values(copy) == COPIED
    assert not holds(copy, "canary")
    with open_workbook(copy) as workbook:
        assert workbook.sheet_names == ("Effectif",)


def test_text_of_an_old_workbook_is_never_a_formula() -> None:
    _, copy = copied(xls(ROSTER), {"Effectif": SALARY})
    cell = openpyxl.load_workbook(copy)["Effectif"]["D2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == ("=1+1", "s", True)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_delimited_text_keeps_its_delimiter_and_its_records(delimiter: str, encoding: str) -> None:
    rows = (*ROSTER, (), ("Total", "é", "", 'a"b\r\nc'))
    outcome, copy = copied(delimited(rows, delimiter=delimiter, encoding=encoding), {"csv": SALARY})
    assert outcome == RedactedCopy(CopyFormat.CSV)
    assert copy.getvalue().startswith(b"\xef\xbb\xbf")
    lines = copy.getvalue().decode("utf-8-sig")
    assert lines.startswith(delimiter.join(ROSTER[0]) + "\r\n")
    assert lines.endswith(f'\r\nTotal{delimiter}é{delimiter}{delimiter}"a""b\r\nc"\r\n')
    assert "canary" not in lines
    with open_workbook(copy) as workbook:
        assert [row.number for row in workbook.rows("csv")] == [1, 2, 3, 4, 5]


def test_delimited_text_that_looks_like_a_formula_gets_an_apostrophe() -> None:
    _, copy = copied(delimited([("a", "b"), ("=1+1", "-2"), ("+33", "@x")]), {"csv": Emptied(1, frozenset())})
    assert copy.getvalue().decode("utf-8-sig").split("\r\n")[1:3] == ["'=1+1;'-2", "'+33;'@x"]


def test_numbers_of_persons_in_delimited_text_are_masked() -> None:
    _, copy = copied(delimited([("Nom", "Note"), ("A", f"NIR {NIR}"), ("B", IBAN)]), {"csv": Emptied(1, frozenset())})
    assert [line.split(";")[1] for line in copy.getvalue().decode("utf-8-sig").split("\r\n")[1:3]] == ["•••", "•••"]


PAYROLL = [
    ("Paie de novembre",),
    ("Matricule", "Nom", "Salaire brut", "Compte"),
    ("00123", "Martin", 41234, IBAN),
    ("00124", "Durand", 51234, IBAN),
]


def test_a_second_sheet_with_the_payroll_is_emptied_too() -> None:
    _, copy = copied(xlsx({"Effectif": ROSTER, "Paie": PAYROLL}), {"Effectif": SALARY})
    assert values(copy, 1) == [
        ["Paie de novembre"],
        ["Matricule", "Nom", "Salaire brut", "Compte"],
        ["00123", "Martin"],
        ["00124", "Durand"],
    ]
    assert not holds(copy, "41234")
    assert not holds(copy, IBAN)


@pytest.mark.parametrize(
    ("rows", "emptied"),
    [
        ([("Nom", "Date de naissance"), ("A", "x")], {1: 1}),
        ([("Salaires 2026",), ("Nom", "Site"), ("A", "x")], {}),
        ([("Salaire",), ("41234",)], {0: 1}),
        ([("Nom", "Remarque"), ("A", NIR), ("B", NIR)], {1: 1}),
        ([("A", NIR), ("B", NIR)], {1: 0}),
        ([("Nom", "Site"), ("A", "Lyon")], {}),
        ([], {}),
    ],
)
def test_columns_of_an_unmapped_sheet(rows: list[tuple[str, ...]], emptied: dict[int, int]) -> None:
    assert forbidden_columns([Row(number, cells) for number, cells in enumerate(rows, start=1)]) == emptied


def test_a_sheet_that_the_file_does_not_have_is_named() -> None:
    with pytest.raises(UnreadableFile) as caught:
        copied(xlsx({"Effectif": ROSTER}), {"Paie": SALARY})
    assert (caught.value.code, caught.value.params) == ("unknown_sheet", {"sheet": "Paie"})


# A text that begins with an apostrophe cannot be told from one that was given it, nor commas from delimiters where
# they stand in every row.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="',|;"), max_size=12)


@given(rows=st.lists(st.lists(TEXTS, min_size=2, max_size=5), min_size=1, max_size=6), column=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_a_delimited_copy_is_what_is_read_without_the_emptied_column(rows: list[list[str]], column: int) -> None:
    header = ["Matricule", "Nom", "Site"]
    _, copy = copied(delimited([header, *rows]), {"csv": Emptied(1, frozenset({column}))})
    with open_workbook(copy) as workbook:
        read = [[str(cell).removeprefix("'") for cell in row.cells] for row in workbook.rows("csv")]
    emptied = [["" if index == column else cell for index, cell in enumerate(row)] for row in rows]
    assert read == [header, *emptied]


@given(
    content=st.binary(max_size=300),
    place=st.integers(0, 9000),
    whole=st.sampled_from([xlsx({"Effectif": ROSTER}).getvalue(), xls(ROSTER).getvalue(), ods(ROSTER).getvalue()]),
)
@settings(max_examples=120, deadline=None)
def test_no_damage_raises_anything_but_a_refusal(content: bytes, place: int, whole: bytes) -> None:
    start = place % len(whole)
    damaged = whole[:start] + content[:6] + whole[start + len(content[:6]) :]
    try:
        copied(io.BytesIO(damaged), {"Effectif": SALARY})
    except UnreadableFile as problem:
        assert problem.code  # noqa: PT017 - either a copy or a named refusal is right.


def test_dates_of_other_workbooks_stay_dates() -> None:
    _, copy = copied(xlsx({"Effectif": [("Entrée",), (dt.date(2020, 5, 17),)]}), {"Effectif": Emptied(1, frozenset())})
    assert values(copy)[1] == [dt.date(2020, 5, 17)]


@pytest.mark.parametrize("cell", ["x;=HYPERLINK(1)", "x; +1", "\t=1", "\r=1", "x|@SUM(1)"])
def test_no_cell_of_a_delimited_copy_becomes_a_formula_under_another_delimiter(cell: str) -> None:
    _, copy = copied(delimited([("Matricule", "Nom"), ("1", cell)], delimiter=","), {"csv": Emptied(1, frozenset())})
    text = copy.read().decode("utf-8-sig")
    for cut in re.split(r"[;,|\t\r\n]", text):
        assert not cut.strip().strip('"').startswith(("=", "+", "-", "@"))
