"""An identity provider changes its key: announced, nobody notices; unannounced, nobody is let in before a new test."""

from __future__ import annotations

import re
import urllib.request
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.interop.company import (
    connected_company,
    found_company,
    give_password,
    press,
    shown_trace,
    sign_in,
    sign_in_as_owner,
)
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from portal.demo.invented import Person
    from tests.interop.company import Company
    from tests.interop.simplesamlphp import SimpleSAMLphp
    from tests.journeys.conftest import Portal

pytestmark = pytest.mark.interop

FIRST, SECOND, THIRD = (kit.keys(f"simplesamlphp {name}") for name in ("first", "second", "third"))


@pytest.fixture
def bouleau(portal: Portal, simplesamlphp: SimpleSAMLphp, person: Person, folder: Path) -> Iterator[Company]:
    """An organisation of its own, so that the others are not touched; the key of before comes back at the end."""
    simplesamlphp.sign_with(FIRST)
    found_company(portal, "bouleau", [person], folder)
    company = connected_company(portal, "bouleau", simplesamlphp.metadata_url)
    simplesamlphp.know("bouleau", company.our_metadata())
    yield company
    simplesamlphp.sign_with(kit.keys("simplesamlphp"))


def test_a_change_of_keys(
    page: Page, browser: Browser, bouleau: Company, simplesamlphp: SimpleSAMLphp, person: Person, tmp_path: Path
) -> None:
    administration = browser.new_context(locale="fr-FR")
    owner = administration.new_page()
    sign_in_as_owner(owner, bouleau)
    life = f"/o/bouleau/sign-in/{bouleau.connection['connection']}/"
    # Asked again before something sensitive, they have just come: it counts for what follows.
    owner.goto(f"{bouleau.portal.address}/o/bouleau/sign-in/confirm/?next={life}")

    # Announced: the next key is published beside the present one, and becomes ours before it signs.
    simplesamlphp.sign_with(FIRST, next_keys=SECOND)
    replace_metadata(owner, bouleau, simplesamlphp, tmp_path)
    sign_in(page, bouleau, person)
    simplesamlphp.sign_with(SECOND)
    sign_in(page, bouleau, person)

    # Unannounced: refused, explained, and accepted by the owner; a test sign-in comes before everybody else's.
    simplesamlphp.sign_with(THIRD)
    page.context.clear_cookies()
    page.goto(bouleau.login_url)
    give_password(page, person)
    code = shown_trace(page, bouleau)
    owner.goto(f"{bouleau.portal.address}/o/bouleau/sign-in/?trace={code}")
    expect(owner.locator("main")).to_contain_text(re.compile("certificat"))
    replace_metadata(owner, bouleau, simplesamlphp, tmp_path)
    page.context.clear_cookies()
    page.goto(bouleau.login_url)
    assert page.url.startswith(bouleau.portal.address), "The connection is not open."

    press(owner.locator("form[action$='/test/'] button"))
    press(owner.locator("main .button.primary"))
    give_password(owner, person)
    owner.wait_for_url(re.compile("/tested/|/test/$"))
    owner.goto(f"{bouleau.portal.address}/o/bouleau/sign-in/")
    press(owner.locator("form[action$='/activate/'] button"))
    sign_in(page, bouleau, person)
    administration.close()


def replace_metadata(owner: Page, company: Company, simplesamlphp: SimpleSAMLphp, folder: Path) -> None:
    """Give the present metadata of the identity provider, as the owner does who has downloaded it."""
    file = folder / "metadata.xml"
    with urllib.request.urlopen(simplesamlphp.metadata_url, timeout=30) as answer:  # noqa: S310  On loopback.
        file.write_bytes(answer.read())
    owner.goto(f"{company.portal.address}/o/{company.slug}/sign-in/{company.connection['connection']}/")
    replacing = owner.locator("details", has=owner.locator("form[action$='/metadata/']"))
    replacing.locator("summary").click()
    replacing.locator("input[type=file]").set_input_files(file)
    press(replacing.locator("button[type=submit]"))
