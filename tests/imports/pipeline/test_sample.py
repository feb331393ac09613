"""The pipeline from end to end, on a file such as an HR system writes it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.mapping import suggest_mapping
from imports.pipeline.reading import open_workbook
from tests.imports.pipeline.checked import checked_rows

EXPORT = Path(__file__).parents[2] / "fixtures" / "rosters" / "gendarmerie-export.csv"


def test_an_export_with_banners_titles_and_totals() -> None:
    with open_workbook(EXPORT) as workbook:
        mapping = suggest_mapping(workbook, ROSTER_FIELDS)
        rows = checked_rows(workbook.rows(mapping.sheet), mapping)
    assert (mapping.header_row, mapping.dropped_headers) == (4, ("Né(e) le",))
    assert {row.number: [issue.code.value for issue in row.issues] for row in rows} == {
        6: [],
        7: [],
        10: ["invalid_email", "invalid_language", "ambiguous_name"],
        11: ["error_cell", "missing_last_name", "missing_first_name"],
        12: ["invalid_date", "ambiguous_name"],
    }
    assert [row.rejected for row in rows] == [False, False, True, True, True]
    assert rows[0].values == {
        "employee_number": "0000123",
        "email": "anais.legoff@gendarmerie.example",
        "first_name": "Anaïs",
        "last_name": "LE GOFF",
        "site": "Brigade de Meaux",
        "hired_on": dt.date(2015, 9, 1),
        "language": "fr",
    }
    assert rows[1].values["last_name"] == "D'ALMEIDA"
    assert rows[2].values["hired_on"] == dt.date(2017, 1, 9)
    assert rows[4].values["employee_number"] == "0000127"
