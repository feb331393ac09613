"""The commands: their JSON, and a sentence for every wrong input."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from sso.fetching import fetched_metadata
from sso.models import Connection
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.test import Client
    from pytest_django import Settings

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


def run(name: str, *arguments: str) -> Any:
    """Run a command and return its JSON document; a failure's has the key `error`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command(name, *arguments, "--json", stdout=out, stderr=err)
    document = json.loads(out.getvalue())
    assert ("error" in document) is bool(err.getvalue().strip())
    return document


@pytest.fixture
def metadata_file(tmp_path: Path) -> Path:
    path = tmp_path / "metadata.xml"
    path.write_text(kit.metadata())
    return path


def test_connecting_answers_as_the_contract_says(laposte: Organisation, metadata_file: Path) -> None:
    document = run("connect_idp", "laposte", "--metadata", str(metadata_file))

    public_id = document["connection"]
    base = f"http://localhost:8000/sso/{public_id}"
    assert document == {
        "connection": public_id,
        "state": "configured",
        "login_url": f"{base}/login/",
        "acs_url": f"{base}/acs/",
        "metadata_url": f"{base}/metadata/",
        "sls_url": f"{base}/sls/",
        "entity_id": f"{base}/metadata/",
    }


def test_the_same_again_changes_nothing_and_activate_activates(laposte: Organisation, metadata_file: Path) -> None:
    first = run("connect_idp", "laposte", "--metadata", str(metadata_file))
    again = run("connect_idp", "laposte", "--metadata", str(metadata_file), "--activate")

    assert again == {**first, "state": "active"}
    assert run("connect_idp", "laposte", "--metadata", str(metadata_file)) == again


def test_other_certificates_are_refused_and_the_sentence_points_to_the_page(
    laposte: Organisation, metadata_file: Path
) -> None:
    run("connect_idp", "laposte", "--metadata", str(metadata_file))
    metadata_file.write_text(kit.metadata(certificates=(kit.keys("renewed").certificate_pem,)))

    error = run("connect_idp", "laposte", "--metadata", str(metadata_file), "--activate")["error"]

    assert error["code"] == "exists_differently"
    assert "http://localhost:8000/o/laposte/sign-in/" in error["message"]
    with organisation_scope(laposte.pk):
        assert Connection.objects.get().state == "configured"


def test_another_identity_provider_makes_another_connection(laposte: Organisation, metadata_file: Path) -> None:
    first = run("connect_idp", "laposte", "--metadata", str(metadata_file))
    metadata_file.write_text(kit.metadata(entity_id="https://other.example/metadata"))
    second = run("connect_idp", "laposte", "--metadata", str(metadata_file))

    assert first["connection"] != second["connection"]
    assert run("sp_metadata", "laposte")["error"]["code"] == "connection_needed"
    chosen = run("sp_metadata", "laposte", "--connection", second["connection"])
    assert second["entity_id"] in chosen["xml"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "metadata_empty"),
        ("%PDF-1.7", "metadata_not_xml"),
        ("<!doctype html><html></html>", "metadata_html"),
        ('{"issuer": "x"}', "metadata_json"),
        ("<roster/>", "metadata_not_saml"),
        (kit.metadata(role="SPSSODescriptor"), "metadata_service_provider"),
        (kit.metadata(sso_url="http://idp.example/sso"), "metadata_insecure_endpoint"),
    ],
)
def test_what_is_not_metadata_is_named(laposte: Organisation, tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "file"
    path.write_text(content)

    error = run("connect_idp", "laposte", "--metadata", str(path))["error"]

    assert error["code"] == code
    assert len(error["message"]) > 30


@pytest.mark.parametrize("source", ["/nowhere/metadata.xml", "file:///etc/passwd", "/", "a\x00b"])
def test_a_file_that_cannot_be_read_is_named(laposte: Organisation, source: str) -> None:
    assert run("connect_idp", "laposte", "--metadata", source)["error"]["code"] == "unreadable_file"


def test_an_unknown_organisation_is_named(metadata_file: Path, db: None) -> None:
    error = run("connect_idp", "nobody", "--metadata", str(metadata_file))["error"]

    assert error["code"] == "unknown_organisation"


def test_metadata_without_a_connection_is_refused(laposte: Organisation) -> None:
    assert run("sp_metadata", "laposte")["error"]["code"] == "unknown_connection"


class Site(BaseHTTPRequestHandler):
    """A web site that serves metadata, something too long, and a redirect."""

    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/metadata")
            self.end_headers()
            return
        body = b"x" * (1024 * 1024 + 10) if self.path == "/long" else kit.metadata().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # The base class says so.
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_metadata_is_fetched_from_an_address(laposte: Organisation, site: str) -> None:
    assert "connection" in run("connect_idp", "laposte", "--metadata", f"{site}/metadata")

    with organisation_scope(laposte.pk):
        connection = Connection.objects.get()
    assert connection.metadata_url == f"{site}/metadata"
    assert connection.due_at
    assert connection.metadata_read_at


def refusal_of(url: str) -> str:
    with pytest.raises(Refusal) as caught:
        fetched_metadata(url)
    return caught.value.code


def test_a_redirect_is_not_followed(site: str) -> None:
    assert refusal_of(f"{site}/redirect") == "unreachable"


def test_a_long_answer_is_not_read_to_its_end(site: str) -> None:
    assert refusal_of(f"{site}/long") == "metadata_too_large"


def test_nobody_listening_is_a_sentence() -> None:
    assert refusal_of("http://127.0.0.1:1/metadata") == "unreachable"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/metadata", "bad_address"),
        ("https://user@example.com/metadata", "bad_address"),
        ("https://example.com:port/", "bad_address"),
        ("https:///metadata", "bad_address"),
        ("https://exa mple.com/", "bad_address"),
        ("https://10.0.0.1/metadata", "private_address"),
        ("https://169.254.169.254/latest/", "private_address"),
        ("https://[fd00::1]/", "private_address"),
        ("https://[::ffff:10.0.0.1]/", "private_address"),
    ],
)
def test_addresses_that_are_not_public_are_not_asked(url: str, code: str) -> None:
    assert refusal_of(url) == code


def test_this_machine_is_asked_only_where_it_is_allowed(site: str, settings: Settings) -> None:
    settings.ALLOW_LOOPBACK_IDP = False

    assert refusal_of(f"{site}/metadata") == "bad_address"
    assert refusal_of("https://127.0.0.1/metadata") == "private_address"


def test_a_set_up_link_is_made_at_the_terminal(laposte: Organisation, client: Client) -> None:
    document = run("create_setup_link", "laposte", "--recipient", "DSI")

    assert set(document) == {"link", "url", "expires_at", "recipient"}
    assert document["recipient"] == "DSI"
    path = document["url"].removeprefix("http://localhost:8000")
    assert client.get(path).status_code == 200
    assert run("create_setup_link", "laposte")["url"] != document["url"]
    assert run("create_setup_link", "nobody")["error"]["code"] == "unknown_organisation"
