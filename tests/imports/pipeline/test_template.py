"""The template: what HR fills in is read without a question, and no word of it can do harm."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import openpyxl
import pytest

from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.mapping import suggest_mapping
from imports.pipeline.reading import open_workbook
from imports.pipeline.template import ColumnKind, TemplateColumn, TemplateWords, write_template

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

WORDS = TemplateWords(
    sheet="Effectif",
    examples="Exemples",
    lists="Listes",
    not_listed="Cette valeur n’est pas dans la liste.",
    not_a_date="Ce n’est pas une date.",
)
COLUMNS = (
    TemplateColumn("Matricule", hint="Les zéros de tête restent.", examples=("00012345", "00012346")),
    TemplateColumn("Nom", examples=("Martin", "Durand")),
    TemplateColumn("Prénom", examples=("Zoé", "Luc")),
    TemplateColumn("Site", examples=("Lyon", "Paris"), suggestions=("Lyon", "Paris")),
    TemplateColumn("Date d'entrée", kind=ColumnKind.DATE, examples=(dt.date(2024, 1, 2), dt.date(2025, 3, 4))),
    TemplateColumn("Langue", kind=ColumnKind.CHOICE, examples=("fr", "en"), suggestions=("fr", "en")),
)


def template(*columns: TemplateColumn) -> io.BytesIO:
    stream = io.BytesIO()
    write_template(stream, columns=columns or COLUMNS, words=WORDS)
    return stream


def opened(*columns: TemplateColumn) -> Workbook:
    return openpyxl.load_workbook(template(*columns))


def test_headers_are_bold_in_view_and_explained() -> None:
    sheet = opened()["Effectif"]
    assert [cell.value for cell in sheet[1]] == [column.header for column in COLUMNS]
    assert all(cell.font.b for cell in sheet[1])
    assert (sheet.freeze_panes, sheet.max_row) == ("A2", 1)
    assert sheet["A1"].comment is not None
    assert sheet["A1"].comment.text == "Les zéros de tête restent."


def test_employee_numbers_keep_their_zeros_and_dates_are_dates() -> None:
    sheet = opened()["Effectif"]
    assert [sheet.column_dimensions[letter].number_format for letter in "AE"] == ["@", "dd/mm/yyyy"]


def test_examples_stand_on_a_sheet_of_their_own() -> None:
    book = opened()
    assert book.sheetnames == ["Effectif", "Exemples", "Listes"]
    assert [cell.value for cell in book["Exemples"]["A"]] == ["Matricule", "00012345", "00012346"]
    assert book["Exemples"]["E2"].is_date
    assert book["Listes"].sheet_state == "hidden"


def test_suggestions_warn_and_choices_stop() -> None:
    rules = opened()["Effectif"].data_validations.dataValidation
    assert [(str(rule.sqref), rule.type, rule.errorStyle, rule.formula1) for rule in rules] == [
        ("D2:D10001", "list", "warning", '"Lyon,Paris"'),
        ("E2:E10001", "date", "warning", "61"),
        ("F2:F10001", "list", "stop", '"fr,en"'),
    ]


@pytest.mark.parametrize("suggestions", [tuple(f"Site {n}" for n in range(99)), ("Lyon, Vaise",), ("=1+1", "\x00")])
def test_lists_that_no_rule_can_hold_stand_in_the_hidden_sheet(suggestions: tuple[str, ...]) -> None:
    book = opened(TemplateColumn("Site", suggestions=suggestions))
    (rule,) = book["Effectif"].data_validations.dataValidation
    assert rule.formula1 == f"'Listes'!$A$1:$A${len(suggestions)}"
    assert book["Listes"]["A1"].data_type == "s"


def test_hostile_words_do_not_break_the_workbook() -> None:
    hostile = "]]> <b>&amp; \x00\ud800\ufffe =1+1 " + "x" * 40_000
    book = opened(TemplateColumn("=1+1", hint=hostile, examples=(hostile, "=1+1"), suggestions=(hostile, "@x")))
    sheet = book["Exemples"]
    assert (sheet["A1"].value, sheet["A1"].data_type, sheet["A3"].data_type) == ("=1+1", "s", "s")
    assert sheet["A3"].quotePrefix


def test_the_portal_recognises_its_own_template() -> None:
    with open_workbook(template()) as workbook:
        mapping = suggest_mapping(workbook, ROSTER_FIELDS)
    assert (mapping.sheet, mapping.header_row) == ("Effectif", 1)
    assert set(mapping.columns) == {"employee_number", "last_name", "first_name", "site", "hired_on", "language"}
