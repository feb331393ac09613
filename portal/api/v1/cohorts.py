"""Cohorts and their reports out: counts, never people."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response

from portal.api.v1.operations import TokenOperation
from portal.cohorts.selectors import cohort_named
from portal.core.tenancy import organisation_scope
from portal.reports.documents import Format, report_json
from portal.reports.selectors import cohort_list, cohort_report
from portal.reports.services import note_export

if TYPE_CHECKING:
    from rest_framework.request import Request

    from portal.reports.selectors import CohortLine


class FiguresSerializer(serializers.Serializer[Any]):
    roster = serializers.IntegerField(allow_null=True)
    enrolled = serializers.IntegerField(allow_null=True)
    invited = serializers.IntegerField(allow_null=True)
    started = serializers.IntegerField(allow_null=True)
    completed = serializers.IntegerField(allow_null=True)
    certified = serializers.IntegerField(allow_null=True)


class ListCohorts(TokenOperation):
    """The organisation's cohorts with their totals."""

    @extend_schema_serializer(component_name="Cohorts")
    class OutputSerializer(serializers.Serializer[Any]):
        class CohortSerializer(FiguresSerializer):
            id = serializers.IntegerField()
            name = serializers.CharField()
            programme = serializers.CharField()
            starts_on = serializers.DateField(allow_null=True)
            ends_on = serializers.DateField(allow_null=True)

        as_of = serializers.DateTimeField()
        cohorts = CohortSerializer(many=True)

    @extend_schema(operation_id="list_cohorts", responses=OutputSerializer)
    def get(self, request: Request, slug: str) -> Response:  # noqa: ARG002  The framework's signature.
        organisation = self.organisation_within_reach(slug)
        with organisation_scope(organisation.pk):
            found = cohort_list(organisation)
        lines = [_line(line) for line in found.lines]
        return Response(self.OutputSerializer({"as_of": found.as_of, "cohorts": lines}).data)


def _line(line: CohortLine) -> dict[str, Any]:
    cohort = line.cohort
    return {
        "id": cohort.pk,
        "name": cohort.name,
        "programme": cohort.programme.code,
        "starts_on": cohort.starts_on,
        "ends_on": cohort.ends_on,
        **asdict(line.figures),
    }


class ReadCohortReport(TokenOperation):
    """The report on a cohort. Small groups are null and marked as suppressed."""

    @extend_schema_serializer(component_name="CohortReport")
    class OutputSerializer(FiguresSerializer):
        class SiteSerializer(FiguresSerializer):
            site = serializers.CharField()
            suppressed = serializers.BooleanField()

        organisation = serializers.CharField()
        cohort = serializers.CharField()
        cohort_id = serializers.IntegerField()
        programme = serializers.CharField()
        as_of = serializers.DateTimeField()
        small_group = serializers.IntegerField()
        by_site = SiteSerializer(many=True)

    @extend_schema(operation_id="read_cohort_report", responses=OutputSerializer)
    def get(self, request: Request, slug: str, cohort_id: int) -> Response:  # noqa: ARG002  The framework's signature.
        organisation = self.organisation_within_reach(slug)
        with organisation_scope(organisation.pk):
            cohort = cohort_named(organisation, f"id:{cohort_id}")
            report = cohort_report(organisation, cohort)
            note_export(actor=self.holder.actor, organisation=organisation, cohort=cohort, wanted=Format.JSON)
        return Response(report_json(report))
