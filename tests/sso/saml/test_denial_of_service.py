"""Small messages that would make a stock library work for ever are refused in no time, in little memory."""

from __future__ import annotations

import base64
import copy
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from tests.sso import saml_kit as kit
from tests.sso.saml_kit import Message, encode, encode_text, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sso.saml.conftest import Refusal

_SECONDS = 20
_MEGABYTES = 900

# A child process, because a library that hangs in C cannot be interrupted from Python. The processor limit is
# generous to imports on a slow machine; the attacks below never end without the gate.
_CHILD = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({_SECONDS}, {_SECONDS}))
resource.setrlimit(resource.RLIMIT_AS, ({_MEGABYTES} * 2**20,) * 2)
import datetime as dt
from sso.saml.config import IdentityProvider, ServiceProvider
from sso.saml.errors import SAMLError
from sso.saml.response import verify_response
private, certificate, acs, *messages = sys.stdin.read().split("\\0")
sp = ServiceProvider("https://portal.example", acs, "", private, certificate)
idp = IdentityProvider("https://idp.example/metadata", "https://idp.example/sso", (certificate,))
now = dt.datetime(2030, 5, 6, 8, 0, tzinfo=dt.timezone.utc)
for message in messages:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    try:
        verify_response(message, sp=sp, idp=idp, request_id="_request-1", now=now)
    except SAMLError as error:
        spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
        print(error.code, "fast" if spent < 1 else f"slow: {{spent}} s")
"""


def _reference(response: etree._Element) -> etree._Element:
    found = response.find(".//ds:Reference", kit.NS)
    assert found is not None
    return found


def _external_reference() -> str:
    response = signed()
    second = copy.deepcopy(_reference(response))
    second.set("URI", "file:///dev/zero")
    _reference(response).addnext(second)
    return encode(response)


def _stylesheet() -> str:
    response = signed()
    transform = etree.SubElement(_reference(response)[0], f"{{{kit.NS['ds']}}}Transform")
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
    transform.append(
        etree.fromstring(
            '<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform">'
            '<x:template match="/" name="again"><x:call-template name="again"/></x:template></x:stylesheet>'
        )
    )
    return encode(response)


def _many_references() -> str:
    response = signed()
    reference = _reference(response)
    reference.getparent().extend([copy.deepcopy(reference) for _ in range(400)])  # type: ignore[union-attr]  # It has one.
    return encode(response)


def _many_transforms() -> str:
    response = signed()
    transforms = _reference(response)[0]
    transforms.extend([copy.deepcopy(transforms[1]) for _ in range(1500)])
    return encode(response)


def _cipher_reference() -> str:
    response = kit.encrypt(signed(), kit.keys("portal"))
    data = response.find(".//xenc:EncryptedData/xenc:CipherData", kit.NS)
    assert data is not None
    data.clear()
    etree.SubElement(data, f"{{{kit.NS['xenc']}}}CipherReference").set("URI", "file:///dev/zero")
    return encode(response)


def _inside_the_encryption() -> str:
    response = signed()
    _reference(response).set("URI", "file:///dev/zero")
    return encode(kit.encrypt(response, kit.keys("portal")))


def _deep() -> str:
    return encode_text(f"{'<a>' * 5000}{'</a>' * 5000}")


def _wide() -> str:
    return encode_text(f"<a>{'<b/>' * 20000}</a>")


def _many_attributes() -> str:
    attributes = " ".join(f"a{n}='1'" for n in range(15000))
    return encode_text(f"<a {attributes}/>")


def _laughs() -> str:
    tenfold = [f"&e{n};" * 10 for n in range(12)]
    entities = "".join(f'<!ENTITY e{n} "{value}">' for n, value in enumerate(tenfold, start=1))
    return encode_text(f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><x>&e12;</x>')


def _long() -> str:
    return base64.b64encode(b"<a>" + b"x" * 9_000_000 + b"</a>").decode()


ATTACKS: dict[str, tuple[Callable[[], str], str]] = {
    "reference to an endless file": (_external_reference, "forbidden_xml"),
    "endless stylesheet": (_stylesheet, "forbidden_xml"),
    "many references": (_many_references, "forbidden_xml"),
    "many transforms": (_many_transforms, "forbidden_xml"),
    "cipher in an endless file": (_cipher_reference, "forbidden_xml"),
    "endless file inside the encryption": (_inside_the_encryption, "forbidden_xml"),
    "depth": (_deep, "malformed"),
    "width": (_wide, "too_large"),
    "attributes": (_many_attributes, "too_large"),
    "entities": (_laughs, "forbidden_xml"),
    "length": (_long, "too_large"),
}


def test_every_attack_is_refused_in_no_time() -> None:
    ours = kit.keys("portal")
    messages = [build() for build, _ in ATTACKS.values()]

    child = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input="\0".join([ours.private_pem, ours.certificate_pem, kit.ACS_URL, *messages]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert child.returncode == 0, child.stderr
    answers = dict(zip(ATTACKS, child.stdout.splitlines(), strict=True))
    assert answers == {name: f"{code} fast" for name, (_, code) in ATTACKS.items()}


@pytest.mark.parametrize("levels", [70])
def test_depth_is_limited_below_what_the_parser_allows(refusal: Refusal, levels: int) -> None:
    deep = f"{'<x>' * levels}{'</x>' * levels}"
    message = Message(
        attributes_xml=(
            f'<saml:Attribute Name="deep"><saml:AttributeValue>{deep}</saml:AttributeValue></saml:Attribute>'
        )
    )

    assert refusal(encode(signed(message))).code == "too_large"
