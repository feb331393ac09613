"""The gate: what a posted message must look like before any library that computes signatures may see it.

The toolkit behind it is sound on signature wrapping, but it resolves references, runs transforms and
decrypts before it knows who wrote the message; a few hundred bytes could make it read /dev/zero for ever.
The gate allows the shapes that identity providers send and refuses all others. It costs about a tenth of
a millisecond.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import TYPE_CHECKING

from lxml import etree

from sso.saml.errors import SAMLError
from sso.saml.names import (
    AUTHENTICATED_CIPHERS,
    CBC_CIPHERS,
    DIGEST_ALGORITHMS,
    ENVELOPED,
    EXC_C14N,
    KEY_TRANSPORTS,
    SIGNATURE_ALGORITHMS,
    XENC,
    XENC11,
    ds,
    saml,
    samlp,
    xenc,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_MESSAGE = 256 * 1024
_MOST_NODES = 5_000
_MOST_ATTRIBUTES = 64
_DEEPEST = 64
_MOST_ENCRYPTED_KEYS = 2
_ID_ATTRIBUTES = ("ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id")
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LOCAL_REFERENCE = re.compile(r"#[\w.-]+")
_INCLUSIVE_NAMESPACES = f"{{{EXC_C14N}}}InclusiveNamespaces"
_SIGNATURE_SHAPES = (
    [ds("SignedInfo"), ds("SignatureValue")],
    [ds("SignedInfo"), ds("SignatureValue"), ds("KeyInfo")],
)
_SIGNED_INFO_SHAPE = [ds("CanonicalizationMethod"), ds("SignatureMethod"), ds("Reference")]
_REFERENCE_SHAPE = [ds("Transforms"), ds("DigestMethod"), ds("DigestValue")]
_KEY_PARTS = frozenset(
    ds(name)
    for name in (
        "KeyName",
        "KeyValue",
        "RSAKeyValue",
        "Modulus",
        "Exponent",
        "X509Data",
        "X509Certificate",
        "X509IssuerSerial",
        "X509IssuerName",
        "X509SerialNumber",
        "X509SubjectName",
        "X509SKI",
    )
)
_ENCRYPTION_PARTS = _KEY_PARTS | {
    ds("KeyInfo"),
    ds("DigestMethod"),
    ds("RetrievalMethod"),
    f"{{{XENC11}}}MGF",
    *(
        xenc(name)
        for name in (
            "EncryptedData",
            "EncryptedKey",
            "EncryptionMethod",
            "KeySize",
            "OAEPparams",
            "CipherData",
            "CipherValue",
            "ReferenceList",
            "DataReference",
            "CarriedKeyName",
        )
    ),
}


def opened(encoded: str) -> bytes:
    """Return the bytes of a posted message."""
    if len(encoded) > _LONGEST_MESSAGE:
        raise SAMLError("too_large", received=str(len(encoded)), expected=str(_LONGEST_MESSAGE))
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SAMLError("malformed", reason="not base64") from error


def inflated(data: bytes, *, most: int = _LONGEST_MESSAGE) -> bytes:
    """Inflate a message of the redirect binding, but never beyond its honest size: 48 KB can hold 50 MB."""
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        xml = inflater.decompress(data, most)
    except zlib.error as error:
        raise SAMLError("malformed", reason="not deflated") from error
    if inflater.unconsumed_tail:
        raise SAMLError("too_large", expected=str(most))
    if not inflater.eof or inflater.unused_data:
        raise SAMLError("malformed", reason="not deflated")
    return xml


def inspected(xml: bytes, *, decrypted: bool = False) -> etree._Element:
    """Return the Response of a message whose shape is allowed, or raise.

    After decryption the message passes the gate again: an attacker knows our public key, so that what was
    encrypted is as hostile as what was not.
    """
    response = parsed(xml)
    _refuse_excess(response)
    _refuse_repeated_ids(response)
    if response.tag != samlp("Response") or response.get("Version") != "2.0" or not response.get("ID"):
        raise SAMLError("malformed", reason="not a SAML 2.0 response", received=str(response.tag))
    _check_assertions(response, decrypted=decrypted)
    _check_signatures(response)
    _check_key_infos(response)
    _check_encryption(response, saml("EncryptedAssertion"))
    return response


def inspected_sign_out(xml: bytes, name: str) -> etree._Element:
    """Return the LogoutRequest or LogoutResponse (`name`) whose shape is allowed, or raise."""
    message = parsed(xml)
    _refuse_excess(message)
    _refuse_repeated_ids(message)
    if message.tag != samlp(name) or message.get("Version") != "2.0" or not message.get("ID"):
        raise SAMLError("malformed", reason=f"not a SAML 2.0 {name}", received=str(message.tag))
    if next(message.iter(saml("Assertion"), saml("EncryptedAssertion"), samlp("Response")), None) is not None:
        raise SAMLError("forbidden_xml", reason="an assertion in a sign-out")
    _check_signatures(message)
    _check_key_infos(message)
    _check_encryption(message, saml("EncryptedID"))
    return message


def inspected_name(name: etree._Element) -> etree._Element:
    """Return a NameID that was encrypted: a leaf, as suspicious as what was not."""
    _refuse_excess(name)
    if name.tag != saml("NameID"):
        raise SAMLError("forbidden_xml", reason="not a NameID", received=str(name.tag))
    return name


def parsed(xml: bytes) -> etree._Element:
    """Return the root of an XML document in UTF-8 without a document type."""
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise SAMLError("forbidden_xml", reason="document type")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        xml.decode("utf-8")
        root = etree.fromstring(xml, parser)
    except (UnicodeDecodeError, etree.XMLSyntaxError, ValueError) as error:
        raise SAMLError("malformed", reason="not XML in UTF-8") from error
    document = root.getroottree().docinfo
    if document.internalDTD is not None:
        raise SAMLError("forbidden_xml", reason="document type")
    if (document.encoding or "UTF-8").upper() not in {"UTF-8", "UTF8", "US-ASCII", "ASCII"}:
        raise SAMLError("malformed", reason="not XML in UTF-8")
    return root


def encrypted_with_cbc(response: etree._Element) -> bool:
    """Tell whether the assertion is encrypted by a cipher that does not authenticate what it carries."""
    methods = response.iterfind(f".//{xenc('EncryptedData')}/{xenc('EncryptionMethod')}")
    return any(method.get("Algorithm") in CBC_CIPHERS for method in methods)


def _refuse_excess(root: etree._Element) -> None:
    """Refuse bombs, comments, processing instructions and relative namespaces, in one walk."""
    if root.getprevious() is not None or root.getnext() is not None:
        raise SAMLError("forbidden_xml", reason="comment or processing instruction")
    nodes = depth = 0
    for event, item in etree.iterwalk(root, events=("start", "end", "start-ns", "comment", "pi")):
        if event == "start":
            nodes, depth = nodes + 1, depth + 1
            if nodes > _MOST_NODES or depth > _DEEPEST or len(item.attrib) > _MOST_ATTRIBUTES:
                raise SAMLError("too_large", reason="too many nodes, levels or attributes")
        elif event == "end":
            depth -= 1
        elif event == "start-ns":
            _refuse_relative_namespace(item[1])
        else:
            # A comment splits a text in two, and the two halves of a library then disagree on the name.
            raise SAMLError("forbidden_xml", reason="comment or processing instruction")


def _refuse_relative_namespace(uri: str) -> None:
    """A relative namespace makes canonicalisation fail, and some verifiers then sign and compare nothing."""
    if uri and not _ABSOLUTE_URI.match(uri):
        raise SAMLError("forbidden_xml", reason="relative namespace")


def _refuse_repeated_ids(root: etree._Element) -> None:
    seen: set[str] = set()
    for element in root.iter():
        for name in _ID_ATTRIBUTES:
            value = element.get(name)
            if value is None:
                continue
            if value in seen:
                raise SAMLError("forbidden_xml", reason="repeated ID")
            seen.add(value)


def _check_assertions(response: etree._Element, *, decrypted: bool) -> None:
    """At most one assertion anywhere, directly in the Response: wrapping needs a second place to hide one."""
    everywhere = list(response.iter(saml("Assertion"), saml("EncryptedAssertion"), samlp("Response")))
    directly = [child for child in response if child.tag in {saml("Assertion"), saml("EncryptedAssertion")}]
    if len(directly) > 1 or len(everywhere) != 1 + len(directly):
        raise SAMLError("forbidden_xml", reason="more than one assertion")
    if decrypted and any(child.tag == saml("EncryptedAssertion") for child in directly):
        raise SAMLError("forbidden_xml", reason="encrypted twice")
    if any(child.tag == saml("Assertion") and not child.get("ID") for child in directly):
        raise SAMLError("malformed", reason="assertion without ID")


def _check_signatures(response: etree._Element) -> None:
    owners: list[etree._Element] = []
    for signature in response.iter(ds("Signature")):
        owner = signature.getparent()
        if owner is None or (owner is not response and owner.tag != saml("Assertion")) or owner in owners:
            raise SAMLError("forbidden_xml", reason="signature in an unexpected place")
        owners.append(owner)
        _check_signature(signature, owner)
    for element in response.iter(ds("Object"), ds("Manifest"), ds("SignedInfo"), ds("Reference")):
        if not any(ancestor.tag == ds("Signature") for ancestor in element.iterancestors()):
            raise SAMLError("forbidden_xml", reason="part of a signature in an unexpected place")


def _check_signature(signature: etree._Element, owner: etree._Element) -> None:
    """Exactly one reference, to the element that carries the signature, by the transforms of the profile."""
    if [child.tag for child in signature] not in _SIGNATURE_SHAPES:
        raise SAMLError("forbidden_xml", reason="unexpected part of a signature")
    signed_info = signature[0]
    if [child.tag for child in signed_info] != _SIGNED_INFO_SHAPE:
        raise SAMLError("forbidden_xml", reason="not exactly one reference")
    canonicalisation, method, reference = signed_info
    if reference.get("URI") != f"#{owner.get('ID')}":
        raise SAMLError("forbidden_xml", reason="reference to something else")
    if [child.tag for child in reference] != _REFERENCE_SHAPE:
        raise SAMLError("forbidden_xml", reason="unexpected part of a reference")
    transforms, digest, _ = reference
    algorithms = [each.get("Algorithm") for each in (canonicalisation, *transforms)]
    if algorithms != [EXC_C14N, ENVELOPED, EXC_C14N]:
        raise SAMLError("forbidden_xml", reason="unexpected transform")
    for parameterised in (canonicalisation, method, digest, *transforms):
        _refuse_parameters(parameterised)
    _require(method, SIGNATURE_ALGORITHMS)
    _require(digest, DIGEST_ALGORITHMS)


def _refuse_parameters(method: etree._Element) -> None:
    """An algorithm may carry the list of inclusive namespaces (Okta sends it) and nothing else."""
    if any(child.tag != _INCLUSIVE_NAMESPACES for child in method):
        raise SAMLError("forbidden_xml", reason="parameter of an algorithm")


def _require(method: etree._Element, allowed: Iterable[str]) -> None:
    algorithm = method.get("Algorithm", "")
    if algorithm not in allowed:
        raise SAMLError("weak_algorithm", received=algorithm)


def _check_key_infos(response: etree._Element) -> None:
    """Beside a signature a key may be named or shown, and nothing more; we look at none of it."""
    for signature in response.iter(ds("Signature")):
        for key_info in signature.iterchildren(ds("KeyInfo")):
            _require_parts(key_info, _KEY_PARTS)


def _check_encryption(response: etree._Element, holder: str) -> None:
    """Encryption belongs inside the one element that may hold it, directly in the message."""
    encrypted = response.find(holder)
    inside = set() if encrypted is None else set(encrypted.iter())
    for element in response.iter(f"{{{XENC}}}*", saml("EncryptedID"), saml("EncryptedAttribute")):
        if element not in inside:
            # Honest identity providers can be told to encrypt the name alone; whoever looks after one can undo it.
            code = "nameid_encrypted" if element.tag == saml("EncryptedID") else "forbidden_xml"
            raise SAMLError(code, reason="encryption in an unexpected place")
    if encrypted is not None:
        _check_encrypted(encrypted)


def _check_encrypted(encrypted: etree._Element) -> None:
    """No address to fetch, few keys to try, known ciphers."""
    _require_parts(encrypted, _ENCRYPTION_PARTS)
    if len(list(encrypted.iter(xenc("EncryptedKey")))) > _MOST_ENCRYPTED_KEYS:
        raise SAMLError("too_large", reason="too many encrypted keys")
    if len(list(encrypted.iter(xenc("EncryptedData")))) != 1:
        raise SAMLError("forbidden_xml", reason="not exactly one encrypted element")
    for reference in encrypted.iter(ds("RetrievalMethod")):
        # The key may stand beside the data instead of inside it, never at another address.
        if len(reference) or not _LOCAL_REFERENCE.fullmatch(reference.get("URI", "")):
            raise SAMLError("forbidden_xml", reason="key by reference")
    for method in encrypted.iter(xenc("EncryptionMethod")):
        owner = method.getparent()
        of_key = owner is not None and owner.tag == xenc("EncryptedKey")
        _require(method, KEY_TRANSPORTS if of_key else AUTHENTICATED_CIPHERS | CBC_CIPHERS)


def _require_parts(whole: etree._Element, allowed: frozenset[str]) -> None:
    """Refuse the parts that a library would fetch, transform or derive keys by, by allowing the others."""
    for part in whole.iterdescendants():
        if part.tag not in allowed:
            raise SAMLError("forbidden_xml", reason="unexpected part of a key", received=str(part.tag))
