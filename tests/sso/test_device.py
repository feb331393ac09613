"""The last door used on a device is offered there, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.signing import TimestampSigner
from django.test import Client
from django.utils import timezone

from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from sso.device import YEAR_SECONDS
from sso.models import Connection
from tests.sso.company import make_company

if TYPE_CHECKING:
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db

COOKIE = "sign-in-door"


@pytest.fixture
def device(poste: Company) -> Client:
    """A browser in which somebody of La Poste signed in, and out again."""
    browser = Client()
    poste.sign_in(browser)
    browser.post("/account/logout/")
    return browser


def close(company: Company) -> None:
    with organisation_scope(company.organisation.pk):
        Connection.objects.filter(pk=company.connection.pk).update(closed_at=timezone.now())


def test_the_door_used_last_is_one_press_away(device: Client, poste: Company) -> None:
    page = device.get("/")

    assert page.context["known"].url == poste.path("login/")
    assert "La Poste" in page.text
    assert "La Poste" not in Client().get("/").text


def test_the_cookie_is_signed_lasts_a_year_and_holds_nobody(device: Client, poste: Company) -> None:
    cookie = device.cookies[COOKIE]

    assert cookie.value.startswith(f"{poste.connection.public_id}:")
    assert (cookie["samesite"], cookie["httponly"], cookie["max-age"]) == ("Lax", True, YEAR_SECONDS)


def test_it_is_forgotten_on_demand(device: Client) -> None:
    assert device.post("/", {"forget": "yes"}).status_code == 302

    assert device.get("/").context["known"] is None


def test_what_was_not_signed_here_is_nothing(poste: Company) -> None:
    browser = Client()
    public_id = str(poste.connection.public_id)
    for value in ("", public_id, f"{public_id}:1:forged", TimestampSigner(salt="sso.device").sign("no id")):
        browser.cookies[COOKIE] = value
        assert browser.get("/").context["known"] is None


def test_a_closed_door_is_replaced_or_forgotten_without_a_word(device: Client, poste: Company) -> None:
    newer = make_company(poste.organisation, name="new")
    assert device.get("/").context["known"].url == poste.path("login/")
    close(poste)
    assert device.get("/").context["known"].url == newer.path("login/")
    close(newer)

    page = device.get("/")

    assert page.context["known"] is None
    assert page.status_code == 200
    assert "La Poste" not in page.text


def test_an_organisation_that_left_is_forgotten(device: Client) -> None:
    Organisation.objects.update(active=False)

    assert device.get("/").context["known"] is None


def test_a_sign_in_that_fails_remembers_nothing(poste: Company) -> None:
    browser = Client()
    browser.get(poste.path("acs/finish/"), {"t": "unknown"})

    assert COOKIE not in browser.cookies
