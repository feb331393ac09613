"""The two parties of a connection as typed, immutable values, and the key pair of a new connection."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from sso.saml.names import BINDING_REDIRECT

_KEY_BITS = 3072
_LIFETIME = dt.timedelta(days=3652)
_LONGEST_COMMON_NAME = 64


@dataclass(frozen=True)
class ServiceProvider:
    """Ourselves, as one connection sees us: entity ID and addresses are never shared between connections."""

    entity_id: str
    acs_url: str
    sls_url: str
    private_key_pem: str = field(repr=False)
    certificate_pem: str
    # During a change of keys, messages encrypted for the previous one are still read.
    previous_private_key_pem: str = field(default="", repr=False)
    previous_certificate_pem: str = ""


@dataclass(frozen=True)
class IdentityProvider:
    """The organisation's side. `certificates` are PEM or bare base64 DER; any of them may have signed."""

    entity_id: str
    sso_url: str
    certificates: tuple[str, ...]
    sso_binding: str = BINDING_REDIRECT
    slo_url: str = ""
    slo_binding: str = BINDING_REDIRECT
    # Where answers to its sign-outs go, when not to the same address.
    slo_response_url: str = ""


def new_key_pair(common_name: str) -> tuple[str, str]:
    """Return a new private key and its self-signed certificate, in PEM.

    SAML trusts the key, not a chain; ten years spare the partner a yearly change that would lock people out.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_LONGEST_COMMON_NAME])])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def bare_certificate(text: str) -> str:
    """Return the base64 of a certificate without its PEM frame and white space."""
    lines = (line.strip() for line in text.strip().splitlines())
    return "".join("".join(line.split()) for line in lines if not line.startswith("-----"))


def framed_certificate(text: str) -> str:
    """Return a certificate in its PEM frame, whether it had one or not."""
    return f"-----BEGIN CERTIFICATE-----\n{bare_certificate(text)}\n-----END CERTIFICATE-----\n"


@lru_cache(maxsize=1024)
def fingerprint(certificate: str) -> str:
    """Return the SHA-256 fingerprint of a certificate as administrators compare it, or "" if unreadable."""
    try:
        found = x509.load_pem_x509_certificate(framed_certificate(certificate).encode())
    except ValueError:
        return ""
    return found.fingerprint(hashes.SHA256()).hex(":").upper()
