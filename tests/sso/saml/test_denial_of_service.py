"""Small messages that would make a stock library work for ever are refused in no time, in little memory."""

from __future__ import annotations

import base64
import copy
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from lxml import etree

from tests.sso import saml_kit as kit
from tests.sso.saml_kit import Message, encode, encode_text, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sso.saml.conftest import Refusal

_SECONDS = 2
_MEGABYTES = 64

# Each message in a child of its own, because a library that hangs in C cannot be interrupted from Python: it is forked
# from a process that has signed somebody in already, and may then use two seconds of the processor and so much more
# memory. Without the gate most of the attacks below never end.
_CHILD = f"""
import datetime as dt, os, resource, sys
from sso.saml.config import IdentityProvider, ServiceProvider
from sso.saml.errors import SAMLError
from sso.saml.logout import received_by_post, received_by_redirect, verify_request
from sso.saml.response import verify_response
private, certificate, idp_certificate, acs, sls, honest, *messages = sys.stdin.read().split("\\0")
sp = ServiceProvider("{kit.SP_ENTITY_ID}", acs, sls, private, certificate)
idp = IdentityProvider("{kit.IDP_ENTITY_ID}", "https://idp.example/sso", (idp_certificate,))
now = dt.datetime(2030, 5, 6, 8, 0, tzinfo=dt.timezone.utc)

def verify(kind, message):
    if kind == "response":
        verify_response(message, sp=sp, idp=idp, request_id="{kit.REQUEST_ID}", now=now)
    elif kind == "redirect":
        verify_request(received_by_redirect(message), sp=sp, idp=idp, now=now)
    else:
        verify_request(received_by_post(dict(SAMLRequest=message)), sp=sp, idp=idp, now=now)

verify("response", honest)
for each in messages:
    sys.stdout.flush()
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if status:
            print("ended by", status)
        continue
    mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_CPU, ({_SECONDS}, {_SECONDS}))
    resource.setrlimit(resource.RLIMIT_AS, (mapped + {_MEGABYTES} * 2**20,) * 2)
    try:
        verify(*each.split(" ", 1))
        print("let in")
    except SAMLError as error:
        print(error.code)
    sys.stdout.flush()
    os._exit(0)
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


def _hostile_sign_out() -> str:
    message = kit.reread(kit.sign(kit.SignOut().tree()))
    second = copy.deepcopy(_reference(message))
    second.set("URI", "file:///dev/zero")
    _reference(message).addnext(second)
    return encode(message)


def _sign_out_stylesheet() -> str:
    message = kit.reread(kit.sign(kit.SignOut().tree()))
    transform = _reference(message)[0][0]
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
    return encode(message)


def _sign_out_by_reference() -> str:
    name = etree.fromstring(kit.encrypted_name("person-42", kit.keys("portal")))
    data = name.find("xenc:EncryptedData/xenc:CipherData", kit.NS)
    assert data is not None
    data.clear()
    etree.SubElement(data, f"{{{kit.NS['xenc']}}}CipherReference").set("URI", "file:///dev/zero")
    return kit.redirect_query(kit.SignOut(name_xml=etree.tostring(name).decode()).tree())


def _bomb() -> str:
    compressor = zlib.compressobj(wbits=-15)
    packed = compressor.compress(b"<a>" + b" " * 60_000_000) + compressor.flush()
    return f"SAMLRequest={quote(base64.b64encode(packed).decode())}"


ATTACKS: dict[str, tuple[str, Callable[[], str], str]] = {
    "reference to an endless file": ("response", _external_reference, "forbidden_xml"),
    "endless stylesheet": ("response", _stylesheet, "forbidden_xml"),
    "many references": ("response", _many_references, "forbidden_xml"),
    "many transforms": ("response", _many_transforms, "forbidden_xml"),
    "cipher in an endless file": ("response", _cipher_reference, "forbidden_xml"),
    "endless file inside the encryption": ("response", _inside_the_encryption, "forbidden_xml"),
    "depth": ("response", _deep, "malformed"),
    "width": ("response", _wide, "too_large"),
    "attributes": ("response", _many_attributes, "too_large"),
    "entities": ("response", _laughs, "forbidden_xml"),
    "length": ("response", _long, "too_large"),
    "sign-out: reference to an endless file": ("post", _hostile_sign_out, "forbidden_xml"),
    "sign-out: stylesheet": ("post", _sign_out_stylesheet, "forbidden_xml"),
    "sign-out: name in an endless file": ("redirect", _sign_out_by_reference, "forbidden_xml"),
    "sign-out: bomb": ("redirect", _bomb, "too_large"),
    "sign-out: depth": ("post", _deep, "malformed"),
    "sign-out: width": ("post", _wide, "too_large"),
    "sign-out: entities": ("post", _laughs, "forbidden_xml"),
}


def test_every_attack_ends_in_its_refusal_within_two_seconds_and_little_memory() -> None:
    ours, theirs = kit.keys("portal"), kit.keys("idp")
    start = [ours.private_pem, ours.certificate_pem, theirs.certificate_pem, kit.ACS_URL, kit.SLS_URL]
    honest = encode(signed())
    messages = [f"{kind} {build()}" for kind, build, _ in ATTACKS.values()]

    child = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input="\0".join([*start, honest, *messages, f"response {honest}"]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (child.returncode, child.stderr) == (0, "")
    answers = dict(zip([*ATTACKS, "honest"], child.stdout.splitlines(), strict=True))
    assert answers == {name: code for name, (_, _, code) in ATTACKS.items()} | {"honest": "let in"}


@pytest.mark.parametrize("levels", [70])
def test_depth_is_limited_below_what_the_parser_allows(refusal: Refusal, levels: int) -> None:
    deep = f"{'<x>' * levels}{'</x>' * levels}"
    message = Message(
        attributes_xml=(
            f'<saml:Attribute Name="deep"><saml:AttributeValue>{deep}</saml:AttributeValue></saml:Attribute>'
        )
    )

    assert refusal(encode(signed(message))).code == "too_large"
