"""The same counts in every format, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.reports.documents import Format, file_name, written
from portal.reports.selectors import cohort_report
from tests.portal.reports.independent_counts import independent_counts

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.reports.dataset import CohortReport
    from tests.portal.reports.conftest import World

pytestmark = pytest.mark.django_db

COUNTS = ("roster", "enrolled", "started", "completed", "certified")


def report_on(organisation: Organisation, world: World, name: str) -> CohortReport:
    with organisation_scope(organisation.pk):
        return cohort_report(organisation, world.cohorts[name])


def csv_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def xlsx_rows(content: bytes) -> list[list[Any]]:
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    return [[cell.value for cell in row] for row in workbook.worksheets[0].iter_rows()]


@pytest.mark.parametrize("name", ["Vague 1", "Vague 2"])
def test_every_format_holds_what_an_independent_count_gives(laposte: Organisation, world: World, name: str) -> None:
    expected = independent_counts(world.roster, world.events, name)
    assert 0 < expected["certified"] < expected["completed"] < expected["started"] < expected["enrolled"]
    report = report_on(laposte, world, name)

    from_json = json.loads(written(report, Format.JSON))
    from_csv = csv_rows(written(report, Format.CSV))[0]
    from_xlsx = xlsx_rows(written(report, Format.XLSX))[1]

    assert {count: from_json[count] for count in COUNTS} == expected
    assert {count: int(from_csv[count]) for count in COUNTS} == expected
    # Columns: group, roster, enrolled, invited, started, completed, certified, note.
    assert dict(zip(COUNTS, [from_xlsx[1], from_xlsx[2], *from_xlsx[4:7]], strict=True)) == expected


def test_sites_are_the_same_in_every_format(laposte: Organisation, world: World) -> None:
    report = report_on(laposte, world, "Vague 1")
    lines = json.loads(written(report, Format.JSON))["by_site"]
    from_csv = csv_rows(written(report, Format.CSV))[1:]
    from_xlsx = xlsx_rows(written(report, Format.XLSX))[2:]

    assert [line["enrolled"] for line in lines] == [
        int(row["enrolled"]) if row["enrolled"] else None for row in from_csv
    ]
    assert [line["enrolled"] for line in lines] == [row[2] for row in from_xlsx]
    hidden = [line for line in lines if line["suppressed"]]
    assert {line["site"] for line in hidden} == {"Siège", ""}
    assert {line[count] for line in hidden for count in (*COUNTS, "invited")} == {None}
    for line in lines:
        if not line["suppressed"]:
            roster = [row for row in world.roster if row["site"] == line["site"]]
            counted = independent_counts(roster, world.events, "Vague 1")
            assert {count: line[count] for count in COUNTS} == counted


def test_no_cell_is_a_formula(laposte: Organisation, world: World) -> None:
    report = report_on(laposte, world, "Vague 1")
    assert any(row["site"].startswith("'=cmd") for row in csv_rows(written(report, Format.CSV)))
    workbook = openpyxl.load_workbook(io.BytesIO(written(report, Format.XLSX)))
    cells = [cell for sheet in workbook for row in sheet.iter_rows() for cell in row]
    assert any(str(cell.value).startswith("'=cmd") for cell in cells)
    assert {cell.data_type for cell in cells} <= {"s", "n"}


def test_words_are_defined_in_the_workbook(laposte: Organisation, world: World) -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(written(report_on(laposte, world, "Vague 1"), Format.XLSX)))
    headings = {cell.value for cell in workbook.worksheets[0][1]}
    defined = {row[0].value for row in workbook.worksheets[1].iter_rows()}
    assert len(headings - defined) == 2  # The group and the note speak for themselves.


def test_a_file_is_named_after_what_it_holds(laposte: Organisation, world: World) -> None:
    report = report_on(laposte, world, "Vague 1")
    assert file_name(report, Format.CSV) == f"laposte-vague-1-{report.as_of:%Y-%m-%d}.csv"


def test_there_is_no_pdf_yet(laposte: Organisation, world: World) -> None:
    with pytest.raises(Refusal) as refused:
        written(report_on(laposte, world, "Vague 1"), Format.PDF)
    assert refused.value.code == "not_yet"
