"""xAPI 1.0.3: statements in (docs/xapi.md). Its addresses have no slash at their end; with one they work as well."""

from __future__ import annotations

import base64
import binascii
from typing import IO, TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from portal.api.authentication import WRITE_COMPLETIONS, TokenAuthentication
from portal.api.errors import TooLarge, envelope
from portal.api.v1.completions import MOST_BYTES, MOST_EVENTS
from portal.api.v1.operations import Operation, TokenOperation
from portal.core.tasks import enqueue_on_commit
from portal.progress.platforms.xapi.formats import is_uuid, is_version
from portal.progress.platforms.xapi.reading import read_body
from portal.progress.platforms.xapi.receiving import receive_statements
from portal.progress.platforms.xapi.statements import StatementError
from portal.progress.platforms.xapi.words import SENTENCES
from portal.progress.tasks import catch_up_organisation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

    from portal.api.authentication import TokenHolder
    from portal.api.models import ApiToken
    from portal.progress.platforms.xapi.receiving import Received

VERSION = "1.0.3"
BODY = "body"
_CONTAINERS_PER_STATEMENT = 40


class Refused(Exception):  # noqa: N818  It is an answer.
    """The request cannot be taken: the answer says why."""

    def __init__(self, status: int, code: str, extra: object = None) -> None:
        super().__init__(code)
        self.answer = envelope(status, code, str(SENTENCES[code]), extra)


class StatementAuthentication(TokenAuthentication):
    """As for the other operations, and by Basic, which is all that most senders of statements know.

    The password is the token; the name beside it says nothing.
    """

    def authenticate(self, request: Request) -> tuple[TokenHolder, ApiToken] | None:
        kind, _space, credentials = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return super().authenticate(request)
        try:
            named = base64.b64decode(credentials.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            named = ""
        name, _colon, password = named.partition(":")
        return self.holder_of(password or name)


class BytesParser(BaseParser):
    """The body as it came: which kind is taken is for the operation to say, in xAPI's own words."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002  The framework's signature.
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002  The framework's signature.
    ) -> dict[str, bytes]:
        return {BODY: stream.read(MOST_BYTES + 1)}


class Versioned(Operation):
    """Every answer names the version, whatever else it says."""

    def finalize_response(
        self,
        request: Request,
        response: Response,
        *args: Any,  # noqa: ANN401  The framework's signature.
        **kwargs: Any,  # noqa: ANN401
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["X-Experience-API-Version"] = VERSION
        return final


class ReadAbout(Versioned):
    """Open to all: which versions are spoken here."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(operation_id="xapi_about", responses={200: {"type": "object"}})
    def get(self, request: Request) -> Response:
        del request
        return Response({"version": [VERSION]})


class Statements(Versioned, TokenOperation):
    """Take statements: all of a request, or none of it with a report on each that is refused."""

    authentication_classes = (StatementAuthentication,)
    parser_classes = (BytesParser,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Statements are not given out: the portal keeps facts, not a record of learning."""
        try:
            _check_version(request)
        except Refused as refused:
            return _dated(refused.answer)
        return _dated(envelope(403, "reading_not_granted", str(SENTENCES["reading_not_granted"])))

    @extend_schema(
        operation_id="xapi_post_statements",
        request={"application/json": {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}},
        responses={200: {"type": "array", "items": {"type": "string", "format": "uuid"}}},
    )
    def post(self, request: Request) -> Response:
        try:
            found = self._body(request, parameters=())
        except Refused as refused:
            return refused.answer
        statements = found if isinstance(found, list) else [found]
        received = self._received(statements)
        return _faulty(received) if received.faults else Response(received.ids)

    @extend_schema(
        operation_id="xapi_put_statement",
        parameters=[OpenApiParameter("statementId", str, required=True)],
        request={"application/json": {"type": "object"}},
        responses={204: None},
    )
    def put(self, request: Request) -> Response:
        try:
            statement = self._body(request, parameters=("statementId",))
            statement = _named(statement, request.query_params.get("statementId", ""))
        except Refused as refused:
            return refused.answer
        received = self._received([statement])
        return _faulty(received) if received.faults else Response(status=204)

    def _body(self, request: Request, *, parameters: tuple[str, ...]) -> Any:  # noqa: ANN401  JSON has no narrower type.
        """Return what the body says, once everything about the request is as it should be."""
        if WRITE_COMPLETIONS not in self.holder.scopes:
            raise PermissionDenied(_("This token may not write completions."))
        _check_version(request)
        if strange := set(request.query_params) - set(parameters):
            raise Refused(400, "alternate_syntax_refused" if "method" in strange else "unknown_parameter")
        _check_kind(request)
        body = request.data[BODY] if isinstance(request.data, dict) and BODY in request.data else b""
        if len(body) > MOST_BYTES:
            message = _("Send %(limit)d bytes at most in one request.")
            raise TooLarge(message % {"limit": MOST_BYTES}, limit=MOST_BYTES)
        if body.count(b"{") + body.count(b"[") > MOST_EVENTS * _CONTAINERS_PER_STATEMENT:
            raise _too_many()
        try:
            found = read_body(body)
        except StatementError as wrong:
            raise Refused(400, wrong.code) from None
        if isinstance(found, list) and len(found) > MOST_EVENTS:
            raise _too_many()
        if not isinstance(found, (dict, list)) or found == []:
            raise Refused(400, "no_statements")
        return found

    def _received(self, statements: list[object]) -> Received:
        holder = self.holder
        received = receive_statements(actor=holder.actor, statements=statements, allowed=holder.organisations or None)
        for organisation_id in received.organisation_ids:
            enqueue_on_commit(catch_up_organisation, organisation_id)
        return received


@extend_schema(exclude=True)
class StatementsWithSlash(Statements):
    """The same under our own form of addresses; described once."""


@extend_schema(exclude=True)
class ReadAboutWithSlash(ReadAbout):
    """Likewise."""


def _check_version(request: Request) -> None:
    version = request.headers.get("X-Experience-API-Version", "")
    if not version:
        raise Refused(400, "missing_version")
    if not is_version(version):
        raise Refused(400, "unsupported_version")


def _check_kind(request: Request) -> None:
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    if kind == "multipart/mixed":
        raise Refused(400, "attachments_refused")
    if kind != "application/json":
        raise Refused(400, "wrong_content_type")


def _named(statement: object, statement_id: str) -> dict[str, Any]:
    if not is_uuid(statement_id):
        raise Refused(400, "missing_statement_id")
    if not isinstance(statement, dict):
        raise Refused(400, "no_statements")
    if str(statement.get("id", statement_id)).lower() != statement_id.lower():
        raise Refused(400, "different_id")
    return {**statement, "id": statement.get("id", statement_id)}


def _faulty(received: Received) -> Response:
    """A conflict is one only when nothing else is wrong; each statement that is refused says why."""
    items = [fault._asdict() for fault in received.faults]
    own = {fault.code for fault in received.faults} - {"batch_refused"}
    if own == {"contradicts"}:
        return envelope(409, "conflict", str(SENTENCES["conflict"]), {"items": items})
    if own == {"organisation_not_allowed"}:
        message = _("This token may not write to that organisation.")
        return envelope(403, "organisation_not_allowed", message, {"items": items})
    return envelope(400, "invalid_statement", str(SENTENCES["invalid_statement"]), {"items": items})


def _dated(answer: Response) -> Response:
    answer["X-Experience-API-Consistent-Through"] = timezone.now().isoformat()
    return answer


def _too_many() -> TooLarge:
    message = _("Send %(limit)d statements at most in one request.")
    return TooLarge(message % {"limit": MOST_EVENTS}, limit=MOST_EVENTS)
