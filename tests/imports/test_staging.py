"""Landing and staging: rows and issues as they were read, and no others when the reading stops."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.db import DataError

from imports import progress
from imports.landing import VALUES, create_landing, land_rows, storable
from imports.models import RosterImport, StagedRow
from imports.pipeline.blocks import Block
from imports.pipeline.copying import block_lines, fields_read
from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.mapping import Mapping
from imports.pipeline.validation import CheckedRow
from imports.runs import prepare_import
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from tests.imports.rosters import HEADER, counted, issue_codes, open_roster, people, person, prepare_roster, reread

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

MAPPING = Mapping("csv", 1, ("Matricule", "Nom Prénom"), {"employee_number": 0, "full_name": 1})


def test_a_full_name_column_gives_two_fields() -> None:
    assert set(fields_read(MAPPING, VALUES)) == {"employee_number", "first_name", "last_name"}


def test_no_field_is_longer_than_its_column() -> None:
    for field in map(storable, ROSTER_FIELDS):
        if field.name in {"site", "department", "cohort"}:
            assert field.max_length == 150


def test_a_text_that_does_not_fit_rejects_its_row(laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("1", "A", "B", "", "x" * 151)])

    assert issue_codes(laposte, found) == [(2, "too_long")]


def test_values_land_as_they_were_read(laposte: Organisation) -> None:
    strange = 'tab\\t "quoted" \\N é 🙂 مرحبا'
    values: dict[str, str | dt.date | None] = {"employee_number": "007", "site": strange, "left_on": None}
    row = CheckedRow(2, {**values, "hired_on": dt.date(2020, 2, 29)}, "m z", [], {'Co"lumn\\': "va\tlue"})
    fields = ("employee_number", "site", "hired_on", "left_on")

    with organisation_scope(laposte.pk):
        create_landing()
        land_rows(fields, [block_lines(Block(others=[row]), fields, room=10)])
        landed = cursor_rows(f"SELECT number, {', '.join(fields)}, attributes, department FROM landing_row")

    assert landed == [(2, "007", strange, dt.date(2020, 2, 29), None, '{"Co\\"lumn\\\\": "va\\tlue"}', "")]


def test_a_reading_that_is_killed_begins_again(laposte: Organisation) -> None:
    import_id = open_roster(laposte, people(3))
    with organisation_scope(laposte.pk):
        RosterImport.objects.filter(pk=import_id).update(state="preparing", done_rows=1)

    prepare_import(actor=OPERATOR, organisation=laposte, import_id=import_id)

    assert counted(reread(laposte, import_id)) == {"create": 3}


def test_a_cancelled_import_takes_no_more_rows(laposte: Organisation) -> None:
    import_id = open_roster(laposte, people(3))
    progress.give_up(import_id)

    prepare_import(actor=OPERATOR, organisation=laposte, import_id=import_id)

    with organisation_scope(laposte.pk):
        assert not StagedRow.objects.exists()


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


def test_an_error_of_the_copy_is_one_of_the_database(laposte: Organisation) -> None:
    def land() -> None:
        with organisation_scope(laposte.pk):
            create_landing()
            land_rows((), [b"no number\tf\t\t{}\n"])

    with pytest.raises(DataError):
        land()


def test_dropped_columns_are_stored_nowhere(laposte: Organisation) -> None:
    born = "Date de naissance"
    found = prepare_roster(laposte, [(*person("1"), "01/02/1980")], header=(*HEADER, born))

    assert Mapping.from_json(found.mapping).dropped_headers == (born,)
    with organisation_scope(laposte.pk):
        (row,) = cursor_rows("SELECT to_jsonb(s)::text FROM imports_stagedrow s")
    assert "1980" not in row[0]
