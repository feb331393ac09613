"""A partner's IT sets a connection up alone: with the pages of the set-up, and an administrator's rights over there."""

from __future__ import annotations

import re
import urllib.request
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.interop.company import (
    Company,
    expect_signed_in,
    found_company,
    give_password,
    press,
    sign_in_as_owner,
    who,
)
from tests.interop.habits import TRANSIENT

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from portal.demo.invented import Person
    from tests.interop.simplesamlphp import SimpleSAMLphp
    from tests.journeys.conftest import Portal

pytestmark = pytest.mark.interop


def go_on(page: Page) -> None:
    """Press the one primary button of a page."""
    press(page.locator(".actions .button.primary"))


def choose_product(page: Page, product: str) -> None:
    page.locator(f"input[name=vendor][value={product}]").check()
    go_on(page)


def copy_our_values(page: Page, simplesamlphp: SimpleSAMLphp, name: str) -> str:
    """Take what the page offers to the identity provider, as its administrator does; return our sign-in address."""
    ours = page.locator("a[download]").get_attribute("href")
    assert ours is not None
    address = page.url.split("/setup/")[0].split("/o/")[0] + ours if ours.startswith("/") else ours
    simplesamlphp.know(name, page.request.get(address).text())
    go_on(page)
    return address.replace("/metadata/", "/login/")


def make_test(page: Page, person: Person) -> None:
    """Make the test sign-in: the button, the page that leads out, the password, and back."""
    press(page.locator("button[form=step]"))
    press(page.locator("main a.button.primary"))
    give_password(page, person)
    page.wait_for_url(re.compile(r"/test/$"))


def test_whoever_holds_the_link_reaches_active(
    page: Page, browser: Browser, portal: Portal, simplesamlphp: SimpleSAMLphp, person: Person, folder: Path
) -> None:
    found_company(portal, "hetre", [person], folder)
    page.goto(portal.command("create_setup_link", "hetre")["url"])
    go_on(page)
    choose_product(page, "other")
    login_url = copy_our_values(page, simplesamlphp, "hetre")
    page.locator("input[name=url]").fill(simplesamlphp.metadata_url)
    go_on(page)
    expect(page.locator("main")).to_contain_text(simplesamlphp.metadata_url)
    go_on(page)
    go_on(page)

    # The identity provider as it comes out of its box: the test says what is wrong, and what to do about it.
    simplesamlphp.behave("hetre", NameIDFormat=TRANSIENT, authproc={})
    make_test(page, person)
    expect(page.locator("main")).to_contain_text("persistent")
    expect(page.locator(".actions a.button.primary")).to_have_count(0)

    # Mended, it is tested again; nobody is signed in by a test, and nobody comes in before the last step.
    simplesamlphp.behave("hetre")
    page.context.clear_cookies(domain="127.0.0.1")
    make_test(page, person)
    expect(page.locator("main")).to_contain_text(person.number)
    company = Company(portal, "hetre", {"login_url": login_url})
    assert who(page, company) == {}
    learner = browser.new_context(locale="fr-FR").new_page()
    learner.goto(login_url)
    assert learner.url.startswith(portal.address)

    go_on(page)
    go_on(page)
    expect(page.locator("main")).to_contain_text(login_url)
    learner.goto(login_url)
    give_password(learner, person)
    expect_signed_in(learner, company, person)
    learner.context.close()


def test_an_owner_gives_a_file(
    page: Page, portal: Portal, simplesamlphp: SimpleSAMLphp, person: Person, folder: Path
) -> None:
    found_company(portal, "orme", [person], folder)
    company = Company(portal, "orme", {})
    sign_in_as_owner(page, company)
    page.goto(f"{portal.address}/o/orme/sign-in/new/")
    choose_product(page, "keycloak")
    login_url = copy_our_values(page, simplesamlphp, "orme")
    file = folder / "orme.xml"
    with urllib.request.urlopen(simplesamlphp.metadata_url, timeout=30) as answer:  # noqa: S310  On loopback.
        file.write_bytes(answer.read())
    page.locator("input[type=file]").set_input_files(file)
    go_on(page)
    go_on(page)
    go_on(page)
    go_on(page)
    make_test(page, person)
    go_on(page)
    go_on(page)
    expect(page.locator("main")).to_contain_text(login_url)
