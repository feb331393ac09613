"""Your own workbook back: faults are shown where they are, everything else is as it was, and nothing can do harm."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

import openpyxl
import pytest
from lxml import etree
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.redaction import CopyFormat, Emptied, redact
from imports.pipeline.returning import Fault, mark, only_faulty
from tests.imports.pipeline.files import delimited, xls, xlsx
from tests.imports.pipeline.packages import SHEET, altered, holds, parts, values, with_shared_strings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.worksheet.worksheet import Worksheet

ROSTER = (
    ("Effectif au 1er novembre",),
    ("Matricule", "Nom", "Prénom", "Site", "Entrée"),
    ("00123", "Martin", "Zoé", "Lion", dt.date(2020, 5, 17)),
    ("00124", "Durand", "", "Paris", dt.date(2021, 5, 17)),
    ("00125", "Petit", "Léa", "Paris", dt.date(2022, 5, 17)),
)
FAULTS = (
    Fault(3, 3, "Ce site n’existe pas", ("Lyon", "Paris")),
    Fault(4, 2, "Il manque le prénom"),
    Fault(4, 4, "Date à venir"),
    Fault(5, None, "Cette personne figure deux fois"),
)
COLOUR = "FFFFC7CE"


def copy_of(stream: io.BytesIO) -> io.BytesIO:
    target = io.BytesIO()
    redact(stream, target, emptied={"Effectif": Emptied(2, frozenset())})
    return target


def marked(copy: io.BytesIO, faults: Sequence[Fault] = FAULTS, sheet: str = "Effectif") -> io.BytesIO:
    target = io.BytesIO()
    mark(
        copy,
        target,
        copy_format=CopyFormat.XLSX,
        sheet=sheet,
        header_row=2,
        faults=faults,
        heading="Remarques",
    )
    return target


def sheet_of(stream: io.BytesIO) -> Worksheet:
    return openpyxl.load_workbook(stream)["Effectif"]


def comments(sheet: Worksheet) -> dict[str, str]:
    return {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}


def coloured(sheet: Worksheet) -> set[str]:
    return {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.fill.fgColor.rgb == COLOUR}


@pytest.mark.parametrize("shared", [False, True])
def test_faults_are_shown_at_their_cells(shared: bool) -> None:  # noqa: FBT001 - a case of the test.
    original = xlsx({"Effectif": ROSTER})
    result = marked(copy_of(with_shared_strings(original) if shared else original))
    sheet = sheet_of(result)
    assert comments(sheet) == {
        "D3": "Ce site n’existe pas",
        "C4": "Il manque le prénom",
        "E4": "Date à venir",
        "A5": "Cette personne figure deux fois",
    }
    assert coloured(sheet) == {"D3", "C4", "E4", "A5"}
    assert values(result) == values(original)


def test_a_cell_keeps_its_own_style_under_the_colour() -> None:
    book = openpyxl.load_workbook(xlsx({"Effectif": ROSTER}))
    cell = book["Effectif"]["D3"]
    cell.font, cell.fill, cell.number_format = Font(bold=True), PatternFill("solid", fgColor="FF00FF00"), "@"
    stream = io.BytesIO()
    book.save(stream)
    found = sheet_of(marked(copy_of(stream)))
    assert (found["D3"].font.b, found["D3"].number_format, found["D3"].fill.fgColor.rgb) == (True, "@", COLOUR)
    assert found["E4"].number_format == "yyyy-mm-dd"
    assert not found["B3"].font.b


def test_what_is_allowed_can_be_chosen() -> None:
    (rule,) = sheet_of(marked(copy_of(xlsx({"Effectif": ROSTER})))).data_validations.dataValidation
    assert (str(rule.sqref), rule.formula1, rule.type, rule.errorStyle) == ("D3", '"Lyon,Paris"', "list", "warning")


@pytest.mark.parametrize("allowed", [tuple(f"Site numéro {n}" for n in range(60)), ("Lyon, Vaise", "Paris"), ('a"b',)])
def test_lists_that_no_rule_can_hold_stand_in_a_hidden_sheet(allowed: tuple[str, ...]) -> None:
    book = openpyxl.load_workbook(marked(copy_of(xlsx({"Effectif": ROSTER})), [Fault(3, 3, "x", allowed)]))
    (rule,) = book["Effectif"].data_validations.dataValidation
    assert rule.formula1 == f"'_lists'!$A$1:$A${len(allowed)}"
    assert book["_lists"].sheet_state == "hidden"
    assert tuple(row[0].value for row in book["_lists"].iter_rows()) == allowed


def test_cells_under_each_other_share_a_rule() -> None:
    faults = [Fault(row, 3, "x", ("Lyon",)) for row in (3, 4, 5, 9)]
    (rule,) = sheet_of(marked(copy_of(xlsx({"Effectif": ROSTER})), faults)).data_validations.dataValidation
    assert set(str(rule.sqref).split()) == {"D3:D5", "D9"}


def test_a_cell_with_a_rule_of_its_own_keeps_it() -> None:
    book = openpyxl.load_workbook(xlsx({"Effectif": ROSTER}))
    rule = DataValidation("list", formula1='"Ours"')
    rule.add("D1:D99")
    book["Effectif"].add_data_validation(rule)
    stream = io.BytesIO()
    book.save(stream)
    (kept,) = sheet_of(marked(copy_of(stream))).data_validations.dataValidation
    assert kept.formula1 == '"Ours"'


def test_the_first_cell_of_a_row_is_the_first_that_is_there() -> None:
    sheet = sheet_of(marked(copy_of(xlsx({"Effectif": [(), (None, None, "A")]})), [Fault(2, None, "x")]))
    assert coloured(sheet) == {"C2"}


def test_a_cell_and_a_row_that_are_not_in_the_file_are_explained_too() -> None:
    faults = [Fault(3, 9, "absent cell"), Fault(77, 1, "absent row")]
    sheet = sheet_of(marked(copy_of(xlsx({"Effectif": ROSTER})), faults))
    assert comments(sheet) == {"J3": "absent cell", "B77": "absent row"}
    assert "J3" in coloured(sheet)


def test_more_than_one_fault_of_a_cell_is_one_comment() -> None:
    faults = [Fault(3, 1, "a"), Fault(3, 1, "b"), Fault(3, 1, "a")]
    assert comments(sheet_of(marked(copy_of(xlsx({"Effectif": ROSTER})), faults))) == {"B3": "a\nb"}


def test_other_sheets_stay_as_they_are() -> None:
    copy = copy_of(xlsx({"Lisez-moi": [("Bonjour",)], "Effectif": ROSTER}))
    result = marked(copy)
    assert openpyxl.load_workbook(result).sheetnames == ["Lisez-moi", "Effectif"]
    assert parts(result)[SHEET] == parts(copy)[SHEET]


def test_a_copy_of_values_is_marked_in_the_same_way() -> None:
    rows = [tuple(str(cell) for cell in row) for row in ROSTER]
    assert coloured(sheet_of(marked(copy_of(xls(rows))))) == {"D3", "C4", "E4", "A5"}


HOSTILE = "]]> <b>&amp; \x00\ud800\ufffe\"' =1+1 _x0041_ " + "x" * 40_000


def test_hostile_words_do_not_break_the_workbook() -> None:
    faults = [Fault(3, 1, HOSTILE, (HOSTILE[:50], "=cmd|' /C calc'!A0")), Fault(4, None, "=1+1")]
    result = marked(copy_of(xlsx({"Effectif": ROSTER})), faults)
    for name, content in parts(result).items():
        assert etree.fromstring(content) is not None, name
    assert comments(sheet_of(result))["B3"].startswith("]]> <b>&amp; \ufffd\ufffd\ufffd")
    assert openpyxl.load_workbook(result)["_lists"]["A2"].data_type == "s"
    assert not holds(result, "<f>")


def test_a_sheet_that_the_copy_does_not_have_is_named() -> None:
    with pytest.raises(UnreadableFile) as caught:
        marked(copy_of(xlsx({"Effectif": ROSTER})), sheet="Absent")
    assert caught.value.code == "unknown_sheet"


def test_a_copy_that_is_not_as_it_was_written_is_refused() -> None:
    copy = altered(
        copy_of(xlsx({"Effectif": ROSTER})), {SHEET: lambda sheet: sheet.replace(b'<row r="3"', b"<row r='3'")}
    )
    with pytest.raises(UnreadableFile) as caught:
        marked(copy)
    assert caught.value.code == "damaged"


def test_delimited_text_gets_a_last_column() -> None:
    rows = [("Effectif",), ("Matricule", "Nom"), ("00123", "=Martin", "surplus"), (), ("00124", "Durand")]
    target = io.BytesIO()
    copy = io.BytesIO()
    redact(delimited(rows), copy, emptied={"csv": Emptied(2, frozenset())})
    faults = [Fault(3, 1, "a; b"), Fault(3, None, "c"), Fault(5, 0, "=d")]
    mark(copy, target, copy_format=CopyFormat.CSV, sheet="csv", header_row=2, faults=faults, heading="Remarques")
    read = list(csv.reader(io.StringIO(target.getvalue().decode("utf-8-sig"), newline=""), delimiter=";"))
    assert read == [
        ["Effectif", "", "", ""],
        ["Matricule", "Nom", "", "Remarques"],
        ["00123", "'=Martin", "surplus", "a; b c"],
        [],
        ["00124", "Durand", "", "'=d"],
    ]


def extract(copy: io.BytesIO, copy_format: CopyFormat, faults: Sequence[Fault] = FAULTS) -> io.BytesIO:
    target = io.BytesIO()
    only_faulty(
        copy,
        target,
        copy_format=copy_format,
        sheet="Effectif" if copy_format is CopyFormat.XLSX else "csv",
        header_row=2,
        faults=faults,
        origin_heading="Ligne",
        remark_heading="Remarques",
    )
    return target


def test_only_the_rows_to_correct_with_their_place_in_the_file() -> None:
    faults = [FAULTS[0], FAULTS[3]]
    result = extract(copy_of(xlsx({"Effectif": ROSTER})), CopyFormat.XLSX, faults)
    assert values(result) == [
        ["Ligne", "Matricule", "Nom", "Prénom", "Site", "Entrée", "Remarques"],
        [3.0, "00123", "Martin", "Zoé", "Lion", dt.date(2020, 5, 17), "Ce site n’existe pas"],
        [5.0, "00125", "Petit", "Léa", "Paris", dt.date(2022, 5, 17), "Cette personne figure deux fois"],
    ]
    sheet = sheet_of(result)
    assert (coloured(sheet), sheet.freeze_panes) == ({"E2", "A3"}, "A2")
    assert [str(rule.sqref) for rule in sheet.data_validations.dataValidation] == ["E2"]


def test_rows_of_delimited_text_are_given_as_a_workbook() -> None:
    copy = io.BytesIO()
    rows = [("Effectif",), ("Matricule", "Nom"), ("00123", "=1+1"), ("00124", "Durand")]
    redact(delimited(rows), copy, emptied={"csv": Emptied(2, frozenset())})
    result = extract(copy, CopyFormat.CSV, [Fault(3, 1, "x")])
    assert values(result) == [["Ligne", "Matricule", "Nom", "Remarques"], [3.0, "00123", "=1+1", "x"]]
    assert openpyxl.load_workbook(result)["csv"]["C2"].data_type == "s"
