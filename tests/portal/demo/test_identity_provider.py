"""The demo's identity provider, for real: redirect, form, password, and a response the portal accepts."""

from __future__ import annotations

import datetime as dt
import html
import json
import os
import re
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from portal.demo.identity_provider import USERS_FILE, Directory, IdentityProviderServer
from sso.saml.attributes import mapped
from sso.saml.config import IdentityProvider, ServiceProvider, new_key_pair
from sso.saml.metadata import parse_metadata
from sso.saml.names import BINDING_POST
from sso.saml.request import authn_request, new_request_id
from sso.saml.response import verify_response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORTAL = "http://localhost:8000/"
USERS = {
    name: [
        {
            "login": "claire",
            "password": "s3cret-é",
            "name_id": f"{name}-42",
            "attributes": {
                "employeeNumber": "00042",
                "mail": "claire.martin@example.fr",
                "givenName": "Claire",
                "sn": "Martin",
            },
        }
    ]
    for name in ("la-poste", "airbus")
}


@pytest.fixture(scope="module")
def portal() -> ServiceProvider:
    private, certificate = new_key_pair("portal")
    return ServiceProvider(
        entity_id=f"{PORTAL}sso/9f1c/metadata/",
        acs_url=f"{PORTAL}sso/9f1c/acs/",
        sls_url=f"{PORTAL}sso/9f1c/sls/",
        private_key_pem=private,
        certificate_pem=certificate,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProviderServer]:
    data = tmp_path_factory.mktemp("idp")
    (data / USERS_FILE).write_text(json.dumps(USERS), encoding="utf-8")
    with IdentityProviderServer("127.0.0.1", 0, data=data, allow_acs=PORTAL) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def fetch(url: str, fields: dict[str, str] | None = None) -> tuple[int, str, Any]:
    data = None if fields is None else urlencode(fields).encode()
    try:
        with urllib.request.urlopen(url, data, timeout=10) as answer:  # noqa: S310  # Our own server.
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


def hidden(page: str) -> dict[str, str]:
    pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {html.unescape(name): html.unescape(value) for name, value in pairs}


def connection(server: IdentityProviderServer, name: str) -> IdentityProvider:
    status, document, _ = fetch(server.directory.sso_url(name).removesuffix("sso") + "metadata")
    assert status == 200
    return parse_metadata(document.encode(), allow_loopback=True)


def open_form(
    server: IdentityProviderServer, portal: ServiceProvider, name: str, request_id: str
) -> tuple[IdentityProvider, str]:
    idp = connection(server, name)
    now = dt.datetime.now(dt.UTC)
    redirect = authn_request(portal, idp, request_id=request_id, relay_state="key-1", now=now)
    status, page, _ = fetch(redirect.url)
    assert status == 200
    return idp, page


@pytest.mark.parametrize("name", ["la-poste", "airbus"])
def test_a_whole_sign_in(server: IdentityProviderServer, portal: ServiceProvider, name: str) -> None:
    request_id = new_request_id()
    idp, page = open_form(server, portal, name, request_id)

    status, answer, _ = fetch(idp.sso_url, {**hidden(page), "login": "Claire", "password": "s3cret-é"})

    fields = hidden(answer)
    assert status == 200
    assert fields["RelayState"] == "key-1"
    assert f'action="{portal.acs_url}"' in answer
    assertion = verify_response(
        fields["SAMLResponse"], sp=portal, idp=idp, request_id=request_id, now=dt.datetime.now(dt.UTC)
    )
    person = mapped(assertion, {})
    assert (person.subject, person.subject_source) == (f"{name}-42", "NameID")
    assert (person.employee_number, person.email) == ("00042", "claire.martin@example.fr")
    assert (person.first_name, person.last_name) == ("Claire", "Martin")


def test_the_two_have_different_habits(server: IdentityProviderServer, portal: ServiceProvider) -> None:
    names = set()
    for name in ("la-poste", "airbus"):
        request_id = new_request_id()
        idp, page = open_form(server, portal, name, request_id)
        _, answer, _ = fetch(idp.sso_url, {**hidden(page), "login": "claire", "password": "s3cret-é"})
        raw = hidden(answer)["SAMLResponse"]
        now = dt.datetime.now(dt.UTC)
        found = verify_response(raw, sp=portal, idp=idp, request_id=request_id, now=now)
        names.add(frozenset(found.attributes))

    assert len(names) == 2


def test_the_request_may_come_by_post(server: IdentityProviderServer, portal: ServiceProvider) -> None:
    described = connection(server, "la-poste")
    idp = IdentityProvider(described.entity_id, described.sso_url, described.certificates, BINDING_POST)
    request_id = new_request_id()
    now = dt.datetime.now(dt.UTC)
    form = authn_request(portal, idp, request_id=request_id, relay_state="key-2", now=now)

    _, page, _ = fetch(form.url, form.fields)
    _, answer, _ = fetch(idp.sso_url, {**hidden(page), "login": "claire", "password": "s3cret-é"})

    raw = hidden(answer)["SAMLResponse"]
    found = verify_response(raw, sp=portal, idp=idp, request_id=request_id, now=dt.datetime.now(dt.UTC))
    assert found.name_id == "la-poste-42"


@pytest.mark.parametrize(("login", "password"), [("claire", "wrong"), ("nobody", "s3cret-é"), ("claire", "")])
def test_a_wrong_password_gets_a_sentence(
    server: IdentityProviderServer, portal: ServiceProvider, login: str, password: str
) -> None:
    idp, page = open_form(server, portal, "la-poste", new_request_id())

    status, answer, _ = fetch(idp.sso_url, {**hidden(page), "login": login, "password": password})

    assert status == 200
    assert "Identifiant ou mot de passe incorrect." in answer
    assert "SAMLResponse" not in answer
    assert hidden(answer) == hidden(page)


@pytest.mark.parametrize(
    "acs_url",
    ["https://evil.example/acs/", "http://localhost:8000.evil.example/acs/", "http://localhost:80001/"],
)
def test_no_response_leaves_for_another_site(
    server: IdentityProviderServer, portal: ServiceProvider, acs_url: str
) -> None:
    elsewhere = ServiceProvider(portal.entity_id, acs_url, "", portal.private_key_pem, portal.certificate_pem)
    idp = connection(server, "la-poste")
    now = dt.datetime.now(dt.UTC)
    redirect = authn_request(elsewhere, idp, request_id="_r", relay_state="", now=now)

    status, page, _ = fetch(redirect.url)

    assert status == 403
    assert "<form" not in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/idp/la-poste/sso", 400),
        ("/idp/la-poste/sso?SAMLRequest=%3Cscript%3E", 400),
        ("/idp/la-poste/sso?SAMLRequest=AAAA", 400),
        ("/idp/nobody/metadata", 404),
        ("/idp/..%2F..%2Fetc/metadata", 404),
        ("/", 404),
        ("/healthz", 200),
        ("/style.css", 200),
        ("/submit.js", 200),
    ],
)
def test_other_addresses(server: IdentityProviderServer, path: str, status: int) -> None:
    found, page, _ = fetch(server.base_url + path)

    assert found == status
    assert "Traceback" not in page


def test_pages_load_nothing_from_elsewhere(server: IdentityProviderServer) -> None:
    _, _, headers = fetch(server.base_url + "/")

    assert headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "form-action 'self' http://localhost:8000" in headers["Content-Security-Policy"]


def test_keys_outlive_a_restart_and_stay_private(tmp_path: Path) -> None:
    first = Directory(tmp_path, "http://127.0.0.1:9/").metadata("la-poste")
    again = Directory(tmp_path, "http://127.0.0.1:9/").metadata("la-poste")
    other = Directory(tmp_path, "http://127.0.0.1:9/").metadata("airbus")

    assert first == again
    assert parse_metadata(first, allow_loopback=True).certificates != (
        parse_metadata(other, allow_loopback=True).certificates
    )
    assert (tmp_path / "la-poste.pem").stat().st_mode & 0o077 == 0


def test_accounts_are_read_again_when_they_change(tmp_path: Path) -> None:
    users = tmp_path / USERS_FILE
    directory = Directory(tmp_path, "http://127.0.0.1:9")
    assert not directory.knows("la-poste")

    users.write_text(json.dumps(USERS), encoding="utf-8")
    assert directory.account("la-poste", "claire", "s3cret-é") is not None

    users.write_text('{"half', encoding="utf-8")
    os.utime(users, (1, 1))
    assert directory.account("la-poste", "claire", "s3cret-é") is not None

    users.write_text("{}", encoding="utf-8")
    assert directory.account("la-poste", "claire", "s3cret-é") is None
