"""Completions in."""

from __future__ import annotations

import io
import json
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from portal.api.authentication import WRITE_COMPLETIONS
from portal.api.errors import TooLarge
from portal.api.v1.operations import TokenOperation
from portal.core.tasks import enqueue_on_commit
from portal.progress.files import events_of_lines
from portal.progress.models import EventKind
from portal.progress.services import record_completions
from portal.progress.tasks import catch_up_organisation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

MOST_EVENTS = 10_000
MOST_BYTES = 10 * 1024 * 1024
EVENTS = "events"

_CONTAINERS_PER_EVENT = 8
_VALUES_PER_EVENT = 40


class EventListParser(BaseParser):
    """A JSON array of events, numbered from 1."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002  The framework's signature.
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002  The framework's signature.
    ) -> dict[str, object]:
        try:
            events = json.loads(_bounded_body(stream))
        except (ValueError, RecursionError):
            raise ParseError(_("The body is not JSON.")) from None
        if not isinstance(events, list):
            raise ParseError(_("A list of events is expected."))
        if len(events) > MOST_EVENTS:
            raise _too_many_events()
        return {EVENTS: list(enumerate(events, 1))}


class EventLinesParser(BaseParser):
    """One event a line, numbered by line; a line that cannot be read is reported, the others are recorded."""

    media_type = "application/x-ndjson"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002  The framework's signature.
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002  The framework's signature.
    ) -> dict[str, object]:
        body = io.BytesIO(_bounded_body(stream))
        events = list(islice(events_of_lines(body), MOST_EVENTS + 1))
        if len(events) > MOST_EVENTS:
            raise _too_many_events()
        return {EVENTS: events}


class RecordCompletions(TokenOperation):
    """Record facts of the learning platform. The same event_id again changes nothing."""

    parser_classes = (EventListParser, EventLinesParser)

    @extend_schema_serializer(component_name="CompletionEvent")
    class InputSerializer(serializers.Serializer[Any]):
        event_id = serializers.CharField(max_length=200)
        organisation = serializers.CharField(required=False, help_text="May be absent when learner is given.")
        programme = serializers.CharField()
        event = serializers.ChoiceField(choices=EventKind.values)
        occurred_at = serializers.DateTimeField(help_text="ISO 8601; without a time zone it is UTC.")
        learner = serializers.UUIDField(required=False)
        employee_number = serializers.CharField(required=False)
        email = serializers.EmailField(required=False)
        progress = serializers.IntegerField(required=False, min_value=0, max_value=100)
        certificate_url = serializers.URLField(required=False)
        account = serializers.CharField(
            required=False, max_length=200, help_text="The platform's own name for the person."
        )

    @extend_schema_serializer(component_name="Recorded")
    class OutputSerializer(serializers.Serializer[Any]):
        class IssueSerializer(serializers.Serializer[Any]):
            row = serializers.IntegerField(help_text="The place of the event in the request, from 1.")
            event_id = serializers.CharField()
            code = serializers.CharField()
            message = serializers.CharField()

        received = serializers.IntegerField()
        accepted = serializers.IntegerField()
        duplicate = serializers.IntegerField()
        unmatched = serializers.IntegerField()
        rejected = serializers.IntegerField()
        issues = IssueSerializer(many=True, help_text="Every event that was unmatched or rejected.")

    @extend_schema(
        operation_id="record_completions",
        request={
            "application/json": InputSerializer(many=True),
            "application/x-ndjson": InputSerializer,
        },
        parameters=[
            OpenApiParameter(
                "whole", bool, description="1: one event that is refused refuses the whole request, answered 422."
            )
        ],
        responses={200: OutputSerializer, 422: OutputSerializer},
    )
    def post(self, request: Request) -> Response:
        if WRITE_COMPLETIONS not in self.holder.scopes:
            raise PermissionDenied(_("This token may not write completions."))
        _refuse_long_body(request)
        events = request.data.get(EVENTS, []) if isinstance(request.data, dict) else []
        if not events:
            raise ParseError(_("A list of events is expected."))
        whole = request.query_params.get("whole") in {"1", "true"}
        recorded = record_completions(
            actor=self.holder.actor,
            events=events,
            allowed=self.holder.organisations or None,
            issues_shown=MOST_EVENTS,
            whole=whole,
        )
        for organisation_id in recorded.organisation_ids:
            enqueue_on_commit(catch_up_organisation, organisation_id)
        return Response(self.OutputSerializer(recorded).data, status=422 if whole and recorded.rejected else 200)


def _bounded_body(stream: IO[bytes]) -> bytes:
    """Return the body, when what it builds in memory stays in proportion to it.

    An empty object of three bytes becomes one of sixty-four: ten megabytes of nothing but those would fill the memory
    before they could be counted. Signs are counted instead, which costs milliseconds. Those inside of texts count
    too, so the limits are a multiple of what the documented fields need.
    """
    body = stream.read(MOST_BYTES + 1)
    containers = body.count(b"{") + body.count(b"[")
    if containers > MOST_EVENTS * _CONTAINERS_PER_EVENT or body.count(b",") > MOST_EVENTS * _VALUES_PER_EVENT:
        raise _too_many_events()
    return body


def _too_many_events() -> TooLarge:
    message = _("Send %(limit)d events at most in one request, with the documented fields.")
    return TooLarge(message % {"limit": MOST_EVENTS}, limit=MOST_EVENTS)


def _refuse_long_body(request: Request) -> None:
    """Before anything is parsed: the server hands on no more than the length that the header states."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > MOST_BYTES:
        message = _("Send %(limit)d bytes at most in one request.")
        raise TooLarge(message % {"limit": MOST_BYTES}, limit=MOST_BYTES)
