"""Who is signed in: GET /api/v1/me/."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from tests.factories.people import sign_in

if TYPE_CHECKING:
    from django.test import Client

    from portal.organisations.models import Organisation
    from portal.people.models import User

URL = "/api/v1/me/"

pytestmark = pytest.mark.django_db


def test_an_employee(as_amelie: Client) -> None:
    assert as_amelie.get(URL).json() == {
        "name": "Amélie Lefèvre",
        "email": "amelie.lefevre@laposte.example",
        "organisation": "laposte",
        "employee_number": "00412877",
        "roles": ["learner"],
    }


def test_a_roster_manager(as_helene: Client) -> None:
    body = as_helene.get(URL).json()
    assert (body["organisation"], body["roles"]) == ("laposte", ["roster_manager", "learner"])
    assert body["employee_number"] == ""


def test_an_account_manager_belongs_to_no_organisation(as_manon: Client) -> None:
    body = as_manon.get(URL).json()
    assert (body["organisation"], body["roles"]) == ("", ["account_manager"])


def test_only_the_organisation_of_the_session_shows(helene: User, airbus: Organisation, laposte: Organisation) -> None:
    """Who came by another partner's sign-in is nobody's roster manager there."""
    assert sign_in(helene, laposte).get(URL).json()["organisation"] == "laposte"


def test_nobody_is_refused(client: Client, laposte_system: Client) -> None:
    for visitor in (client, laposte_system):
        response = visitor.get(URL)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "not_authenticated"


def test_answers_stay_in_no_cache(as_amelie: Client, client: Client) -> None:
    for visitor, path, status in [(as_amelie, URL, 200), (client, URL, 401), (client, reverse("api_schema"), 200)]:
        response = visitor.get(path)
        assert (response.status_code, response["Cache-Control"]) == (status, "private, no-store")


def test_it_rejects_post(as_amelie: Client) -> None:
    assert as_amelie.post(URL).status_code == 405


def test_the_schema_is_open_and_whole(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    response = client.get(reverse("api_schema"))
    assert response.status_code == 200
    # What the generator cannot describe it says on the standard error.
    assert capsys.readouterr().err == ""
    assert set(response.json()["paths"]) == {
        "/api/v1/schema/",
        "/api/v1/me/",
        "/api/v1/completions/",
        "/api/v1/xapi/about",
        "/api/v1/xapi/statements",
        "/api/v1/organisations/{slug}/roster/",
        "/api/v1/organisations/{slug}/imports/{import_id}/",
        "/api/v1/organisations/{slug}/cohorts/",
        "/api/v1/organisations/{slug}/cohorts/{cohort_id}/report/",
    }
