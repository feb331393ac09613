"""A small, real SAML identity provider for the demo: it stands in for the partners' own, on its own site.

It serves one identity provider for each name in `users.json` of its data directory, under
`/idp/<name>/metadata` and `/idp/<name>/sso`, each with its own entity ID and keys. The first signs its
assertions and names attributes as Entra ID does, the second signs its responses and names them as Keycloak
does, and so on in turn, so that the portal meets both habits. It answers to the portal's addresses only. It
is for a demonstration: it holds passwords in clear text and keeps no session.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hmac
import html
import json
import os
import re
import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from sso.saml.config import new_key_pair
from sso.saml.errors import SAMLError
from sso.saml.issuing import (
    Issuer,
    ReceivedRequest,
    Subject,
    identity_provider_metadata,
    issued_response,
    read_request,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USERS_FILE: Final = "users.json"
COURSE_PATH: Final = "/course/"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LARGEST_FORM = 128 * 1024
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


@dataclass(frozen=True)
class Habit:
    """How a brand of identity provider speaks: what it signs, and how it names attributes."""

    signs: str
    names: Mapping[str, str]


HABITS: Final = (
    Habit(
        signs="assertion",
        names={
            "mail": f"{_CLAIMS}emailaddress",
            "givenName": f"{_CLAIMS}givenname",
            "sn": f"{_CLAIMS}surname",
            "employeeNumber": f"{_CLAIMS}employeeid",
        },
    ),
    Habit(signs="response", names={"mail": "email", "givenName": "firstName", "sn": "lastName"}),
)


@dataclass(frozen=True)
class Account:
    login: str
    password: str
    name_id: str
    attributes: Mapping[str, Sequence[str]]


class Directory:
    """The data directory: who may sign in where, and the keys, which outlive a restart."""

    def __init__(self, data: Path, base_url: str) -> None:
        self._data = data
        self._base_url = base_url.rstrip("/")
        self._lock = threading.Lock()
        self._read_at: tuple[int, int] | None = None
        self._accounts: dict[str, list[Account]] = {}

    def entity_id(self, name: str) -> str:
        """Stays the same when the demo moves to another port: connections are known by it."""
        return f"https://idp.{name}.example/metadata"

    def sso_url(self, name: str) -> str:
        return f"{self._base_url}/idp/{name}/sso"

    def metadata(self, name: str) -> bytes:
        """Return the metadata of an identity provider; it may be asked for before anyone can sign in."""
        return identity_provider_metadata(self._issuer(name, HABITS[0].signs), sso_url=self.sso_url(name))

    def knows(self, name: str) -> bool:
        return name in self._current()

    def account(self, name: str, login: str, password: str) -> Account | None:
        for account in self._current().get(name, []):
            same = hmac.compare_digest(account.password.encode(), password.encode())
            if account.login.casefold() == login.strip().casefold() and same:
                return account
        return None

    def response(self, name: str, request: ReceivedRequest, account: Account) -> str:
        """Return the signed response for an account, in the habit of this identity provider."""
        habit = HABITS[list(self._current()).index(name) % len(HABITS)]
        attributes = {habit.names.get(key, key): values for key, values in account.attributes.items()}
        return issued_response(
            self._issuer(name, habit.signs),
            request,
            Subject(name_id=account.name_id, attributes=attributes),
            now=dt.datetime.now(dt.UTC),
        )

    def _issuer(self, name: str, signs: str) -> Issuer:
        key, certificate = self._keys(name)
        return Issuer(entity_id=self.entity_id(name), private_key_pem=key, certificate_pem=certificate, signs=signs)

    def _keys(self, name: str) -> tuple[str, str]:
        if not _NAME.fullmatch(name):
            raise ValueError("The name of an identity provider has lower-case letters, digits and hyphens.")
        path = self._data / f"{name}.pem"
        with self._lock:
            if not path.exists():
                self._data.mkdir(parents=True, exist_ok=True)
                fresh = path.with_suffix(".new")
                with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                    file.write("".join(new_key_pair(f"{name} (demo)")))
                fresh.replace(path)
            key, begin, certificate = path.read_text().partition("-----BEGIN CERTIFICATE-----")
        return key, begin + certificate

    def _current(self) -> dict[str, list[Account]]:
        """Return the accounts, read again when the file has changed; a half-written file changes nothing."""
        path = self._data / USERS_FILE
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._read_at:
                self._accounts = _accounts(json.loads(path.read_text(encoding="utf-8")))
                self._read_at = stamp
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return self._accounts
        return self._accounts


def _accounts(document: dict[str, list[dict[str, object]]]) -> dict[str, list[Account]]:
    return {name: [_account(entry) for entry in entries] for name, entries in document.items()}


def _account(entry: dict[str, object]) -> Account:
    attributes = entry.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise TypeError("attributes")
    return Account(
        login=str(entry["login"]),
        password=str(entry["password"]),
        name_id=str(entry["name_id"]),
        attributes={
            key: tuple(map(str, value)) if isinstance(value, list) else (str(value),)
            for key, value in attributes.items()
        },
    )


class Handler(BaseHTTPRequestHandler):
    """The pages: metadata, the form, and the page that carries the response to the portal."""

    server: IdentityProviderServer
    server_version = "demo-identity-provider"
    sys_version = ""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asset = _ASSETS.get(parts.path)
        if asset is not None:
            self._answer(asset[1].encode(), asset[0])
        elif parts.path == "/healthz":
            self._answer(b"ok\n", "text/plain")
        else:
            self._route(parts.path, _fields(parts.query), posted=False)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _LARGEST_FORM:
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Le message reçu est trop long.")
            return
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        self._route(urlsplit(self.path).path, _fields(body), posted=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # The base class says so.
        """Say nothing: an address carries a request, and a demo needs no journal."""

    def _route(self, path: str, fields: dict[str, str], *, posted: bool) -> None:
        if path == COURSE_PATH:
            self._page(_course_page())
            return
        match = re.fullmatch(r"/idp/([^/]+)/(metadata|sso)/?", path)
        if match is None or not self.server.directory.knows(match[1]):
            self._refuse(HTTPStatus.NOT_FOUND, "Cette page n’existe pas.")
        elif match[2] == "metadata":
            self._answer(self.server.directory.metadata(match[1]), "application/samlmetadata+xml")
        else:
            self._sign_in(match[1], fields, posted=posted)

    def _sign_in(self, name: str, fields: dict[str, str], *, posted: bool) -> None:
        deflated = fields.get("binding", "post" if posted else "redirect") == "redirect"
        try:
            request = read_request(fields.get("SAMLRequest", ""), deflated=deflated)
        except SAMLError:
            self._refuse(HTTPStatus.BAD_REQUEST, "Cette page s’ouvre depuis le portail, pas directement.")
            return
        if not request.acs_url.startswith(self.server.allow_acs):
            self._refuse(HTTPStatus.FORBIDDEN, "L’adresse de retour demandée n’est pas celle du portail.")
            return
        carried = {
            "SAMLRequest": fields.get("SAMLRequest", ""),
            "RelayState": fields.get("RelayState", ""),
            "binding": "redirect" if deflated else "post",
        }
        if not posted or "login" not in fields:
            self._page(_login_form(name, carried))
            return
        account = self.server.directory.account(name, fields["login"], fields.get("password", ""))
        if account is None:
            self._page(_login_form(name, carried, login=fields["login"], wrong=True))
            return
        response = self.server.directory.response(name, request, account)
        answer = {"SAMLResponse": response, "RelayState": carried["RelayState"]}
        self._page(_answer_form(request.acs_url, answer))

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        body = f"<h1>Connexion impossible</h1><p>{html.escape(sentence)}</p>"
        self._page(_document("Connexion impossible", body), status)

    def _page(self, document: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._answer(document.encode(), "text/html", status)

    def _answer(self, body: bytes, content_type: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.server.allow_acs))
        self.send_header(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action 'self' {origin}",
        )
        self.end_headers()
        self.wfile.write(body)


class IdentityProviderServer(ThreadingHTTPServer):
    """`allow_acs` is the address of the portal; a response goes nowhere else."""

    daemon_threads = True

    def __init__(self, host: str, port: int, *, data: Path, allow_acs: str) -> None:
        super().__init__((host, port), Handler)
        # Without the slash, http://localhost:8000 would also allow http://localhost:8000.evil.example.
        self.allow_acs = f"{allow_acs.rstrip('/')}/"
        self.base_url = f"http://{host}:{self.server_address[1]}"
        self.directory = Directory(data, self.base_url)


def _fields(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


def _hidden(fields: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in fields.items()
    )


def _login_form(name: str, carried: Mapping[str, str], *, login: str = "", wrong: bool = False) -> str:
    title = name.replace("-", " ").title()
    alert = '<p id="error" role="alert">Identifiant ou mot de passe incorrect.</p>' if wrong else ""
    described = ' aria-invalid="true" aria-describedby="error"' if wrong else ""
    body = f"""<p class="brand">{html.escape(title)}</p>
<h1>Connexion à votre compte professionnel</h1>
{alert}<form method="post" action="/idp/{html.escape(name)}/sso">{_hidden(carried)}
<label for="login">Identifiant</label>
<input id="login" name="login" value="{html.escape(login)}" autocomplete="username" required
autofocus{described}>
<label for="password">Mot de passe</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{described}>
<button>Se connecter</button></form>
<p class="note">Fournisseur d’identité de démonstration : il tient la place de celui de l’organisation.</p>"""
    return _document(f"Connexion – {title}", body)


def _course_page() -> str:
    """Return what stands in for the learning platform: the place where the portal's part ends."""
    return _document(
        "Objectif IA",
        "<h1>Ici commence le cours</h1><p>Dans la démonstration, la plateforme d’apprentissage s’arrête à cette page :"
        " elle a reçu la référence anonyme de l’apprenant, rien d’autre.</p>",
    )


def _answer_form(acs_url: str, answer: Mapping[str, str]) -> str:
    body = f"""<h1>Vous êtes connecté</h1>
<p>Nous vous ramenons au portail.</p>
<form method="post" action="{html.escape(acs_url)}" data-submit>{_hidden(answer)}
<button>Continuer vers le portail</button></form>
<script src="/submit.js"></script>"""
    return _document("Retour au portail", body)


def _document(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="fr"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title><link rel="stylesheet" href="/style.css"></head>
<body><main>{body}</main></body></html>
"""


_STYLE = """
:root { color-scheme: light; font: 1rem/1.5 system-ui, sans-serif; color: #1b1f2a; background: #eef1f6; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { background: #fff; width: min(24rem, 100vw - 2rem); padding: 2rem; box-sizing: border-box;
  border-radius: .75rem; border: 1px solid #d5dae4; }
.brand { margin: 0; font-weight: 700; color: #24408e; }
h1 { margin: .25rem 0 1.5rem; font-size: 1.375rem; line-height: 1.25; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { width: 100%; box-sizing: border-box; padding: .625rem; font: inherit; border: 1px solid #687086;
  border-radius: .375rem; }
button { margin-top: 1.5rem; width: 100%; padding: .75rem; font: inherit; font-weight: 600; color: #fff;
  background: #24408e; border: 0; border-radius: .375rem; cursor: pointer; }
:focus-visible { outline: 3px solid #24408e; outline-offset: 2px; }
[role=alert] { padding: .75rem; color: #8a1020; background: #fdecee; border-radius: .375rem; }
.note { margin: 1.5rem 0 0; font-size: .875rem; color: #4d5567; }
"""
_ASSETS = {
    "/style.css": ("text/css", _STYLE),
    "/submit.js": ("text/javascript", "document.querySelector('form[data-submit]').submit();\n"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The demo's identity provider.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help=f"directory of {USERS_FILE} and of the keys")
    parser.add_argument("--allow-acs", required=True, help="address of the portal, http://localhost:8000/")
    options = parser.parse_args(arguments)
    try:
        server = IdentityProviderServer(options.host, options.port, data=options.data, allow_acs=options.allow_acs)
    except OSError as error:
        sys.stderr.write(f"The identity provider cannot listen on port {options.port}: {error.strerror}.\n")
        return 1
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
