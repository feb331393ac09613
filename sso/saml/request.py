"""The request that opens a sign-in: signed, and with nothing of the person in it."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING

from lxml import etree

from sso.saml.bindings import SignInRedirect, sent
from sso.saml.names import BINDING_POST, SAML, SAMLP, UNSPECIFIED, saml, samlp

if TYPE_CHECKING:
    from sso.saml.config import IdentityProvider, ServiceProvider


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
    request = _request(sp, idp, request_id=request_id, now=now, force_authn=force_authn)
    return sent(request, name="SAMLRequest", url=idp.sso_url, binding=idp.sso_binding, relay_state=relay_state, sp=sp)


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
