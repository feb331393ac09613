"""What the fetcher asks, and where: marks of unchanged documents, and names that change their answer."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from portal.core.errors import Refusal
from sso.fetching import LONGEST_MARK, fetched_if_changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import Settings


class Site(BaseHTTPRequestHandler):
    """A web site with one document, its mark, and what it was asked."""

    mark = '"v1"'
    asked: list[str | None]

    def do_GET(self) -> None:
        known = self.headers.get("If-None-Match")
        type(self).asked.append(known)
        unchanged = known == self.mark or self.path == "/always-unchanged"
        self.send_response(304 if unchanged else 200)
        self.send_header("ETag", self.mark)
        body = b"" if unchanged else b"<document/>"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # The base class says so.
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[tuple[str, type[Site]]]:
    handler = type("OneSite", (Site,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_unchanged_document_is_not_sent_again(site: tuple[str, type[Site]]) -> None:
    url, handler = site

    first = fetched_if_changed(f"{url}/metadata", "")
    again = fetched_if_changed(f"{url}/metadata", first.etag)

    assert (first.content, first.etag) == (b"<document/>", '"v1"')
    assert (again.content, again.etag) == (None, '"v1"')
    assert handler.asked == [None, '"v1"']


def test_unchanged_is_no_answer_to_whoever_knows_nothing(site: tuple[str, type[Site]]) -> None:
    with pytest.raises(Refusal) as refused:
        fetched_if_changed(f"{site[0]}/always-unchanged", "")

    assert refused.value.code == "unreachable"


@pytest.mark.parametrize("mark", ['"' + "x" * LONGEST_MARK + '"', '"caf\xe9"'])
def test_a_mark_that_cannot_be_kept_is_not(site: tuple[str, type[Site]], mark: str) -> None:
    site[1].mark = mark

    assert fetched_if_changed(f"{site[0]}/metadata", "").etag == ""


def answers(*addresses: str) -> Any:
    """Make a resolver that gives the next of these each time it is asked, whatever the name."""
    rest = list(addresses)

    def resolve(_host: str, port: int, **_options: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (rest.pop(0), port))]

    return resolve


def test_a_name_is_resolved_once_and_that_very_address_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers with a public address, then with one inside, leads to the public one alone."""
    called: list[tuple[str, int]] = []

    def dial(address: tuple[str, int], **_options: Any) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("sso.fetching.socket.getaddrinfo", answers("93.184.215.14", "169.254.169.254"))
    monkeypatch.setattr("sso.fetching.socket.create_connection", dial)
    with pytest.raises(Refusal) as refused:
        fetched_if_changed("https://rebinding.example/metadata", "")

    assert refused.value.code == "unreachable"
    assert called == [("93.184.215.14", 443)]


def test_a_name_with_one_address_inside_is_not_asked_at_all(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.ALLOW_LOOPBACK_IDP = False
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.215.14", "127.0.0.1")]
    monkeypatch.setattr("sso.fetching.socket.getaddrinfo", lambda *_args, **_options: both)
    monkeypatch.setattr("sso.fetching.socket.create_connection", lambda *_a, **_o: pytest.fail("It was asked."))
    with pytest.raises(Refusal) as refused:
        fetched_if_changed("https://two-faced.example/metadata", "")

    assert refused.value.code == "private_address"


def test_a_page_that_is_not_there_and_a_name_that_nobody_has_are_told_apart(
    site: tuple[str, type[Site]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refusal) as answered:
        fetched_if_changed(f"{site[0]}/always-unchanged", "")
    assert "304" in str(answered.value)

    def unknown(*_args: object, **_kwargs: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Refusal) as nobody:
        fetched_if_changed("https://idp.typo.example/metadata", "")
    assert "idp.typo.example" in str(nobody.value)
    assert "304" not in str(nobody.value)
    assert nobody.value.code == answered.value.code == "unreachable"
