"""The page "we read it like this"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from imports import looking_views
from imports.models import RosterImport
from imports.pipeline.issues import UnreadableFile
from portal.core.tenancy import organisation_scope
from tests.imports.pages import at
from tests.imports.rosters import people, prepare_roster, reread

if TYPE_CHECKING:
    from django.test import Client

    from portal.organisations.models import Organisation

COLUMNS = ("Matricule", "Nom", "Prénom", "Courriel", "Site", "Cohorte", "Date de sortie")
FED = ("employee_number", "last_name", "first_name", "email", "site", "cohort", "left_on")
AS_READ = {f"column-{index}": name for index, name in enumerate(FED)} | {"sheet": "csv", "header_row": "1"}


def column(index: int, header: str, **more: object) -> dict[str, Any]:
    told = {"samples": [f"exemple {index}"], "field": "", "reason": "", "forbidden": ""}
    return {"index": index, "letter": chr(65 + index), "header": header, **told, **more}


def preview_of(mapping: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """A preview of the file of `people`, with a column that a roster must not bring in."""
    columns = [column(index, header, field=FED[index], reason="synonym") for index, header in enumerate(COLUMNS)]
    return {
        "sheets": [{"name": "csv", "hidden": False, "rows": 2}, {"name": "Paie", "hidden": True, "rows": 9}],
        "sheet": "csv",
        "mapping": mapping,
        "width": 9,
        "refusal": "",
        "params": {},
        "rows": [
            {"number": 1, "cells": [*COLUMNS, "Né le", "<b>Gants</b>"]},
            {"number": 2, "cells": ["00001", "Martin1", "Zoé", "", "Lyon", "", "", "12/03/1980", "M"]},
        ],
        "columns": [*columns, column(7, "Né le", forbidden="birth"), column(8, "<b>Gants</b>")],
        **more,
    }


@pytest.fixture
def waiting(laposte: Organisation) -> RosterImport:
    found = prepare_roster(laposte, people(2), channel="page")
    with organisation_scope(laposte.pk):
        RosterImport.objects.update(preview=preview_of(found.mapping))
    return reread(laposte, found.pk)


def test_the_file_is_shown_as_it_was_read(as_helene: Client, laposte: Organisation, waiting: RosterImport) -> None:
    answer = as_helene.get(at(laposte, waiting, "import_reading"))

    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "exemple 3" in shown
    assert "Né le" in shown
    assert "<b>Gants" not in shown


def test_what_must_not_come_in_is_not_even_shown(
    as_helene: Client, laposte: Organisation, waiting: RosterImport
) -> None:
    shown = as_helene.get(at(laposte, waiting, "import_reading")).content.decode()

    assert "12/03/1980" not in shown
    assert 'name="column-7"' not in shown


def test_what_is_to_know_of_the_file_is_said(as_helene: Client, laposte: Organisation, waiting: RosterImport) -> None:
    with organisation_scope(laposte.pk):
        notes = [["hidden_rows", {"count": "3"}], ["duplicate_header", {"header": "<u>Nom"}]]
        RosterImport.objects.update(preview=preview_of({**waiting.mapping, "notes": notes}))

    shown = as_helene.get(at(laposte, waiting, "import_reading"))

    assert len(shown.context["look"]["notes"]) == 2
    assert "<u>Nom" not in shown.content.decode()


def test_a_hidden_sheet_is_said_to_be_hidden(as_helene: Client, laposte: Organisation, waiting: RosterImport) -> None:
    sheets = as_helene.get(at(laposte, waiting, "import_reading")).context["look"]["sheets"]

    assert [sheet["label"] == sheet["name"] for sheet in sheets] == [True, False]


def test_saying_yes_leads_to_the_review_and_reads_nothing_again(
    as_helene: Client, laposte: Organisation, waiting: RosterImport
) -> None:
    answer = as_helene.post(at(laposte, waiting, "import_reading"), AS_READ)

    after = reread(laposte, waiting.pk)
    assert answer.headers["Location"] == at(laposte, waiting)
    assert after.state == "ready"
    assert after.looked_at is not None
    assert as_helene.get(at(laposte, waiting)).status_code == 200


@pytest.mark.parametrize(
    ("changed", "columns", "extras"),
    [
        ({"column-4": ""}, {"site": None}, []),
        ({"column-4": "department"}, {"site": None, "department": 4}, []),
        ({"column-8": "extra"}, {"site": 4}, [8]),
        ({"header_row": "3"}, {"site": 4}, []),
    ],
)
def test_another_choice_has_the_file_read_again(
    as_helene: Client,
    laposte: Organisation,
    waiting: RosterImport,
    changed: dict[str, str],
    columns: dict[str, int | None],
    extras: list[int],
) -> None:
    as_helene.post(at(laposte, waiting, "import_reading"), AS_READ | changed)

    after = reread(laposte, waiting.pk)
    assert after.state == "preparing"
    assert after.wanted_header_row == int(changed.get("header_row", "1"))
    assert after.choice["extras"] == extras
    assert {name: after.choice["columns"].get(name) for name in columns} == columns


@pytest.mark.parametrize(
    ("changed", "named"), [({"column-4": "email"}, "adresse électronique"), ({"column-1": ""}, "nom")]
)
def test_a_choice_that_contradicts_itself_says_so_and_stays(
    as_helene: Client, laposte: Organisation, waiting: RosterImport, changed: dict[str, str], named: str
) -> None:
    answer = as_helene.post(at(laposte, waiting, "import_reading"), AS_READ | changed)

    assert answer.status_code == 422
    assert named in answer.context["said"]
    assert reread(laposte, waiting.pk).state == "ready"


def test_strange_columns_of_a_form_are_not_believed(
    as_helene: Client, laposte: Organisation, waiting: RosterImport
) -> None:
    strange = {"column-x": "site", "column-99999999": "site", "column-5": "active", "column-": "email"}

    as_helene.post(at(laposte, waiting, "import_reading"), AS_READ | strange)

    assert set(reread(laposte, waiting.pk).choice["columns"]) == set(FED) - {"cohort"}


def test_another_sheet_is_looked_at_by_a_glance(
    as_helene: Client, laposte: Organisation, waiting: RosterImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def glance(*_whose: object, sheet: str | None, header_row: int | None) -> dict[str, Any]:
        asked.append((sheet, header_row))
        return preview_of(None, sheet="Paie", refusal="no_header", params={"missing": "last_name"})

    monkeypatch.setattr(looking_views, "glance", glance)
    shown = as_helene.get(at(laposte, waiting, "import_reading"), {"sheet": "Paie", "header_row": "3"})

    assert asked == [("Paie", 3)]
    assert shown.context["look"]["refusal"]


def test_what_cannot_be_looked_at_says_why(
    as_helene: Client, laposte: Organisation, waiting: RosterImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def glance(*_whose: object, **_where: object) -> dict[str, Any]:
        raise UnreadableFile("unknown_sheet", sheet="<i>")

    monkeypatch.setattr(looking_views, "glance", glance)
    shown = as_helene.get(at(laposte, waiting, "import_reading"), {"sheet": "<i>"}).content.decode()

    assert 'class="note bad"' in shown
    assert "<i>" not in shown


def test_an_unclear_file_is_shown_first_with_what_is_missing(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, [("1", "2")], header=("a", "b"), channel="page")
    assert found.state == "unclear"

    assert as_helene.get(at(laposte, found)).headers["Location"] == at(laposte, found, "import_reading")
    shown = as_helene.get(at(laposte, found, "import_reading"))
    assert shown.status_code == 200
    assert 'class="note warn"' in shown.content.decode()


def test_an_import_that_is_past_it_leads_to_its_page(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(1))
    with organisation_scope(laposte.pk):
        RosterImport.objects.update(state="applied")

    assert as_helene.get(at(laposte, found, "import_reading")).headers["Location"] == at(laposte, found)
