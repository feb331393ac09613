"""The names that SAML, XML Signature and XML Encryption give to things, and the algorithms that we accept."""

from __future__ import annotations

from typing import Final

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
XS: Final = "http://www.w3.org/2001/XMLSchema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

BINDING_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
BINDING_POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
STATUS: Final = "urn:oasis:names:tc:SAML:2.0:status:"
SUCCESS: Final = f"{STATUS}Success"
PROTECTED_TRANSPORT: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

ENTITY_FORMAT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
EMAIL_ADDRESS: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"

ENVELOPED: Final = f"{DS}enveloped-signature"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SIGNATURE_ALGORITHMS: Final = frozenset(
    {
        RSA_SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    }
)
SHA256: Final = f"{XENC}sha256"
DIGEST_ALGORITHMS: Final = frozenset({SHA256, "http://www.w3.org/2001/04/xmldsig-more#sha384", f"{XENC}sha512"})
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
AUTHENTICATED_CIPHERS: Final = frozenset({f"{XENC11}aes128-gcm", f"{XENC11}aes192-gcm", f"{XENC11}aes256-gcm"})
CBC_CIPHERS: Final = frozenset({f"{XENC}aes128-cbc", f"{XENC}aes192-cbc", f"{XENC}aes256-cbc"})
KEY_TRANSPORTS: Final = frozenset({f"{XENC}rsa-oaep-mgf1p", f"{XENC11}rsa-oaep"})


def saml(name: str) -> str:
    return f"{{{SAML}}}{name}"


def samlp(name: str) -> str:
    return f"{{{SAMLP}}}{name}"


def ds(name: str) -> str:
    return f"{{{DS}}}{name}"


def xenc(name: str) -> str:
    return f"{{{XENC}}}{name}"


def md(name: str) -> str:
    return f"{{{METADATA}}}{name}"
