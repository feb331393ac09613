"""What only a real browser shows: a post from another site brings no cookie of ours, for the honest and the attacker.

The identity provider and the attacker are pages on other sites that post what the tests' own kit has signed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
import threading
from dataclasses import dataclass
from html import escape
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.sso import saml_kit as kit
from tests.sso.company import request_id_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page, Request

    from tests.journeys.conftest import Portal

pytestmark = pytest.mark.journey


class OtherSite(ThreadingHTTPServer):
    """Pages on 127.0.0.1, which to a browser is another site than localhost: each is made of its own address."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), OtherSiteHandler)
        self.pages: dict[str, Callable[[str], str]] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class OtherSiteHandler(BaseHTTPRequestHandler):
    server: OtherSite

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write((page(self.path) if page else "").encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  The base class says so.
        """Say nothing."""


@dataclass(frozen=True)
class Cerisier:
    """An organisation whose identity provider is the kit: it signs whatever a test, or an attacker, wants signed."""

    portal: Portal
    other_site: OtherSite
    login_url: str
    acs_url: str
    entity_id: str

    def answer(self, request_id: str, name_id: str) -> str:
        """Return a valid answer to a request, for whoever has this identifier at the company."""
        message = kit.Message(
            now=dt.datetime.now(dt.UTC),
            response_id=f"_r{secrets.token_hex(8)}",
            assertion_id=f"_a{secrets.token_hex(8)}",
            issuer=f"{self.other_site.address}/metadata",
            response_issuer=f"{self.other_site.address}/metadata",
            destination=self.acs_url,
            recipient=self.acs_url,
            in_response_to=request_id,
            confirmed_request=request_id,
            audiences=((self.entity_id,),),
            name_id=name_id,
            attributes=(("mail", (f"{name_id}@cerisier.example",)),),
        )
        return kit.encode(kit.signed(message, how=kit.Signature(by=kit.keys("cerisier"))))

    def form(self, encoded: str) -> str:
        """Return a page that posts an answer to us by itself."""
        return (
            f'<!doctype html><form method="post" action="{self.acs_url}">'
            f'<input type="hidden" name="SAMLResponse" value="{escape(encoded)}"></form>'
            "<script>document.forms[0].submit()</script>"
        )

    def sign_in(self, page: Page, name_id: str) -> None:
        """Go through the whole sign-in in a browser, with this person at the identity provider."""
        self.other_site.pages["/sso"] = lambda url: self.form(self.answer(request_id_in(url), name_id))
        page.goto(self.login_url)
        page.wait_for_url(f"{self.portal.address}/me/")

    def answer_for_the_attacker(self) -> str:
        """Begin a sign-in outside of any browser, as an attacker with an account of their own does."""
        return self.answer(request_id_in(next_step(self.login_url)), "attacker")

    def last_step_of_the_attacker(self) -> str:
        """Go on to the very last step, and return its address instead of opening it."""
        return next_step(self.acs_url, SAMLResponse=self.answer_for_the_attacker())


def next_step(url: str, **fields: str) -> str:
    """Open an address, or post a form to it, and return where it leads without going there."""
    parts = urlsplit(url)
    form = urlencode(fields)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if fields else {}
    with contextlib.closing(HTTPConnection(parts.netloc, timeout=30)) as connection:
        connection.request("POST" if fields else "GET", parts.path, form or None, headers)
        return str(connection.getresponse().getheader("Location"))


@pytest.fixture(scope="module")
def other_site() -> Iterator[OtherSite]:
    with OtherSite() as server, contextlib.ExitStack() as stack:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        yield server


@pytest.fixture(scope="module")
def cerisier(portal: Portal, other_site: OtherSite, tmp_path_factory: pytest.TempPathFactory) -> Cerisier:
    metadata = tmp_path_factory.mktemp("cerisier") / "metadata.xml"
    metadata.write_text(
        kit.metadata(
            entity_id=f"{other_site.address}/metadata",
            sso_url=f"{other_site.address}/sso",
            certificates=(kit.keys("cerisier").certificate_pem,),
        )
    )
    portal.command("create_organisation", "cerisier", "--name", "Cerisier", "--domain", "cerisier.example")
    made = portal.command("connect_idp", "cerisier", "--metadata", str(metadata), "--activate")
    return Cerisier(portal, other_site, made["login_url"], made["acs_url"], made["entity_id"])


@pytest.fixture
def who(page: Page, portal: Portal) -> Callable[[], str]:
    """Ask who is signed in, as the portal sees this browser: their e-mail address, "" for nobody."""

    def ask() -> str:
        answer = page.request.get(f"{portal.address}/api/v1/me/")
        return str(answer.json()["email"]) if answer.ok else ""

    return ask


@pytest.fixture
def trap(cerisier: Cerisier) -> str:
    """The address of a page that posts the attacker's own valid answer in the browser of whoever opens it."""
    answered = cerisier.form(cerisier.answer_for_the_attacker())
    cerisier.other_site.pages["/trap"] = lambda _url: answered
    return f"{cerisier.other_site.address}/trap"


def test_the_answer_arrives_without_our_cookies_and_still_signs_in(
    page: Page, cerisier: Cerisier, who: Callable[[], str]
) -> None:
    """The second time this browser holds the cookie of a session as well: neither arrives at the ACS."""
    carried: list[tuple[str, set[str]]] = []

    def note(request: Request) -> None:
        if "/acs/" in request.url:
            carried.append((request.method, cookie_names(request)))

    page.on("requestfinished", note)
    for _time in ("first", "again"):
        cerisier.sign_in(page, "claire")
        assert who() == "claire@cerisier.example"

    held = {cookie["name"] for cookie in page.context.cookies()}
    assert {"portal", "sign-in"} <= held
    (_post, first), (_get, finish), (_post_again, second), (_get_again, finish_again) = carried
    assert [method for method, _names in carried] == ["POST", "GET"] * 2
    assert first == second == set()
    assert "sign-in" in finish
    assert {"portal", "sign-in"} <= finish_again


def cookie_names(request: Request) -> set[str]:
    header = request.all_headers().get("cookie", "")
    return {pair.partition("=")[0].strip() for pair in header.split(";") if pair}


def test_an_answer_of_the_attackers_signs_nobody_in(
    page: Page, cerisier: Cerisier, trap: str, who: Callable[[], str]
) -> None:
    page.goto(trap)
    expect(page.locator(".trace.code")).to_be_visible()
    assert page.url.startswith(f"{cerisier.acs_url}finish/")
    assert who() == ""


def test_an_answer_of_the_attackers_takes_nobody_s_session(
    page: Page, cerisier: Cerisier, trap: str, who: Callable[[], str]
) -> None:
    cerisier.sign_in(page, "claire")
    page.goto(trap)
    expect(page.locator(".trace.code")).to_be_visible()
    assert who() == "claire@cerisier.example"


def test_an_answer_of_the_attackers_finishes_no_sign_in_that_was_begun(
    page: Page, cerisier: Cerisier, trap: str, who: Callable[[], str]
) -> None:
    """The victim has the cookie of a request of their own, and stands at the identity provider's page."""
    cerisier.other_site.pages["/sso"] = lambda _url: "Your password?"
    page.goto(cerisier.login_url)
    page.goto(trap)
    expect(page.locator(".trace.code")).to_be_visible()
    assert who() == ""


def test_the_attackers_last_step_opened_by_a_link_signs_nobody_in(
    page: Page, cerisier: Cerisier, who: Callable[[], str]
) -> None:
    link = escape(cerisier.last_step_of_the_attacker())
    cerisier.other_site.pages["/link"] = lambda _url: f'<a href="{cerisier.portal.address}{link}">Win a phone</a>'
    page.goto(f"{cerisier.other_site.address}/link")
    page.get_by_role("link").click()
    expect(page.locator(".trace.code")).to_be_visible()
    assert who() == ""
