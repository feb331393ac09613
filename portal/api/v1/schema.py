"""The description of the API, for those who write a client."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularJSONAPIView

from portal.api.v1.operations import Operation


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # Registers itself.
    target_class = "portal.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ANN401, ARG002  spectacular's signature.
        return {"type": "http", "scheme": "bearer"}


class StatementScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # Registers itself.
    target_class = "portal.api.v1.xapi.StatementAuthentication"
    name = "statements"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ANN401, ARG002  spectacular's signature.
        return {"type": "http", "scheme": "basic"}


class PersonScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # Registers itself.
    target_class = "portal.api.authentication.PersonAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ANN401, ARG002  spectacular's signature.
        return {"type": "apiKey", "in": "cookie", "name": "portal"}


class ReadSchema(Operation, SpectacularJSONAPIView):
    """Open to all: it holds no data."""
