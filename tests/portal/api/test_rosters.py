"""Rosters over the API: PUT /api/v1/organisations/<slug>/roster/, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage

from imports import tasks
from imports.corrections import choose_reading
from imports.models import RosterImport
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from tests.imports.pipeline.files import delimited
from tests.imports.rosters import apply_roster, employees, people, person, roster_file
from tests.portal.api.conftest import holder

if TYPE_CHECKING:
    from django.test import Client

    from portal.organisations.models import Organisation
    from portal.people.models import User

ADDRESS = "/api/v1/organisations/laposte/roster/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def system(laposte: Organisation) -> Client:
    return holder("HR system", "roster:write", "organisation:laposte")


def put(client: Client, rows: list[tuple[str, ...]] | bytes, query: str = "") -> Any:
    content = rows if isinstance(rows, bytes) else roster_file(rows).getvalue()
    return client.put(ADDRESS + query, content, content_type="application/octet-stream")


def work(organisation: Organisation, answer: Any) -> dict[str, Any]:
    """Do what the worker does, and return what the system then reads of its import."""
    tasks.prepare.run(organisation.pk, answer.json()["import"])
    document: dict[str, Any] = answer.client.get(answer["Location"]).json()
    return document


def test_a_roster_is_applied_without_anybody(system: Client, laposte: Organisation) -> None:
    answer = put(system, people(5, cohort="Vague 1"), "?name=nightly.csv")

    assert (answer.status_code, answer.json()["state"]) == (202, "uploaded")
    done = work(laposte, answer)
    assert (done["state"], done["create"], len(employees(laposte))) == ("applied", 5, 5)


def test_the_same_content_again_is_the_same_import(system: Client, laposte: Organisation) -> None:
    first = put(system, people(3))
    work(laposte, first)

    again = put(system, people(3))

    assert (again.status_code, again.json()["import"]) == (200, first.json()["import"])
    assert again.json()["state"] == "applied"


def test_the_same_content_after_another_is_a_new_import(system: Client, laposte: Organisation) -> None:
    first = put(system, people(3))
    work(laposte, first)
    work(laposte, put(system, [person(f"{number:05d}", "Durand", "Zoé", "", "Lyon") for number in range(1, 4)]))

    back = put(system, people(3))

    assert (back.status_code, work(laposte, back)["update"]) == (202, 3)


def test_another_mode_or_cohort_is_another_import(system: Client, laposte: Organisation) -> None:
    answers = [put(system, people(3), query) for query in ("", "?mode=full", "?cohort=Vague%202")]

    assert len({answer.json()["import"] for answer in answers}) == 3


def test_too_many_departures_wait_for_a_person(system: Client, laposte: Organisation) -> None:
    apply_roster(laposte, people(30))

    held = work(laposte, put(system, people(10), "?mode=full"))

    assert (held["state"], held["held"], [active for (active,) in employees(laposte, "active")]) == (
        "held",
        20,
        [True] * 30,
    )


def test_what_a_person_has_a_word_in_waits_for_their_word(system: Client, laposte: Organisation) -> None:
    content = delimited([("Matricle", "Nom", "Prénom"), ("1", "Martin", "Zoé")]).getvalue()
    answer = put(system, content)
    assert work(laposte, answer)["state"] == "ready", "A column was only guessed."
    import_id = answer.json()["import"]
    with organisation_scope(laposte.pk):
        columns = {"employee_number": 0, "last_name": 1, "first_name": 2}
        choose_reading(
            actor=OPERATOR, organisation=laposte, import_id=import_id, sheet="", header_row=1, columns=columns
        )
    tasks.prepare.run(laposte.pk, import_id)

    assert (system.get(answer["Location"]).json()["state"], employees(laposte)) == ("ready", [])


def test_a_row_to_correct_stops_no_other(system: Client, laposte: Organisation) -> None:
    done = work(laposte, put(system, [*people(2), ("", "Sans", "Clé", "", "", "", "")]))

    assert (done["state"], done["create"], done["reject"]) == ("applied", 2, 1)
    assert done["issues"][0]["code"] == "missing_key"


def test_a_file_that_cannot_be_read_says_why(system: Client, laposte: Organisation) -> None:
    failed = work(laposte, put(system, b"%PDF-1.7\n"))

    assert (failed["state"], failed["error"]["code"]) == ("failed", "not_a_spreadsheet")
    assert put(system, b"%PDF-1.7\n").status_code == 202


def test_an_empty_body_is_refused(system: Client) -> None:
    answer = put(system, b"")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "empty_file")


@pytest.mark.parametrize("query", ["?mode=all", "?cohort=" + "x" * 151])
def test_a_strange_address_is_refused(system: Client, query: str) -> None:
    assert put(system, people(1), query).status_code == 400


def test_a_body_over_the_limit_is_refused_and_not_kept(system: Client, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 10

    answer = put(system, people(5))

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_large")
    assert not default_storage.exists("quarantine")


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (("roster:write", "organisation:airbus"), 404),
        (("roster:write",), 404),
        (("organisation:laposte",), 403),
        (("completions:write", "organisation:laposte"), 403),
    ],
)
def test_only_its_own_token_may(
    laposte: Organisation, airbus: Organisation, scopes: tuple[str, ...], status: int
) -> None:
    assert put(holder("Other", *scopes), people(1)).status_code == status
    with organisation_scope(laposte.pk):
        assert not RosterImport.objects.exists()


def test_an_import_of_another_organisation_does_not_exist(
    system: Client, laposte: Organisation, airbus: Organisation
) -> None:
    theirs = apply_roster(airbus, people(1))

    assert system.get(f"/api/v1/organisations/laposte/imports/{theirs.pk}/").status_code == 404


def test_a_signed_in_person_has_no_key_to_it(as_helene: Client, helene: User) -> None:
    assert put(as_helene, people(1)).status_code == 401
