"""Single logout, both ways: what an identity provider asks or answers, and what we ask or answer.

Every message must be signed by a pinned key, whoever carries it. The signature of the redirect binding is over the
query as it was written: an identity provider that writes %2b and one that writes %2B both verify.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

import xmlsec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from sso.saml import gate, profile, toolkit
from sso.saml.bindings import LONGEST_RELAY_STATE, SignInRedirect, sent
from sso.saml.config import fingerprint, framed_certificate
from sso.saml.errors import SAMLError, named_errors
from sso.saml.names import (
    ENTITY_FORMAT,
    RSA_SHA256,
    SAML,
    SAMLP,
    SIGNATURE_ALGORITHMS,
    SUCCESS,
    UNSPECIFIED,
    ds,
    saml,
    samlp,
    xenc,
)
from sso.saml.response import SKEW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sso.saml.config import IdentityProvider, ServiceProvider

REQUEST: Final = "LogoutRequest"
RESPONSE: Final = "LogoutResponse"
OLDEST: Final = dt.timedelta(minutes=5)
_LONGEST_QUERY = 256 * 1024
_MOST_INDEXES = 100
_DEFLATE = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
_KINDS = {"SAMLRequest": REQUEST, "SAMLResponse": RESPONSE}
_REASON = "urn:oasis:names:tc:SAML:2.0:logout:user"
_HASHES = {
    RSA_SHA256: hashes.SHA256(),
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": hashes.SHA384(),
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": hashes.SHA512(),
}


@dataclass(frozen=True)
class Received:
    """A message about a sign-out as it came. Nothing of it is believed yet.

    `signed` are the bytes that a redirect's signature is over; by post they are "", and the signature is inside.
    """

    kind: str
    xml: bytes
    relay_state: str
    signed: bytes = b""
    signature: bytes = b""
    algorithm: str = ""


@dataclass(frozen=True)
class SignOutName:
    """What a sign-out says of the person: the NameID as it was given at the sign-in."""

    name_id: str
    name_id_format: str = UNSPECIFIED
    name_qualifier: str = ""
    sp_name_qualifier: str = ""


@dataclass(frozen=True)
class VerifiedRequest:
    """An identity provider's wish that a session ends; without any index, all sessions of the person."""

    request_id: str
    name_id: str
    session_indexes: tuple[str, ...]
    usable_until: dt.datetime
    certificate: str


@dataclass(frozen=True)
class VerifiedAnswer:
    """What became of the sign-out that we asked for."""

    in_response_to: str
    success: bool
    status: str


def received_by_redirect(query: str) -> Received:
    """Read the query of a redirect as it was written, never as a framework has decoded it."""
    with named_errors():
        if len(query) > _LONGEST_QUERY:
            raise SAMLError("too_large", received=str(len(query)), expected=str(_LONGEST_QUERY))
        raw = _parameters(query)
        name = _kind(raw)
        if unquote_plus(raw.get("SAMLEncoding", _DEFLATE)) != _DEFLATE:
            raise SAMLError("malformed", reason="another encoding")
        order = (name, "RelayState", "SigAlg")
        return Received(
            kind=_KINDS[name],
            xml=gate.inflated(gate.opened(unquote_plus(raw[name]))),
            relay_state=unquote_plus(raw.get("RelayState", "")),
            signed="&".join(f"{each}={raw[each]}" for each in order if each in raw).encode(),
            signature=_decoded(unquote_plus(raw.get("Signature", ""))),
            algorithm=unquote_plus(raw.get("SigAlg", "")),
        )


def received_by_post(fields: Mapping[str, str]) -> Received:
    with named_errors():
        name = _kind(fields)
        return Received(_KINDS[name], gate.opened(fields[name]), fields.get("RelayState", ""))


def verify_request(
    received: Received, *, sp: ServiceProvider, idp: IdentityProvider, now: dt.datetime
) -> VerifiedRequest:
    """Return whose session is to end, or raise a SAMLError.

    An encrypted name is decrypted last, once it is certain that the identity provider wrote it.
    """
    with named_errors():
        message = gate.inspected_sign_out(received.xml, REQUEST)
        window = profile.Window(now=now, skew=SKEW)
        issued = _require_profile(message, sp, idp, window)
        if end := message.get("NotOnOrAfter"):
            window.require_not_over(profile.instant(end))
        certificate = _require_signature(received, message, idp)
        toolkit.require_schema(message)
        indexes = tuple(profile.text_of(each) for each in message.findall(samlp("SessionIndex")))
        if len(indexes) > _MOST_INDEXES:
            raise SAMLError("too_large", received=str(len(indexes)), expected=str(_MOST_INDEXES))
        return VerifiedRequest(
            request_id=message.get("ID", ""),
            name_id=_name(message, sp),
            session_indexes=tuple(filter(None, indexes)),
            usable_until=issued + OLDEST + SKEW,
            certificate=fingerprint(certificate),
        )


def verify_answer(
    received: Received, *, sp: ServiceProvider, idp: IdentityProvider, now: dt.datetime
) -> VerifiedAnswer:
    """Return what became of our request, or raise a SAMLError. Whether it is our request, the caller knows."""
    with named_errors():
        message = gate.inspected_sign_out(received.xml, RESPONSE)
        _require_profile(message, sp, idp, profile.Window(now=now, skew=SKEW))
        _require_signature(received, message, idp)
        toolkit.require_schema(message)
        outer = message.find(f"{samlp('Status')}/{samlp('StatusCode')}")
        inner = None if outer is None else outer.find(samlp("StatusCode"))
        status = "" if outer is None else outer.get("Value", "")
        # "Partial" stands below a success: some other service kept its session, ours has ended.
        detail = status if inner is None else inner.get("Value", "")
        return VerifiedAnswer(message.get("InResponseTo", ""), status == SUCCESS and inner is None, detail)


def sign_out_request(
    sp: ServiceProvider,
    idp: IdentityProvider,
    name: SignOutName,
    *,
    session_index: str,
    request_id: str,
    relay_state: str,
    now: dt.datetime,
) -> SignInRedirect:
    """Return our wish that the session at the identity provider ends. The name is never encrypted: it knows it."""
    request = _message(REQUEST, sp, idp.slo_url, message_id=request_id, now=now)
    request.set("NotOnOrAfter", _written(now + OLDEST))
    request.set("Reason", _REASON)
    element = etree.SubElement(request, saml("NameID"))
    for attribute, value in (
        ("NameQualifier", name.name_qualifier),
        ("SPNameQualifier", name.sp_name_qualifier),
        ("Format", name.name_id_format),
    ):
        if value:
            element.set(attribute, value)
    element.text = name.name_id
    if session_index:
        etree.SubElement(request, samlp("SessionIndex")).text = session_index
    return sent(request, name="SAMLRequest", url=idp.slo_url, binding=idp.slo_binding, relay_state=relay_state, sp=sp)


def sign_out_answer(
    sp: ServiceProvider,
    idp: IdentityProvider,
    *,
    message_id: str,
    in_response_to: str,
    relay_state: str,
    now: dt.datetime,
) -> SignInRedirect:
    """Return our word that the session has ended here. A RelayState that no binding allows is not given back."""
    url = idp.slo_response_url or idp.slo_url
    answer = _message(RESPONSE, sp, url, message_id=message_id, now=now)
    answer.set("InResponseTo", in_response_to)
    status = etree.SubElement(answer, samlp("Status"))
    etree.SubElement(status, samlp("StatusCode")).set("Value", SUCCESS)
    echoed = relay_state if len(relay_state.encode()) <= LONGEST_RELAY_STATE else ""
    return sent(answer, name="SAMLResponse", url=url, binding=idp.slo_binding, relay_state=echoed, sp=sp)


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters as written; one that comes twice could be read as one and verified as the other."""
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name in found:
            raise SAMLError("malformed", reason="a parameter twice", received=name)
        found[name] = value
    return found


def _kind(parameters: Mapping[str, str]) -> str:
    names = [name for name in _KINDS if parameters.get(name)]
    if len(names) != 1:
        raise SAMLError("malformed", reason="not exactly one message")
    return names[0]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SAMLError("signature_invalid", reason="not base64") from error


def _require_profile(
    message: etree._Element, sp: ServiceProvider, idp: IdentityProvider, window: profile.Window
) -> dt.datetime:
    """Require the connection's identity provider, our address and a fresh date; return when it was issued."""
    issuer = message.find(saml("Issuer"))
    name = profile.text_of(issuer)
    if issuer is None or name != idp.entity_id or issuer.get("Format", ENTITY_FORMAT) != ENTITY_FORMAT:
        raise SAMLError("issuer_mismatch", received=name, expected=idp.entity_id)
    destination = message.get("Destination", "")
    if destination != sp.sls_url:
        raise SAMLError("destination_mismatch", received=destination, expected=sp.sls_url)
    issued = profile.instant(message.get("IssueInstant", ""))
    window.require_begun(issued)
    window.require_not_over(issued + OLDEST)
    return issued


def _require_signature(received: Received, message: etree._Element, idp: IdentityProvider) -> str:
    """Require the signature that the binding asks for, and return the certificate that verifies it."""
    if not received.algorithm and not received.signature:
        if received.signed:
            raise SAMLError("unsigned")
        try:
            return toolkit.require_enveloped_signature(message, idp)
        except SAMLError as error:
            raise _explained(error, message, idp) from error
    if received.algorithm not in SIGNATURE_ALGORITHMS:
        raise SAMLError("weak_algorithm", received=received.algorithm)
    for certificate in idp.certificates:
        try:
            _public_key(certificate).verify(
                received.signature, received.signed, padding.PKCS1v15(), _HASHES[received.algorithm]
            )
        except InvalidSignature:
            continue
        return certificate
    raise _explained(SAMLError("signature_invalid"), message, idp)


def _explained(error: SAMLError, message: etree._Element, idp: IdentityProvider) -> SAMLError:
    if error.code != "signature_invalid":
        return error
    carried = message.find(f".//{ds('X509Certificate')}")
    return SAMLError(
        "signature_invalid",
        received="" if carried is None else fingerprint(carried.text or ""),
        expected=" ".join(fingerprint(certificate) for certificate in idp.certificates),
    )


@lru_cache(maxsize=1024)
def _public_key(certificate: str) -> rsa.RSAPublicKey:
    key = x509.load_pem_x509_certificate(framed_certificate(certificate).encode()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise SAMLError("weak_algorithm", received=type(key).__name__)
    return key


def _name(message: etree._Element, sp: ServiceProvider) -> str:
    element = message.find(saml("NameID"))
    encrypted = message.find(saml("EncryptedID"))
    if element is None and encrypted is not None:
        element = gate.inspected_name(_decrypted_name(encrypted, sp))
    name = profile.text_of(element)
    if element is None or not name:
        raise SAMLError("nameid_missing")
    return name


def _decrypted_name(encrypted: etree._Element, sp: ServiceProvider) -> etree._Element:
    data = encrypted.find(xenc("EncryptedData"))
    if data is None:
        raise SAMLError("malformed", reason="nothing encrypted")
    info = data.find(ds("KeyInfo"))
    if info is not None and info.find(xenc("EncryptedKey")) is None:
        # The key may stand beside the data; the gate has let through no reference to anywhere else.
        info.extend(encrypted.findall(xenc("EncryptedKey")))
    for private_key in filter(None, (sp.private_key_pem, sp.previous_private_key_pem)):
        try:
            return toolkit.decrypted(data, private_key)
        except xmlsec.Error:
            continue
    raise SAMLError("decrypt_failed")


def _message(name: str, sp: ServiceProvider, url: str, *, message_id: str, now: dt.datetime) -> etree._Element:
    message = etree.Element(samlp(name), nsmap={"samlp": SAMLP, "saml": SAML})
    message.set("ID", message_id)
    message.set("Version", "2.0")
    message.set("IssueInstant", _written(now))
    message.set("Destination", url)
    etree.SubElement(message, saml("Issuer")).text = sp.entity_id
    return message


def _written(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
