"""Who calls the API: another system with a bearer token, or for `/api/v1/me/` a person with a session."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed

from portal.api.models import ApiToken
from portal.core.actor import Actor, ActorKind

if TYPE_CHECKING:
    from rest_framework.request import Request

WRITE_COMPLETIONS = "completions:write"
WRITE_ROSTER = "roster:write"
ORGANISATION = "organisation:"


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """The system that holds a token: what stands in `request.user`."""

    token_id: int
    name: str
    scopes: frozenset[str]
    is_authenticated: bool = True

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.TOKEN, str(self.token_id), self.name)

    @property
    def organisations(self) -> frozenset[str]:
        """The slugs of the organisations that the token names; without any it may write completions of all."""
        named = (scope.removeprefix(ORGANISATION) for scope in self.scopes if scope.startswith(ORGANISATION))
        return frozenset(named)


def token_digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


class TokenAuthentication(BaseAuthentication):
    """Find a token by the digest of its secret.

    The comparison happens on digests inside an index: its duration says nothing about the secret. A session is not
    looked at, so no browser can be made to call the API for somebody.
    """

    def authenticate(self, request: Request) -> tuple[TokenHolder, ApiToken] | None:
        kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        return self.holder_of(secret.strip())

    @staticmethod
    def holder_of(secret: str) -> tuple[TokenHolder, ApiToken]:
        token = ApiToken.objects.filter(digest=token_digest(secret), revoked_at__isnull=True).first()
        if token is None:
            raise AuthenticationFailed(_("This token is unknown or was revoked."), code="invalid_token")
        return TokenHolder(token.pk, token.name, frozenset(token.scopes)), token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  The framework's signature.
        return 'Bearer realm="api"'


class PersonAuthentication(SessionAuthentication):
    """The person signed in; nobody is answered 401, not 403 as Django REST framework would."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  The framework's signature.
        return 'Session realm="portal"'
