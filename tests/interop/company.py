"""A partner whose identity provider another maker wrote, and its people's browsers."""

from __future__ import annotations

import base64
import re
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from lxml import etree
from playwright.sync_api import expect

from portal.demo.invented import AIRBUS, invent_people
from tests.interop.simplesamlphp import PASSWORD
from tests.sso.saml_kit import NS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import Locator, Page, Request

    from portal.demo.invented import Person
    from tests.journeys.conftest import Portal

GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
OWNER_PASSWORD = "a long password for the owner"


def invented_people(domain: str, count: int) -> list[Person]:
    return invent_people(replace(AIRBUS, domain=domain, without_email=0), count)


@dataclass(frozen=True)
class Company:
    """An organisation with its roster, its owner, and its connection to one identity provider."""

    portal: Portal
    slug: str
    connection: dict[str, str]

    @property
    def login_url(self) -> str:
        return self.connection["login_url"]

    @property
    def owner(self) -> str:
        return f"owner@{self.slug}.example"

    def our_metadata(self) -> str:
        xml: str = self.portal.command("sp_metadata", self.slug)["xml"]
        return xml


def certificate_in(metadata_xml: str) -> str:
    """Return the first certificate of a service's metadata, in PEM: what an administrator encrypts for."""
    root = etree.fromstring(metadata_xml.encode())
    bare = "".join(root.findtext(".//ds:X509Certificate", "", NS).split())
    lines = "\n".join(textwrap.wrap(bare, 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def found_company(portal: Portal, slug: str, people: Sequence[Person], folder: Path) -> None:
    """Make the organisation, its owner and its roster, by the commands that an operator types."""
    portal.command("create_organisation", slug, "--name", slug.capitalize(), "--domain", f"{slug}.example")
    owner = ("create_user", f"owner@{slug}.example", "--role", "owner", "--organisation", slug, "--password-stdin")
    portal.command(*owner, given=OWNER_PASSWORD + "\n")
    lines = [f"{each.number};{each.last_name};{each.first_name};{each.email}" for each in people]
    roster = folder / f"{slug}.csv"
    roster.write_text("\n".join(["Matricule;Nom;Prénom;Courriel", *lines]), encoding="utf-8")
    assert portal.command("import_roster", slug, str(roster), "--apply")["state"] == "applied"


def connected_company(portal: Portal, slug: str, metadata_url: str) -> Company:
    return Company(portal, slug, portal.command("connect_idp", slug, "--metadata", metadata_url, "--activate"))


def press(button: Locator) -> None:
    """Press it, and wait for the page that comes of it: a click alone returns before it."""
    with button.page.expect_navigation():
        button.click()


def give_password(page: Page, person: Person, password: str = PASSWORD) -> None:
    """Fill in the form of SimpleSAMLphp, on which the browser stands."""
    expect(page.locator("#password")).to_be_visible()
    page.locator("#username").fill(person.email)
    page.locator("#password").fill(password)
    page.locator("#password").press("Enter")


class Answers:
    """The messages that a browser carries to us, read as the identity provider wrote them."""

    def __init__(self, page: Page) -> None:
        self._posted: list[str] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        fields = parse_qs(request.post_data or "") if request.url.endswith("/acs/") else {}
        self._posted += fields.get("SAMLResponse", [])

    def last(self) -> etree._Element:
        return etree.fromstring(base64.b64decode(self._posted[-1]))

    def assert_shape(self, path: str) -> None:
        """The last one has this shape: a habit that was not followed would prove nothing."""
        message = self.last()
        assert message.xpath(path, namespaces=NS), etree.tostring(message, pretty_print=True).decode()


def who(page: Page, company: Company) -> dict[str, Any]:
    """Who is signed in, as the portal sees this browser; {} for nobody."""
    answer = page.request.get(f"{company.portal.address}/api/v1/me/")
    document: dict[str, Any] = answer.json() if answer.ok else {}
    return document


def expect_signed_in(page: Page, company: Company, person: Person) -> None:
    page.wait_for_url(f"{company.portal.address}/me/")
    known = who(page, company)
    assert (known["organisation"], known["employee_number"]) == (company.slug, person.number)


def sign_in(page: Page, company: Company, person: Person) -> None:
    """Sign in from the beginning, whoever was signed in before."""
    page.context.clear_cookies()
    page.goto(company.login_url)
    give_password(page, person)
    expect_signed_in(page, company, person)


def shown_trace(page: Page, company: Company) -> str:
    """Return the code on the page of a refusal; nobody is signed in."""
    code = page.locator(".trace.code")
    expect(code).to_be_visible()
    assert page.url.startswith(company.portal.address)
    assert who(page, company) == {}
    return code.inner_text().strip()


def sign_in_as_owner(page: Page, company: Company) -> None:
    page.goto(f"{company.portal.address}/account/login/")
    page.get_by_label(re.compile("Adresse|Nom d")).fill(company.owner)
    page.get_by_label("Mot de passe").fill(OWNER_PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/o/"))


def diagnosis(page: Page, company: Company, code: str) -> Locator:
    """Open, as the organisation's owner, what the code of a refusal stands for."""
    sign_in_as_owner(page, company)
    page.goto(f"{company.portal.address}/o/{company.slug}/sign-in/?trace={code}")
    return page.locator("main")
