"""What was read of an identity provider, as an administrator checks it: addresses, certificates, warnings."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.utils.translation import gettext as _

from sso.saml.config import bare_certificate
from sso.saml.names import BINDING_POST

if TYPE_CHECKING:
    import datetime as dt

    from sso.models import MetadataVersion

SOON: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class CertificateReading:
    subject: str
    fingerprint: str
    starts_at: dt.datetime
    expires_at: dt.datetime
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class MetadataReading:
    entity_id: str
    sso_url: str
    sso_binding: str
    slo_url: str
    certificates: list[CertificateReading]

    @property
    def warned(self) -> bool:
        return any(certificate.warnings for certificate in self.certificates)


def metadata_reading(version: MetadataVersion, *, now: dt.datetime) -> MetadataReading:
    return MetadataReading(
        entity_id=version.idp_entity_id,
        sso_url=version.idp_sso_url,
        sso_binding="HTTP-POST" if version.idp_sso_binding == BINDING_POST else "HTTP-Redirect",
        slo_url=version.idp_slo_url,
        certificates=[certificate_reading(text, now=now) for text in version.idp_certificates],
    )


def certificate_reading(text: str, *, now: dt.datetime) -> CertificateReading:
    """Return what is compared of a certificate; it was readable when it was taken."""
    certificate = x509.load_der_x509_certificate(base64.b64decode(bare_certificate(text)))
    return CertificateReading(
        subject=certificate.subject.rfc4514_string() or "–",
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        starts_at=certificate.not_valid_before_utc,
        expires_at=certificate.not_valid_after_utc,
        warnings=_warnings(certificate, now),
    )


def _warnings(certificate: x509.Certificate, now: dt.datetime) -> list[str]:
    """None of these keeps anybody out: what is trusted is the key."""
    found = []
    if certificate.not_valid_after_utc <= now:
        found.append(_("This certificate has expired. It still works here, but plan its renewal."))
    elif certificate.not_valid_after_utc <= now + SOON:
        found.append(_("This certificate expires soon: plan its renewal."))
    if certificate.not_valid_before_utc > now:
        found.append(_("This certificate is not valid yet."))
    if isinstance(certificate.signature_hash_algorithm, hashes.SHA1 | hashes.MD5):
        found.append(_("This certificate was issued with SHA-1. Sign-ins must be signed with SHA-256 all the same."))
    return found
