"""What an identity provider says: for the demo's own one and for checks of interoperability.

Nothing that signs people in imports this module.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from sso.saml import gate
from sso.saml.config import bare_certificate
from sso.saml.errors import SAMLError, named_errors
from sso.saml.names import (
    BEARER,
    BINDING_POST,
    BINDING_REDIRECT,
    DS,
    METADATA,
    PERSISTENT,
    PROTECTED_TRANSPORT,
    SAML,
    SAMLP,
    SUCCESS,
    XS,
    XSI,
    ds,
    md,
    saml,
    samlp,
)
from sso.saml.signing import signed_element

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LARGEST_REQUEST = 64 * 1024
_LIFETIME = dt.timedelta(minutes=5)
_BASIC_NAME = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"


@dataclass(frozen=True)
class Issuer:
    """An identity provider as its own side knows it. `signs` is "assertion" or "response"."""

    entity_id: str
    private_key_pem: str = field(repr=False)
    certificate_pem: str
    signs: str = "assertion"


@dataclass(frozen=True)
class ReceivedRequest:
    request_id: str
    issuer: str
    acs_url: str
    force_authn: bool


@dataclass(frozen=True)
class Subject:
    """The person that a response speaks of."""

    name_id: str
    attributes: Mapping[str, Sequence[str]]
    name_id_format: str = PERSISTENT


def read_request(encoded: str, *, deflated: bool) -> ReceivedRequest:
    """Read an AuthnRequest. Its signature is not verified: the answer only goes to an allowed address."""
    with named_errors():
        try:
            xml = base64.b64decode("".join(encoded.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise SAMLError("malformed", reason="not an encoded request") from error
        xml = gate.inflated(xml, most=_LARGEST_REQUEST) if deflated else xml
        request = gate.parsed(xml)
        if request.tag != samlp("AuthnRequest") or not request.get("ID"):
            raise SAMLError("malformed", reason="not an AuthnRequest")
        return ReceivedRequest(
            request_id=request.get("ID", ""),
            issuer=(request.findtext(saml("Issuer")) or "").strip(),
            acs_url=request.get("AssertionConsumerServiceURL", ""),
            force_authn=request.get("ForceAuthn") in {"true", "1"},
        )


def issued_response(issuer: Issuer, request: ReceivedRequest, subject: Subject, *, now: dt.datetime) -> str:
    """Return the signed answer to a request, in base64, ready for the form that posts it."""
    response = etree.Element(samlp("Response"), nsmap={"samlp": SAMLP, "saml": SAML, "xs": XS, "xsi": XSI})
    response.set("ID", _new_id())
    response.set("Version", "2.0")
    response.set("IssueInstant", _written(now))
    response.set("Destination", request.acs_url)
    response.set("InResponseTo", request.request_id)
    etree.SubElement(response, saml("Issuer")).text = issuer.entity_id
    status = etree.SubElement(response, samlp("Status"))
    etree.SubElement(status, samlp("StatusCode")).set("Value", SUCCESS)
    assertion = _assertion(response, issuer, request, subject, now)
    signed = assertion if issuer.signs == "assertion" else response
    signed_element(signed, private_key_pem=issuer.private_key_pem, certificate_pem=issuer.certificate_pem)
    return base64.b64encode(etree.tostring(response)).decode()


def identity_provider_metadata(issuer: Issuer, *, sso_url: str) -> bytes:
    """Return the metadata of an identity provider that takes requests by redirect and by post."""
    entity = etree.Element(md("EntityDescriptor"), nsmap={"md": METADATA, "ds": DS})
    entity.set("entityID", issuer.entity_id)
    role = etree.SubElement(entity, md("IDPSSODescriptor"))
    role.set("WantAuthnRequestsSigned", "true")
    role.set("protocolSupportEnumeration", SAMLP)
    key = etree.SubElement(role, md("KeyDescriptor"))
    key.set("use", "signing")
    data = etree.SubElement(etree.SubElement(key, ds("KeyInfo")), ds("X509Data"))
    etree.SubElement(data, ds("X509Certificate")).text = bare_certificate(issuer.certificate_pem)
    etree.SubElement(role, md("NameIDFormat")).text = PERSISTENT
    for binding in (BINDING_REDIRECT, BINDING_POST):
        service = etree.SubElement(role, md("SingleSignOnService"))
        service.set("Binding", binding)
        service.set("Location", sso_url)
    return etree.tostring(entity, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _assertion(
    response: etree._Element, issuer: Issuer, request: ReceivedRequest, subject: Subject, now: dt.datetime
) -> etree._Element:
    end = _written(now + _LIFETIME)
    assertion = etree.SubElement(response, saml("Assertion"))
    assertion.set("ID", _new_id())
    assertion.set("Version", "2.0")
    assertion.set("IssueInstant", _written(now))
    etree.SubElement(assertion, saml("Issuer")).text = issuer.entity_id
    about = etree.SubElement(assertion, saml("Subject"))
    name_id = etree.SubElement(about, saml("NameID"))
    name_id.set("Format", subject.name_id_format)
    name_id.text = subject.name_id
    confirmation = etree.SubElement(about, saml("SubjectConfirmation"))
    confirmation.set("Method", BEARER)
    data = etree.SubElement(confirmation, saml("SubjectConfirmationData"))
    data.set("NotOnOrAfter", end)
    data.set("Recipient", request.acs_url)
    data.set("InResponseTo", request.request_id)
    conditions = etree.SubElement(assertion, saml("Conditions"))
    conditions.set("NotBefore", _written(now))
    conditions.set("NotOnOrAfter", end)
    restriction = etree.SubElement(conditions, saml("AudienceRestriction"))
    etree.SubElement(restriction, saml("Audience")).text = request.issuer
    authentication = etree.SubElement(assertion, saml("AuthnStatement"))
    authentication.set("AuthnInstant", _written(now))
    authentication.set("SessionIndex", _new_id())
    context = etree.SubElement(authentication, saml("AuthnContext"))
    etree.SubElement(context, saml("AuthnContextClassRef")).text = PROTECTED_TRANSPORT
    if subject.attributes:
        _attribute_statement(assertion, subject.attributes)
    return assertion


def _attribute_statement(assertion: etree._Element, attributes: Mapping[str, Sequence[str]]) -> None:
    statement = etree.SubElement(assertion, saml("AttributeStatement"))
    for name, values in attributes.items():
        attribute = etree.SubElement(statement, saml("Attribute"))
        attribute.set("Name", name)
        attribute.set("NameFormat", _BASIC_NAME)
        for text in values:
            value = etree.SubElement(attribute, saml("AttributeValue"))
            value.set(f"{{{XSI}}}type", "xs:string")
            value.text = text


def _new_id() -> str:
    return f"_{secrets.token_hex(20)}"


def _written(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
