"""Metadata: what an identity provider publishes about itself, read with suspicion, and what we publish."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from sso.saml import gate
from sso.saml.config import IdentityProvider, bare_certificate
from sso.saml.errors import SAMLError, named_errors
from sso.saml.names import BINDING_POST, BINDING_REDIRECT, DS, METADATA, SAMLP, UNSPECIFIED, ds, md
from sso.saml.profile import instant

if TYPE_CHECKING:
    from sso.saml.config import ServiceProvider

LARGEST_METADATA: Final = 1024 * 1024
_LONGEST_ENTITY_ID = 1024
_SMALLEST_KEY = 2048
_ROOTS = {md("EntityDescriptor"), md("EntitiesDescriptor")}


def parse_metadata(xml: bytes, *, allow_loopback: bool = False, now: dt.datetime | None = None) -> IdentityProvider:
    """Return the one identity provider that a metadata document describes.

    A signature on it is not looked at: whoever hands us the document is the authority for it.
    `allow_loopback` lets plain http through on loopback addresses, for the demo and the tests.
    """
    with named_errors("metadata_malformed"):
        root = _root(xml)
        entity, role = _identity_provider(root)
        for element in {root, entity, role}:
            _refuse_expired(element, now or dt.datetime.now(dt.UTC))
        entity_id = entity.get("entityID", "").strip()
        if not entity_id or len(entity_id) > _LONGEST_ENTITY_ID:
            raise SAMLError("metadata_no_entity_id")
        sso_url, binding = _endpoint(role, "SingleSignOnService", allow_loopback=allow_loopback)
        if not sso_url:
            raise SAMLError("metadata_no_endpoint", expected="SingleSignOnService, HTTP-Redirect or HTTP-POST")
        slo_url, slo_binding = _endpoint(role, "SingleLogoutService", allow_loopback=allow_loopback)
        return IdentityProvider(
            entity_id=entity_id,
            sso_url=sso_url,
            sso_binding=binding,
            certificates=_signing_certificates(role),
            slo_url=slo_url,
            slo_binding=slo_binding or BINDING_REDIRECT,
            slo_response_url=_response_address(role, slo_binding, slo_url, allow_loopback=allow_loopback),
        )


def service_provider_metadata(sp: ServiceProvider) -> bytes:
    """Return our metadata for one connection.

    It carries no expiry (imports of it would lapse) and no encryption key: some identity providers
    encrypt as soon as they see one, with ciphers that we only accept inside a signed response.
    """
    entity = etree.Element(md("EntityDescriptor"), nsmap={"md": METADATA, "ds": DS})
    entity.set("entityID", sp.entity_id)
    role = etree.SubElement(entity, md("SPSSODescriptor"))
    role.set("AuthnRequestsSigned", "true")
    # A signature on the response is as good to us; this asks those who sign only when asked.
    role.set("WantAssertionsSigned", "true")
    role.set("protocolSupportEnumeration", SAMLP)
    for certificate in filter(None, (sp.certificate_pem, sp.previous_certificate_pem)):
        key = etree.SubElement(role, md("KeyDescriptor"))
        key.set("use", "signing")
        data = etree.SubElement(etree.SubElement(key, ds("KeyInfo")), ds("X509Data"))
        etree.SubElement(data, ds("X509Certificate")).text = bare_certificate(certificate)
    for binding in (BINDING_REDIRECT, BINDING_POST) if sp.sls_url else ():
        logout = etree.SubElement(role, md("SingleLogoutService"))
        logout.set("Binding", binding)
        logout.set("Location", sp.sls_url)
    etree.SubElement(role, md("NameIDFormat")).text = UNSPECIFIED
    consumer = etree.SubElement(role, md("AssertionConsumerService"))
    consumer.set("Binding", BINDING_POST)
    consumer.set("Location", sp.acs_url)
    consumer.set("index", "0")
    consumer.set("isDefault", "true")
    return etree.tostring(entity, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _root(xml: bytes) -> etree._Element:
    """Return the root, or say what the document is instead: the wrong file is the commonest mistake."""
    if len(xml) > LARGEST_METADATA:
        raise SAMLError("metadata_too_large", received=str(len(xml)), expected=str(LARGEST_METADATA))
    text = xml.removeprefix(b"\xef\xbb\xbf").lstrip()
    _refuse_other_formats(text)
    try:
        root = gate.parsed(text)
    except SAMLError as error:
        code = "metadata_forbidden_xml" if error.code == "forbidden_xml" else "metadata_not_xml"
        raise SAMLError(code, **error.details) from error
    if root.tag not in _ROOTS:
        raise SAMLError("metadata_not_saml", received=str(root.tag))
    return root


def _refuse_other_formats(text: bytes) -> None:
    start = text[:1000].lower()
    if not start:
        raise SAMLError("metadata_empty")
    if b"<!doctype html" in start or b"<html" in start:
        raise SAMLError("metadata_html")
    if start.startswith((b"{", b"[")):
        raise SAMLError("metadata_json")
    if not start.startswith(b"<"):
        raise SAMLError("metadata_not_xml")


def _identity_provider(root: etree._Element) -> tuple[etree._Element, etree._Element]:
    """Return the entity and its role; a federation's file with several is not a choice that we make."""
    roles = [
        role
        for role in root.iter(md("IDPSSODescriptor"))
        if SAMLP in role.get("protocolSupportEnumeration", "").split()
    ]
    if len(roles) > 1:
        raise SAMLError("metadata_several_idps", received=str(len(roles)), expected="1")
    if not roles:
        ours = next(root.iter(md("SPSSODescriptor")), None) is not None
        raise SAMLError("metadata_service_provider" if ours else "metadata_no_idp")
    entity = roles[0].getparent()
    if entity is None or entity.tag != md("EntityDescriptor"):
        raise SAMLError("metadata_malformed", reason="role outside an entity")
    return entity, roles[0]


def _refuse_expired(element: etree._Element, now: dt.datetime) -> None:
    until = element.get("validUntil")
    if until and instant(until) <= now:
        raise SAMLError("metadata_expired", received=until)


def _endpoint(role: etree._Element, name: str, *, allow_loopback: bool) -> tuple[str, str]:
    """Return the address and binding of a service: by redirect when offered, else by post, else nothing."""
    offered = {each.get("Binding", ""): each.get("Location", "").strip() for each in role.findall(md(name))}
    for binding in (BINDING_REDIRECT, BINDING_POST):
        if binding in offered:
            _require_secure(offered[binding], allow_loopback=allow_loopback)
            return offered[binding], binding
    return "", ""


def _response_address(role: etree._Element, binding: str, url: str, *, allow_loopback: bool) -> str:
    """Return where answers to its sign-outs go, when it is another address (LemonLDAP::NG), else nothing."""
    for service in role.findall(md("SingleLogoutService")):
        address = service.get("ResponseLocation", "").strip()
        if address and service.get("Binding") == binding and service.get("Location", "").strip() == url:
            _require_secure(address, allow_loopback=allow_loopback)
            return address
    return ""


def _require_secure(url: str, *, allow_loopback: bool) -> None:
    """Require https: the browser of every employee is sent to this address."""
    clean = url.isascii() and url.isprintable() and not set(url) & set(" \"'<>\\")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        secure = parts.scheme == "https" and bool(host) and parts.username is None
        local = parts.scheme == "http" and parts.username is None and _is_loopback(host)
        _ = parts.port
    except ValueError as error:
        raise SAMLError("metadata_insecure_endpoint", received=url) from error
    if not clean or parts.fragment or not (secure or (local and allow_loopback)):
        raise SAMLError("metadata_insecure_endpoint", received=url, expected="https")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _signing_certificates(role: etree._Element) -> tuple[str, ...]:
    """Return every certificate that may sign, without repetition; one marked for encryption never does."""
    found: dict[str, None] = {}
    for key in role.findall(md("KeyDescriptor")):
        if key.get("use", "signing") == "signing":
            for element in key.iter(ds("X509Certificate")):
                found[usable_certificate(element.text or "")] = None
    if not found:
        raise SAMLError("metadata_no_certificate")
    return tuple(found)


def usable_certificate(text: str) -> str:
    """Return a certificate as bare base64, or say why it cannot verify signatures.

    An expired certificate is usable: what is trusted is the key.
    """
    bare = bare_certificate(text)
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(bare, validate=True))
        key = certificate.public_key()
    except (binascii.Error, ValueError) as error:
        raise SAMLError("metadata_bad_certificate") from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _SMALLEST_KEY:
        raise SAMLError("metadata_weak_key", expected=f"RSA {_SMALLEST_KEY}")
    return bare
