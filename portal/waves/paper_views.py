"""Sheets for each site, and personal codes: printed, followed and withdrawn by HR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.cohorts.selectors import cohort_named
from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.people.admission import organisation_page
from portal.people.codes import access_codes, code_state, print_codes, revoke_code
from portal.people.confirmation import confirmed_first
from portal.people.search import employees_matching
from portal.people.selectors import site_names
from portal.waves.papers import code_slips, site_sheets

if TYPE_CHECKING:
    from typing import Any

    from portal.core.http import OrganisationRequest

_ON_A_PAGE = 50
_NO_SITE = "-"


class PersonSearch(forms.Form):
    q = forms.CharField(label=gettext_lazy("Name, e-mail or employee number"), max_length=254, min_length=2)


class PrintForm(forms.Form):
    site = forms.ChoiceField(label=gettext_lazy("Site"))
    everybody = forms.BooleanField(
        label=gettext_lazy("Also for people who have an e-mail address"),
        required=False,
        help_text=gettext_lazy("Whoever has a company account that was recognised never gets a code."),
    )

    def clean_site(self) -> str:
        chosen: str = self.cleaned_data["site"]
        return "" if chosen == _NO_SITE else chosen

    def __init__(self, *args: Any, sites: list[str], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        field = self.fields["site"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*((site, site) for site in sites), (_NO_SITE, _("without a site"))]


@never_cache
@require_safe
@organisation_page(Permission.MANAGE_COHORTS)
def sheets(request: OrganisationRequest, cohort_id: int) -> HttpResponse:
    try:
        cohort = cohort_named(request.organisation, f"id:{cohort_id}")
    except Refusal:
        raise Http404 from None
    return _pdf(site_sheets(request.organisation, cohort), f"objectif-ia-{request.organisation.slug}.pdf")


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MANAGE_COHORTS)
def codes(request: OrganisationRequest) -> HttpResponse:
    """List the codes and the passkeys that they made. A search is a POST: names do not belong in an address."""
    return _page(request, form=PrintForm(sites=site_names(request.organisation)))


@never_cache
@require_POST
@organisation_page(Permission.MANAGE_COHORTS)
@confirmed_first("codes")
def codes_print(request: OrganisationRequest) -> HttpResponse:
    """Answer with the slips; the codes are nowhere else, and cannot be shown again."""
    organisation = request.organisation
    form = PrintForm(request.POST, sites=site_names(organisation))
    if not form.is_valid():
        return _page(request, form=form, status=422)
    site = form.cleaned_data["site"]
    try:
        slips = print_codes(
            actor=request.access.actor,
            organisation=organisation,
            site=site,
            without_address=not form.cleaned_data["everybody"],
        )
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return _page(request, form=form, status=422)
    return _pdf(code_slips(organisation, slips, site=site), "codes.pdf")


@require_POST
@organisation_page(Permission.MANAGE_COHORTS)
def code_revoke(request: OrganisationRequest, code_id: int) -> HttpResponse:
    try:
        revoke_code(actor=request.access.actor, organisation=request.organisation, code_id=code_id)
    except Refusal:
        raise Http404 from None
    messages.success(request, _("Withdrawn: neither the code nor its passkey opens anything, as of now."))
    return redirect("codes", request.organisation.slug)


def _page(request: OrganisationRequest, *, form: PrintForm, status: int = 200) -> HttpResponse:
    organisation = request.organisation
    known = access_codes(organisation)
    search = PersonSearch(request.POST if "q" in request.POST else None)
    if search.is_valid():
        matching = employees_matching(organisation, search.cleaned_data["q"])
        known = known.filter(employee__in=matching.values("pk"))
    page = Paginator(known, _ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "search": search,
        "page": page,
        "lines": [{"code": each, "state": code_state(each)} for each in page],
    }
    return render(request, "waves/codes.html", context, status=status)


def _pdf(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
