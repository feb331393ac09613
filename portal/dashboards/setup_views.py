"""Set-up links, as an account manager makes and withdraws them for an organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from portal.organisations.setup_links import create_setup_link, revoke_setup_link
from portal.people.admission import staff_page
from portal.people.selectors import user_actor
from sso.setup_cards import setup_url
from sso.setup_forms import SetupLinkForm

if TYPE_CHECKING:
    from django.http import HttpResponse

    from portal.core.http import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def create(request: SignedInRequest, slug: str) -> HttpResponse:
    """Make a link and show it, this once; the organisation reads in its audit who made it."""
    organisation = get_object_or_404(Organisation, slug=slug, active=True)
    form = SetupLinkForm(request.POST if request.method == "POST" else None)
    context = {"partner": organisation, "form": form}
    if not form.is_valid():
        return render(request, "dashboards/setup_link_new.html", context, status=422 if form.is_bound else 200)
    actor = user_actor(request.user, on_behalf_of_programme=True)
    with organisation_scope(organisation.pk):
        link, token = create_setup_link(
            actor=actor, organisation=organisation, recipient=form.cleaned_data["recipient"]
        )
    return render(request, "dashboards/setup_link_created.html", {**context, "link": link, "url": setup_url(token)})


@require_POST
@staff_page
def revoke(request: SignedInRequest, slug: str, link: int) -> HttpResponse:
    organisation = get_object_or_404(Organisation, slug=slug, active=True)
    actor = user_actor(request.user, on_behalf_of_programme=True)
    try:
        with organisation_scope(organisation.pk):
            revoke_setup_link(actor=actor, organisation=organisation, link_id=link)
    except Refusal:
        raise Http404 from None
    messages.success(request, _("The set-up link is withdrawn: it opens nothing any more."))
    return redirect("manage_organisation", slug=organisation.slug)
