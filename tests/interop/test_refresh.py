"""Metadata is read again from its address: a new key is seen before it signs, and an owner's word takes it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.interop.company import (
    connected_company,
    found_company,
    press,
    sign_in,
    sign_in_as_owner,
)
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from portal.demo.invented import Person
    from tests.interop.company import Company
    from tests.interop.simplesamlphp import SimpleSAMLphp
    from tests.journeys.conftest import Portal

pytestmark = pytest.mark.interop

READ_SECONDS = 30


@pytest.fixture
def tremble(portal: Portal, simplesamlphp: SimpleSAMLphp, person: Person, folder: Path) -> Iterator[Company]:
    found_company(portal, "tremble", [person], folder)
    company = connected_company(portal, "tremble", simplesamlphp.metadata_url)
    simplesamlphp.know("tremble", company.our_metadata())
    yield company
    simplesamlphp.sign_with(kit.keys("simplesamlphp"))


def test_a_new_key_is_seen_accepted_and_used(
    page: Page, browser: Browser, tremble: Company, simplesamlphp: SimpleSAMLphp, person: Person
) -> None:
    administration = browser.new_context(locale="fr-FR")
    owner = administration.new_page()
    sign_in_as_owner(owner, tremble)
    life = f"{tremble.portal.address}/o/tremble/sign-in/{tremble.connection['connection']}/"

    # The owner says where the metadata is. Before that counts they are asked again who they are; they have just come.
    owner.goto(life)
    follow(owner, simplesamlphp.metadata_url)
    follow(owner, simplesamlphp.metadata_url)
    read_again = owner.locator("form[action$='/read/'] button")
    expect(read_again).to_be_visible()

    # The next key is published beside the present one. The worker reads it, and it waits for the owner.
    simplesamlphp.sign_with(kit.keys("simplesamlphp"), next_keys=kit.keys("simplesamlphp next"))
    press(read_again)
    accept = owner.locator("button[value=accept]")
    wait_on(owner, life, accept)
    press(accept)
    expect(accept).to_have_count(0)

    # It signs from one moment to the next, and nobody notices.
    sign_in(page, tremble, person)
    simplesamlphp.sign_with(kit.keys("simplesamlphp next"))
    sign_in(page, tremble, person)

    # The old key has left the metadata: that takes nothing away at once, and needs nobody's word.
    press(read_again)
    wait_on(owner, life, owner.locator("#versions tbody tr").nth(2))
    expect(accept).to_have_count(0)
    sign_in(page, tremble, person)
    administration.close()


def follow(owner: Page, address: str) -> None:
    """Fill in from where the metadata is to be read."""
    reading = owner.locator("details", has=owner.locator("form[action$='/follow/']"))
    reading.locator("summary").click()
    reading.locator("input[name=url]").fill(address)
    press(reading.locator("button[type=submit]"))


def wait_on(page: Page, address: str, wanted: Locator) -> None:
    """Open a page anew until the worker has brought about what is wanted."""
    for _time in range(READ_SECONDS):
        page.goto(address)
        if wanted.count():
            return
        page.wait_for_timeout(1000)
    expect(wanted).to_be_visible()
