"""The pages about cohorts and their reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal.cohorts.rules import rules_of
from portal.cohorts.services import create_cohort
from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.core.tasks import enqueue_on_commit
from portal.people.admission import organisation_page
from portal.progress.losses import Loss
from portal.progress.tasks import catch_up_organisation
from portal.reports.cohort_page import cohort_page
from portal.reports.cohort_views import cohort_or_404
from portal.reports.documents import CONTENT_TYPES, Format
from portal.reports.forms import CohortForm
from portal.reports.funnel import loss_labels
from portal.reports.rules_editor import rule_sentences
from portal.reports.selectors import cohort_list
from portal.reports.services import export_cohort_report

if TYPE_CHECKING:
    from portal.core.http import OrganisationRequest


@require_safe
@organisation_page(Permission.VIEW_REPORTS)
def cohorts(request: OrganisationRequest) -> HttpResponse:
    """List the cohorts; with `loss`, say how many each of them has held up by that cause."""
    given = request.GET.get("loss", "")
    loss = given if given in set(Loss) else ""
    context = {
        "listed": cohort_list(request.organisation, loss=loss),
        "may_create": request.access.allows(Permission.MANAGE_COHORTS),
        "may_see_people": request.access.allows(Permission.VIEW_ROSTER),
        "loss": loss,
        "loss_label": loss_labels()[Loss(loss)] if loss else "",
    }
    return render(request, "reports/cohorts.html", context)


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
    """Show a cohort, or with `site` one of its sites."""
    found = cohort_or_404(request, cohort_id)
    organisation = request.organisation
    shown = cohort_page(
        organisation,
        found,
        request.access,
        site=request.GET.get("site"),
        wanted=request.GET.get("q", "").strip()[:150],
        number=request.GET.get("page", ""),
    )
    if shown is None:
        raise Http404
    rules = rules_of(organisation, [found.pk])[found.pk]
    context = {
        "cohort": found,
        "shown": shown,
        "small_group": organisation.small_group,
        "rules": rule_sentences(rules),
        "may_manage": request.access.allows(Permission.MANAGE_COHORTS),
        "may_see_people": request.access.allows(Permission.VIEW_ROSTER),
        "formats": FORMATS,
    }
    return render(request, "reports/cohort.html", context)


@require_safe
@organisation_page(Permission.VIEW_REPORTS)
def cohort_report_file(request: OrganisationRequest, cohort_id: int, kind: str) -> HttpResponse:
    if kind not in CONTENT_TYPES:
        raise Http404
    wanted = Format(kind)
    name, content = export_cohort_report(
        actor=request.access.actor,
        organisation=request.organisation,
        cohort=cohort_or_404(request, cohort_id),
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
