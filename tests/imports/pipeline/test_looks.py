"""OpenDocument: widths and number formats of columns are found, and nothing in the file can do harm."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
import pytest

from imports.pipeline.looks import column_looks
from imports.pipeline.redaction import Emptied, redact
from tests.imports.pipeline.files import archive, ods

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
STYLES = (
    '<number:number-style style:name="N1"><number:number number:min-integer-digits="5"/></number:number-style>'
    '<number:date-style style:name="N2"><number:day number:style="long"/><number:text>/</number:text>'
    '<number:month number:style="long"/><number:text>/</number:text><number:year number:style="long"/>'
    '</number:date-style><number:number-style style:name="N3"><number:embedded/></number:number-style>'
    '<style:style style:name="co1" style:family="table-column">'
    '<style:table-column-properties style:column-width="5cm"/></style:style>'
    '<style:style style:name="ce1" style:family="table-cell" style:data-style-name="N1"/>'
    '<style:style style:name="ce2" style:family="table-cell" style:data-style-name="N2"/>'
    '<style:style style:name="ce3" style:family="table-cell" style:data-style-name="N3"/>'
)
COLUMNS = (
    '<table:table-column table:style-name="co1" table:default-cell-style-name="ce1"/>'
    '<table:table-column table:number-columns-repeated="2"/>'
)
ROW = (
    '<table:table-row><table:table-cell office:value-type="float" office:value="123"/>'
    '<table:table-cell office:value-type="date" table:style-name="ce2" office:date-value="2020-05-17"/>'
    '<table:table-cell office:value-type="float" table:style-name="ce3" office:value="1"/></table:table-row>'
)


def document(tables: str, styles: str = STYLES) -> io.BytesIO:
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
            "content.xml": (
                f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMES}>'
                f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>"
                f"{tables}</office:spreadsheet></office:body></office:document-content>"
            ),
        }
    )


def table(name: str, content: str) -> str:
    return f'<table:table table:name="{name}">{content}</table:table>'


def test_widths_and_formats_of_columns_are_found() -> None:
    looks = column_looks(document(table("Effectif", COLUMNS + ROW * 3)))["Effectif"]
    assert (looks.widths, looks.formats) == ({0: 26.0}, {0: "00000", 1: r"dd\/mm\/yyyy"})


def test_every_sheet_is_found_behind_long_ones() -> None:
    tables = table("A", COLUMNS + ROW * 9000) + table("B", ROW) + table("C", COLUMNS + ROW)
    looks = column_looks(document(tables))
    assert list(looks) == ["A", "B", "C"]
    assert looks["C"].formats == looks["A"].formats


def test_the_copy_shows_them() -> None:
    target = io.BytesIO()
    redact(document(table("Effectif", COLUMNS + ROW)), target, emptied={})
    sheet = openpyxl.load_workbook(target)["Effectif"]
    assert (sheet["A1"].value, sheet["A1"].number_format, sheet.column_dimensions["A"].width) == (123, "00000", 26)
    assert (sheet["B1"].is_date, sheet["B1"].number_format) == (True, r"dd\/mm\/yyyy")


def test_a_name_that_no_xlsx_may_have_is_changed_and_told() -> None:
    name = "Effectif au premier novembre 2026"
    outcome = redact(document(table(name, ROW)), io.BytesIO(), emptied={name: Emptied(1, frozenset())})
    assert outcome.renamed == {name: name[:31]}


def test_a_document_without_styles_has_no_looks() -> None:
    looks = column_looks(ods([("a", 1.0)]))["Effectif"]
    assert (looks.widths, looks.formats) == ({}, {})


def test_absurd_repetitions_are_not_followed() -> None:
    columns = '<table:table-column table:style-name="co1" table:number-columns-repeated="99999999"/>'
    columns += '<table:table-column table:style-name="co1" table:number-columns-repeated="99999"/>'
    assert len(column_looks(document(table("Effectif", columns + ROW)))["Effectif"].widths) <= 1024


@pytest.mark.parametrize("declaration", ['<!ENTITY x SYSTEM "{}">', '<!ENTITY x "canary">'])
def test_entities_are_not_resolved(tmp_path: Path, declaration: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    stream = archive(
        {
            "content.xml": f"<!DOCTYPE d [{declaration.format(secret.as_uri())}]><office:document-content {NAMES}>"
            f"<office:automatic-styles>{STYLES}</office:automatic-styles><office:body>{table('&x;', COLUMNS)}"
        }
    )
    assert "canary" not in repr(column_looks(stream))
