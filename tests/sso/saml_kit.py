"""A signing kit of the tests' own: any message an identity provider, or an attacker, could post.

It shares no code with the product, so that a mistake there cannot hide here.
"""

from __future__ import annotations

import base64
import copy
import datetime as dt
import re
import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from xmlsec import constants

NS = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
}
FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
FORMAT_1_1 = "urn:oasis:names:tc:SAML:1.1:nameid-format:"
PERSISTENT = f"{FORMAT}persistent"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

NOW = dt.datetime(2030, 5, 6, 8, 0, tzinfo=dt.UTC)
REQUEST_ID = "_request-1"
SP_ENTITY_ID = "https://portal.example/sso/9f1c/metadata/"
ACS_URL = "https://portal.example/sso/9f1c/acs/"
SLS_URL = "https://portal.example/sso/9f1c/sls/"
IDP_ENTITY_ID = "https://idp.example/metadata"
SSO_URL = "https://idp.example/sso"


@dataclass(frozen=True)
class Keys:
    private_pem: str
    certificate_pem: str


@cache
def keys(name: str, bits: int = 2048) -> Keys:
    """Return the same key pair for the same name during a run: making one takes a tenth of a second."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        # Expired long ago: trust is by key.
        .not_valid_after(dt.datetime(2021, 1, 1, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Keys(private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode())


def at(seconds: float, now: dt.datetime = NOW) -> str:
    """Write the moment `seconds` after `now`."""
    return (now + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, kw_only=True)
class Message:
    """Every knob of a response. None leaves the attribute or element out."""

    now: dt.datetime = NOW
    response_id: str = "_response-1"
    assertion_id: str = "_assertion-1"
    version: str = "2.0"
    issuer: str | None = IDP_ENTITY_ID
    response_issuer: str | None = IDP_ENTITY_ID
    destination: str | None = ACS_URL
    in_response_to: str | None = REQUEST_ID
    status: str = SUCCESS
    inner_status: str | None = None
    status_message: str | None = None
    name_id: str | None = "person-42"
    name_id_format: str | None = PERSISTENT
    name_id_xml: str | None = None
    sp_name_qualifier: str | None = None
    method: str = BEARER
    recipient: str | None = ACS_URL
    confirmed_request: str | None = REQUEST_ID
    confirmed_from: float | None = None
    confirmed_until: float | None = 300
    issued: float = 0
    valid_from: float | None = -60
    valid_until: float | None = 300
    session_until: float | None = None
    audiences: tuple[tuple[str, ...], ...] = ((SP_ENTITY_ID,),)
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = (("mail", ("Claire.Martin@laposte.example",)),)
    attributes_xml: str = ""
    extra: str = ""
    statements: int = 1
    confirmations_xml: str | None = None

    def _time(self, name: str, seconds: float | None) -> str:
        return "" if seconds is None else f' {name}="{at(seconds, self.now)}"'

    def _name_id(self) -> str:
        if self.name_id is None:
            return ""
        extras = _attribute("Format", self.name_id_format)
        extras += _attribute("SPNameQualifier", self.sp_name_qualifier)
        return f"<saml:NameID{extras}>{self.name_id_xml or escape(self.name_id)}</saml:NameID>"

    def confirmation(self) -> str:
        data = _attribute("Recipient", self.recipient) + _attribute("InResponseTo", self.confirmed_request)
        data += self._time("NotBefore", self.confirmed_from)
        data += self._time("NotOnOrAfter", self.confirmed_until)
        return (
            f'<saml:SubjectConfirmation Method="{self.method}">'
            f"<saml:SubjectConfirmationData{data}/></saml:SubjectConfirmation>"
        )

    def _attributes(self) -> str:
        statement = "".join(
            f"<saml:Attribute Name={quoteattr(name)}>"
            + "".join(f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>" for value in values)
            + "</saml:Attribute>"
            for name, values in self.attributes
        )
        inside = statement + self.attributes_xml
        return f"<saml:AttributeStatement>{inside}</saml:AttributeStatement>" if inside else ""

    def assertion(self) -> str:
        issuer = "" if self.issuer is None else f"<saml:Issuer>{escape(self.issuer)}</saml:Issuer>"
        restrictions = "".join(
            "<saml:AudienceRestriction>"
            + "".join(f"<saml:Audience>{escape(each)}</saml:Audience>" for each in audiences)
            + "</saml:AudienceRestriction>"
            for audiences in self.audiences
        )
        conditions = self._time("NotBefore", self.valid_from) + self._time("NotOnOrAfter", self.valid_until)
        statement = (
            f'<saml:AuthnStatement AuthnInstant="{at(self.issued, self.now)}" SessionIndex="_session-1"'
            f"{self._time('SessionNotOnOrAfter', self.session_until)}><saml:AuthnContext>"
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
            "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
        )
        confirmations = self.confirmation() if self.confirmations_xml is None else self.confirmations_xml
        return (
            f'<saml:Assertion ID="{self.assertion_id}" Version="2.0" '
            f'IssueInstant="{at(self.issued, self.now)}">'
            f"{issuer}<saml:Subject>{self._name_id()}{confirmations}</saml:Subject>"
            f"<saml:Conditions{conditions}>{restrictions}</saml:Conditions>"
            f"{statement * self.statements}{self._attributes()}</saml:Assertion>"
        )

    def _status(self) -> str:
        inner = "" if self.inner_status is None else f'<samlp:StatusCode Value="{self.inner_status}"/>'
        message = ""
        if self.status_message is not None:
            message = f"<samlp:StatusMessage>{escape(self.status_message)}</samlp:StatusMessage>"
        return (
            f'<samlp:Status><samlp:StatusCode Value="{self.status}">{inner}</samlp:StatusCode>{message}</samlp:Status>'
        )

    def tree(self) -> etree._Element:
        """Return the unsigned response."""
        issuer = ""
        if self.response_issuer is not None:
            issuer = f"<saml:Issuer>{escape(self.response_issuer)}</saml:Issuer>"
        head = _attribute("Destination", self.destination) + _attribute("InResponseTo", self.in_response_to)
        return etree.fromstring(
            f'<samlp:Response xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}" ID="{self.response_id}"'
            f' Version="{self.version}" IssueInstant="{at(self.issued, self.now)}"{head}>'
            f"{issuer}{self.extra}{self._status()}{self.assertion()}</samlp:Response>"
        )


def _attribute(name: str, value: str | None) -> str:
    return "" if value is None else f" {name}={quoteattr(value)}"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """How an element is signed."""

    by: Keys = field(default_factory=lambda: keys("idp"))
    algorithm: Any = constants.TransformRsaSha256
    digest: Any = constants.TransformSha256
    canonicalisation: Any = constants.TransformExclC14N
    transforms: tuple[Any, ...] = (constants.TransformEnveloped, constants.TransformExclC14N)
    uri: str | None = None
    shared_secret: str = ""


def sign(element: etree._Element, signature: Signature | None = None) -> etree._Element:
    """Sign an element in place, after its Issuer."""
    how = signature or Signature()
    node = xmlsec.template.create(element, how.canonicalisation, how.algorithm, ns="ds")
    position = 1 if len(element) and element[0].tag == f"{{{NS['saml']}}}Issuer" else 0
    element.insert(position, node)
    uri = f"#{element.get('ID')}" if how.uri is None else how.uri
    reference = xmlsec.template.add_reference(node, how.digest, uri=uri)
    for transform in how.transforms:
        xmlsec.template.add_transform(reference, transform)
    context = xmlsec.SignatureContext()
    if how.shared_secret:
        context.key = xmlsec.Key.from_binary_data(constants.KeyDataHmac, how.shared_secret.encode())
    else:
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(node))
        context.key = xmlsec.Key.from_memory(how.by.private_pem, constants.KeyDataFormatPem, None)
        context.key.load_cert_from_memory(how.by.certificate_pem, constants.KeyDataFormatPem)
    xmlsec.tree.add_ids(element, ["ID"])
    context.sign(node)
    return element


def assertion_of(response: etree._Element) -> etree._Element:
    (assertion,) = response.findall("saml:Assertion", NS)
    return assertion


def signed(message: Message | None = None, *, what: str = "assertion", how: Signature | None = None) -> etree._Element:
    """Return a response signed in `what`: "assertion", "response" or "both"."""
    response = (message or Message()).tree()
    if what in {"assertion", "both"}:
        sign(assertion_of(response), how)
    if what in {"response", "both"}:
        sign(response, how)
    return reread(response)


def reread(tree: etree._Element) -> etree._Element:
    """Parse again: lxml does not find elements by name that xmlsec has added to a tree."""
    return etree.fromstring(etree.tostring(tree))


def encode(response: etree._Element) -> str:
    return base64.b64encode(etree.tostring(response)).decode()


def encode_text(xml: str | bytes) -> str:
    return base64.b64encode(xml.encode() if isinstance(xml, str) else xml).decode()


def encrypt(
    response: etree._Element,
    recipient: Keys,
    *,
    cipher: Any = constants.TransformAes128Gcm,
    transport: Any = constants.TransformRsaOaep,
    content: bytes | None = None,
) -> etree._Element:
    """Return the response with its assertion encrypted, or with other `content` in its place."""
    assertion = assertion_of(response)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(recipient.certificate_pem, constants.KeyDataFormatCertPem, None))
    template = xmlsec.template.encrypted_data_create(response, cipher, type=constants.TypeEncElement, ns="xenc")
    xmlsec.template.encrypted_data_ensure_cipher_value(template)
    info = xmlsec.template.encrypted_data_ensure_key_info(template, ns="ds")
    key = xmlsec.template.add_encrypted_key(info, transport)
    xmlsec.template.encrypted_data_ensure_cipher_value(key)
    context = xmlsec.EncryptionContext(manager)
    size = 256 if "256" in cipher.name else 128
    context.key = xmlsec.Key.generate(constants.KeyDataAes, size, constants.KeyDataTypeSession)
    holder = etree.Element(f"{{{NS['saml']}}}EncryptedAssertion")
    response.replace(assertion, holder)
    if content is None:
        holder.append(context.encrypt_xml(template, reread(assertion)))
    else:
        holder.append(context.encrypt_binary(template, content))
    return reread(response)


def wrapped(shape: int) -> etree._Element:
    """Return one of the eight classic wrappings: a true signature, and an assertion of the attacker."""
    signed_response = shape in {1, 2}
    response = signed(what="response" if signed_response else "assertion")
    original = copy.deepcopy(response)
    evil = Message(name_id="attacker", assertion_id="_evil-1", response_id="_evil-response").tree()
    if signed_response:
        signature = response.find("ds:Signature", NS)
        assert signature is not None
        bare = copy.deepcopy(original)
        bare.remove(_one(bare, "ds:Signature"))
        evil.insert(1, signature)
        if shape == 1:
            signature.append(bare)
        else:
            evil.insert(1, bare)
        return evil
    return _wrapped_assertion(shape, response, assertion_of(original), assertion_of(evil))


def _wrapped_assertion(
    shape: int, response: etree._Element, original: etree._Element, evil: etree._Element
) -> etree._Element:
    current = assertion_of(response)
    bare = copy.deepcopy(original)
    signature = _one(bare, "ds:Signature")
    bare.remove(signature)
    if shape == 3:
        response.insert(response.index(current), evil)
        return response
    response.replace(current, evil)
    if shape == 4:
        evil.append(original)
    elif shape == 5:
        evil.insert(1, signature)
        response.append(bare)
    elif shape == 6:
        evil.insert(1, signature)
        signature.append(bare)
    elif shape == 7:
        extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
        response.insert(1, extensions)
        extensions.append(evil)
        response.append(original)
    else:
        evil.insert(1, signature)
        etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(bare)
    return response


def _one(parent: etree._Element, path: str) -> etree._Element:
    (found,) = parent.findall(path, NS)
    return found


def metadata(
    *,
    entity_id: str = IDP_ENTITY_ID,
    sso_url: str = SSO_URL,
    certificates: tuple[str, ...] | None = None,
    use: str | None = "signing",
    bindings: tuple[str, ...] = (REDIRECT, POST),
    valid_until: str | None = None,
    role: str = "IDPSSODescriptor",
    protocol: str = NS["samlp"],
    slo: str = "",
) -> str:
    """Return the metadata of an identity provider."""
    chosen = (keys("idp").certificate_pem,) if certificates is None else certificates
    descriptors = "".join(
        f"<md:KeyDescriptor{_attribute('use', use)}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>"
        f"{bare(certificate)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for certificate in chosen
    )
    services = "".join(
        f"<md:SingleSignOnService Binding={quoteattr(binding)} Location={quoteattr(sso_url)}/>" for binding in bindings
    )
    services = slo + services
    return (
        f'<md:EntityDescriptor xmlns:md="{NS["md"]}" xmlns:ds="{NS["ds"]}" entityID={quoteattr(entity_id)}'
        f"{_attribute('validUntil', valid_until)}>"
        f"<md:{role} protocolSupportEnumeration={quoteattr(protocol)}>{descriptors}{services}</md:{role}>"
        "</md:EntityDescriptor>"
    )


def bare(certificate_pem: str) -> str:
    return "".join(certificate_pem.strip().splitlines()[1:-1])


LOGOUT_TYPES = {"LogoutRequest": "SAMLRequest", "LogoutResponse": "SAMLResponse"}


@dataclass(frozen=True, kw_only=True)
class SignOut:
    """Every knob of a sign-out message. None leaves the attribute or element out."""

    kind: str = "LogoutRequest"
    now: dt.datetime = NOW
    message_id: str = "_logout-1"
    version: str = "2.0"
    issued: float = 0
    issuer: str | None = IDP_ENTITY_ID
    destination: str | None = SLS_URL
    until: float | None = 300
    name_id: str | None = "person-42"
    name_xml: str | None = None
    session_indexes: tuple[str, ...] = ("_session-1",)
    in_response_to: str | None = None
    status: str = SUCCESS
    inner_status: str | None = None
    extra: str = ""

    def tree(self) -> etree._Element:
        head = _attribute("Destination", self.destination) + _attribute("InResponseTo", self.in_response_to)
        issuer = "" if self.issuer is None else f"<saml:Issuer>{escape(self.issuer)}</saml:Issuer>"
        if self.kind == "LogoutRequest":
            if self.until is not None:
                head += f' NotOnOrAfter="{at(self.until, self.now)}"'
            named = "" if self.name_id is None else f"<saml:NameID>{escape(self.name_id)}</saml:NameID>"
            body = (named if self.name_xml is None else self.name_xml) + "".join(
                f"<samlp:SessionIndex>{escape(index)}</samlp:SessionIndex>" for index in self.session_indexes
            )
        else:
            inner = "" if self.inner_status is None else f'<samlp:StatusCode Value="{self.inner_status}"/>'
            body = f'<samlp:Status><samlp:StatusCode Value="{self.status}">{inner}</samlp:StatusCode></samlp:Status>'
        return etree.fromstring(
            f'<samlp:{self.kind} xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}" ID="{self.message_id}"'
            f' Version="{self.version}" IssueInstant="{at(self.issued, self.now)}"{head}>'
            f"{issuer}{self.extra}{body}</samlp:{self.kind}>"
        )


def redirect_query(
    message: etree._Element | bytes,
    *,
    name: str = "SAMLRequest",
    by: Keys | None = None,
    relay_state: str | None = None,
    algorithm: str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    lower_case: bool = False,
) -> str:
    """Return the signed query of the redirect binding; AD FS escapes in lower case."""
    xml = message if isinstance(message, bytes) else etree.tostring(message)
    compressor = zlib.compressobj(wbits=-15)
    packed = base64.b64encode(compressor.compress(xml) + compressor.flush()).decode()

    def escaped(text: str) -> str:
        found = quote(text, safe="")
        return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), found) if lower_case else found

    query = f"{name}={escaped(packed)}"
    if relay_state is not None:
        query += f"&RelayState={escaped(relay_state)}"
    query += f"&SigAlg={escaped(algorithm)}"
    key = serialization.load_pem_private_key((by or keys("idp")).private_pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    signature = key.sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{query}&Signature={escaped(base64.b64encode(signature).decode())}"


def encrypted_name(name: str, recipient: Keys, *, transport: Any = constants.TransformRsaOaep) -> str:
    """Return an EncryptedID."""
    holder = etree.fromstring(f'<saml:EncryptedID xmlns:saml="{NS["saml"]}"/>')
    plain = etree.fromstring(
        name if name.startswith("<") else f'<saml:NameID xmlns:saml="{NS["saml"]}">{name}</saml:NameID>'
    )
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(recipient.certificate_pem, constants.KeyDataFormatCertPem, None))
    template = xmlsec.template.encrypted_data_create(
        holder, constants.TransformAes128Gcm, type=constants.TypeEncElement, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(template)
    info = xmlsec.template.encrypted_data_ensure_key_info(template, ns="ds")
    key = xmlsec.template.add_encrypted_key(info, transport)
    xmlsec.template.encrypted_data_ensure_cipher_value(key)
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(constants.KeyDataAes, 128, constants.KeyDataTypeSession)
    holder.append(context.encrypt_xml(template, plain))
    return etree.tostring(holder).decode()
