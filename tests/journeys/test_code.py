"""Somebody without a company account, from HR's printer to the course: a real browser makes and uses a real passkey."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from portal import embedded
from tests.journeys.test_main_job import PASSWORD, sign_in_with_password

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.journeys.conftest import Eyes, Portal

pytestmark = pytest.mark.journey

# What stands on the slip: the file that HR prints is the only place, and a test has no eyes for a PDF.
_PRINT = """
import json, django
django.setup()
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from portal.people.codes import print_codes
from portal.people.models import Employee
organisation = Organisation.objects.get(slug="laposte")
with organisation_scope(organisation.pk):
    site = Employee.objects.filter(active=True, email="").exclude(site="").order_by("site").first().site
    slips = print_codes(actor=OPERATOR, organisation=organisation, site=site, without_address=True)
print(json.dumps({"site": site, "name": slips[0].name, "code": slips[0].code}))
"""


def test_from_the_printer_to_the_course(page: Page, portal: Portal, eyes: Eyes, tmp_path: Path) -> None:
    portal.command(
        "create_user", "hr@laposte.example", "--role", "owner", "--organisation", "laposte", "--password-stdin",
        given=PASSWORD + "\n",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _PRINT],
        cwd=embedded.CHECKOUT,
        env=portal.environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    slip = json.loads(done.stdout)

    # HR sees the codes, and prints the sheets of a cohort.
    sign_in_with_password(page, portal, "hr@laposte.example", PASSWORD)
    page.goto(f"{portal.address}/o/laposte/cohorts/codes/")
    look_wide_and_narrow(page, eyes, "codes")
    expect(page.get_by_role("table")).to_contain_text("pas encore utilisé")
    page.goto(f"{portal.address}/o/laposte/cohorts/")
    page.locator("main a[href*='/cohorts/']").first.click()
    cohort = page.url.rstrip("/")
    page.goto(f"{cohort}/waves/")
    look_wide_and_narrow(page, eyes, "waves-list")
    with page.expect_download() as download:
        page.get_by_role("link", name="Affiches à imprimer").click()
    assert (download.value.path()).read_bytes().startswith(b"%PDF-")
    page.context.clear_cookies()

    # The person types the code on their own telephone, which makes the passkey.
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    telephone = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": telephone})
    page.goto(f"{portal.address}/")
    page.get_by_role("link", name=re.compile("code imprimé")).click()
    look_wide_and_narrow(page, eyes, "code")
    page.get_by_label("Votre code").fill(slip["code"].lower())
    page.get_by_role("button", name="Continuer").click()
    expect(page.locator("h1")).to_contain_text(slip["name"])
    look_wide_and_narrow(page, eyes, "code-passkey")
    page.get_by_role("button", name="Créer ma clé d’accès").click()
    page.wait_for_url(f"{portal.address}/me/")
    eyes.look(page, "code-learner")

    # Another day, the passkey alone opens the course.
    page.context.clear_cookies()
    page.goto(f"{portal.address}/code/")
    page.get_by_role("button", name="Entrer avec ma clé d’accès").click()
    page.wait_for_url(f"{portal.address}/me/")

    # HR withdraws it: the session ends at once, and the passkey opens nothing any more.
    page.context.clear_cookies()
    sign_in_with_password(page, portal, "hr@laposte.example", PASSWORD)
    page.goto(f"{portal.address}/o/laposte/cohorts/codes/")
    page.get_by_role("row", name=slip["name"]).get_by_role("button", name="Retirer").click()
    expect(page.locator("main")).to_contain_text("C’est retiré")
    page.context.clear_cookies()
    page.goto(f"{portal.address}/code/")
    page.get_by_role("button", name="Entrer avec ma clé d’accès").click()
    expect(page.locator("main")).to_contain_text("n’ouvre rien ici")


def look_wide_and_narrow(page: Page, eyes: Eyes, name: str) -> None:
    eyes.look(page, name)
    page.set_viewport_size({"width": 320, "height": 700})
    eyes.look(page, f"{name}-narrow")
    page.set_viewport_size({"width": 1280, "height": 900})
