"""Surgery: what must go is nowhere in the copy, what may stay is as it was, whatever the XML looks like."""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Color, Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.redaction import Emptied, RedactedCopy, redact
from imports.pipeline.sensitive import discloses
from tests.imports.pipeline.files import xlsx
from tests.imports.pipeline.packages import (
    IBAN,
    NIR,
    SHEET,
    altered,
    holds,
    parts,
    trimmed,
    values,
    with_prefix,
    with_shared_strings,
    without_references,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HEADER = ("Matricule", "Nom", "Prénom", "Salaire", "Site")
ROWS = (
    HEADER,
    ("00123", "Martin", "Zoé", "canary salary 41234", "Lyon & Vaise"),
    ("00124", "Durand", "Luc", 51234.5, "=1+1 <b>"),
    ("00125", "Petit", "Léa", dt.date(1971, 2, 3), " Paris "),
)
SALARY = {"Effectif": Emptied(1, frozenset({3}))}
EXPECTED = [list(row) if row is HEADER else [*row[:3], "", row[4]] for row in ROWS]


def roster() -> io.BytesIO:
    return xlsx({"Effectif": [row if row is not ROWS[2] else (*row[:4], "formula") for row in ROWS]})


def plain_text_formula(sheet: bytes) -> bytes:
    return sheet.replace(b"<t>formula</t>", b"<t>=1+1 &lt;b&gt;</t>")


def source() -> io.BytesIO:
    """A roster whose text begins with "=" and is no formula."""
    return altered(roster(), {SHEET: plain_text_formula})


def copied(stream: io.BytesIO, emptied: dict[str, Emptied] | None = None) -> tuple[RedactedCopy, io.BytesIO]:
    target = io.BytesIO()
    return redact(stream, target, emptied=SALARY if emptied is None else emptied), target


def in_sheet(**changes: str) -> Callable[[bytes], bytes]:
    def change(sheet: bytes) -> bytes:
        for old, new in changes.items():
            sheet = sheet.replace(f"<{old}".encode(), new.encode() + f"<{old}".encode(), 1)
        return sheet

    return change


FORMS: dict[str, Callable[[io.BytesIO], io.BytesIO]] = {
    "inline strings": lambda stream: stream,
    "shared strings": with_shared_strings,
    "prefix": lambda stream: altered(stream, {SHEET: with_prefix}),
    "prefix everywhere": lambda stream: altered(
        with_shared_strings(stream), {SHEET: with_prefix, "xl/sharedStrings.xml": with_prefix}
    ),
    "no references": lambda stream: altered(stream, {SHEET: without_references}),
    "single quotes": lambda stream: altered(stream, {SHEET: lambda sheet: sheet.replace(b'"', b"'")}),
    "comments": lambda stream: altered(
        stream, {SHEET: lambda sheet: sheet.replace(b"</c>", b"</c><!-- <c r='D2'><v>canary</v></c> -->")}
    ),
    "character data": lambda stream: altered(
        stream, {SHEET: lambda sheet: sheet.replace(b"<t>Martin</t>", b"<t><![CDATA[Martin]]></t>")}
    ),
    "byte order mark": lambda stream: altered(stream, {SHEET: lambda sheet: b"\xef\xbb\xbf" + sheet}),
    "line ends between tags": lambda stream: altered(
        stream, {SHEET: lambda sheet: sheet.replace(b"<c ", b"\r\n  <c ").replace(b"<row ", b"\n<row ")}
    ),
    "attributes in another order": lambda stream: altered(
        stream, {SHEET: lambda sheet: re.sub(rb'<c (r="\w+")((?: \w+="\w+")+)', rb"<c\2 \1", sheet)}
    ),
    "descents and spans": lambda stream: altered(
        stream,
        {
            SHEET: lambda sheet: sheet.replace(b"<row ", b'<row spans="1:5" x14ac:dyDescent="0.25" ').replace(
                b"<worksheet ", b'<worksheet xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac" '
            )
        },
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_xml_keeps_its_values_and_its_formatting(form: str) -> None:
    outcome, copy = copied(FORMS[form](source()))
    assert outcome == RedactedCopy(outcome.format, values_only=False)
    assert values(copy) == EXPECTED
    sheet = openpyxl.load_workbook(copy)["Effectif"]
    assert [[cell.value or "" for cell in row] for row in sheet.iter_rows(min_row=2)] == [
        [cell or "" for cell in row] for row in EXPECTED[1:]
    ]
    assert sheet["D4"].number_format == "yyyy-mm-dd"


@pytest.mark.parametrize("form", FORMS)
def test_nothing_of_an_emptied_column_is_left_in_any_part(form: str) -> None:
    _, copy = copied(FORMS[form](source()))
    assert not holds(copy, "canary")
    assert not holds(copy, "51234.5")


def test_a_string_that_another_cell_shows_too_stays() -> None:
    stream = with_shared_strings(
        xlsx({"Effectif": [HEADER, ("1", "A", "B", "Lyon", "Lyon"), ("2", "A", "B", "gone", "")]})
    )
    _, copy = copied(stream)
    assert values(copy)[1] == ["1", "A", "B", "", "Lyon"]
    assert not holds(copy, "gone")


def test_strings_that_no_cell_shows_are_dropped() -> None:
    orphan = b"<si><t>canary orphan</t></si><si><r><t>canary</t></r></si></sst>"
    stream = altered(
        with_shared_strings(source()), {"xl/sharedStrings.xml": lambda strings: strings.replace(b"</sst>", orphan)}
    )
    _, copy = copied(stream)
    assert not holds(copy, "canary")


def test_rich_text_stays_rich_without_its_pronunciation() -> None:
    rich = (
        b"<si><r><rPr><b/><sz val='11'/></rPr><t>Mar</t></r><r><t>tin</t></r>"
        b'<rPh sb="0" eb="1"><t>canary</t></rPh><phoneticPr fontId="1"/></si>'
    ).replace(b"'", b'"')
    stream = altered(
        with_shared_strings(source()),
        {"xl/sharedStrings.xml": lambda strings: strings.replace(b"<si><t>Martin</t></si>", rich)},
    )
    outcome, copy = copied(stream)
    assert not outcome.values_only
    assert values(copy) == EXPECTED
    assert b"<b/>" in parts(copy)["xl/sharedStrings.xml"]
    assert not holds(copy, "canary")


def test_formulas_go_and_their_values_stay() -> None:
    formula = (
        b'<c r="B2" t="str" cm="1"><f t="array" ref="B2">canary("x")</f><v>Martin</v></c>'
        b'<c r="C2" t="str"><f t="shared" si="0"/><v>Zo\xc3\xa9</v></c><c r="D2"><f>1+1</f><v>41234</v></c>'
    )
    cells = re.compile(rb'<c r="B2".*?(?=<c r="E2")', re.DOTALL)
    outcome, copy = copied(altered(source(), {SHEET: lambda sheet: cells.sub(formula, sheet)}))
    assert not outcome.values_only
    assert values(copy) == EXPECTED
    assert not holds(copy, "canary")
    assert b"<f" not in parts(copy)[SHEET]
    assert not holds(copy, "41234")


def test_numbers_of_persons_are_masked_wherever_they_stand() -> None:
    rows = [
        *ROWS[:2],
        (f"NIR {NIR}", float(NIR), IBAN, "", "FR76 3000 6000 0112 3456 7890 189 ok"),
        ("00126", "1 85 05 75 001 002 16", "Luc", "", "Lyon"),
    ]
    for stream in (xlsx({"Effectif": rows}), with_shared_strings(xlsx({"Effectif": rows}))):
        _, copy = copied(stream)
        assert values(copy)[2:] == [["•••", "•••", "•••", "", "•••"], ["00126", "•••", "Luc", "", "Lyon"]]
        assert not holds(copy, NIR)
        assert not holds(copy, "30006000")


def formatted() -> io.BytesIO:
    """A roster with everything that people do to a sheet."""
    blue = DifferentialStyle(fill=PatternFill(bgColor="FF0000FF"))
    book = openpyxl.load_workbook(source())
    sheet = book["Effectif"]
    sheet["A2"].fill = PatternFill("solid", fgColor="FF00FF00")
    sheet["D2"].fill = PatternFill("solid", fgColor="FFFF0000")
    sheet["B2"].font = Font(bold=True, name="Verdana")
    sheet["A3"].number_format = "00000"
    sheet.column_dimensions["B"].width = 33
    sheet.column_dimensions["C"].hidden = True
    sheet.row_dimensions[3].hidden = True
    sheet.row_dimensions[4].height = 44
    sheet.merge_cells("A6:B7")
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = "A1:E4"
    sheet.auto_filter.add_filter_column(3, ["canary salary 41234"])
    sheet.auto_filter.add_filter_column(4, ["Paris"])
    sheet.conditional_formatting.add("A2:A4", Rule("cellIs", operator="equal", formula=["5"], dxf=blue))
    rule = DataValidation("list", formula1='"Lyon,Paris"')
    rule.add("E2:E9")
    sheet.add_data_validation(rule)
    outward = DataValidation("list", formula1="[1]Listes!$A$1:$A$3")
    outward.add("F2:F9")
    sheet.add_data_validation(outward)
    sheet.sheet_properties.tabColor = "FF123456"
    book.create_sheet("Notes").sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    return stream


@pytest.mark.parametrize("form", ["inline strings", "shared strings", "prefix", "no references"])
def test_the_look_of_a_sheet_stays(form: str) -> None:
    _, copy = copied(FORMS[form](formatted()))
    book = openpyxl.load_workbook(copy)
    sheet = book["Effectif"]
    assert [sheet[place].fill.fgColor.rgb for place in ("A2", "D2")] == ["FF00FF00", "FFFF0000"]
    assert (sheet["B2"].font.b, sheet["B2"].font.name) == (True, "Verdana")
    assert sheet["A3"].number_format == "00000"
    assert sheet.column_dimensions["B"].width == 33
    assert (sheet.column_dimensions["C"].hidden, sheet.row_dimensions[3].hidden) == (True, True)
    assert sheet.row_dimensions[4].height == 44
    assert [str(area) for area in sheet.merged_cells.ranges] == ["A6:B7"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", "A1:E4")
    assert [area.sqref for area in sheet.conditional_formatting]
    assert [rule.formula1 for rule in sheet.data_validations.dataValidation] == ['"Lyon,Paris"']
    assert sheet.sheet_properties.tabColor == Color("FF123456")
    assert [(name, book[name].sheet_state) for name in book.sheetnames] == [
        ("Effectif", "visible"),
        ("Notes", "hidden"),
    ]


def test_a_filter_forgets_the_values_of_an_emptied_column_only() -> None:
    _, copy = copied(formatted())
    assert not holds(copy, "canary")
    assert [column.colId for column in openpyxl.load_workbook(copy)["Effectif"].auto_filter.filterColumn] == [4]


CANARY = "canary-7c1d"
STRANGE_PARTS = (
    "xl/vbaProject.bin", "xl/externalLinks/externalLink1.xml", "xl/externalLinks/_rels/externalLink1.xml.rels",
    "xl/connections.xml", "xl/queryTables/queryTable1.xml", "customXml/item1.xml", "docProps/custom.xml",
    "xl/pivotCache/pivotCacheDefinition1.xml", "xl/pivotCache/pivotCacheRecords1.xml", "xl/tables/table1.xml",
    "xl/drawings/drawing1.xml", "xl/media/image1.png", "xl/embeddings/oleObject1.bin", "xl/calcChain.xml",
    "xl/printerSettings/printerSettings1.bin", "xl/revisions/revisionLog1.xml", "xl/threadedComments/tc1.xml",
    "xl/persons/person.xml", "xl/metadata.xml", "xl/richData/rdrichvalue.xml", "xl/worksheets/sheet99.xml",
    "xl/ctrlProps/ctrlProp1.xml", "xl/slicers/slicer1.xml", "docProps/thumbnail.jpeg", "../../canary-7c1d.xml",
    "/canary-7c1d.xml", "xl/webextensions/taskpanes.xml", "_xmlsignatures/sig1.xml",
)  # fmt: skip


def infested() -> io.BytesIO:
    """A workbook with macros and with the canary in every place that is not a kept cell."""
    book = openpyxl.load_workbook(formatted())
    book.properties.creator = book.properties.lastModifiedBy = f"author {CANARY}"
    sheet = book["Effectif"]
    sheet["A2"].comment = Comment(f"comment {CANARY}", f"author {CANARY}")
    sheet["B3"].hyperlink = f"https://example.org/{CANARY}"
    sheet.HeaderFooter.oddHeader = HeaderFooterItem(center=_HeaderFooterPart(CANARY))
    sheet.sheet_properties.codeName = CANARY
    sheet["D3"].value = CANARY
    book.defined_names["inward"] = DefinedName("inward", attr_text="Effectif!$A$1:$B$2")
    book.defined_names["outward"] = DefinedName("outward", attr_text=f"'[1]{CANARY}'!$A$1")
    book.defined_names["constant"] = DefinedName("constant", attr_text=f'"{CANARY}"')
    stream = io.BytesIO()
    book.save(stream)
    tail = (
        f'<hyperlinks><hyperlink ref="A1" location="{CANARY}"/></hyperlinks>'
        f'<drawing r:id="{CANARY}"/><tableParts count="1"><tablePart r:id="{CANARY}"/></tableParts>'
        f'<extLst><ext uri="{{{CANARY}}}" xmlns:x14="{CANARY}"><x14:id>{CANARY}</x14:id></ext></extLst></worksheet>'
    ).replace("<drawing", '<drawing xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"')
    tail = tail.replace(
        "<tableParts", '<tableParts xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    )
    kind = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    usual = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    return altered(
        stream,
        {
            SHEET: lambda content: re.sub(rb"<hyperlinks>.*", b"", content, flags=re.DOTALL) + tail.encode(),
            "xl/styles.xml": lambda styles: styles.replace(
                b"</styleSheet>", f'<extLst><ext uri="{CANARY}"/></extLst></styleSheet>'.encode()
            ),
            "[Content_Types].xml": lambda types: types.replace(usual, kind),
            **dict.fromkeys(STRANGE_PARTS, f"<x>{CANARY}</x>".encode() + CANARY.encode("utf-16-le")),
        },
    )


@pytest.mark.parametrize("form", ["inline strings", "shared strings", "single quotes"])
def test_nothing_but_the_values_and_the_look_is_carried_over(form: str) -> None:
    _, copy = copied(FORMS[form](infested()))
    assert not holds(copy, CANARY)
    assert set(parts(copy)) <= {
        "[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml",
        "xl/theme/theme1.xml", "xl/sharedStrings.xml", SHEET, "xl/worksheets/sheet2.xml",
    }  # fmt: skip
    assert b"macroEnabled" not in parts(copy)["[Content_Types].xml"]
    assert list(openpyxl.load_workbook(copy).defined_names) == ["inward"]


def test_a_rule_on_another_sheet_leaves_its_extension() -> None:
    extension = (
        b'<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}" '
        b'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"><x14:dataValidations count="1" '
        b'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"><x14:dataValidation type="list">'
        b"<x14:formula1><xm:f>Listes!$A$1:$A$3</xm:f></x14:formula1><xm:sqref>E2:E9</xm:sqref>"
        b"</x14:dataValidation></x14:dataValidations></ext></extLst></worksheet>"
    )
    _, copy = copied(altered(source(), {SHEET: lambda sheet: sheet.replace(b"</worksheet>", extension)}))
    (rule,) = openpyxl.load_workbook(copy)["Effectif"].data_validations.dataValidation
    assert (rule.type, rule.formula1, str(rule.sqref)) == ("list", "Listes!$A$1:$A$3", "E2:E9")


def test_charts_are_dropped_and_names_find_their_sheet_again() -> None:
    chart = b'<sheet name="Graphique" sheetId="9" r:id="rIdC"/>'
    names = b'<definedNames><definedName name="here" localSheetId="1">Effectif!$A$1</definedName></definedNames>'
    role = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/chartsheet"
    relation = b'<Relationship Id="rIdC" Type="%b" Target="chartsheets/sheet1.xml"/></Relationships>' % role
    ns = b'<sheet xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    stream = altered(
        source(),
        {
            "xl/workbook.xml": lambda book: re.sub(
                rb"<definedNames ?/>", b"", book.replace(b"<sheets>", b"<sheets>" + chart.replace(b"<sheet ", ns))
            ).replace(b"</sheets>", b"</sheets>" + names),
            "xl/_rels/workbook.xml.rels": lambda content: content.replace(b"</Relationships>", relation),
            "xl/chartsheets/sheet1.xml": '<chartsheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>',
        },
    )
    _, copy = copied(stream)
    book = openpyxl.load_workbook(copy)
    assert book.sheetnames == ["Effectif"]
    assert list(book["Effectif"].defined_names) == ["here"]


def test_the_calendar_of_1904_stays() -> None:
    rows = [HEADER, ("1", "A", "B", "", dt.date(2020, 5, 17))]
    _, copy = copied(xlsx({"Effectif": rows}, date_1904=True))
    assert values(copy)[1][4] == dt.date(2020, 5, 17)


def test_strict_workbooks_become_usual_ones() -> None:
    def strict(part: bytes) -> bytes:
        part = part.replace(
            b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        )
        return part.replace(
            b"http://schemas.openxmlformats.org/officeDocument/2006", b"http://purl.oclc.org/ooxml/officeDocument"
        )

    names = (SHEET, "xl/workbook.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels")
    outcome, copy = copied(altered(source(), dict.fromkeys(names, strict)))
    assert not outcome.values_only
    assert not holds(copy, "purl.oclc.org/ooxml/spreadsheetml")
    assert values(copy) == EXPECTED


@pytest.mark.parametrize(
    "change",
    [
        lambda sheet: b'<!DOCTYPE w [<!ENTITY x "y">]>' + sheet,
        lambda sheet: b'<!DOCTYPE w SYSTEM "file:///etc/passwd">' + sheet,
    ],
)
def test_a_sheet_that_declares_entities_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UnreadableFile):
        copied(altered(source(), {SHEET: change}))


def test_a_part_that_is_listed_twice_is_refused() -> None:
    stream = source()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(stream, "a") as archive:
            archive.writestr(SHEET, archive.read(SHEET).replace(b"Martin", b"canary"))
    with pytest.raises(UnreadableFile) as caught:
        copied(stream)
    assert caught.value.code == "damaged"


@pytest.mark.parametrize(
    "target", ["/xl/worksheets/sheet1.xml", "../xl/worksheets/sheet1.xml", "./worksheets/../worksheets/sheet1.xml"]
)
def test_absolute_and_winding_names_lead_to_names_of_our_own(target: str) -> None:
    relations = re.compile(rb'Target="[^"]*sheet1.xml"')
    stream = altered(
        source(),
        {"xl/_rels/workbook.xml.rels": lambda content: relations.sub(b'Target="%b"' % target.encode(), content)},
    )
    try:
        _, copy = copied(stream)
    except UnreadableFile:
        return
    assert all(not name.startswith(("/", ".")) for name in parts(copy))
    assert values(copy) == EXPECTED


def test_wrong_content_types_do_not_matter() -> None:
    stream = altered(source(), {"[Content_Types].xml": "<Types/>"})
    _, copy = copied(stream)
    assert openpyxl.load_workbook(copy).sheetnames == ["Effectif"]


def test_a_bomb_is_refused_before_it_bursts() -> None:
    stream = altered(source(), {"xl/styles.xml": b"<x>" + b" " * (65 << 20)})
    with pytest.raises(UnreadableFile) as caught:
        copied(stream)
    assert caught.value.code == "too_large"


def test_many_sheets_are_all_looked_at() -> None:
    rows = {f"S{number}": [("Nom", "Salaire"), ("A", "canary")] for number in range(60)}
    _, copy = copied(xlsx({"Effectif": ROWS, **rows}))
    assert not holds(copy, "canary")
    assert len(openpyxl.load_workbook(copy).sheetnames) == 61


def test_what_an_encoding_hides_from_the_reader_is_not_copied() -> None:
    declared = '<?xml version="1.0" encoding="utf-16"?>'
    stream = altered(source(), {SHEET: lambda sheet: (declared + sheet.decode()).encode("utf-16-le")})
    with pytest.raises(UnreadableFile):
        copied(stream)


@pytest.mark.parametrize(
    "change",
    [
        lambda sheet: sheet.replace(b'<c r="A3"', b'<unknown/><c r="A3"'),
        lambda sheet: sheet.replace(b'<c r="A3"', b'<c odd="1" r="A3"'),
        lambda sheet: sheet.replace(b"</sheetData>", b"</sheetData ><sheetData></sheetData>"),
        lambda sheet: sheet.replace(b'<c r="A3" t="inlineStr">', b'<c r="A3" t="inlineStr"><f>canary<t>1</t></f>'),
    ],
)
def test_what_cannot_be_rewritten_with_certainty_is_written_from_its_values(change: Callable[[bytes], bytes]) -> None:
    _, copy = copied(altered(source(), {SHEET: change}))
    assert values(copy) == EXPECTED
    assert not holds(copy, "canary")


@pytest.mark.parametrize(
    "sheet",
    [
        lambda sheet: sheet.replace(b"</c>", b""),
        lambda sheet: sheet.replace(b"</c><c", b"<c").replace(b"</c></row>", b"</c></c></c></c></c></row>"),
        lambda sheet: sheet.replace(b"</row>", b'<c r="D2">' * 200_000 + b"</row>", 1),
        lambda sheet: sheet.replace(b"<t>Martin</t>", b'<rPh sb="0">' * 200_000),
    ],
)
def test_cells_without_an_end_neither_hang_nor_hide(sheet: Callable[[bytes], bytes]) -> None:
    try:
        _, copy = copied(altered(source(), {SHEET: sheet}))
    except UnreadableFile:
        return
    assert not holds(copy, "canary")


def test_strings_without_an_end_do_not_hang() -> None:
    endless = b"<si>" * 400_000 + b"</sst>"
    stream = altered(
        with_shared_strings(source()), {"xl/sharedStrings.xml": lambda strings: strings.replace(b"</sst>", endless)}
    )
    try:
        _, copy = copied(stream)
    except UnreadableFile:
        return
    assert not holds(copy, "canary")


def test_a_sheet_that_the_reader_does_not_see_is_not_copied() -> None:
    role = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    hidden = {"xl/_rels/workbook.xml.rels": lambda content: content.replace(role + b"worksheet", role + b"chartsheet")}
    stream = altered(xlsx({"Effectif": ROWS, "Paie": ROWS}), hidden)
    try:
        outcome, copy = copied(stream, {})
    except UnreadableFile:
        return
    assert not holds(copy, "canary")
    assert outcome.format == "xlsx"


def test_a_rule_that_names_somebody_is_dropped() -> None:
    rule = f'<dataValidation type="list" sqref="A2"><formula1>"{NIR}"</formula1></dataValidation>'
    rule = f"<dataValidations>{rule}</dataValidations>"
    stream = altered(source(), {SHEET: lambda sheet: sheet.replace(b"<pageMargins", rule.encode() + b"<pageMargins")})
    _, copy = copied(stream)
    assert not holds(copy, NIR)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=12).filter(
    lambda text: not text.startswith("=")
)
CELLS = (
    st.none()
    | TEXTS
    | st.integers(-(10**9), 10**9)
    | st.floats(-1e9, 1e9)
    | st.booleans()
    | st.dates(dt.date(1901, 1, 1))
).filter(lambda cell: not discloses(str(cell)))


@given(
    rows=st.lists(st.lists(CELLS, max_size=6), min_size=1, max_size=8),
    columns=st.frozensets(st.integers(0, 6), max_size=4),
    header_row=st.integers(0, 3),
    form=st.sampled_from(sorted(FORMS)),
)
@settings(max_examples=150, deadline=None)
def test_a_copy_is_what_is_read_without_the_emptied_columns(
    rows: list[list[Any]], columns: frozenset[int], header_row: int, form: str
) -> None:
    stream = FORMS[form](xlsx({"Effectif": rows}))
    before = values(stream)
    outcome, copy = copied(stream, {"Effectif": Emptied(header_row, columns)})
    expected = [
        ["" if number > header_row and column in columns else cell for column, cell in enumerate(row)]
        for number, row in enumerate(before, start=1)
    ]
    assert not outcome.values_only
    assert values(copy) == trimmed(expected)
