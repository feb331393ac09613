"""How our messages travel: in the query of a redirect, or in a form that the browser posts."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from sso.saml.names import BINDING_POST
from sso.saml.signing import signed_element, signed_query

if TYPE_CHECKING:
    from sso.saml.config import ServiceProvider

LONGEST_RELAY_STATE = 80


@dataclass(frozen=True)
class SignInRedirect:
    """Where the browser goes: to `url`, and when `fields` has any, with a form that posts them there."""

    url: str
    fields: dict[str, str] = field(default_factory=dict)


def sent(
    message: etree._Element, *, name: str, url: str, binding: str, relay_state: str, sp: ServiceProvider
) -> SignInRedirect:
    """Return how a message goes out, signed; `name` is that of its parameter."""
    if len(relay_state.encode()) > LONGEST_RELAY_STATE:
        raise ValueError("RelayState is longer than the 80 bytes of the bindings.")
    state = {"RelayState": relay_state} if relay_state else {}
    if binding == BINDING_POST:
        signed_element(message, private_key_pem=sp.private_key_pem, certificate_pem=sp.certificate_pem)
        return SignInRedirect(url, {name: base64.b64encode(etree.tostring(message)).decode(), **state})
    parameters = {name: deflated(etree.tostring(message)), **state}
    separator = "&" if "?" in url else "?"
    return SignInRedirect(f"{url}{separator}{signed_query(parameters, private_key_pem=sp.private_key_pem)}")


def deflated(xml: bytes) -> str:
    """Encode a message for the redirect binding."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return base64.b64encode(compressor.compress(xml) + compressor.flush()).decode()
