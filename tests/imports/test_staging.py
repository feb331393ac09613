"""Staging: rows and issues as they were read, chunk by chunk."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.db import DataError

from imports.models import RosterImport, StagedRow
from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.mapping import Mapping
from imports.pipeline.validation import CheckedRow
from imports.services import begin_preparing
from imports.staging import FIELDS, NoLongerWanted, stage_rows, staged_columns
from portal.core.tenancy import cursor_rows, organisation_scope
from tests.imports.rosters import HEADER, counted, issue_codes, open_roster, person, prepare_roster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import Settings

    from portal.organisations.models import Organisation

MAPPING = Mapping("csv", 1, ("Matricule", "Nom Prénom"), {"employee_number": 0, "full_name": 1})


def checked(number: int) -> CheckedRow:
    return CheckedRow(number, {"employee_number": f"{number}", "last_name": "M", "first_name": "Z"}, "m z", [])


def begun(organisation: Organisation) -> RosterImport:
    import_id = open_roster(organisation, [person("1")])
    with organisation_scope(organisation.pk):
        roster_import = begin_preparing(organisation=organisation, import_id=import_id)
    assert roster_import is not None
    return roster_import


def count(roster_import: RosterImport) -> int:
    with organisation_scope(roster_import.organisation_id):
        return StagedRow.objects.filter(roster_import=roster_import).count()


def test_a_full_name_column_gives_two_fields() -> None:
    assert set(staged_columns(MAPPING)) == {"employee_number", "first_name", "last_name"}


def test_no_field_is_longer_than_its_column() -> None:
    assert {field.name for field in FIELDS} == {field.name for field in ROSTER_FIELDS}
    for field in FIELDS:
        if field.name in {"site", "department", "cohort"}:
            assert field.max_length == 150


def test_a_text_that_does_not_fit_rejects_its_row(laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("1", "A", "B", "", "x" * 151)])

    assert issue_codes(laposte, found) == [(2, "too_long")]


def test_rows_arrive_in_chunks_and_progress_is_seen(laposte: Organisation, settings: Settings) -> None:
    settings.IMPORT_CHUNK_ROWS = 2
    roster_import = begun(laposte)
    seen = []

    def rows() -> Iterator[CheckedRow]:
        for number in range(2, 7):
            yield checked(number)
            seen.append(count(roster_import))

    assert stage_rows(roster_import=roster_import, mapping=MAPPING, rows=rows()) == 5
    # Never more than a chunk is ahead of what is stored.
    assert (seen, count(roster_import)) == ([0, 2, 2, 4, 4], 5)


def test_an_interrupted_reading_begins_again(laposte: Organisation) -> None:
    roster_import = begun(laposte)
    stage_rows(roster_import=roster_import, mapping=MAPPING, rows=[checked(2)])

    with organisation_scope(laposte.pk):
        begin_preparing(organisation=laposte, import_id=roster_import.pk)

    assert count(roster_import) == 0


def test_a_cancelled_import_takes_no_more_rows(laposte: Organisation) -> None:
    roster_import = begun(laposte)
    with organisation_scope(laposte.pk):
        RosterImport.objects.update(state="cancelled")

    with pytest.raises(NoLongerWanted):
        stage_rows(roster_import=roster_import, mapping=MAPPING, rows=[checked(2)])
    assert count(roster_import) == 0


def test_one_unreadable_date_rejects_its_row_and_no_other(laposte: Organisation) -> None:
    dates = ("01/02/2030", "notadate", "", "31/12/1899", "#REF!")
    found = prepare_roster(
        laposte, [person(f"{number}", "A", "B", "", "", "", day) for number, day in enumerate(dates)]
    )

    assert (found.state, counted(found)) == ("ready", {"create": 2, "reject": 3})
    assert issue_codes(laposte, found) == [(3, "invalid_date"), (5, "date_out_of_range"), (6, "error_cell")]
    with organisation_scope(laposte.pk):
        stored = cursor_rows("SELECT left_on FROM imports_stagedrow ORDER BY number")
    assert stored == [(dt.date(2030, 2, 1),), (None,), (None,), (None,), (None,)]


def test_an_empty_text_is_no_date(laposte: Organisation) -> None:
    mapping = Mapping("csv", 1, ("Matricule", "Sortie"), {"employee_number": 0, "left_on": 1})
    row = CheckedRow(2, {"employee_number": "1", "left_on": ""}, "", [])

    assert stage_rows(roster_import=begun(laposte), mapping=mapping, rows=[row]) == 1


def test_an_error_of_the_copy_is_one_of_the_database(laposte: Organisation) -> None:
    unstorable = dataclasses.replace(checked(1), sort_name="\x00")

    with pytest.raises(DataError):
        stage_rows(roster_import=begun(laposte), mapping=MAPPING, rows=[unstorable])


def test_dropped_columns_are_stored_nowhere(laposte: Organisation) -> None:
    born = "Date de naissance"
    found = prepare_roster(laposte, [(*person("1"), "01/02/1980")], header=(*HEADER, born))

    assert Mapping.from_json(found.mapping).dropped_headers == (born,)
    with organisation_scope(laposte.pk):
        (row,) = cursor_rows("SELECT to_jsonb(s)::text FROM imports_stagedrow s")
    assert "1980" not in row[0]
