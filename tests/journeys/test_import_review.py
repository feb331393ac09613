"""A roster import as HR lives it: upload, look, correct, a second person's approval, apply, undo; in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from playwright.sync_api import expect

from portal.demo.invented import AIRBUS, invent_people
from tests.journeys.test_main_job import PASSWORD, sign_in_with_password

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page, ViewportSize

    from portal.demo.invented import Person
    from tests.journeys.conftest import Eyes, Portal

pytestmark = pytest.mark.journey

PEOPLE = invent_people(AIRBUS, 3_000)
HEADERS = (
    "Matricule",
    "Nom",
    "Prénom",
    "Courriel",
    "Site",
    "Direction",
    "Date de naissance",
    "Vague",
    "Taille de gant",
)
WIDTHS: dict[str, ViewportSize] = {"narrow": {"width": 320, "height": 800}, "wide": {"width": 1280, "height": 900}}


@pytest.fixture(scope="module")
def brume(portal: Portal) -> str:
    """An organisation with an owner and a roster manager: what one uploads, the other approves."""
    portal.command("create_organisation", "brume", "--name", "Brume", "--domain", "brume.example")
    for login, role in (("owner@brume.example", "owner"), ("rh@brume.example", "roster_manager")):
        portal.command(
            "create_user", login, "--role", role, "--organisation", "brume", "--password-stdin", given=PASSWORD + "\n"
        )
    return "brume"


def roster(people: Sequence[Person], *, faults: dict[int, str] | None = None) -> bytes:
    """A CSV as an HR system exports it, under a title; `faults` are e-mail addresses by rank."""
    lines = ["Effectif au 1er novembre;;;;;;;;", ";".join(HEADERS)]
    for rank, person in enumerate(people):
        email = (faults or {}).get(rank, person.email)
        site = "PIC Nantes" if rank % 3 else "Toulouse"
        cells = (
            person.number,
            person.last_name,
            person.first_name,
            email,
            site,
            "Production",
            "12/03/1980",
            "Vague 1",
            "M",
        )
        lines.append(";".join(cells))
    return "\r\n".join(lines).encode("cp1252", "replace")


def look_everywhere(page: Page, eyes: Eyes, name: str) -> None:
    """The same page wide, narrow and dark."""
    eyes.look(page, f"import-{name}")
    page.set_viewport_size(WIDTHS["narrow"])
    eyes.look(page, f"import-{name}-narrow")
    page.set_viewport_size(WIDTHS["wide"])
    page.emulate_media(color_scheme="dark")
    eyes.look(page, f"import-{name}-dark")
    page.emulate_media(color_scheme="light")


def upload(page: Page, portal: Portal, file: Path, *, full: bool = False) -> None:
    page.goto(f"{portal.address}/o/brume/imports/new/")
    page.locator("input[type=file]").set_input_files(file)
    if full:
        page.locator("input[name=mode][value=full]").check()
    page.locator("main form button[type=submit]").first.click()


def go_on(page: Page) -> None:
    page.locator(".actions button.primary, .actions a.primary").click()


def wait_for_review(page: Page) -> None:
    expect(page.locator(".tiles")).to_be_visible(timeout=60_000)


def test_from_the_upload_to_the_undo(
    page: Page, browser: Browser, portal: Portal, brume: str, eyes: Eyes, tmp_path: Path
) -> None:
    sign_in_with_password(page, portal, "rh@brume.example", PASSWORD)
    page.goto(f"{portal.address}/o/brume/imports/new/")
    look_everywhere(page, eyes, "new")
    file = tmp_path / "Effectif_novembre.csv"
    file.write_bytes(roster(PEOPLE, faults={4: "luc.bernard(at)brume.example", 9: "sans arobase"}))
    upload(page, portal, file)
    say_that_it_is_read_well(page, eyes)
    correct_two_rows(page, eyes)
    go_on(page)
    expect(page.locator(".actions a[href$='/undo/']")).to_be_visible(timeout=90_000)
    look_everywhere(page, eyes, "applied")

    # A file that lacks half of the people is held for somebody else; its columns are known by now.
    half = tmp_path / "Effectif_decembre.csv"
    half.write_bytes(roster(PEOPLE[:1_500]))
    upload(page, portal, half, full=True)
    wait_for_review(page)
    expect(page.locator(".actions button.primary")).to_have_count(0)
    look_everywhere(page, eyes, "held")

    second = browser.new_context(locale="fr-FR", viewport=WIDTHS["wide"])
    owner = second.new_page()
    sign_in_with_password(owner, portal, "owner@brume.example", PASSWORD)
    owner.goto(page.url)
    look_everywhere(owner, eyes, "held-second-person")
    owner = approve_and_watch(owner, portal)
    take_back(owner, eyes)
    say_who_and_where(owner, portal, eyes, tmp_path / "Arrivee_janvier.csv")
    owner.goto(f"{portal.address}/o/brume/imports/")
    look_everywhere(owner, eyes, "history")
    second.close()


def say_that_it_is_read_well(page: Page, eyes: Eyes) -> None:
    """What a roster must not bring in is named, and gone."""
    expect(page.locator("form#reading")).to_be_visible(timeout=60_000)
    expect(page.locator("main")).to_contain_text("Date de naissance")
    expect(page.locator("main")).not_to_contain_text("12/03/1980")
    look_everywhere(page, eyes, "reading")
    page.goto(page.url + "?header_row=1")
    expect(page.locator(".note").first).to_be_visible()
    look_everywhere(page, eyes, "reading-elsewhere")
    page.go_back()
    go_on(page)
    wait_for_review(page)
    look_everywhere(page, eyes, "review")


def correct_two_rows(page: Page, eyes: Eyes) -> None:
    """Two rows are corrected in the page, checked as they are typed, and compared again."""
    page.goto(page.url + "?list=rejected")
    look_everywhere(page, eyes, "review-rejected")
    page.get_by_role("link", name=re.compile("Correct|Corriger")).first.click()
    email = page.locator("input[name=email]")
    email.fill("encore faux")
    email.press("Tab")
    expect(page.locator("#id_email_said .errorlist")).to_contain_text("encore faux")
    look_everywhere(page, eyes, "row")
    for typed in ("luc.bernard@brume.example", ""):
        page.locator("input[name=email]").fill(typed)
        go_on(page)
    wait_for_review(page)
    look_everywhere(page, eyes, "review-stale")
    go_on(page)
    expect(page.get_by_role("button", name=re.compile("Apply|Appliquer"))).to_be_visible(timeout=60_000)
    page.locator(".tile", has_text="site").last.click()
    look_everywhere(page, eyes, "review-sites")


def approve_and_watch(page: Page, portal: Portal) -> Page:
    """A second person approves and sees the bar move, also on a page opened anew; return that page.

    The work cannot be too fast to be seen: it waits for two of the people who leave, whom somebody else is changing.
    """
    first, second = change_somebody_who_leaves(portal, 600), change_somebody_who_leaves(portal, 1_100)
    go_on(page)
    # Two addresses that were corrected come first, then the departures in chunks of 250.
    bar = "progress[value='{}'][max='1502']"
    expect(page.locator(bar.format(502))).to_be_visible(timeout=60_000)
    address, opened_anew = page.url, page.context.new_page()
    page.close()
    opened_anew.goto(address)
    expect(opened_anew.locator(bar.format(502))).to_be_visible()
    first.close()
    expect(opened_anew.locator(bar.format(1_002))).to_be_visible(timeout=60_000)
    second.close()
    expect(opened_anew.locator(".actions a[href$='/undo/']")).to_be_visible(timeout=90_000)
    return opened_anew


def change_somebody_who_leaves(portal: Portal, rank: int) -> psycopg.Connection:
    """Hold the row of a person, as a change does that is not written yet; closing the connection lets go of it."""
    connection = psycopg.connect(portal.environment["DATABASE_URL"])
    connection.execute(
        "SELECT set_config('portal.organisation', id::text, true) FROM organisations_organisation WHERE slug = 'brume'"
    )
    held = connection.execute(
        "SELECT 1 FROM people_employee WHERE id = (SELECT employee_id FROM imports_stagedrow WHERE action = 'depart'"
        " ORDER BY roster_import_id DESC, number OFFSET %s LIMIT 1) FOR UPDATE",
        [rank],
    )
    assert held.fetchall() == [(1,)]
    return connection


def take_back(page: Page, eyes: Eyes) -> None:
    """It is taken back once it was said what that comes to."""
    page.locator(".actions a[href$='/undo/']").click()
    # The departures, and two addresses that were corrected before.
    expect(page.locator("h1")).to_contain_text(re.compile(r"1.502"))
    look_everywhere(page, eyes, "undo")
    page.locator(".actions button.danger").click()
    expect(page.locator(".actions a[href$='/undo/']")).to_be_visible(timeout=90_000)
    look_everywhere(page, eyes, "undone")


def say_who_and_where(page: Page, portal: Portal, eyes: Eyes, file: Path) -> None:
    """Somebody known comes under a new number, at a site written in another way; then the import is dropped."""
    file.write_bytes(roster([replace(PEOPLE[10], number="N00001")]).replace(b"Toulouse", b"TOULOUSE 2"))
    upload(page, portal, file)
    wait_for_review(page)
    address = page.url.partition("?")[0]
    page.goto(f"{address}?list=twins")
    expect(page.locator("fieldset.pair")).to_have_count(1)
    look_everywhere(page, eyes, "review-twins")
    page.goto(f"{address}sites/")
    expect(page.locator("form#sites select")).to_have_count(1)
    look_everywhere(page, eyes, "sites")
    page.goto(address)
    page.locator("form[action$='/cancel/'] button").click()
    expect(page.locator(".tiles")).to_have_count(0)
    look_everywhere(page, eyes, "cancelled")
    file.write_bytes(b"%PDF-1.7 no roster")
    upload(page, portal, file)
    expect(page.locator(".note.bad")).to_be_visible(timeout=60_000)
    look_everywhere(page, eyes, "refused")


def test_everything_works_without_scripts(browser: Browser, portal: Portal, brume: str, tmp_path: Path) -> None:
    context = browser.new_context(locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    sign_in_with_password(page, portal, "rh@brume.example", PASSWORD)
    file = tmp_path / "Effectif_sans_script.csv"
    file.write_bytes(roster(PEOPLE[:20], faults={3: "faux"}))
    page.goto(f"{portal.address}/o/brume/imports/new/")
    page.locator("input[type=file]").set_input_files(file)
    page.locator("main form button[type=submit]").first.click()
    look_again_until(page, "form#reading, .tiles")
    if page.locator("form#reading").count():
        go_on(page)
    look_again_until(page, ".tiles")
    page.goto(page.url + "?list=rejected")
    page.locator("table a[href*='/rows/']").first.click()
    page.locator("input[name=email]").fill("encore faux")
    go_on(page)
    expect(page.locator(".errorlist")).to_contain_text("encore faux")
    page.locator("input[name=email]").fill("juste@brume.example")
    go_on(page)
    look_again_until(page, ".tiles")
    go_on(page)
    look_again_until(page, "form[action$='/confirm/']")
    context.close()


def look_again_until(page: Page, selector: str) -> None:
    for _again in range(60):
        if page.locator(selector).count():
            return
        page.wait_for_timeout(500)
        page.reload()
    pytest.fail(f"{selector} never came: {page.locator('h1').inner_text()}")
