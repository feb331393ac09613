"""A connection as the protocol sees it: its addresses, our side, and the organisation's side."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from portal.core.sealing import unseal
from sso.saml.config import IdentityProvider, ServiceProvider

if TYPE_CHECKING:
    from uuid import UUID

    from sso.models import Connection

KEY_PURPOSE = "sso-key"


def address(public_id: UUID, page: str) -> str:
    """Return the absolute address of a page of the protocol: `login`, `acs`, `metadata` or `sls`.

    It is built from the settings: a Host header is the visitor's word.
    """
    return f"{settings.BASE_URL}{reverse(f'sso_{page}', args=[public_id])}"


def service_provider(connection: Connection) -> ServiceProvider:
    """Return our side. No sign-out service is published until there is one."""
    return ServiceProvider(
        entity_id=connection.entity_id,
        acs_url=address(connection.public_id, "acs"),
        sls_url="",
        private_key_pem=unseal(connection.sp_private_key, purpose=KEY_PURPOSE).decode(),
        certificate_pem=connection.sp_certificate,
    )


def identity_provider(connection: Connection) -> IdentityProvider:
    return IdentityProvider(
        entity_id=connection.idp_entity_id,
        sso_url=connection.idp_sso_url,
        sso_binding=connection.idp_sso_binding,
        slo_url=connection.idp_slo_url,
        certificates=tuple(connection.idp_certificates),
    )


def idp_origin(connection: Connection) -> str:
    """Return the origin to which a form may post the request."""
    parts = urlsplit(connection.idp_sso_url)
    return f"{parts.scheme}://{parts.netloc}"
