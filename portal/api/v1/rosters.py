"""Rosters in, unattended: the same import as on the pages, with the same thresholds."""

from __future__ import annotations

import io
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from imports import tasks
from imports.documents import import_document
from imports.models import RosterImport
from imports.selectors import import_numbered
from imports.services import open_unattended
from portal.api.authentication import WRITE_ROSTER
from portal.api.v1.operations import TokenOperation
from portal.core.tasks import enqueue_on_commit
from portal.core.tenancy import organisation_scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

    from portal.organisations.models import Organisation

FILE = "file"

_ANY = {"application/octet-stream": OpenApiTypes.BINARY}


class FileParser(BaseParser):
    """The body as it comes, whatever it is said to be: its content decides. It is read once, by what bounds it."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002  The framework's signature.
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002  The framework's signature.
    ) -> dict[str, IO[bytes]]:
        return {FILE: stream}


class HowSerializer(serializers.Serializer[Any]):
    """What stands in the address."""

    mode = serializers.ChoiceField(choices=RosterImport.Mode.values, default=RosterImport.Mode.DELTA)
    cohort = serializers.CharField(default="", allow_blank=True, max_length=150)
    sheet = serializers.CharField(default="", allow_blank=True, max_length=255)
    name = serializers.CharField(default="roster", max_length=255, help_text="What the history calls the file.")


@extend_schema_serializer(component_name="RosterImport")
class ImportSerializer(serializers.Serializer[Any]):
    """An import: its counts are the plan, and rows = create + update + unchanged + merged + reject."""

    @extend_schema_serializer(component_name="RowIssue")
    class RowIssueSerializer(serializers.Serializer[Any]):
        row = serializers.IntegerField()
        column = serializers.CharField()
        code = serializers.CharField()
        severity = serializers.CharField()
        message = serializers.CharField()

    state = serializers.ChoiceField(choices=RosterImport.State.values)
    rows = serializers.IntegerField()
    create = serializers.IntegerField()  # type: ignore[assignment]  # A field of the contract.
    update = serializers.IntegerField()  # type: ignore[assignment]  # A field of the contract.
    unchanged = serializers.IntegerField()
    merged = serializers.IntegerField()
    reject = serializers.IntegerField()
    deactivate = serializers.IntegerField()
    held = serializers.IntegerField()
    issues = RowIssueSerializer(many=True)
    issues_total = serializers.IntegerField()
    dropped_columns = serializers.ListField(child=serializers.CharField())
    sheet = serializers.CharField()
    header_row = serializers.IntegerField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Name the import by the contract's key, which is a word of Python."""
        return {"import": serializers.IntegerField(), **super().get_fields()}


class RosterOperation(TokenOperation):
    """What a token with `roster:write` may do in the organisations it names."""

    def organisation_to_write(self, slug: str) -> Organisation:
        organisation = self.organisation_within_reach(slug)
        if WRITE_ROSTER not in self.holder.scopes:
            raise PermissionDenied(_("This token may not write rosters."))
        return organisation


class PutRoster(RosterOperation):
    """Bring a roster. What is not held is applied without anybody; the same content again is the same import."""

    parser_classes = (FileParser,)

    @extend_schema(
        operation_id="put_roster",
        parameters=[
            HowSerializer,
            OpenApiParameter("slug", OpenApiTypes.STR, OpenApiParameter.PATH),
        ],
        request=_ANY,
        responses={HTTPStatus.OK: ImportSerializer, HTTPStatus.ACCEPTED: ImportSerializer},
    )
    def put(self, request: Request, slug: str) -> Response:
        organisation = self.organisation_to_write(slug)
        how = HowSerializer(data=request.query_params)
        how.is_valid(raise_exception=True)
        told = how.validated_data
        body = request.data.get(FILE) if isinstance(request.data, dict) else None
        with organisation_scope(organisation.pk):
            opened, is_new = open_unattended(
                actor=self.holder.actor,
                organisation=organisation,
                file=body or io.BytesIO(),
                file_name=told["name"],
                mode=told["mode"],
                cohort_name=told["cohort"],
                sheet=told["sheet"],
            )
            if is_new:
                enqueue_on_commit(tasks.prepare, organisation.pk, opened.pk)
            document = import_document(opened)
        answer = Response(document, status=HTTPStatus.ACCEPTED if is_new else HTTPStatus.OK)
        answer["Location"] = reverse("api_import", args=[organisation.slug, opened.pk])
        return answer


class ReadImport(RosterOperation):
    """How far an import is, and what became of its rows."""

    @extend_schema(operation_id="read_import", responses=ImportSerializer)
    def get(self, request: Request, slug: str, import_id: int) -> Response:  # noqa: ARG002  The framework's signature.
        organisation = self.organisation_to_write(slug)
        with organisation_scope(organisation.pk):
            roster_import = import_numbered(organisation, import_id)
            if roster_import is None:
                raise Http404
            return Response(import_document(roster_import))
