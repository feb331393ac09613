"""A partner's IT, with nothing but a set-up link and its identity provider, reaches "active" in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.journeys.conftest import Eyes, Portal

pytestmark = pytest.mark.journey

NAME = "regie"
LOGIN, PASSWORD = "ines@regie-people.example", "a password of the directory"


@pytest.fixture
def link(portal: Portal) -> str:
    """The operator's part: the organisation and the link. The identity provider knows one person of its own."""
    users = portal.directory / "identity-provider" / "users.json"
    known = json.loads(users.read_text())
    known[NAME] = [
        {
            "login": LOGIN,
            "password": PASSWORD,
            "name_id": "regie-1",
            "attributes": {"employeeNumber": ["R-1"], "mail": [LOGIN], "givenName": ["Inès"], "sn": ["Roche"]},
        }
    ]
    users.write_text(json.dumps(known))
    portal.command("create_organisation", NAME, "--name", "Régie des Eaux", "--domain", "regie-people.example")
    made = portal.command("create_setup_link", NAME, "--recipient", "DSI")
    url: str = made["url"]
    return url


def go_on(page: Page) -> None:
    """Do what the page offers first."""
    page.locator(".actions .primary").click()


def sign_in_there(page: Page, portal: Portal) -> None:
    assert page.url.startswith(portal.provider)
    page.locator("input[name=login]").fill(LOGIN)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("form button").first.click()


@dataclass(frozen=True)
class Look:
    """Looks at the page wide, then as narrow as a page must bear."""

    page: Page
    eyes: Eyes

    def __call__(self, name: str) -> None:
        self.eyes.look(self.page, f"setup-{name}")
        self.page.set_viewport_size({"width": 320, "height": 700})
        self.eyes.look(self.page, f"setup-{name}-narrow")
        self.page.set_viewport_size({"width": 1280, "height": 900})


def test_from_the_link_to_the_first_sign_in(
    page: Page, browser: Browser, portal: Portal, link: str, eyes: Eyes
) -> None:
    look = Look(page, eyes)
    page.goto(link)
    expect(page.locator("h1")).to_contain_text("Régie des Eaux")
    look("start")
    go_on(page)
    tell_which_product(page, portal, look)
    give_metadata(page, portal, look)
    pass_the_test(page, portal, look)
    # Left, and taken up again another day.
    page.goto(link)
    go_on(page)
    door = switch_on(page, look)
    closed = page.goto(link)
    assert closed is not None
    assert closed.status == 410
    look("closed")

    # An employee comes in by the address that the last page gave.
    company = browser.new_context(locale="fr-FR")
    employee = company.new_page()
    employee.goto(door)
    sign_in_there(employee, portal)
    employee.wait_for_url(f"{portal.address}/me/")
    who = employee.request.get(f"{portal.address}/api/v1/me/").json()
    assert who["organisation"] == NAME
    company.close()


def tell_which_product(page: Page, portal: Portal, look: Look) -> None:
    look("provider")
    go_on(page)
    # The browser asks for a choice, and stays.
    expect(page.locator("input[type=radio]").first).to_be_focused()
    page.get_by_label(re.compile("Un autre|Another")).check()
    go_on(page)
    expect(page.locator("svg.picture")).to_be_visible()
    assert page.locator(".values code").first.inner_text().startswith(f"{portal.address}/sso/")
    look("values")
    go_on(page)


def give_metadata(page: Page, portal: Portal, look: Look) -> None:
    """Give a wrong address first: the page says so beside the field, and nothing is lost."""
    address = page.get_by_label(re.compile("Adresse des métadonnées|Address of the metadata"))
    address.fill(f"{portal.provider}/course/")
    go_on(page)
    expect(page.locator(".errorlist")).to_be_visible()
    look("metadata-wrong")
    address.fill(f"{portal.provider}/idp/{NAME}/metadata")
    go_on(page)
    expect(page.locator("main")).to_contain_text("https://idp.regie.example/metadata")
    look("check")
    go_on(page)
    look("attributes")
    go_on(page)


def pass_the_test(page: Page, portal: Portal, look: Look) -> None:
    """Go out to the other site and come back by its cross-site post; nobody is signed in."""
    look("test")
    go_on(page)
    page.locator("main .primary").click()
    sign_in_there(page, portal)
    page.wait_for_url(re.compile(r"/setup/[^/]+/test/$"))
    expect(page.locator("h1")).to_contain_text(re.compile("réussi|succeeded"))
    expect(page.locator("main")).to_contain_text("R-1")
    look("tested")
    assert page.request.get(f"{portal.address}/api/v1/me/").status == 401
    page.get_by_role("link", name=re.compile("tous les attributs|every attribute")).click()
    expect(page.locator("main")).to_contain_text("Inès")
    look("received")


def switch_on(page: Page, look: Look) -> str:
    """Switch on, and return the sign-in address that the last page gives."""
    expect(page.locator("h1")).to_contain_text(re.compile("Tout est prêt|Everything is ready"))
    look("activate")
    go_on(page)
    expect(page.locator("h1")).to_contain_text("Régie des Eaux")
    look("done")
    return page.locator("dd code").first.inner_text()
