"""Write the messages of `tests/sso/saml/captured/` anew, as the identity providers of other makers write them:

    python -m tests.interop.capture <SimpleSAMLphp's folder> <node_modules with samlp>

The folders are those that `make interop` has made under `var/interop/`. People, keys and addresses are invented.
"""  # noqa: D415  The command is the end of its sentence.

from __future__ import annotations

import base64
import datetime as dt
import html
import json
import re
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sso.saml.config import IdentityProvider, ServiceProvider
from sso.saml.metadata import service_provider_metadata
from sso.saml.request import authn_request
from tests.interop import samlp as samlp_server
from tests.interop import simplesamlphp as simplesamlphp_server
from tests.interop.company import GCM, invented_people
from tests.interop.habits import AD_FS, SHIBBOLETH, TRANSIENT, URNS
from tests.interop.simplesamlphp import FORMAT_1_1, PASSWORD, name_id_from
from tests.journeys.conftest import free_port
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPMessage

    from tests.interop.simplesamlphp import SimpleSAMLphp

CAPTURED = Path(__file__).parents[1] / "sso" / "saml" / "captured"
(PERSON,) = invented_people("company.example", 1)
PORTAL = kit.keys("portal of the captured messages")
SP = ServiceProvider(
    entity_id=kit.SP_ENTITY_ID,
    acs_url=kit.ACS_URL,
    sls_url="https://portal.example/sso/9f1c/sls/",
    private_key_pem=PORTAL.private_pem,
    certificate_pem=PORTAL.certificate_pem,
)
SHA_1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
SIMPLESAMLPHP: dict[str, dict[str, Any]] = {
    "plain": {},
    "response-only": {"saml20.sign.assertion": False},
    "assertion-only": {"saml20.sign.response": False},
    "encrypted": {"assertion.encryption": True},
    "encrypted-in-an-unsigned-response": {"assertion.encryption": True, "saml20.sign.response": False},
    "shibboleth": SHIBBOLETH,
    "ad-fs": AD_FS,
    "urns": URNS,
    "transient": {"NameIDFormat": TRANSIENT, "authproc": {}},
    "address": name_id_from("mail", f"{FORMAT_1_1}emailAddress"),
    "encrypted-name": {"nameid.encryption": True},
    "sha-1": {"signature.algorithm": SHA_1},
}
SIGN_OUT: dict[str, dict[str, Any]] = {
    "logout-redirect.txt": {},
    "logout-post.xml": {"SingleLogoutService": [{"Binding": kit.POST, "Location": SP.sls_url}]},
    "logout-encrypted-name.xml": {
        "SingleLogoutService": [{"Binding": kit.POST, "Location": SP.sls_url}],
        "nameid.encryption": True,
    },
}
ENCRYPTION = {
    "encryptionAlgorithm": GCM,
    "encryptionCert": PORTAL.certificate_pem,
    "encryptionPublicKey": PORTAL.certificate_pem,
}
SAMLP: dict[str, dict[str, Any]] = {
    "plain": {},
    "response-only": {"signResponse": True, "signAssertion": False},
    "encrypted": ENCRYPTION,
    "destination-by-default": {"destination": SP.entity_id},
}


def main(program: Path, modules: Path) -> None:
    CAPTURED.mkdir(exist_ok=True)
    moments = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, xml in [*from_simplesamlphp(program, Path(folder)), *from_samlp(modules, Path(folder))]:
            (CAPTURED / name).write_bytes(xml)
            moments[name] = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    (CAPTURED / "moments.json").write_text(json.dumps(moments, indent=2) + "\n")
    (CAPTURED / "portal.pem").write_text(PORTAL.private_pem + PORTAL.certificate_pem)
    for maker in ("simplesamlphp", "samlp"):
        (CAPTURED / f"{maker}.pem").write_text(kit.keys(f"captured {maker}").certificate_pem)


def from_simplesamlphp(program: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    keys = kit.keys("captured simplesamlphp")
    own = folder / "simplesamlphp"
    own.mkdir()
    with simplesamlphp_server.running(program, own, free_port(), keys, entity_id=kit.IDP_ENTITY_ID) as provider:
        provider.employ([PERSON])
        provider.know("portal", service_provider_metadata(SP).decode())
        sso_url = f"{provider.address}/saml2/idp/SSOService.php"
        for name, habits in SIMPLESAMLPHP.items():
            provider.behave("portal", **habits)
            yield f"simplesamlphp-{name}.xml", captured(sso_url, visitor())
        for name, habits in SIGN_OUT.items():
            provider.behave("portal", **habits)
            yield f"simplesamlphp-{name}", captured_sign_out(provider, sso_url)


def from_samlp(modules: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    keys = kit.keys("captured samlp")
    own = folder / "samlp"
    own.mkdir()
    with samlp_server.running(modules, own, free_port(), keys) as provider:
        for name, habits in SAMLP.items():
            provider.behave(PERSON, acs_url=SP.acs_url, **habits)
            yield f"samlp-{name}.xml", captured(f"{provider.address}/saml2", visitor())


def visitor() -> urllib.request.OpenerDirector:
    """A browser of its own, which stays on this machine."""
    cookies = urllib.request.HTTPCookieProcessor(CookieJar())
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies, StaysHere)


class StaysHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        here = urllib.parse.urlsplit(newurl).hostname == "127.0.0.1"
        return super().redirect_request(req, fp, code, msg, headers, newurl) if here else None


def captured(sso_url: str, opener: urllib.request.OpenerDirector) -> bytes:
    """Sign in without a browser, and return the message that would be posted to us."""
    idp = IdentityProvider(entity_id=kit.IDP_ENTITY_ID, sso_url=sso_url, certificates=())
    now = dt.datetime.now(dt.UTC)
    going = authn_request(SP, idp, request_id=kit.REQUEST_ID, relay_state="captured", now=now)
    with opener.open(going.url, timeout=30) as answer:
        page, url = answer.read().decode(), answer.url
    if 'name="password"' in page:
        fields = {"username": PERSON.email, "password": PASSWORD, "AuthState": hidden(page, "AuthState")}
        with opener.open(url, urllib.parse.urlencode(fields).encode(), timeout=30) as answer:
            page = answer.read().decode()
    return base64.b64decode(hidden(page, "SAMLResponse"))


def captured_sign_out(provider: SimpleSAMLphp, sso_url: str) -> bytes:
    """Sign in, then out at the identity provider: the query, or the posted message, by which it asks us."""
    opener = visitor()
    captured(sso_url, opener)
    address = f"{provider.address}/saml2/idp/initSLO.php?RelayState={provider.address}/"
    try:
        with opener.open(address, timeout=30) as answer:
            return base64.b64decode(hidden(answer.read().decode(), "SAMLRequest"))
    except urllib.error.HTTPError as leads_to_us:
        return urllib.parse.urlsplit(leads_to_us.headers["Location"]).query.encode()


def hidden(page: str, name: str) -> str:
    match = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    if match is None:
        raise ValueError(f"There is no field {name} in:\n{page[-2000:]}")
    return html.unescape(match[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
