"""Every failure in one envelope: {"error": {"code", "message", "extra"}}. Never a traceback."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.exceptions import PermissionDenied as Forbidden
from rest_framework.response import Response
from rest_framework.views import set_rollback

from portal.core.errors import Refusal

log = logging.getLogger(__name__)


class TooLarge(APIException):
    """The body or the number of its items is over the limit, which `extra` names."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self, message: str, *, limit: int) -> None:
        super().__init__(message)
        self.extra = {"limit": limit}


def answer_error(failure: Exception, context: dict[str, Any]) -> Response:
    """Answer a failure: a refusal in its own words, what HTTP has a name for, and the rest as ours."""
    del context
    set_rollback()
    if isinstance(failure, Refusal):
        unknown = failure.code.startswith("unknown_")
        return envelope(404 if unknown else 409, failure.code, str(failure))
    if isinstance(failure, Http404):
        failure = NotFound(_("There is nothing at this address."))
    if isinstance(failure, PermissionDenied):
        failure = Forbidden(_("This is not within the rights of the token or the person."))
    if isinstance(failure, APIException):
        return _answer_http(failure)
    if isinstance(failure, (OperationalError, InterfaceError)):
        log.error("The database did not answer the API (%s).", type(failure).__name__)
        return envelope(503, "unavailable", _("The portal cannot answer just now. Try again in a minute."))
    log.error("The API failed.", exc_info=failure)
    return envelope(500, "internal", _("Something went wrong on our side. It is in the log."))


def envelope(status_code: int, code: str, message: str, extra: object = None) -> Response:
    return Response({"error": {"code": code, "message": message, "extra": extra or {}}}, status=status_code)


def _answer_http(failure: APIException) -> Response:
    plain = isinstance(failure.detail, str)
    message = str(failure.detail) if plain else _("The request is not valid.")
    code = str(failure.get_codes()) if plain else "invalid"
    extra: object = getattr(failure, "extra", None) if plain else failure.detail
    response = envelope(failure.status_code, code, message, extra)
    if challenge := getattr(failure, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if wait := getattr(failure, "wait", None):
        response["Retry-After"] = str(max(1, round(wait)))
    return response
