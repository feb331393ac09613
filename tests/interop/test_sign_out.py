"""Signing out on one side ends the session on the other, whichever side it was and however the messages travel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.interop.company import connected_company, found_company, sign_in, who
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


@pytest.fixture(autouse=True)
def _as_before(simplesamlphp: SimpleSAMLphp) -> Iterator[None]:
    yield
    simplesamlphp.sign_with(kit.keys("simplesamlphp"))


def leave_portal(page: Page, company: Company) -> None:
    """Press the button of the learner's page, and come back from the identity provider."""
    page.goto(f"{company.portal.address}/me/")
    page.locator("form[action*='logout'] button, form[action*='sign-out'] button").first.click()
    page.wait_for_url(re.compile(rf"{company.portal.address}/sso/[^/]+/sls/"))
    expect(page.locator("h1")).to_contain_text("déconnecté")


def leave_identity_provider(page: Page, company: Company, simplesamlphp: SimpleSAMLphp) -> None:
    """Sign out at the identity provider's own page."""
    page.goto(f"{simplesamlphp.address}/saml2/idp/initSLO.php?RelayState={company.portal.address}/healthz")


def expect_password_asked(page: Page, company: Company) -> None:
    """The identity provider has forgotten the person as well."""
    page.goto(company.login_url)
    expect(page.locator("#password")).to_be_visible()


def test_signing_out_here_signs_out_there(page: Page, rosier: Company, person: Person) -> None:
    sign_in(page, rosier, person)
    leave_portal(page, rosier)

    assert who(page, rosier) == {}
    expect(page.locator(".trace.code")).to_have_count(0)
    expect_password_asked(page, rosier)


def test_signing_out_there_signs_out_here(
    page: Page, rosier: Company, simplesamlphp: SimpleSAMLphp, person: Person
) -> None:
    sign_in(page, rosier, person)
    leave_identity_provider(page, rosier, simplesamlphp)
    page.wait_for_url(f"{rosier.portal.address}/healthz")

    assert who(page, rosier) == {}
    expect_password_asked(page, rosier)


def test_an_identity_provider_that_asks_in_hidden_frames(
    page: Page, rosier: Company, simplesamlphp: SimpleSAMLphp, person: Person
) -> None:
    """No cookie of ours arrives in a frame of another site: the session is found by what the message names."""
    simplesamlphp.sign_with(kit.keys("simplesamlphp"), logouttype="iframe")
    sign_in(page, rosier, person)
    leave_identity_provider(page, rosier, simplesamlphp)
    page.locator("#logout-all").click()
    page.wait_for_url(f"{rosier.portal.address}/healthz")

    assert who(page, rosier) == {}


def test_another_browser_of_the_same_person_stays(
    page: Page, browser: Browser, rosier: Company, simplesamlphp: SimpleSAMLphp, person: Person
) -> None:
    at_home = browser.new_context().new_page()
    sign_in(at_home, rosier, person)
    sign_in(page, rosier, person)
    leave_identity_provider(page, rosier, simplesamlphp)
    page.wait_for_url(f"{rosier.portal.address}/healthz")

    assert who(page, rosier) == {}
    assert who(at_home, rosier)["employee_number"] == person.number
    at_home.context.close()


def test_a_request_that_is_not_signed_ends_nothing(
    page: Page, rosier: Company, simplesamlphp: SimpleSAMLphp, person: Person
) -> None:
    sign_in(page, rosier, person)
    unsigned: dict[str, Any] = {"sign.logout": False}
    simplesamlphp.sign_with(kit.keys("simplesamlphp"), **unsigned)
    leave_identity_provider(page, rosier, simplesamlphp)
    expect(page.locator(".trace.code")).to_be_visible()

    assert who(page, rosier)["employee_number"] == person.number


def test_messages_by_post_in_both_directions(
    page: Page, portal: Portal, simplesamlphp: SimpleSAMLphp, person: Person, folder: Path
) -> None:
    keys = kit.keys("simplesamlphp")
    simplesamlphp.sign_with(keys, SingleLogoutServiceBinding=[kit.POST])
    found_company(portal, "erable", [person], folder)
    erable = connected_company(portal, "erable", simplesamlphp.metadata_url)
    simplesamlphp.sign_with(keys)
    by_post = [{"Binding": kit.POST, "Location": erable.connection["sls_url"]}]
    simplesamlphp.know("erable", erable.our_metadata(), SingleLogoutService=by_post)

    sign_in(page, erable, person)
    leave_portal(page, erable)
    assert who(page, erable) == {}
    expect_password_asked(page, erable)

    sign_in(page, erable, person)
    leave_identity_provider(page, erable, simplesamlphp)
    page.wait_for_url(f"{erable.portal.address}/healthz")
    assert who(page, erable) == {}
