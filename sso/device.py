"""The last door used on a device: a signed cookie, so that the next visit is one press of a button.

It holds the connection's opaque id and nothing of the person; the company's name is shown on that device alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse

from portal.core.tenancy import organisation_scope
from portal.organisations.models import DoorKind, Organisation
from portal.organisations.selectors import organisations_behind
from sso.selectors import open_connections

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from sso.models import Connection

YEAR_SECONDS: Final = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class KnownDoor:
    organisation: Organisation
    url: str


def remember_door(response: HttpResponse, connection: Connection) -> None:
    response.set_cookie(
        _cookie(),
        _signer().sign(str(connection.public_id)),
        max_age=YEAR_SECONDS,
        path="/",
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget_door(response: HttpResponse) -> None:
    response.delete_cookie(_cookie(), samesite="Lax")


def known_door(request: HttpRequest) -> KnownDoor | None:
    """Return the door last used here, or that which replaced it; one that is closed for good is as if forgotten."""
    try:
        public_id = UUID(_signer().unsign(request.COOKIES.get(_cookie(), ""), max_age=YEAR_SECONDS))
    except (BadSignature, ValueError):
        return None
    behind = organisations_behind(DoorKind.CONNECTION, str(public_id))
    if not behind:
        return None
    with organisation_scope(behind[0]):
        opened = list(open_connections(behind[0]))
    chosen = next((each for each in opened if each.public_id == public_id), opened[0] if opened else None)
    if chosen is None:
        return None
    organisation = Organisation.objects.get(pk=behind[0])
    return KnownDoor(organisation, reverse("sso_login", args=[chosen.public_id]))


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="sso.device")


def _cookie() -> str:
    return f"{settings.SIGN_IN_COOKIE_NAME}-door"
