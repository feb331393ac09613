"""The whole main job in a real browser: connect, upload, review, apply, sign in, take part, report.

An organisation made for it, a real identity provider on another site, a real worker: nothing is mocked.
"""

from __future__ import annotations

import json
import re
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from portal.demo.invented import AIRBUS, invent_people, workbook_of

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.journeys.conftest import Eyes, Portal

pytestmark = pytest.mark.journey

PASSWORD = "a long password for the journey"
PEOPLE = invent_people(AIRBUS, 60)
LEARNER = PEOPLE[0]


@pytest.fixture(scope="module")
def acme(portal: Portal) -> dict[str, Any]:
    """An organisation as the operator makes it: its identity provider, its owner, its token."""
    users = portal.directory / "identity-provider" / "users.json"
    known = json.loads(users.read_text())
    known["acme"] = [
        {
            "login": LEARNER.email,
            "password": PASSWORD,
            "name_id": "acme-1",
            "attributes": {
                "employeeNumber": [LEARNER.number],
                "mail": [LEARNER.email],
                "givenName": [LEARNER.first_name],
                "sn": [LEARNER.last_name],
            },
        }
    ]
    users.write_text(json.dumps(known))
    portal.command("create_organisation", "acme", "--name", "Acme", "--domain", "acme-people.example")
    portal.command(
        "create_user", "owner@acme-people.example", "--role", "owner", "--organisation", "acme", "--password-stdin",
        given=PASSWORD + "\n",
    )  # fmt: skip
    metadata = f"{portal.provider}/idp/acme/metadata"
    connection = portal.command("connect_idp", "acme", "--metadata", metadata, "--activate")
    token = portal.command("create_api_token", "platform of the journey", "--scope", "completions:write")
    return {**connection, **token}


def sign_in_with_password(page: Page, portal: Portal, email: str, password: str) -> None:
    page.goto(f"{portal.address}/account/login/")
    page.get_by_label(re.compile("Nom d|Username|Adresse", re.IGNORECASE)).fill(email)
    page.get_by_label(re.compile("Mot de passe|Password")).fill(password)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/(o|manage)/"))


def test_the_main_job(
    page: Page, browser: Browser, portal: Portal, acme: dict[str, Any], eyes: Eyes, tmp_path: Path
) -> None:
    # HR uploads the roster and reads what it would change before anything is written.
    sign_in_with_password(page, portal, "owner@acme-people.example", PASSWORD)
    eyes.look(page, "home-empty")
    roster = tmp_path / "Effectif.xlsx"
    roster.write_bytes(workbook_of(PEOPLE))
    upload_roster(page, portal, roster)
    expect(page.locator("h1")).to_contain_text("60")
    expect(page.locator("main")).to_contain_text("Date de naissance")
    eyes.look(page, "review")

    # Applied by the worker; the page follows.
    page.get_by_role("button", name=re.compile("Appliquer|Apply")).click()
    expect(page.locator("main")).to_contain_text(re.compile("Annuler|Undo"), timeout=60_000)
    eyes.look(page, "applied")
    lines = portal.command("roster", "acme")
    assert len(lines) == 60

    # An employee finds the door, signs in at the company, and comes back from the other site.
    with_company = browser.new_context(locale="fr-FR")
    learner = with_company.new_page()
    learner.goto(acme["login_url"])
    assert learner.url.startswith(portal.provider)
    learner.locator("input[name=login]").fill(LEARNER.email)
    learner.locator("input[type=password]").fill(PASSWORD)
    learner.locator("form button").first.click()
    learner.wait_for_url(f"{portal.address}/me/")
    expect(learner.locator("main")).to_contain_text("Autumn 2026")
    eyes.look(learner, "learner")
    who = learner.request.get(f"{portal.address}/api/v1/me/").json()
    assert (who["organisation"], who["employee_number"]) == ("acme", LEARNER.number)
    with_company.close()

    # The learning platform reports; the report counts.
    answered = post_events(portal, acme["token"], facts())
    assert answered["accepted"] == 40
    report = portal.command("cohort_report", "acme", "Autumn 2026", "--format", "json")
    assert (report["roster"], report["enrolled"], report["started"]) == (60, 60, 20)
    assert (report["completed"], report["certified"]) == (20, 0)
    page.goto(f"{portal.address}/o/acme/cohorts/")
    page.get_by_role("link", name="Autumn 2026").first.click()
    expect(page.locator("main")).to_contain_text("20")
    eyes.look(page, "cohort")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("XLSX|Excel", re.IGNORECASE)).first.click()
    assert download.value.suggested_filename.endswith(".xlsx")

    # The account manager sees the organisation, and nobody in it.
    staff = browser.new_context(locale="fr-FR")
    manager = staff.new_page()
    sign_in_with_password(manager, portal, "manon.petit@programme.example", "objectif-ia-demo")
    manager.goto(f"{portal.address}/manage/organisations/")
    expect(manager.locator("main")).to_contain_text("Acme")
    eyes.look(manager, "manage-organisations")
    forbidden = manager.goto(f"{portal.address}/o/acme/roster/")
    assert forbidden is not None
    assert forbidden.status == 404
    staff.close()


def upload_roster(page: Page, portal: Portal, file: Path) -> None:
    page.goto(f"{portal.address}/o/acme/imports/")
    if not page.locator("input[type=file]").count():
        page.locator("main a[href*='/imports/']").first.click()
    page.locator("input[type=file]").set_input_files(file)
    page.locator("main form button[type=submit]").last.click()
    # HR first says that the columns were read as they should be.
    expect(page.locator("form#reading")).to_be_visible(timeout=60_000)
    page.locator(".actions button.primary").click()
    expect(page.get_by_role("button", name=re.compile("Appliquer|Apply"))).to_be_visible(timeout=60_000)


def facts() -> list[dict[str, object]]:
    began = datetime.now(UTC) - timedelta(days=3)
    return [
        {
            "event_id": f"journey-{person.number}-{event}",
            "organisation": "acme",
            "employee_number": person.number,
            "programme": "objectif-ia",
            "event": event,
            "occurred_at": (began + timedelta(hours=hours)).isoformat(),
        }
        for person in PEOPLE[:20]
        for event, hours in (("started", 0), ("completed", 5))
    ]


def post_events(portal: Portal, token: str, events: list[dict[str, object]]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310  The journey's own portal.
        f"{portal.address}/api/v1/completions/",
        data=json.dumps(events).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  The journey's own portal.
        document: dict[str, Any] = json.load(answer)
        return document
