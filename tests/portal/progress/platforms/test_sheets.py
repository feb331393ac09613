"""A platform's nightly file: workbooks and tables, in French or English, the same again without effect."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import Workbook

from portal.core.actor import OPERATOR, SYSTEM
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.progress.dropped import take_dropped_files
from portal.progress.files import events_of_file
from portal.progress.models import CompletionEvent, Delivery
from portal.progress.platforms.columns import columns_of, event_of_row
from portal.progress.services import record_completions

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import Settings

    from portal.organisations.models import Organisation
    from portal.people.models import Employee

FRENCH = ["Matricule", "Courriel", "Statut", "Date", "Avancement", "Lien de l’attestation"]
ROWS: list[list[Any]] = [
    ["00412877", "", "Commencé", "05/10/2026 08:30", "10 %", ""],
    ["00412877", "", "Certifié", "12/10/2026", 100, "https://platform.example/c/1"],
    ["", "nobody@laposte.example", "Terminé", "2026-10-13", "", ""],
]


def workbook(path: Path, *rows: list[Any], title: str = "") -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    if title:
        sheet.append([title])
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_a_workbook_in_french(tmp_path: Path) -> None:
    path = workbook(tmp_path / "nuit.xlsx", FRENCH, *ROWS, title="Export du 13 octobre")
    given = {"organisation": "laposte", "programme": "objectif-ia"}
    found = list(events_of_file(path, given=given))
    assert [row for row, _event in found] == [3, 4, 5]
    first = found[0][1]
    assert isinstance(first, dict)
    assert {name: first[name] for name in ("employee_number", "event", "occurred_at", "progress")} == {
        "employee_number": "00412877",
        "event": "started",
        "occurred_at": "2026-10-05T08:30:00",
        "progress": "10",
    }
    assert first["organisation"] == "laposte"


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_a_table_in_english(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "night.csv"
    header = ["Organisation", "Employee number", "Status", "Completed on"]
    lines = [header, ["laposte", "00412877", "passed", "2026-10-12T08:00:00Z"]]
    path.write_text("\r\n".join(delimiter.join(line) for line in lines), encoding="cp1252")
    ((row, event),) = events_of_file(path)
    assert row == 2
    assert isinstance(event, dict)
    assert (event["event"], event["employee_number"], event["organisation"]) == ("certified", "00412877", "laposte")


def test_the_same_content_has_the_same_id_wherever_it_stands() -> None:
    columns = columns_of(FRENCH)
    assert columns
    ids = [event_of_row([str(cell) for cell in row], columns, {})["event_id"] for row in (*ROWS, ROWS[0])]
    assert len(set(ids)) == 3
    assert ids[0] == ids[3]
    turned = list(reversed(FRENCH))
    again = columns_of(turned)
    assert again
    assert event_of_row([str(cell) for cell in reversed(ROWS[0])], again, {})["event_id"] == ids[0]


@pytest.mark.parametrize("header", [["Nom", "Date"], ["Matricule", "Statut"], ["Statut", "Date"], []])
def test_a_header_that_lacks_something_is_none(header: list[str]) -> None:
    assert columns_of(header) is None


@pytest.mark.django_db
def test_the_same_file_again_changes_nothing(laposte: Organisation, amelie: Employee, tmp_path: Path) -> None:
    path = workbook(tmp_path / "nuit.xlsx", FRENCH, *ROWS)
    given = {"organisation": "laposte", "programme": "objectif-ia"}
    for counts in ((2, 0, 1), (0, 3, 0)):
        recorded = record_completions(actor=OPERATOR, events=events_of_file(path, given=given), source="file")
        assert (recorded.accepted, recorded.duplicate, recorded.unmatched) == counts


@pytest.mark.parametrize("content", [b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken"])
def test_a_damaged_workbook_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    with pytest.raises(Refusal) as refused:
        list(events_of_file(path))
    assert str(refused.value)


# --- The drop folder -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.PLATFORM_DROP_FOLDER = tmp_path / "drop"
    settings.PLATFORM_DROP_FOLDER.mkdir()
    return tmp_path / "drop"


def settled(path: Path, *, seconds: int = 120) -> None:
    """Nobody has written to the file for so long."""
    os.utime(path, (time.time() - seconds,) * 2)


@pytest.mark.django_db
def test_dropped_files_are_taken_and_put_aside(folder: Path, laposte: Organisation, amelie: Employee) -> None:
    own = folder / "laposte"
    own.mkdir()
    settled(workbook(own / "nuit.xlsx", FRENCH, *ROWS))
    settled(workbook(folder / "bad.xlsx", ["a", "b"], ["c", "d"]))
    workbook(own / "still-written.xlsx", FRENCH, *ROWS)

    assert take_dropped_files(actor=SYSTEM) == {laposte.pk}

    with organisation_scope(laposte.pk):
        delivery = Delivery.objects.get()
        assert (delivery.source, delivery.name, delivery.accepted) == ("file", "nuit.xlsx", 2)
        assert CompletionEvent.objects.filter(source="file").count() == 3
    assert [path.name for path in own.iterdir() if path.is_file()] == ["still-written.xlsx"]
    assert sorted(path.suffix for path in (own / "done").iterdir()) == [".json", ".xlsx"]
    (report,) = (folder / "refused").glob("*.json")
    assert "unknown_format" in report.read_text()
    assert take_dropped_files(actor=SYSTEM) == set()


@pytest.mark.django_db
def test_a_folder_of_one_organisation_is_for_it_alone(
    folder: Path, laposte: Organisation, airbus: Organisation
) -> None:
    own = folder / "airbus"
    own.mkdir()
    rows = ["Organisation", "Matricule", "Statut", "Date"], ["laposte", "00412877", "Certifié", "12/10/2026"]
    settled(workbook(own / "nuit.xlsx", *rows))
    take_dropped_files(actor=SYSTEM)
    with organisation_scope(laposte.pk):
        assert not CompletionEvent.objects.exists()


@pytest.mark.django_db
def test_a_file_whose_worker_died_is_taken_again(folder: Path, laposte: Organisation, amelie: Employee) -> None:
    own = folder / "laposte"
    (own / "taken").mkdir(parents=True)
    settled(workbook(own / "taken" / "nuit.xlsx", FRENCH, *ROWS), seconds=7_200)
    assert take_dropped_files(actor=SYSTEM) == {laposte.pk}
    assert not list((own / "taken").iterdir())


@pytest.mark.django_db
def test_without_a_folder_nothing_is_taken(settings: Settings, tmp_path: Path) -> None:
    for place in (None, tmp_path / "nowhere"):
        settings.PLATFORM_DROP_FOLDER = place
        assert take_dropped_files(actor=SYSTEM) == set()
