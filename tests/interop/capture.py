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
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

CAPTURED = Path(__file__).parents[1] / "sso" / "saml" / "captured"
(PERSON,) = invented_people("company.example", 1)
PORTAL = kit.keys("portal of the captured messages")
SP = ServiceProvider(
    entity_id=kit.SP_ENTITY_ID,
    acs_url=kit.ACS_URL,
    sls_url="",
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
    "sha-1": {"signature.algorithm": SHA_1},
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
            (CAPTURED / f"{name}.xml").write_bytes(xml)
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
            yield f"simplesamlphp-{name}", captured(sso_url)


def from_samlp(modules: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    keys = kit.keys("captured samlp")
    own = folder / "samlp"
    own.mkdir()
    with samlp_server.running(modules, own, free_port(), keys) as provider:
        for name, habits in SAMLP.items():
            provider.behave(PERSON, acs_url=SP.acs_url, **habits)
            yield f"samlp-{name}", captured(f"{provider.address}/saml2")


def captured(sso_url: str) -> bytes:
    """Sign in without a browser, and return the message that would be posted to us."""
    idp = IdentityProvider(entity_id=kit.IDP_ENTITY_ID, sso_url=sso_url, certificates=())
    now = dt.datetime.now(dt.UTC)
    going = authn_request(SP, idp, request_id=kit.REQUEST_ID, relay_state="captured", now=now)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )
    with opener.open(going.url, timeout=30) as answer:
        page, url = answer.read().decode(), answer.url
    if 'name="password"' in page:
        fields = {"username": PERSON.email, "password": PASSWORD, "AuthState": hidden(page, "AuthState")}
        with opener.open(url, urllib.parse.urlencode(fields).encode(), timeout=30) as answer:
            page = answer.read().decode()
    return base64.b64decode(hidden(page, "SAMLResponse"))


def hidden(page: str, name: str) -> str:
    match = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    if match is None:
        raise ValueError(f"There is no field {name} in:\n{page[-2000:]}")
    return html.unescape(match[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
