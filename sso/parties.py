"""A connection as the protocol sees it: its addresses, our side, and the organisation's side."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.urls import reverse

from portal.core.sealing import unseal
from sso.saml.config import IdentityProvider, ServiceProvider, bare_certificate, fingerprint
from sso.saml.errors import SAMLError
from sso.saml.names import BINDING_REDIRECT

if TYPE_CHECKING:
    import datetime as dt
    from uuid import UUID

    from sso.models import Connection

KEY_PURPOSE = "sso-key"


def address(public_id: UUID, page: str) -> str:
    """Return the absolute address of a page of the protocol: `login`, `acs`, `metadata` or `sls`.

    It is built from the settings: a Host header is the visitor's word.
    """
    return f"{settings.BASE_URL}{reverse(f'sso_{page}', args=[public_id])}"


def service_provider(connection: Connection) -> ServiceProvider:
    """Return our side.

    Raises:
        SAMLError: `key_unreadable`: it was sealed with a key that this portal no longer has.
    """
    try:
        private_key = _unsealed(bytes(connection.sp_private_key))
    except InvalidToken:
        raise SAMLError("key_unreadable") from None
    return ServiceProvider(
        entity_id=connection.entity_id,
        acs_url=address(connection.public_id, "acs"),
        sls_url=address(connection.public_id, "sls"),
        private_key_pem=private_key,
        certificate_pem=connection.sp_certificate,
    )


@lru_cache(maxsize=1024)
def _unsealed(sealed: bytes) -> str:
    """Open a key once: it stays in this process's memory anyway, where what it signs with is kept ready."""
    return unseal(sealed, purpose=KEY_PURPOSE).decode()


def identity_provider(connection: Connection) -> IdentityProvider:
    return IdentityProvider(
        entity_id=connection.idp_entity_id,
        sso_url=connection.idp_sso_url,
        sso_binding=connection.idp_sso_binding,
        slo_url=connection.idp_slo_url,
        slo_binding=connection.idp_slo_binding or BINDING_REDIRECT,
        slo_response_url=connection.idp_slo_response_url,
        certificates=tuple(connection.idp_certificates),
    )


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    fingerprint: str
    expires_at: dt.datetime


def certificate_facts(connection: Connection) -> list[CertificateFacts]:
    """Return what an administrator compares of each certificate; all were readable when they were stored."""
    return [
        CertificateFacts(
            fingerprint(text),
            x509.load_der_x509_certificate(base64.b64decode(bare_certificate(text))).not_valid_after_utc,
        )
        for text in connection.idp_certificates
    ]


@dataclass(frozen=True, slots=True)
class ConnectionCard:
    """What the partner's administrator reads and copies."""

    connection: Connection
    login_url: str
    acs_url: str
    metadata_url: str
    sls_url: str
    certificates: list[CertificateFacts]


def connection_card(connection: Connection) -> ConnectionCard:
    return ConnectionCard(
        connection=connection,
        login_url=address(connection.public_id, "login"),
        acs_url=address(connection.public_id, "acs"),
        metadata_url=address(connection.public_id, "metadata"),
        sls_url=address(connection.public_id, "sls"),
        certificates=certificate_facts(connection),
    )


def idp_origin(connection: Connection) -> str:
    """Return the origin to which a form may post the request."""
    parts = urlsplit(connection.idp_sso_url)
    return f"{parts.scheme}://{parts.netloc}"
