"""What the operations of version 1 share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from rest_framework.views import APIView

from portal.api.throttling import TokenThrottle
from portal.organisations.models import Organisation

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response

    from portal.api.authentication import TokenHolder


class Operation(APIView):
    """Any operation: what it answers, a failure too, is for the caller and stays in no cache on the way or after."""

    def finalize_response(
        self,
        request: Request,
        response: Response,
        *args: Any,  # noqa: ANN401  The framework's signature.
        **kwargs: Any,  # noqa: ANN401
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "private, no-store"
        return final


class TokenOperation(Operation):
    """An operation of another system."""

    throttle_classes = (TokenThrottle,)

    @property
    def holder(self) -> TokenHolder:
        holder: TokenHolder = self.request.user  # type: ignore[assignment]  # Set by TokenAuthentication.
        return holder

    def organisation_within_reach(self, slug: str) -> Organisation:
        """Return the organisation; one that the token does not name does not exist for it."""
        organisation = Organisation.objects.filter(slug=slug, active=True).first()
        if organisation is None or slug not in self.holder.organisations:
            raise Http404
        return organisation
