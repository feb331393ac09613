"""The request that opens a sign-in: signed, and with nothing of the person in it."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from sso.saml.names import BINDING_POST, SAML, SAMLP, UNSPECIFIED, saml, samlp
from sso.saml.signing import signed_element, signed_query

if TYPE_CHECKING:
    from sso.saml.config import IdentityProvider, ServiceProvider

_LONGEST_RELAY_STATE = 80


@dataclass(frozen=True)
class SignInRedirect:
    """Where the browser goes: to `url`, and when `fields` has any, with a form that posts them there."""

    url: str
    fields: dict[str, str] = field(default_factory=dict)


def new_request_id() -> str:
    """Return an unguessable ID. XML forbids a leading digit, and Entra refuses one."""
    return f"_{secrets.token_hex(20)}"


def authn_request(
    sp: ServiceProvider,
    idp: IdentityProvider,
    *,
    request_id: str,
    relay_state: str,
    now: dt.datetime,
    force_authn: bool = False,
) -> SignInRedirect:
    """Return the signed request by the binding that the identity provider offers."""
    if len(relay_state.encode()) > _LONGEST_RELAY_STATE:
        raise ValueError("RelayState is longer than the 80 bytes of the bindings.")
    request = _request(sp, idp, request_id=request_id, now=now, force_authn=force_authn)
    if idp.sso_binding == BINDING_POST:
        signed_element(request, private_key_pem=sp.private_key_pem, certificate_pem=sp.certificate_pem)
        message = base64.b64encode(etree.tostring(request)).decode()
        return SignInRedirect(idp.sso_url, {"SAMLRequest": message, "RelayState": relay_state})
    parameters = {"SAMLRequest": deflated(etree.tostring(request)), "RelayState": relay_state}
    separator = "&" if "?" in idp.sso_url else "?"
    query = signed_query(parameters, private_key_pem=sp.private_key_pem)
    return SignInRedirect(f"{idp.sso_url}{separator}{query}")


def deflated(xml: bytes) -> str:
    """Encode a message for the redirect binding."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return base64.b64encode(compressor.compress(xml) + compressor.flush()).decode()


def _request(
    sp: ServiceProvider, idp: IdentityProvider, *, request_id: str, now: dt.datetime, force_authn: bool
) -> etree._Element:
    """Build the message as a tree, so that an address with `&` is escaped; the toolkit pastes text."""
    request = etree.Element(samlp("AuthnRequest"), nsmap={"samlp": SAMLP, "saml": SAML})
    request.set("ID", request_id)
    request.set("Version", "2.0")
    request.set("IssueInstant", now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    request.set("Destination", idp.sso_url)
    request.set("ProtocolBinding", BINDING_POST)
    request.set("AssertionConsumerServiceURL", sp.acs_url)
    if force_authn:
        request.set("ForceAuthn", "true")
    etree.SubElement(request, saml("Issuer")).text = sp.entity_id
    policy = etree.SubElement(request, samlp("NameIDPolicy"))
    policy.set("Format", UNSPECIFIED)
    policy.set("AllowCreate", "true")
    return request
