"""A learner from the company's door to the certificate, and what is left of it after the job."""

from __future__ import annotations

import email
import email.policy
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from portal.demo.stage import PASSWORD, SCENES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

    from tests.journeys.conftest import Eyes, Portal

pytestmark = pytest.mark.journey

LAPOSTE = SCENES[0]
AMELIE = next(person for named, person in LAPOSTE.stars if named.first_name == "Amélie")
HOME = "amelie@maison.example"
MAIL_SECONDS = 60
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 320, "height": 800}


def look_both(page: Page, eyes: Eyes, name: str) -> None:
    page.set_viewport_size(NARROW)
    eyes.look(page, f"{name}-320")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(WIDE)
    eyes.look(page, f"{name}-dark")
    page.emulate_media(color_scheme="light")
    eyes.look(page, name)


def mailed(portal: Portal, about: str) -> list[str]:
    """Wait for a mail in the demo's folder whose text has addresses that begin so, and return these addresses."""
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        written = "".join(path.read_text() for path in sorted((portal.directory / "mail").glob("*")))
        for one in written.split("-" * 79):
            message = email.message_from_string(one.strip(), policy=email.policy.default)
            body = message.get_body(("plain",))
            found = re.findall(re.escape(portal.address) + rf"({about}\S+)", body.get_content() if body else "")
            if found:
                return found
        time.sleep(0.5)
    pytest.fail(f"No mail leads to {about}.")


def test_from_the_door_to_the_certificate_and_beyond(
    portal: Portal, eyes: Eyes, browser: Browser, browser_context_args: dict[str, Any]
) -> None:
    fact = {
        "event_id": "journey-certified",
        "organisation": LAPOSTE.slug,
        "employee_number": AMELIE.number,
        "programme": "objectif-ia",
        "event": "certified",
        "occurred_at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat(),
    }
    page = browser.new_context(**browser_context_args).new_page()
    page.goto(portal.address)
    page.get_by_label(re.compile("adresse|code", re.IGNORECASE)).first.fill(AMELIE.email)
    page.locator("main form button[type=submit]").first.click()
    page.locator("a.button.primary").click()
    page.locator("input[name=login]").fill(AMELIE.email)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("form button").first.click()
    page.wait_for_url(f"{portal.address}/me/")
    look_both(page, eyes, "learner-home")

    file = portal.directory / "certified.ndjson"
    file.write_text(json.dumps(fact))
    assert portal.command("record_completions", str(file))["accepted"] == 1
    page.reload()
    page.get_by_role("link", name="Voir mon attestation").click()
    look_both(page, eyes, "learner-certificate")
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger mon attestation (PDF)").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    expect(page.get_by_role("link", name="LinkedIn")).to_have_attribute("href", re.compile("certId="))
    page.goto(f"{portal.address}/me/privacy/")
    expect(page.locator("main")).to_contain_text(AMELIE.number)
    look_both(page, eyes, "learner-privacy")

    page.goto(f"{portal.address}/me/private-address/")
    page.locator("main input[type=email]").fill(HOME)
    page.get_by_role("button", name="M’envoyer le lien").click()
    expect(page.locator("main")).not_to_contain_text(HOME)
    look_both(page, eyes, "learner-private-address")

    # In the mailbox at home, where nobody is signed in.
    at_home = browser.new_context(**browser_context_args).new_page()
    (link,) = mailed(portal, "/me/address/")
    at_home.goto(portal.address + link)
    look_both(at_home, eyes, "private-address-confirm")
    at_home.get_by_role("button").last.click()
    expect(at_home.locator("h1")).to_contain_text("confirmée")

    at_home.goto(f"{portal.address}/me/lost/")
    look_both(at_home, eyes, "lost-certificates")
    at_home.locator("main input[type=email]").fill(HOME)
    at_home.get_by_role("button", name="M’envoyer mes attestations").click()
    eyes.look(at_home, "lost-certificates-sent")
    public, pdf = mailed(portal, "/c/")
    at_home.goto(portal.address + public)
    expect(at_home.locator("main")).to_contain_text("Amélie Lefèvre")
    expect(at_home.locator("body")).not_to_contain_text(LAPOSTE.name)
    look_both(at_home, eyes, "certificate-check")
    assert at_home.request.get(portal.address + pdf).body().startswith(b"%PDF-")
    at_home.goto(f"{portal.address}/c/{'A' * 20}/")
    look_both(at_home, eyes, "certificate-unknown")
