"""The request: well-formed whatever the addresses contain, signed, and verified here by another library."""

from __future__ import annotations

import base64
import dataclasses
import zlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from xmlsec import constants

from sso.saml.names import BINDING_POST
from sso.saml.request import authn_request, new_request_id
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from sso.saml.bindings import SignInRedirect
    from sso.saml.config import IdentityProvider, ServiceProvider


def redirected(sp: ServiceProvider, idp: IdentityProvider, *, force_authn: bool = False) -> SignInRedirect:
    return authn_request(sp, idp, request_id="_r1", relay_state="key & 1", now=kit.NOW, force_authn=force_authn)


def read(redirect: SignInRedirect) -> etree._Element:
    message = parse_qs(urlsplit(redirect.url).query)["SAMLRequest"][0]
    return etree.fromstring(zlib.decompress(base64.b64decode(message), wbits=-zlib.MAX_WBITS))


def test_the_request_says_who_asks_and_where_the_answer_goes(sp: ServiceProvider, idp: IdentityProvider) -> None:
    request = read(redirected(sp, idp))

    assert request.tag == f"{{{kit.NS['samlp']}}}AuthnRequest"
    assert request.get("ID") == "_r1"
    assert request.get("IssueInstant") == "2030-05-06T08:00:00Z"
    assert request.get("Destination") == kit.SSO_URL
    assert request.get("AssertionConsumerServiceURL") == kit.ACS_URL
    assert request.get("ForceAuthn") is None
    assert request.findtext("saml:Issuer", namespaces=kit.NS) == kit.SP_ENTITY_ID
    assert request.find("samlp:RequestedAuthnContext", kit.NS) is None
    assert request.find("saml:Subject", kit.NS) is None


def test_asking_again_is_said(sp: ServiceProvider, idp: IdentityProvider) -> None:
    assert read(redirected(sp, idp, force_authn=True)).get("ForceAuthn") == "true"


def test_the_query_is_signed(sp: ServiceProvider, idp: IdentityProvider) -> None:
    query = urlsplit(redirected(sp, idp).url).query
    signed, _, _ = query.partition("&Signature=")
    signature = base64.b64decode(parse_qs(query)["Signature"][0])
    key = x509.load_pem_x509_certificate(sp.certificate_pem.encode()).public_key()

    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert [part.partition("=")[0] for part in query.split("&")] == [
        "SAMLRequest",
        "RelayState",
        "SigAlg",
        "Signature",
    ]
    assert parse_qs(query)["RelayState"] == ["key & 1"]


def test_addresses_with_parameters_stay_well_formed(sp: ServiceProvider, idp: IdentityProvider) -> None:
    url = "https://accounts.example/idp?idpid=C01&x=<2>"
    redirect = redirected(sp, dataclasses.replace(idp, sso_url=url))

    assert redirect.url.startswith(f"{url}&SAMLRequest=")
    assert read(redirect).get("Destination") == url


def test_post_when_nothing_else_is_offered(sp: ServiceProvider, idp: IdentityProvider) -> None:
    redirect = redirected(sp, dataclasses.replace(idp, sso_binding=BINDING_POST))
    request = etree.fromstring(base64.b64decode(redirect.fields["SAMLRequest"]))
    signature = request.find("ds:Signature", kit.NS)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(sp.certificate_pem, constants.KeyDataFormatCertPem, None)
    xmlsec.tree.add_ids(request, ["ID"])

    assert redirect.url == kit.SSO_URL
    assert redirect.fields["RelayState"] == "key & 1"
    assert signature is not None
    context.verify(signature)
    assert request.index(signature) == 1


def test_relay_state_has_a_limit(sp: ServiceProvider, idp: IdentityProvider) -> None:
    with pytest.raises(ValueError, match="80 bytes"):
        authn_request(sp, idp, request_id="_r1", relay_state="é" * 41, now=kit.NOW)


def test_request_ids_are_valid_and_never_repeat() -> None:
    ids = {new_request_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(each[0] == "_" for each in ids)
