"""Preview: what HR sees of a file before anything of it is stored, and what nobody sees."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.mapping import apply_choice
from imports.pipeline.minimisation import MASK
from imports.pipeline.preview import MOST_COLUMNS, Preview, preview
from imports.pipeline.reading import open_workbook
from tests.imports.pipeline.files import HEADER, PEOPLE, delimited, xlsx
from tests.imports.pipeline.test_kinds import FIXTURES

if TYPE_CHECKING:
    import io
    from pathlib import Path


def look(source: io.BytesIO | Path, **options: Any) -> Preview:
    with open_workbook(source) as workbook:
        return preview(workbook, ROSTER_FIELDS, **options)


def test_sheets_rows_and_columns_are_shown() -> None:
    shown = look(FIXTURES / "effectif.xlsx")
    assert [(sheet.name, sheet.hidden, sheet.rows) for sheet in shown.sheets] == [
        ("Lisez-moi", False, 2),
        ("Effectif", False, 14),
        ("Synthèse", False, 4),
        ("Paramètres", True, 1),
    ]
    assert (shown.sheet, shown.refusal, shown.width) == ("Effectif", "", 14)
    assert [row.number for row in shown.rows] == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    first = shown.columns[0]
    assert (first.letter, first.header, first.field, first.reason) == ("A", "Matricule", "employee_number", "synonym")
    assert first.samples == ("00000001", "00000022", "00000333")
    assert shown.columns[9].samples == ("01/09/2015",)


def test_what_must_not_come_in_is_not_shown() -> None:
    shown = look(FIXTURES / "effectif.xlsx")
    kinds = {column.header: column.forbidden for column in shown.columns if column.forbidden}
    assert kinds == {"Date 1": "birth", "Coordonnées": "address", "N° SS": "nir", "Salaire": "salary"}
    assert {shown.rows[3].cells[index] for index in (3, 4, 5, 10)} == {MASK}
    document = json.dumps(shown.as_json())
    assert all(secret not in document for secret in ("269054958815780", "Lilas", "02/03/1990", "2100"))


def test_a_preview_survives_json() -> None:
    shown = look(FIXTURES / "effectif.xlsx")
    assert Preview.from_json(json.loads(json.dumps(shown.as_json()))) == shown


def test_a_file_without_header_is_shown_so_that_hr_can_point_at_one() -> None:
    shown = look(delimited([("Personalnummer", "Nachname", "Gehalt"), ("1", "Kohl", "2000")]))
    assert (shown.mapping, shown.refusal) == (None, "no_header")
    assert shown.params == {"missing": "employee_number, last_name"}
    assert [row.cells for row in shown.rows] == [("Personalnummer", "Nachname", "Gehalt"), ("1", "Kohl", "2000")]
    assert [column.letter for column in shown.columns] == ["A", "B", "C"]


def test_a_header_that_hr_points_at_can_be_completed() -> None:
    shown = look(delimited([("x",), ("Personalnummer", "Nachname", "Vorname"), ("1", "Kohl", "Uwe")]), header_row=2)
    assert shown.refusal == "missing_fields"
    assert shown.mapping is not None
    choice = {"employee_number": 0, "last_name": 1, "first_name": 2}
    assert apply_choice(shown.mapping, choice, ROSTER_FIELDS).columns == choice


@pytest.mark.parametrize("header_row", [None, 2])
def test_salaries_are_masked_even_where_another_row_was_taken_for_the_header(header_row: int | None) -> None:
    rows = [("Code", "Wer", "Salaire"), ("1", "Kohl", "2000"), ("2", "Brandt", "3000")]
    shown = look(delimited(rows), header_row=header_row)
    assert [row.cells[2] for row in shown.rows] == ["Salaire", MASK, MASK]


def test_numbers_of_social_security_are_masked_in_a_banner_too() -> None:
    shown = look(delimited([("Dossier", "269054958815780"), HEADER, *PEOPLE]))
    assert shown.rows[0].cells == ("Dossier", MASK)


def test_long_cells_are_cut_and_few_rows_are_shown() -> None:
    rows = [HEADER, *(((f"{rank}", "Martin", "Zoé" * 40, "")) for rank in range(1000))]
    shown = look(delimited(rows))
    assert (len(shown.rows), shown.sheets[0].rows) == (16, 1001)
    assert len(shown.rows[1].cells[2]) == 60


def test_a_header_far_down_is_shown_with_what_stands_above_it() -> None:
    rows = [(f"Ligne {rank}",) for rank in range(30)]
    shown = look(delimited([*rows, HEADER, *PEOPLE]))
    assert [row.number for row in shown.rows] == [25, 26, 27, 28, 29, 30, 31, 32, 33]


def test_more_columns_than_anyone_reads_are_counted_and_not_shown() -> None:
    shown = look(delimited([(*HEADER, *(f"Note {rank}" for rank in range(600)))]))
    assert (shown.width, len(shown.columns), len(shown.rows[0].cells)) == (604, MOST_COLUMNS, MOST_COLUMNS)


def test_a_sheet_that_hr_chose_is_shown() -> None:
    stream = xlsx({"2025": [HEADER, *PEOPLE], "2026": [HEADER, PEOPLE[0]]})
    assert look(stream, sheet="2026").sheet == "2026"
    with pytest.raises(UnreadableFile):
        look(stream, sheet="2027")
