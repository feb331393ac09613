"""What an import gives back: its copy without what must not come in, the same marked, the template; and back again."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from django.core.files.storage import default_storage
from django.utils.translation import override

from imports.corrections import bring_corrections, choose_reading
from imports.retention import forget_imports
from imports.returning_files import marked_workbook, redacted_copy, template_workbook
from imports.runs import prepare_import
from imports.services import open_import
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from tests.factories.people import make_employee
from tests.imports.pipeline.files import xlsx
from tests.imports.rosters import confirm_and_apply, counted, people, prepare_roster, reread

if TYPE_CHECKING:
    from imports.models import RosterImport
    from portal.organisations.models import Organisation

HEADER = ("Matricule", "Nom", "Prénom", "Courriel", "Date de naissance", "Site")
ROWS = (
    ("00001", "Martin", "Zoé", "zoe@laposte.example", "01/02/1980", "Lyon"),
    ("00002", "Durand", "Luc", "no address", "03/04/1975", "Lyon"),
    ("", "Petit", "Ana", "", "05/06/1990", "=HYPERLINK(1)"),
)


@pytest.fixture
def uploaded(laposte: Organisation) -> RosterImport:
    """A workbook with a cover, one good row, two to correct, and a column that must not come in."""
    file = xlsx({"Lisez-moi": [("Effectif",)], "Effectif": [("Novembre",), HEADER, *ROWS]})
    file.seek(0)
    with organisation_scope(laposte.pk):
        opened = open_import(actor=OPERATOR, organisation=laposte, file=file, file_name="Effectif novembre.xlsx")
    prepare_import(actor=OPERATOR, organisation=laposte, import_id=opened.pk)
    return reread(laposte, opened.pk)


def given(organisation: Organisation, write: Any, *args: Any, **how: Any) -> tuple[Any, str, bytes]:
    with organisation_scope(organisation.pk):
        file, name, _kind = write(organisation, *args, **how)
    with file:
        content = file.read()
    return openpyxl.load_workbook(io.BytesIO(content)), name, content


def test_the_copy_is_the_workbook_without_what_must_not_come_in(laposte: Organisation, uploaded: RosterImport) -> None:
    book, name, content = given(laposte, redacted_copy, uploaded)

    assert (name, book.sheetnames, uploaded.quarantine) == (
        "Effectif novembre.xlsx",
        ["Lisez-moi", "Effectif"],
        "",
    )
    assert [cell.value for cell in book["Effectif"]["E"]] == [None, "Date de naissance", None, None, None]
    assert book["Effectif"]["F5"].value is None, "Formulas go."
    assert b"1980" not in content
    with default_storage.open(uploaded.copy) as stored:
        assert b"PK" not in stored.read(100), "It is sealed."


def test_a_copy_is_made_anew_when_the_headers_are_another_row(laposte: Organisation) -> None:
    legend = ("Matricule", "Nom", "Prénom", "Code")
    header = ("Matricule", "Nom", "Prénom", "Salaire")
    file = xlsx(
        {"Effectif": [legend, header, ("00001", "Martin", "Zoé", "31415"), ("00002", "Durand", "Luc", "27182")]}
    )
    file.seek(0)
    with organisation_scope(laposte.pk):
        opened = open_import(actor=OPERATOR, organisation=laposte, file=file, file_name="x.xlsx")
    prepare_import(actor=OPERATOR, organisation=laposte, import_id=opened.pk)
    first = reread(laposte, opened.pk)
    with organisation_scope(laposte.pk):
        columns = {"employee_number": 0, "last_name": 1, "first_name": 2}
        choose_reading(
            actor=OPERATOR, organisation=laposte, import_id=opened.pk, sheet="", header_row=2, columns=columns
        )
    prepare_import(actor=OPERATOR, organisation=laposte, import_id=opened.pk)

    found = reread(laposte, opened.pk)
    _book, _name, content = given(laposte, redacted_copy, found)
    assert found.copy != first.copy
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not any(b"31415" in archive.read(part) for part in archive.namelist())


def test_the_marked_workbook_says_what_is_wrong_where_it_is(laposte: Organisation, uploaded: RosterImport) -> None:
    make_employee(laposte, "9", site="Paris XV")
    book, name, _content = given(laposte, marked_workbook, uploaded)
    sheet = book["Effectif"]

    assert name.startswith("Effectif novembre (")
    assert "no address" in sheet["D4"].comment.text
    assert sheet["D4"].fill.fgColor.rgb not in {"00000000", sheet["D3"].fill.fgColor.rgb}
    assert sheet["A5"].comment is not None
    assert sheet["D3"].comment is None


def test_the_rows_to_correct_come_back_corrected(laposte: Organisation, uploaded: RosterImport) -> None:
    book, _name, _content = given(laposte, marked_workbook, uploaded, only_faulty=True)
    sheet = book.worksheets[0]
    assert [[cell.value for cell in row][:3] for row in sheet.iter_rows(min_row=2)] == [
        [4, "00002", "Durand"],
        [5, None, "Petit"],
    ]
    sheet["E2"].value, sheet["B3"].value = "luc@laposte.example", "00003"
    back = io.BytesIO()
    book.save(back)
    back.seek(0)

    with organisation_scope(laposte.pk):
        bring_corrections(actor=OPERATOR, organisation=laposte, import_id=uploaded.pk, file=back)
    prepare_import(actor=OPERATOR, organisation=laposte, import_id=uploaded.pk)

    again = reread(laposte, uploaded.pk)
    assert (again.state, counted(again), again.copy) == ("ready", {"create": 3}, uploaded.copy)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_template_comes_back_as_a_roster(laposte: Organisation, language: str) -> None:
    make_employee(laposte, "9", site="Paris XV")
    with override(language):
        book, name, _content = given(laposte, template_workbook)
    sheet = book.worksheets[0]
    headers = [cell.value for cell in sheet[1]]
    assert name.endswith(".xlsx")
    sheet.append(["00012", "Martin", "Zoé", "zoe@laposte.example", "Paris XV"])
    filled = io.BytesIO()
    book.save(filled)
    filled.seek(0)

    with organisation_scope(laposte.pk):
        opened = open_import(actor=OPERATOR, organisation=laposte, file=filled, file_name=name)
    prepare_import(actor=OPERATOR, organisation=laposte, import_id=opened.pk)

    found = reread(laposte, opened.pk)
    assert (found.state, found.error, counted(found)) == ("ready", "", {"create": 1})
    assert len(found.mapping["columns"]) == len(headers)


def test_what_is_kept_goes_when_its_time_has_come(laposte: Organisation, settings: Any) -> None:
    done = confirm_and_apply(laposte, prepare_roster(laposte, people(3)).pk)
    assert default_storage.exists(done.copy)
    settings.IMPORT_COPY_DAYS = -1

    with organisation_scope(laposte.pk):
        assert forget_imports(organisation_id=laposte.pk) == 1
        assert forget_imports(organisation_id=laposte.pk) == 0

    purged = reread(laposte, done.pk)
    assert (purged.state, purged.copy, purged.counts["create"]) == ("applied", "", 3)
    assert purged.purged_at is not None
