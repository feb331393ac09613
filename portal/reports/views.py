"""The pages about cohorts and their reports."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal.cohorts.selectors import cohort_named
from portal.cohorts.services import create_cohort
from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.core.tasks import enqueue_on_commit
from portal.people.admission import organisation_page
from portal.progress.tasks import catch_up_organisation
from portal.reports.documents import CONTENT_TYPES, Format, measure_meanings
from portal.reports.forms import CohortForm
from portal.reports.selectors import cohort_list, cohort_report
from portal.reports.services import export_cohort_report

if TYPE_CHECKING:
    from portal.cohorts.models import Cohort
    from portal.core.http import OrganisationRequest
    from portal.reports.dataset import CohortReport


@require_safe
@organisation_page(Permission.VIEW_REPORTS)
def cohorts(request: OrganisationRequest) -> HttpResponse:
    may_create = request.access.allows(Permission.MANAGE_COHORTS)
    listed = cohort_list(request.organisation)
    return render(request, "reports/cohorts.html", {"listed": listed, "may_create": may_create})


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MANAGE_COHORTS)
def cohort_new(request: OrganisationRequest) -> HttpResponse:
    form = CohortForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            created = create_cohort(actor=request.access.actor, organisation=request.organisation, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            enqueue_on_commit(catch_up_organisation, request.organisation.pk)
            messages.success(request, _("The cohort “%(name)s” exists.") % {"name": created.name})
            return redirect("cohort", request.organisation.slug, created.pk)
    return render(request, "reports/cohort_new.html", {"form": form})


@require_safe
@organisation_page(Permission.VIEW_REPORTS)
def cohort(request: OrganisationRequest, cohort_id: int) -> HttpResponse:
    found = _cohort_or_404(request, cohort_id)
    report = cohort_report(request.organisation, found)
    return render(
        request,
        "reports/cohort.html",
        {
            "cohort": found,
            "report": report,
            "funnel": _funnel(report),
            "formats": FORMATS,
            "may_invite": request.access.allows(Permission.MANAGE_COHORTS),
        },
    )


@require_safe
@organisation_page(Permission.VIEW_REPORTS)
def cohort_report_file(request: OrganisationRequest, cohort_id: int, kind: str) -> HttpResponse:
    if kind not in CONTENT_TYPES:
        raise Http404
    wanted = Format(kind)
    name, content = export_cohort_report(
        actor=request.access.actor,
        organisation=request.organisation,
        cohort=_cohort_or_404(request, cohort_id),
        wanted=wanted,
    )
    response = HttpResponse(content, content_type=CONTENT_TYPES[wanted])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    # What was exported is recorded: a copy out of a cache would not be.
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@organisation_page(Permission.VIEW_REPORTS)
def reports(request: OrganisationRequest) -> HttpResponse:
    return render(request, "reports/reports.html", {"listed": cohort_list(request.organisation), "formats": FORMATS})


FORMATS = [("xlsx", "XLSX"), ("csv", "CSV"), ("json", "JSON")]


def _cohort_or_404(request: OrganisationRequest, cohort_id: int) -> Cohort:
    try:
        return cohort_named(request.organisation, f"id:{cohort_id}")
    except Refusal:
        raise Http404 from None


def _funnel(report: CohortReport) -> list[dict[str, Any]]:
    counts = asdict(report.totals)
    return [
        {"label": label, "count": counts[name]}
        for name, (label, _meaning) in measure_meanings().items()
        if name != "roster"
    ]
