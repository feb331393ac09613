"""From a posted message to a verified assertion, or to the one named error that says why not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sso.saml import gate, profile, toolkit
from sso.saml.config import fingerprint
from sso.saml.errors import SAMLError, named_errors
from sso.saml.names import UNSPECIFIED, ds, saml

if TYPE_CHECKING:
    from lxml import etree

    from sso.saml.config import IdentityProvider, ServiceProvider

SKEW = dt.timedelta(seconds=90)


@dataclass(frozen=True)
class VerifiedAssertion:
    """What an identity provider said about one person, once every check has passed.

    `not_on_or_after` is the moment until which `assertion_id` must be remembered so that it is used once.
    """

    assertion_id: str
    issuer: str
    name_id: str
    name_id_format: str
    attributes: dict[str, tuple[str, ...]]
    session_index: str
    in_response_to: str
    not_on_or_after: dt.datetime
    authn_instant: dt.datetime
    # What a sign-out has to repeat of the NameID, and until when the identity provider's own session lasts.
    name_qualifier: str = ""
    sp_name_qualifier: str = ""
    session_end: dt.datetime | None = None
    # The fingerprint of the certificate that verified the signature.
    certificate: str = ""


@dataclass(frozen=True)
class PostedResponse:
    """A message that has passed the gate; nothing of it is verified yet."""

    raw: str
    xml: bytes
    tree: etree._Element

    @property
    def in_response_to(self) -> str:
        """The request that it claims to answer, only to look up our own record of it.

        `verify_response` compares again, with what is signed.
        """
        data = self.tree.find(f".//{saml('SubjectConfirmationData')}")
        claimed = self.tree.get("InResponseTo") or ("" if data is None else data.get("InResponseTo", ""))
        if not claimed:
            raise SAMLError("unsolicited")
        return claimed


def posted_response(raw: str) -> PostedResponse:
    """Return a posted message if the gate lets it through."""
    with named_errors():
        xml = gate.opened(raw)
        return PostedResponse(raw, xml, gate.inspected(xml))


def peek_in_response_to(raw: str) -> str:
    """Return the request that a message claims to answer."""
    return posted_response(raw).in_response_to


def verify_response(
    raw: str | PostedResponse,
    *,
    sp: ServiceProvider,
    idp: IdentityProvider,
    request_id: str,
    now: dt.datetime,
    skew: dt.timedelta = SKEW,
) -> VerifiedAssertion:
    """Return what the identity provider asserts in answer to `request_id`, or raise a SAMLError.

    Our rules run before the toolkit's: they can only refuse, and they name the cause better. Nothing is
    returned before the toolkit has verified the signature on the same tree.
    """
    with named_errors():
        posted = posted_response(raw) if isinstance(raw, str) else raw
        profile.require_success(posted.tree)
        message = toolkit.opened_response(posted.xml, sp, idp, cbc=gate.encrypted_with_cbc(posted.tree))
        assertion = _signed_assertion(message.tree)
        window = profile.Window(now=now, skew=skew)
        profile.require_issuer(message.tree, assertion, idp)
        profile.require_destination(message.tree, sp)
        confirmation = profile.bearer_confirmation(message.tree, assertion, sp, window, request_id)
        profile.require_conditions(assertion, sp, window)
        authentication = profile.require_authentication(assertion, window)
        certificate = _verify(message, sp, idp, window, confirmation)
        name_id, name_id_format, name_qualifier, sp_name_qualifier = _name_id(assertion, sp)
        return VerifiedAssertion(
            assertion_id=assertion.get("ID", ""),
            issuer=idp.entity_id,
            name_id=name_id,
            name_id_format=name_id_format,
            attributes=_attributes(assertion),
            session_index=authentication.session_index,
            in_response_to=confirmation.in_response_to,
            not_on_or_after=confirmation.not_on_or_after + skew,
            authn_instant=authentication.instant,
            name_qualifier=name_qualifier,
            sp_name_qualifier=sp_name_qualifier,
            session_end=authentication.session_end,
            certificate=fingerprint(certificate),
        )


def _signed_assertion(response: etree._Element) -> etree._Element:
    """Return the one assertion, which is signed itself or lies directly in the signed response."""
    assertion = response.find(saml("Assertion"))
    if assertion is None:
        raise SAMLError("malformed", reason="no assertion")
    if response.find(ds("Signature")) is None and assertion.find(ds("Signature")) is None:
        raise SAMLError("unsigned")
    return assertion


def _verify(
    message: toolkit.Response,
    sp: ServiceProvider,
    idp: IdentityProvider,
    window: profile.Window,
    confirmation: profile.Confirmation,
) -> str:
    """Let the toolkit verify at the earliest moment at which our rules find the assertion valid.

    The toolkit grants a confirmation no difference between clocks; that moment is the difference we grant.
    """
    moment = window.now - window.skew
    if confirmation.not_before is not None:
        moment = max(moment, confirmation.not_before)
    try:
        return toolkit.require_valid(message, sp, request_id=confirmation.in_response_to, moment=moment)
    except SAMLError as error:
        if error.code != "signature_invalid":
            raise
        raise _signature_error(message.tree, idp) from error


def _signature_error(response: etree._Element, idp: IdentityProvider) -> SAMLError:
    """Say which certificates we trust and which one the message carries: most often it was renewed."""
    carried = response.find(f".//{ds('X509Certificate')}")
    return SAMLError(
        "signature_invalid",
        received="" if carried is None else fingerprint(carried.text or ""),
        expected=" ".join(fingerprint(certificate) for certificate in idp.certificates),
    )


def _name_id(assertion: etree._Element, sp: ServiceProvider) -> tuple[str, str, str, str]:
    """Return the NameID, its format and its two qualifiers."""
    element = assertion.find(f"{saml('Subject')}/{saml('NameID')}")
    if element is None:
        return "", "", "", ""
    qualifier = element.get("SPNameQualifier", sp.entity_id)
    if qualifier != sp.entity_id:
        # An identifier made for another service could equal one that was made for us.
        raise SAMLError("nameid_foreign", received=qualifier, expected=sp.entity_id)
    return (
        profile.text_of(element),
        element.get("Format", UNSPECIFIED),
        element.get("NameQualifier", ""),
        element.get("SPNameQualifier", ""),
    )


def _attributes(assertion: etree._Element) -> dict[str, tuple[str, ...]]:
    """Return the attributes by exact Name; an element repeated under one Name adds its values (Keycloak)."""
    attributes: dict[str, tuple[str, ...]] = {}
    for attribute in assertion.iterfind(f"{saml('AttributeStatement')}/{saml('Attribute')}"):
        values = (_value(each) for each in attribute.iterfind(saml("AttributeValue")))
        name = attribute.get("Name", "")
        attributes[name] = attributes.get(name, ()) + tuple(value for value in values if value)
    return attributes


def _value(element: etree._Element) -> str:
    """Return the text of a value, or of the NameID that it consists of (eduPersonTargetedID).

    Any other structure counts as no value, as a whole: half of a text is never taken for the text.
    """
    if not len(element):
        return (element.text or "").strip()
    inner = element[0]
    surrounding = (element.text or "") + (inner.tail or "")
    if len(element) == 1 and inner.tag == saml("NameID") and not len(inner) and not surrounding.strip():
        return (inner.text or "").strip()
    return ""
