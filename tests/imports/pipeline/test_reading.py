"""Reading: every kind of file, every refusal, and row numbers as the spreadsheet shows them."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import zipfile
from typing import TYPE_CHECKING

import pytest
import python_calamine as calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.pipeline import reading
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.reading import ErrorCell, is_error, open_workbook
from tests.imports.pipeline.children import ABORTED, in_child
from tests.imports.pipeline.files import HEADER, PEOPLE, archive, compound, delimited, ods, xls, xlsx

if TYPE_CHECKING:
    from pathlib import Path

    from imports.pipeline.reading import Cell

ROSTER = (HEADER, *PEOPLE)


def read(stream: io.BytesIO, sheet: str | None = None) -> list[tuple[Cell, ...]]:
    with open_workbook(stream) as workbook:
        return [row.cells for row in workbook.rows(sheet or workbook.sheet_names[0])]


def read_or_refuse(stream: io.BytesIO) -> None:
    with contextlib.suppress(UnreadableFile):
        read(stream)


def refusal(stream: io.BytesIO) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        read(stream)
    return caught.value


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (xlsx({"Effectif": ROSTER}), "xlsx"),
        (xls(ROSTER), "xls"),
        (ods(ROSTER), "ods"),
        (delimited(ROSTER), "csv"),
        (delimited(ROSTER, delimiter="\t"), "csv"),
        (delimited(ROSTER, delimiter=","), "csv"),
        (delimited(ROSTER, delimiter="|", encoding="utf-8-sig"), "csv"),
        (delimited(ROSTER, encoding="cp1252"), "csv"),
        (delimited(ROSTER, encoding="utf-16"), "csv"),
        (delimited(ROSTER, encoding="utf-16-le"), "csv"),
        (delimited(ROSTER, encoding="utf-16-be"), "csv"),
    ],
)
def test_every_kind_gives_the_same_cells(stream: io.BytesIO, kind: str) -> None:
    with open_workbook(stream) as workbook:
        assert workbook.format == kind
        (sheet,) = workbook.sheet_names
        rows = list(workbook.rows(sheet))
    assert [row.number for row in rows] == [1, 2, 3]
    assert [tuple(row.cells) for row in rows] == list(ROSTER)


def test_the_extension_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(xlsx({"Effectif": ROSTER}).getvalue())
    with open_workbook(path) as workbook:
        assert workbook.format == "xlsx"


@pytest.mark.parametrize(
    ("content", "code", "kind"),
    [
        (b"", "empty_file", None),
        (b" \r\n ", "empty_file", None),
        (b"%PDF-1.7\n%\xe2\xe3\n", "not_a_spreadsheet", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "not_a_spreadsheet", "image"),
        (b"<html><table><tr><td>Matricule</td></tr></table></html>", "html_table", "HTML"),
        (b'<?xml version="1.0"?><rows/>', "not_a_spreadsheet", "XML"),
        (b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>', "unsupported_format", None),
        (bytes(range(256)) * 8, "not_a_spreadsheet", None),
        (xlsx({"Effectif": ROSTER}).getvalue()[:3000], "truncated", None),
        (archive({"notes.txt": "x"}).getvalue(), "not_a_spreadsheet", "archive"),
        (archive({"word/document.xml": "x"}).getvalue(), "not_a_spreadsheet", "Word"),
        (archive({"xl/workbook.xml": "<workbook"}).getvalue(), "damaged", None),
        (archive({"xl/workbook.bin": "noise"}).getvalue(), "damaged", None),
        (compound({"EncryptionInfo": b"", "EncryptedPackage": b""}).getvalue(), "password_protected", None),
        (compound({"WordDocument": b""}).getvalue(), "not_a_spreadsheet", "Office 97"),
        (xls(ROSTER).getvalue()[:2000], "truncated", None),
        (b'Matricule;Nom\r\n1;"Martin\r\n2;Durand\r\n', "broken_quotes", None),
    ],
)
def test_refusals(content: bytes, code: str, kind: str | None) -> None:
    problem = refusal(io.BytesIO(content))
    assert problem.code == code
    if kind is not None:
        assert problem.params == {"kind": kind}


def test_unknown_sheet() -> None:
    with open_workbook(xlsx({"Effectif": ROSTER})) as workbook, pytest.raises(UnreadableFile) as caught:
        workbook.rows("Absent")
    assert (caught.value.code, caught.value.params) == ("unknown_sheet", {"sheet": "Absent"})


def test_rows_and_columns_keep_their_place_under_blank_ones() -> None:
    stream = xlsx({"Effectif": [(), (), (None, None, "Matricule"), (), (None, None, "00123")]})
    with open_workbook(stream) as workbook:
        rows = {row.number: row.cells for row in workbook.rows("Effectif")}
    assert rows[3] == ("", "", "Matricule")
    assert rows[5] == ("", "", "00123")
    assert set(rows) == {1, 2, 3, 4, 5}


def test_records_are_counted_with_empty_lines_and_quoted_newlines() -> None:
    stream = io.BytesIO(b'Nom;Site\r\n\r\n"Martin";"Lyon\r\nPart-Dieu"\r\nDurand;Paris\r\n')
    with open_workbook(stream) as workbook:
        rows = [(row.number, row.cells) for row in workbook.rows("csv")]
    assert rows == [
        (1, ("Nom", "Site")),
        (2, ()),
        (3, ("Martin", "Lyon\r\nPart-Dieu")),
        (4, ("Durand", "Paris")),
    ]


def test_a_declared_delimiter_is_believed() -> None:
    assert read(io.BytesIO(b"sep=|\r\na,b|c,d\r\n"))[1] == ("a,b", "c,d")


def test_error_cells_are_not_empty_ones() -> None:
    rows = read(xlsx({"Effectif": [("A", "B"), ("#N/A", ""), ("#DIV/0!", "x")]}))
    assert [cell for row in rows for cell in row if is_error(cell)] == ["#N/A", "#DIV/0!"]
    assert isinstance(rows[1][0], ErrorCell)
    assert not is_error("#1 Site")


def test_zeros_shown_by_number_format_stay() -> None:
    formats = {"A2": "00000", "A3": '"00000000"', "B3": "0.00"}
    rows = read(xlsx({"Effectif": [("Matricule", "Taux"), (123, 1), (7, 2.0)]}, formats=formats))
    assert rows == [("Matricule", "Taux"), ("00123", 1.0), ("00000007", 2.0)]


def test_calendar_of_1904() -> None:
    day = dt.date(2020, 5, 17)
    with open_workbook(xlsx({"Effectif": [("Entrée",), (day,)]}, date_1904=True)) as workbook:
        assert workbook.date_1904
        assert [row.cells for row in workbook.rows("Effectif")][1] == (day,)


def test_more_rows_than_excel_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    for stream in (xlsx({"Effectif": ROSTER}), delimited(ROSTER)):
        problem = refusal(stream)
        assert (problem.code, problem.params) == ("too_many_rows", {"limit": "2"})
    assert len(read(delimited(ROSTER[:2]))) == 2


def test_two_cells_far_apart_are_refused_before_they_fill_the_memory() -> None:
    stream = xlsx({"Effectif": [("Matricule",)]})
    parts = io.BytesIO()
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(parts, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                content = content.replace(b"</sheetData>", far)
            target.writestr(name, content)
    assert refusal(parts).code == "too_large"


def test_entities_of_a_hostile_workbook_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    workbook = f'<!DOCTYPE w [<!ENTITY x SYSTEM "file://{secret}">]><workbook><sheet name="&x;"/></workbook>'
    assert refusal(archive({"xl/workbook.xml": workbook})).code == "damaged"


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)


@given(rows=st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_what_was_written_as_text_is_read(rows: list[tuple[str, str, str]]) -> None:
    rows = [("Matricule", "Nom", "Prénom"), *rows]
    assert read(delimited(rows)) == rows


@given(
    content=st.binary(max_size=400),
    prefix=st.sampled_from([b"", b"PK\x03\x04", bytes.fromhex("D0CF11E0A1B11AE1")]),
)
@settings(max_examples=150, deadline=None)
def test_no_bytes_raise_anything_but_a_refusal(content: bytes, prefix: bytes) -> None:
    try:
        read(io.BytesIO(prefix + content))
    except UnreadableFile as problem:
        assert problem.code  # noqa: PT017 - either reading or a named refusal is right.


@given(
    whole=st.sampled_from([xlsx({"Effectif": ROSTER}).getvalue(), xls(ROSTER).getvalue(), ods(ROSTER).getvalue()]),
    place=st.integers(0, 6000),
    garbage=st.binary(min_size=1, max_size=6),
)
@settings(max_examples=200, deadline=None)
def test_no_damage_raises_anything_but_a_refusal(whole: bytes, place: int, garbage: bytes) -> None:
    start = place % len(whole)
    damaged = io.BytesIO(whole[:start] + garbage + whole[start + len(garbage) :])
    # A reader may ask for more memory than there is, which no exception tells: it would end the tests.
    assert in_child(lambda: read_or_refuse(damaged)) in {0, ABORTED}


def test_a_panic_of_the_reader_is_a_refusal() -> None:
    content = bytearray(xls([("Matricule", "Nom"), ("001", "A")]).getvalue())
    # The place of the sheet in the workbook's stream now lies beyond its end: calamine panics on it.
    content[1562] ^= 0xFF
    with pytest.raises(BaseException, match="out of range") as caught:
        calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert not isinstance(caught.value, Exception)
    assert refusal(io.BytesIO(content)).code == "damaged"
