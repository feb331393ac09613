"""python3-saml, hardened: the only module that imports it.

Importing this module replaces four functions of the toolkit for the whole process: the verification of
one signature (only our algorithms, whatever the message asks for), the decryption (keys read once for each
thread, and what comes out read by our own parser), the validation against the schema (parsed once for each
thread instead of once for each message) and the clock (the moment that the caller named).
"""

from __future__ import annotations

import base64
import threading
from contextvars import ContextVar
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, cast

import xmlsec
from lxml import etree
from onelogin.saml2.errors import OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML
from xmlsec import constants

from sso.saml import gate
from sso.saml.config import bare_certificate, framed_certificate
from sso.saml.errors import SAMLError
from sso.saml.names import BINDING_POST, BINDING_REDIRECT, RSA_SHA256, SHA256, UNSPECIFIED, ds

if TYPE_CHECKING:
    import datetime as dt

    from sso.saml.config import IdentityProvider, ServiceProvider

_REFERENCE_TRANSFORMS = (
    constants.TransformEnveloped,
    constants.TransformExclC14N,
    constants.TransformSha256,
    constants.TransformSha384,
    constants.TransformSha512,
)
_SIGNATURE_TRANSFORMS = (
    constants.TransformExclC14N,
    constants.TransformRsaSha256,
    constants.TransformRsaSha384,
    constants.TransformRsaSha512,
)
_CODES = {
    OneLogin_Saml2_ValidationError.INVALID_SIGNATURE: "signature_invalid",
    OneLogin_Saml2_ValidationError.NO_SIGNATURE_FOUND: "unsigned",
    OneLogin_Saml2_ValidationError.DEPRECATED_SIGNATURE_METHOD: "weak_algorithm",
    OneLogin_Saml2_ValidationError.DEPRECATED_DIGEST_METHOD: "weak_algorithm",
    OneLogin_Saml2_ValidationError.WRONG_ISSUER: "issuer_mismatch",
    OneLogin_Saml2_ValidationError.WRONG_AUDIENCE: "audience_mismatch",
    OneLogin_Saml2_ValidationError.WRONG_DESTINATION: "destination_mismatch",
    OneLogin_Saml2_ValidationError.ASSERTION_EXPIRED: "expired",
    OneLogin_Saml2_ValidationError.ASSERTION_TOO_EARLY: "clock_skew",
    OneLogin_Saml2_ValidationError.SESSION_EXPIRED: "expired",
}

_PROTOCOL_SCHEMA = "saml-schema-protocol-2.0.xsd"
_MOST_KEYS = 512

_moment: ContextVar[int] = ContextVar("moment")
_verified_by: ContextVar[str] = ContextVar("verified_by", default="")
_schemas = threading.local()
_keys = threading.local()


class Response(OneLogin_Saml2_Response):  # type: ignore[misc]  # The toolkit carries no types.
    """A Response that passed the gate, and passed it again once decrypted."""

    def __init__(self, settings: OneLogin_Saml2_Settings, xml: bytes, *, cbc: bool) -> None:
        # The constructor of the toolkit decrypts. A cipher without authentication is an oracle to whoever can
        # try variants, so what it protects must have been signed by the identity provider before we decrypt.
        if cbc:
            _require_outer_signature(settings, OneLogin_Saml2_XML.to_etree(xml))
        super().__init__(settings, base64.b64encode(xml))
        if self.encrypted:
            self._inspect_decrypted(self.decrypted_document)

    def _inspect_decrypted(self, document: etree._Element) -> None:
        """Continue on the very bytes that the gate has seen."""
        plain = etree.tostring(document)
        gate.inspected(plain, decrypted=True)
        self.decrypted_document: etree._Element = OneLogin_Saml2_XML.to_etree(plain)

    @property
    def tree(self) -> etree._Element:
        """The Response whose values are read: the tree that the signature is verified on."""
        return self.decrypted_document if self.encrypted else self.document


def opened_response(xml: bytes, sp: ServiceProvider, idp: IdentityProvider, *, cbc: bool) -> Response:
    """Return the message as the toolkit sees it, decrypted when it came encrypted.

    `cbc` says whether a cipher without authentication was used.
    """
    keys = [(sp.private_key_pem, sp.certificate_pem)]
    if sp.previous_private_key_pem:
        keys.append((sp.previous_private_key_pem, sp.previous_certificate_pem))
    for private_key, certificate in keys:
        try:
            return Response(_settings(sp, idp, private_key, certificate), xml, cbc=cbc)
        except xmlsec.Error:
            continue
    # One answer for every cause: a difference here would tell an attacker about the plain text.
    raise SAMLError("decrypt_failed")


def require_valid(response: Response, sp: ServiceProvider, *, request_id: str, moment: dt.datetime) -> str:
    """Verify signatures and run every check of the toolkit's strict mode, as if it were `moment`.

    Return the certificate whose key made the last signature that was verified.
    """
    scheme, _, rest = sp.acs_url.partition("://")
    host, _, path = rest.partition("/")
    request = {"https": "on" if scheme == "https" else "off", "http_host": host, "script_name": f"/{path}"}
    clock = _moment.set(int(moment.timestamp()))
    _verified_by.set("")
    try:
        response.is_valid(request, request_id=request_id, raise_exceptions=True)
    except OneLogin_Saml2_ValidationError as error:
        off_schema = error.code == OneLogin_Saml2_ValidationError.INVALID_XML_FORMAT
        reason = "not valid against the schema" if off_schema else f"toolkit {error.code}"
        raise SAMLError(_CODES.get(error.code, "malformed"), reason=reason) from error
    finally:
        _moment.reset(clock)
    return _verified_by.get()


def require_enveloped_signature(message: etree._Element, idp: IdentityProvider) -> str:
    """Require that a message is signed as a whole by one of the pinned keys; return the certificate.

    It has passed the gate: its one signature refers to the message itself.
    """
    signature = message.find(ds("Signature"))
    if signature is None:
        raise SAMLError("unsigned")
    xmlsec.tree.add_ids(message, ["ID"])
    for certificate in idp.certificates:
        if _verify_node(signature, message, framed_certificate(certificate)):
            return certificate
    raise SAMLError("signature_invalid")


def require_schema(message: etree._Element) -> None:
    if isinstance(_validate_schema(message, _PROTOCOL_SCHEMA), str):
        raise SAMLError("malformed", reason="not valid against the schema")


def decrypted(encrypted: etree._Element, private_key_pem: str) -> etree._Element:
    """Return the element inside an EncryptedData.

    xmlsec would parse what it decrypts into the message at once, forgive what it should not, and print fragments of
    the plain text to the standard error. Without a type it hands out bytes, and our own parser reads them, among the
    namespaces that the element had around it.

    Raises:
        xmlsec.Error: whatever was wrong: one answer for every cause.
    """
    namespaces = encrypted.nsmap
    encrypted.attrib.pop("Type", "")
    plain: object = xmlsec.EncryptionContext(_keys_manager(private_key_pem)).decrypt(encrypted)
    if not isinstance(plain, bytes):
        raise xmlsec.Error("not bytes")
    frame = etree.tostring(etree.Element("frame", nsmap=cast("dict[str, str]", namespaces))).removesuffix(b"/>")
    plain = plain.removeprefix(b"\xef\xbb\xbf").lstrip()
    if plain.startswith(b"<?xml"):
        plain = plain.partition(b"?>")[2]
    try:
        content = gate.parsed(frame + b">" + plain + b"</frame>")
    except SAMLError as error:
        if error.code != "malformed":
            raise
        raise xmlsec.Error("not XML") from error
    inside = list(content.iterchildren(etree.Element))
    if len(inside) != 1 or len(content) != 1 or (content.text or "").strip() or (inside[0].tail or "").strip():
        raise xmlsec.Error("not one element")
    return inside[0]


def _keys_manager(private_key_pem: str) -> xmlsec.KeysManager:
    """Return the manager of one of our keys: OpenSSL takes thirteen milliseconds to read one."""
    known: dict[str, xmlsec.KeysManager] = _keys.__dict__
    if private_key_pem not in known:
        if len(known) >= _MOST_KEYS:
            known.clear()
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_memory(private_key_pem, constants.KeyDataFormatPem, None))
        known[private_key_pem] = manager
    return known[private_key_pem]


@lru_cache(maxsize=512)
def _settings(
    sp: ServiceProvider, idp: IdentityProvider, private_key: str, certificate: str
) -> OneLogin_Saml2_Settings:
    """Return the toolkit's settings, built from typed values alone.

    The toolkit writes into the dictionary that it is given and reads keys from disk when one is empty:
    the dictionary is made here, never shared, and always complete. The built object is read-only and may
    be shared.
    """
    certificates = [bare_certificate(text) for text in idp.certificates]
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "debug": False,
            "sp": {
                "entityId": sp.entity_id,
                "assertionConsumerService": {"url": sp.acs_url, "binding": BINDING_POST},
                "NameIDFormat": UNSPECIFIED,
                "x509cert": bare_certificate(certificate),
                "privateKey": private_key,
            },
            "idp": {
                "entityId": idp.entity_id,
                "singleSignOnService": {"url": idp.sso_url, "binding": BINDING_REDIRECT},
                "x509certMulti": {"signing": certificates},
            },
            "security": {
                "authnRequestsSigned": True,
                "rejectDeprecatedAlgorithm": True,
                "requestedAuthnContext": False,
                "wantNameId": False,
                "wantAttributeStatement": False,
                "allowRepeatAttributeName": True,
                "allowSingleLabelDomains": True,
                "nameIdEncrypted": False,
                "signatureAlgorithm": RSA_SHA256,
                "digestAlgorithm": SHA256,
                "metadataValidUntil": "",
                "metadataCacheDuration": "",
            },
        }
    )


def _require_outer_signature(settings: OneLogin_Saml2_Settings, root: etree._Element) -> None:
    signatures = OneLogin_Saml2_XML.query(root, OneLogin_Saml2_Utils.RESPONSE_SIGNATURE_XPATH)
    if not signatures:
        raise SAMLError("encrypted_cbc_unsigned")
    certificates = settings.get_idp_data()["x509certMulti"]["signing"]
    xpath = OneLogin_Saml2_Utils.RESPONSE_SIGNATURE_XPATH
    if not OneLogin_Saml2_Utils.validate_sign(root, xpath=xpath, multicerts=certificates):
        raise SAMLError("signature_invalid")


def _verify_node(
    signature_node: etree._Element,
    elem: etree._Element,  # noqa: ARG001  # The toolkit's signature.
    cert: str = "",
    *_ignored: object,
    raise_exceptions: bool = False,
    **_options: object,
) -> bool:
    """Verify one signature by one pinned key, with the algorithms of the gate and no other.

    The key inside the message is never looked at. The list of transforms makes a stylesheet or a weak
    digest fail before it is computed, should the gate ever let one through.
    """
    context = xmlsec.SignatureContext()
    for transform in _REFERENCE_TRANSFORMS:
        context.enable_reference_transform(transform)
    for transform in _SIGNATURE_TRANSFORMS:
        context.enable_signature_transform(transform)
    try:
        context.key = xmlsec.Key.from_memory(cert, constants.KeyDataFormatCertPem, None)
        context.verify(signature_node)
    except (xmlsec.Error, TypeError, ValueError) as error:
        if raise_exceptions:
            raise OneLogin_Saml2_ValidationError(
                "Signature validation failed", OneLogin_Saml2_ValidationError.INVALID_SIGNATURE
            ) from error
        return False
    _verified_by.set(cert)
    return True


def _decrypt_element(
    encrypted: etree._Element, key: str, debug: object = None, *, inplace: bool = False
) -> etree._Element:
    """The toolkit decrypts only its own copy, in place."""
    del debug, inplace
    return decrypted(encrypted, key)


def _validate_schema(xml: object, schema: str, *_debug: object) -> etree._Element | str:
    """Validate against a schema of the toolkit; parsing one costs more than all the rest of a sign-in."""
    try:
        tree: etree._Element = OneLogin_Saml2_XML.to_etree(xml)
    except (etree.XMLSyntaxError, ValueError):
        return "unloaded_xml"
    known: dict[str, etree.XMLSchema] = _schemas.__dict__
    if schema not in known:
        with resources.as_file(resources.files("onelogin.saml2") / "schemas" / schema) as path:
            known[schema] = etree.XMLSchema(etree.parse(path))
    return tree if known[schema].validate(tree) else "invalid_xml"


OneLogin_Saml2_Utils.validate_node_sign = staticmethod(_verify_node)
OneLogin_Saml2_Utils.decrypt_element = staticmethod(_decrypt_element)
OneLogin_Saml2_Utils.now = staticmethod(_moment.get)
OneLogin_Saml2_XML.validate_xml = staticmethod(_validate_schema)
