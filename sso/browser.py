"""What the browser that signs in holds: a nonce in a cookie, and a mark when it came from a tile."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from sso.models import Connection

NONCE_SECONDS: Final = 15 * 60
TILE_SECONDS: Final = 60
_NONCE = re.compile(r"[A-Za-z0-9_-]{43}")


def browser_nonce(request: HttpRequest) -> str:
    """Return the browser's nonce, a new one when it has none: two tabs that sign in at once share it."""
    known = held_nonce(request)
    return known if _NONCE.fullmatch(known) else secrets.token_urlsafe(32)


def held_nonce(request: HttpRequest) -> str:
    return request.COOKIES.get(settings.SIGN_IN_COOKIE_NAME, "")


def remember_nonce(response: HttpResponse, nonce: str) -> None:
    _set_cookie(response, settings.SIGN_IN_COOKIE_NAME, nonce, NONCE_SECONDS)


def came_from_tile(request: HttpRequest) -> bool:
    """Say whether this browser was sent to the identity provider a moment ago because it came without being asked."""
    return request.COOKIES.get(_tile_cookie()) == "1"


def remember_tile(response: HttpResponse) -> None:
    _set_cookie(response, _tile_cookie(), "1", TILE_SECONDS)


def forget_tile(response: HttpResponse) -> None:
    response.delete_cookie(_tile_cookie(), samesite="Lax")


def remember_setup(response: HttpResponse, connection: Connection, token: str) -> None:
    """Let the answer of a test find its way back to a set-up link, whose token we do not keep."""
    _set_cookie(response, _setup_cookie(connection), token, NONCE_SECONDS)


def held_setup(request: HttpRequest, connection: Connection) -> str:
    token: str = request.COOKIES.get(_setup_cookie(connection), "")
    return token if _NONCE.fullmatch(token) else ""


def forget_setup(response: HttpResponse, connection: Connection) -> None:
    response.delete_cookie(_setup_cookie(connection), samesite="Lax")


def _setup_cookie(connection: Connection) -> str:
    return f"{settings.SIGN_IN_COOKIE_NAME}-{connection.public_id.hex}"


def _tile_cookie() -> str:
    return f"{settings.SIGN_IN_COOKIE_NAME}-tile"


def _set_cookie(response: HttpResponse, name: str, value: str, seconds: int) -> None:
    """Over https the name begins with __Host-, which the browser keeps only with these very attributes."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=settings.SECURE, httponly=True, samesite="Lax")
