"""The door: it leads everyone to theirs, and says nothing of who exists."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.people.models import Membership
from portal.people.services import grant_role
from sso.discovery import MISSES
from sso.models import Connection
from tests.factories.people import sign_in

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import Settings

    from portal.organisations.models import Organisation
    from portal.people.models import Employee, User

pytestmark = pytest.mark.django_db(databases=["default"])


@pytest.fixture
def connected(laposte: Organisation) -> Connection:
    with organisation_scope(laposte.pk):
        return Connection.objects.create(
            organisation=laposte,
            state=Connection.State.ACTIVE,
            idp_entity_id="https://idp.laposte.example",
            idp_sso_url="https://idp.laposte.example/sso",
            idp_sso_binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            idp_certificates=["certificate"],
            entity_id="https://portal.example/sso/1/metadata/",
            sp_certificate="certificate",
            sp_private_key=b"sealed",
            activated_at=timezone.now(),
        )


@pytest.mark.parametrize(
    "key", ["amelie.lefevre@laposte.example", "nobody@LAPOSTE.example", "laposte", " LaPoste ", "La Poste"]
)
def test_an_address_or_a_code_leads_to_the_organisation(connected: Connection, key: str) -> None:
    answer = Client().post("/", {"key": key})

    assert answer.status_code == 200
    assert f'href="/sso/{connected.public_id}/login/"' in answer.text


@pytest.mark.parametrize("key", ["someone@elsewhere.example", "airbus", "no-such-code", "@", "a\x00b@laposte.example"])
def test_what_leads_nowhere_says_what_to_do(connected: Connection, airbus: Organisation, key: str) -> None:
    answer = Client().post("/", {"key": key})

    assert answer.status_code == 200
    assert "/sso/" not in answer.text
    assert "/account/login/" in answer.text


def test_who_exists_is_neither_said_nor_looked_up(connected: Connection, amelie: Employee) -> None:
    with CaptureQueriesContext(connection) as known:
        of_amelie = Client().post("/", {"key": amelie.email})
    with CaptureQueriesContext(connection) as unknown:
        of_nobody = Client().post("/", {"key": "nobody.at.all@laposte.example"})
    with CaptureQueriesContext(connection) as elsewhere:
        Client().post("/", {"key": "someone@elsewhere.example"})

    assert of_amelie.context["url"] == of_nobody.context["url"]
    assert len(known) == len(unknown) == len(elsewhere)
    assert not any("people_employee" in query["sql"] for query in known)


def test_what_is_known_without_a_connection_is_answered_as_what_is_not(
    connected: Connection, airbus: Organisation
) -> None:
    known, unknown = (Client().post("/", {"key": key}).text for key in ("Airbus", "Nobody at all"))

    assert without_tokens(known) == without_tokens(unknown)


def without_tokens(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


def test_guessing_is_held_back_and_finding_is_not(connected: Connection) -> None:
    visitor = Client()
    for _ in range(MISSES.most + 5):
        assert visitor.post("/", {"key": "laposte"}).context["url"]
    for number in range(MISSES.most):
        assert visitor.post("/", {"key": f"guess {number}"}).status_code == 200

    held = visitor.post("/", {"key": "laposte"})

    assert held.status_code == 429
    assert held.context["form"].non_field_errors()
    assert visitor.get("/").status_code == 200


def test_an_empty_key_asks_again(db: None) -> None:
    assert Client().post("/", {"key": " "}).context["form"].errors


@pytest.mark.parametrize(
    ("client", "url"),
    [
        ("as_manon", "/manage/"),
        ("as_helene", "/o/laposte/"),
        ("as_victor", "/o/laposte/"),
        ("as_amelie", "/me/"),
    ],
)
def test_who_is_signed_in_goes_where_they_belong(request: pytest.FixtureRequest, client: str, url: str) -> None:
    answer = request.getfixturevalue(client).get("/")

    assert (answer.status_code, answer["Location"]) == (302, url)


def test_a_role_elsewhere_does_not_count_until_its_door_is_used(
    helene: User, laposte: Organisation, airbus: Organisation
) -> None:
    with organisation_scope(airbus.pk):
        grant_role(actor=OPERATOR, organisation=airbus, user=helene, role=Membership.Role.REPORT_VIEWER)

    assert sign_in(helene, laposte).get("/")["Location"] == "/o/laposte/"
    choice = sign_in(helene).get("/")
    assert [organisation.slug for organisation in choice.context["organisations"]] == ["airbus", "laposte"]


def test_the_demo_says_what_to_try(db: None, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    account = {
        "who": "Hélène",
        "role": "roster_manager",
        "organisation": "La Poste",
        "how": "company",
        "login": "helene",
        "password": "demo",
        "url": "/sso/",
    }
    (folder / "accounts.json").write_text(json.dumps([account]), encoding="utf-8")
    settings.DEMO_DIRECTORY = tmp_path

    assert Client().get("/").context["demo"] == []
    settings.DEMO = True
    assert "Hélène" in Client().get("/").text


@pytest.mark.parametrize("path", ["/road/", "/i/token/"])
def test_pages_to_come_say_so(path: str, db: None) -> None:
    answer = Client().get(path)

    assert answer.status_code == 501
    assert Client().post(path).status_code == 405
