"""Every kind of file that HR has, and what reading makes of it: one line each."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.mapping import suggest_mapping
from imports.pipeline.reading import open_workbook
from tests.imports.pipeline.checked import checked_rows
from tests.imports.pipeline.files import HEADER, PEOPLE, archive, compound, delimited, ods, repacked, xls, xlsb, xlsx

if TYPE_CHECKING:
    from collections.abc import Callable

    from imports.pipeline.mapping import Mapping
    from imports.pipeline.validation import CheckedRow

FIXTURES: Final = Path(__file__).parents[2] / "fixtures" / "rosters"
ROSTER: Final = (HEADER, *PEOPLE)
FOUR: Final = "employee_number email first_name last_name"
RICH: Final = "employee_number email first_name last_name site department hired_on cohort"
PLAIN: Final = "employee_number email first_name last_name site hired_on"


@dataclass(frozen=True)
class Read:
    """What a file that can be read gives."""

    format: str
    sheet: str
    header_row: int
    fields: str
    people: int
    rejected: int = 0


@dataclass(frozen=True)
class Refused:
    """Why a file is refused."""

    code: str
    kind: str | None = None


def read(source: Path | io.BytesIO, **options: Any) -> tuple[str, Mapping, list[CheckedRow]]:
    with open_workbook(source) as workbook:
        mapping = suggest_mapping(workbook, ROSTER_FIELDS, **options)
        return workbook.format, mapping, checked_rows(workbook.rows(mapping.sheet), mapping)


def outcome(source: Path | io.BytesIO) -> Read | Refused:
    try:
        kind, mapping, rows = read(source)
    except UnreadableFile as problem:
        return Refused(problem.code, problem.params.get("kind"))
    fields = " ".join(mapping.columns)
    return Read(kind, mapping.sheet, mapping.header_row, fields, len(rows), sum(row.rejected for row in rows))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("effectif.xlsx", Read("xlsx", "Effectif", 4, RICH, 8)),
        ("effectif.xls", Read("xls", "Effectif", 4, RICH, 8)),
        ("effectif.ods", Read("ods", "Effectif", 4, RICH, 8)),
        ("people-utf8.csv", Read("csv", "csv", 1, PLAIN, 4)),
        ("people-comma.csv", Read("csv", "csv", 1, PLAIN, 4)),
        ("people-tab.tsv", Read("csv", "csv", 1, PLAIN, 4)),
        ("people-pipe.txt", Read("csv", "csv", 1, PLAIN, 4)),
        ("people-windows.csv", Read("csv", "csv", 1, PLAIN, 4)),
        ("people-mac.csv", Read("csv", "csv", 1, PLAIN, 4)),
        ("people-utf16.csv", Read("csv", "csv", 1, PLAIN, 4)),
        (
            "gendarmerie-export.csv",
            Read("csv", "csv", 4, "employee_number email full_name site hired_on language", 5, 3),
        ),
        ("protected.xlsx", Refused("password_protected")),
        ("protected.ods", Refused("password_protected")),
        ("truncated.xlsx", Refused("truncated")),
        ("truncated.xls", Refused("truncated")),
        ("truncated.ods", Refused("truncated")),
        ("effectif-html.xls", Refused("html_table", "HTML")),
        ("effectif.fods", Refused("unsupported_format", "fods")),
    ],
)
def test_files_of_real_programs(name: str, expected: Read | Refused) -> None:
    assert outcome(FIXTURES / name) == expected


@pytest.mark.parametrize("name", ["effectif.xlsx", "effectif.xls", "effectif.ods"])
def test_one_workbook_reads_the_same_in_three_formats(name: str) -> None:
    _, mapping, rows = read(FIXTURES / name)
    assert mapping.dropped_kinds == ("birth", "address", "nir", "salary")
    assert mapping.notes == (
        ("two_line_header", {"row": "3"}),
        ("duplicate_header", {"header": "Note"}),
        ("hidden_rows", {"count": "1"}),
        ("hidden_columns", {"headers": "Note"}),
        ("merged_cells", {"count": "1"}),
    )
    assert [row.values["employee_number"] for row in rows[:4]] == ["00000001", "00000022", "00000333", "00004444"]
    assert [row.values["last_name"] for row in rows[1:6]] == ["D'Almeida", "L’Hôte", "O`Brien", "بن علي", "כהן"]
    assert rows[6].values["first_name"] == "Thị Hoa 🌸"
    assert [row.values["site"] for row in rows[:4]] == ["Lyon"] * 4
    assert {row.values["department"] for row in rows} == {"Direction 1", "Direction 2"}
    assert {row.values["hired_on"] for row in rows} == {dt.date(2015, 9, 1)}


@pytest.mark.parametrize(
    "name", ["people-utf8.csv", "people-mac.csv", "people-windows.csv", "people-utf16.csv", "people-tab.tsv"]
)
def test_one_text_reads_the_same_in_every_encoding(name: str) -> None:
    _, _, rows = read(FIXTURES / name)
    assert [row.values["last_name"] for row in rows] == ["Müller", "D'Almeida", "L’Hôte", "O`Brien"]
    assert rows[0].values["site"] == "Orléans"


def sheet_xml(stream: io.BytesIO, change: Callable[[bytes], bytes]) -> io.BytesIO:
    """Rewrite the XML of the first sheet."""
    return repacked(stream, {"xl/worksheets/sheet1.xml": change})


def every_part(stream: io.BytesIO, change: Callable[[bytes], bytes]) -> io.BytesIO:
    return repacked(stream, dict.fromkeys(zipfile.ZipFile(stream).namelist(), change))


def strict(stream: io.BytesIO) -> io.BytesIO:
    """Name everything as strict OOXML does."""

    def named(content: bytes) -> bytes:
        for old, new in (
            (
                b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                b"http://purl.oclc.org/ooxml/spreadsheetml/main",
            ),
            (
                b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                b"http://purl.oclc.org/ooxml/officeDocument/relationships",
            ),
        ):
            content = content.replace(old, new)
        return content

    return every_part(stream, named)


def prefixed(content: bytes) -> bytes:
    """Give every element of a sheet the prefix x."""
    content = re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", content)
    return content.replace(b" xmlns=", b" xmlns:x=")


def rich_text() -> io.BytesIO:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADER)
    sheet.append(("00123", CellRichText("Mar", TextBlock(InlineFont(b=True), "tin")), "Zoé", ""))
    stream = io.BytesIO()
    book.save(stream)
    return stream


def formulas(content: bytes) -> bytes:
    """Put a formula with its cached value in place of the first name, and one of numbers in place of the number."""
    content = re.sub(rb'<c r="B2"[^>]*>.*?</c>', b'<c r="B2" t="str"><f>"Mar"&amp;"tin"</f><v>Martin</v></c>', content)
    return re.sub(rb'<c r="A2"[^>]*>.*?</c>', b'<c r="A2"><f>100+23</f><v>123</v></c>', content)


def inline(content: bytes) -> bytes:
    return re.sub(
        rb'<c r="B2"[^>]*>.*?</c>', b'<c r="B2" t="inlineStr"><is><t>Mar</t><r><t>tin</t></r></is></c>', content
    )


def formatted_to_the_end(content: bytes) -> bytes:
    rows = b"".join(
        b'<row r="%d" s="1" customFormat="1"><c r="A%d" s="1"/><c r="XFD%d" s="1"/></row>' % (number, number, number)
        for number in (*range(4, 3000), 1_048_576)
    )
    return content.replace(b"</sheetData>", rows + b"</sheetData>")


def without_places(content: bytes) -> bytes:
    """Leave out where rows and cells stand, as some programs do: each follows the one before."""
    return re.sub(rb'<(row|c) r="[A-Z0-9]+"', rb"<\1", content)


def single_quoted(content: bytes) -> bytes:
    return re.sub(rb'=("[^"<>]*")', lambda match: b"='" + match[1][1:-1] + b"'", content)


FULL: Final = tuple((*person, "x") for person in PEOPLE)
WIDE: Final = tuple(f"Attribut {rank}" for rank in range(120))
SHEET: Final = xlsx({"Effectif": ROSTER})


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(SHEET, Read("xlsx", "Effectif", 1, FOUR, 2), id="xlsx"),
        pytest.param(xls(ROSTER), Read("xls", "Effectif", 1, FOUR, 2), id="xls"),
        pytest.param(xlsb(ROSTER), Read("xlsb", "Effectif", 1, FOUR, 2), id="xlsb"),
        pytest.param(ods(ROSTER), Read("ods", "Effectif", 1, FOUR, 2), id="ods"),
        pytest.param(strict(SHEET), Read("xlsx", "Effectif", 1, FOUR, 2), id="strict OOXML"),
        pytest.param(sheet_xml(SHEET, prefixed), Read("xlsx", "Effectif", 1, FOUR, 2), id="prefixed XML"),
        pytest.param(sheet_xml(SHEET, single_quoted), Read("xlsx", "Effectif", 1, FOUR, 2), id="single quotes"),
        pytest.param(sheet_xml(SHEET, without_places), Read("xlsx", "Effectif", 1, FOUR, 2), id="no cell addresses"),
        pytest.param(sheet_xml(SHEET, formulas), Read("xlsx", "Effectif", 1, FOUR, 2), id="formulas"),
        pytest.param(sheet_xml(SHEET, inline), Read("xlsx", "Effectif", 1, FOUR, 2), id="inline strings"),
        pytest.param(rich_text(), Read("xlsx", "Sheet", 1, FOUR, 1), id="rich text"),
        pytest.param(
            sheet_xml(SHEET, formatted_to_the_end), Read("xlsx", "Effectif", 1, FOUR, 2), id="formatted to the last row"
        ),
        pytest.param(
            repacked(SHEET, {}, {"xl/vbaProject.bin": b"macros"}), Read("xlsx", "Effectif", 1, FOUR, 2), id="xlsm"
        ),
        pytest.param(
            xlsx({"Effectif": [(*HEADER, *WIDE), *((*person, *WIDE) for person in PEOPLE)]}),
            Read("xlsx", "Effectif", 1, FOUR, 2),
            id="120 columns of no interest",
        ),
        pytest.param(
            xlsx({"Effectif": [("Export",), (), ("Au", "01/11/2026"), *ROSTER]}),
            Read("xlsx", "Effectif", 4, FOUR, 2),
            id="banners",
        ),
        pytest.param(
            xlsx({"Lisez-moi": [("Bonjour",)], "TCD": [("Site", "Nb"), ("Lyon", 2)], "Effectif": ROSTER}),
            Read("xlsx", "Effectif", 1, FOUR, 2),
            id="cover and pivot",
        ),
        pytest.param(
            xlsx({"Effectif": [*ROSTER[:2], ("Sous-total", 1), ROSTER[2], ("Total général", 2)]}),
            Read("xlsx", "Effectif", 1, FOUR, 2),
            id="totals",
        ),
        pytest.param(
            xlsx({"Effectif": [("Identité", None, None, "Contact"), *ROSTER]}),
            Read("xlsx", "Effectif", 2, FOUR, 2),
            id="two-line header",
        ),
        pytest.param(
            delimited([("# Export SIRH",), ("// du 01/11/2026; confidentiel",), *ROSTER, ("# fin",)]),
            Read("csv", "csv", 3, FOUR, 2),
            id="comment lines",
        ),
        pytest.param(
            delimited([("#Matricule", *HEADER[1:]), *PEOPLE]), Read("csv", "csv", 1, FOUR, 2), id="commented header"
        ),
        pytest.param(delimited(ROSTER, encoding="utf-8-sig"), Read("csv", "csv", 1, FOUR, 2), id="utf-8 with a mark"),
        pytest.param(
            delimited(ROSTER, encoding="utf-16-be"), Read("csv", "csv", 1, FOUR, 2), id="utf-16 without a mark"
        ),
        pytest.param(
            io.BytesIO(delimited(ROSTER).getvalue().replace(b"\r\n", b"\r")),
            Read("csv", "csv", 1, FOUR, 2),
            id="lines ended as on old Macs",
        ),
        pytest.param(
            delimited([HEADER, ("1", "Martin\nveuve Petit", "Zoé", "")]),
            Read("csv", "csv", 1, FOUR, 1),
            id="quoted newline",
        ),
        pytest.param(
            xlsx({"Effectif": [HEADER, ("#N/A", "Martin", "Zoé", ""), ("2", "Durand", "Luc", "luc@")]}),
            Read("xlsx", "Effectif", 1, FOUR, 2, 2),
            id="error cell and invalid e-mail",
        ),
    ],
)
def test_what_is_read(stream: io.BytesIO, expected: Read) -> None:
    assert outcome(stream) == expected


def protected_xls() -> io.BytesIO:
    """A binary workbook whose first record says that the rest is encrypted."""
    content = xls(ROSTER).getvalue()
    begin = content.find(b"\x09\x08\x10\x00")
    record = b"\x2f\x00\x04\x00\x00\x00\x01\x02"
    moved = content[begin : begin + 20] + record + content[begin + 20 : begin + 4096 - len(record)]
    return io.BytesIO(content[:begin] + moved + content[begin + 4096 :])


def flagged_as_encrypted() -> io.BytesIO:
    content = bytearray(SHEET.getvalue())
    for place in (match.start() for match in re.finditer(b"PK\x01\x02", content)):
        content[place + 8] |= 1
    return io.BytesIO(content)


def far_apart(content: bytes) -> bytes:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return content.replace(b"</sheetData>", far)


def beyond_the_last_row(content: bytes) -> bytes:
    return content.replace(b"</sheetData>", b'<row r="1048577"><c r="A1048577"><v>1</v></c></row></sheetData>')


ENTITIES: Final = (
    b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>'
)


def bomb() -> io.BytesIO:
    """A sheet of blanks that is packed a thousand times smaller than it is."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in zipfile.ZipFile(SHEET).namelist():
            target.writestr(name, zipfile.ZipFile(SHEET).read(name))
        with target.open("xl/media/blank.bin", "w") as part:
            for _ in range(300):
                part.write(bytes(1 << 20))
    return stream


def repeated_rows() -> io.BytesIO:
    """An ods whose one filled row stands for a million, of a thousand columns."""
    content = zipfile.ZipFile(ods(ROSTER)).read("content.xml")
    content = content.replace(b"<table:table-row>", b'<table:table-row table:number-rows-repeated="1000000">', 1)
    content = content.replace(b"<table:table-cell ", b'<table:table-cell table:number-columns-repeated="1000" ', 1)
    return repacked(ods(ROSTER), {"content.xml": lambda _: content})


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(io.BytesIO(b""), Refused("empty_file"), id="empty"),
        pytest.param(protected_xls(), Refused("password_protected"), id="protected xls"),
        pytest.param(flagged_as_encrypted(), Refused("password_protected"), id="protected zip"),
        pytest.param(io.BytesIO(b"%PDF-1.7\n"), Refused("not_a_spreadsheet", "PDF"), id="PDF"),
        pytest.param(io.BytesIO(b"\x89PNG\r\n\x1a\n"), Refused("not_a_spreadsheet", "image"), id="picture"),
        pytest.param(io.BytesIO(bytes(range(256)) * 9), Refused("not_a_spreadsheet"), id="noise"),
        pytest.param(archive({"notes.txt": "x"}), Refused("not_a_spreadsheet", "archive"), id="zip of anything"),
        pytest.param(archive({"word/document.xml": "x"}), Refused("not_a_spreadsheet", "Word"), id="Word"),
        pytest.param(archive({"Index/Document.iwa": "x"}), Refused("unsupported_format", "Numbers"), id="Numbers"),
        pytest.param(compound({"WordDocument": b""}), Refused("not_a_spreadsheet", "Office 97"), id="old Word"),
        pytest.param(
            io.BytesIO("<html><table><tr><td>Nom</td></tr></table>".encode("utf-16")),
            Refused("html_table", "HTML"),
            id="web page in UTF-16",
        ),
        pytest.param(
            io.BytesIO(b"MIME-Version: 1.0\nContent-Type: multipart/related\n\nContent-Type: text/html\n"),
            Refused("html_table", "HTML"),
            id="web archive",
        ),
        pytest.param(
            io.BytesIO(b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'),
            Refused("unsupported_format", "XML 2003"),
            id="XML of 2003",
        ),
        pytest.param(io.BytesIO(b"ID;PWXL;N;E\r\nP;PGeneral\r\n"), Refused("unsupported_format", "SYLK"), id="SYLK"),
        pytest.param(sheet_xml(SHEET, far_apart), Refused("too_large"), id="two cells far apart"),
        pytest.param(sheet_xml(SHEET, beyond_the_last_row), Refused("too_many_rows"), id="one row too many"),
        pytest.param(bomb(), Refused("too_large"), id="zip bomb"),
        pytest.param(repeated_rows(), Refused("too_large"), id="rows repeated a million times"),
        pytest.param(
            repacked(SHEET, {"xl/workbook.xml": lambda content: ENTITIES + content.replace(b"Effectif", b"&d;")}),
            Refused("damaged"),
            id="XML bomb",
        ),
        pytest.param(
            sheet_xml(SHEET, lambda content: content[: len(content) // 2]), Refused("damaged"), id="half a sheet"
        ),
        pytest.param(xlsx({"Effectif": [("a", "b"), ("c", "d")]}), Refused("no_header"), id="no header"),
        pytest.param(xlsx({"Effectif": []}), Refused("no_header"), id="empty sheet"),
        pytest.param(delimited([("Bonjour",), ("à tous",)]), Refused("no_header"), id="a letter"),
    ],
)
def test_what_is_refused(stream: io.BytesIO, expected: Refused) -> None:
    assert outcome(stream) == expected


@pytest.mark.parametrize(
    "stream",
    [
        xlsx({"Effectif": [HEADER, (123.0, "Martin", "Zoé", "")]}, formats={"A2": "00000"}),
        xlsb([HEADER, (123.0, "Martin", "Zoé", "")], zeros=[(1, 0)]),
        xls([HEADER, (123.0, "Martin", "Zoé", "")], zeros=True),
        ods([HEADER, (123.0, "Martin", "Zoé", "")], zeros=5),
    ],
    ids=["xlsx", "xlsb", "xls", "ods"],
)
def test_zeros_shown_by_number_format_stay_in_every_format(stream: io.BytesIO) -> None:
    _, _, rows = read(stream)
    assert rows[0].values["employee_number"] == "00123"


def test_errors_and_hidden_rows_of_an_xlsb_are_told() -> None:
    _, mapping, rows = read(xlsb([HEADER, *PEOPLE], errors=[(2, 1)], hidden_row=1))
    assert mapping.notes == (("hidden_rows", {"count": "1"}),)
    assert [[issue.code.value for issue in row.issues] for row in rows] == [[], ["error_cell"]]


def test_the_people_of_a_hidden_sheet_are_read_and_it_is_said() -> None:
    stream = repacked(
        xlsx({"Lisez-moi": [("Bonjour",)], "Effectif": ROSTER}),
        {"xl/workbook.xml": lambda content: content.replace(b'name="Effectif"', b'name="Effectif" state="hidden"')},
    )
    stream = repacked(stream, {"xl/workbook.xml": lambda content: content.replace(b'state="visible" ', b"")})
    _, mapping, rows = read(stream)
    assert (mapping.sheet, len(rows), mapping.notes) == ("Effectif", 2, (("hidden_sheet", {"sheet": "Effectif"}),))
