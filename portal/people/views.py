"""Settings of an organisation: who may do what, who came in as support, and its thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.organisations.selectors import loosens
from portal.organisations.services import change_settings
from portal.people.admission import organisation_page
from portal.people.confirmation import confirm_first, is_confirmed
from portal.people.forms import MemberSearch, RoleForm, SettingsForm
from portal.people.models import Membership
from portal.people.search import login_known_to, logins_matching
from portal.people.selectors import members, support_accesses
from portal.people.services import close_support_access, grant_role, withdraw_role

if TYPE_CHECKING:
    from django.http import HttpResponse

    from portal.core.http import OrganisationRequest
    from portal.people.models import Affiliation


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MANAGE_ROLES)
def organisation_settings(request: OrganisationRequest) -> HttpResponse:
    """A search is a POST: names and addresses do not belong in an address that is logged and remembered."""
    search = MemberSearch(request.POST if request.method == "POST" else None)
    found = logins_matching(request.organisation, search.cleaned_data["q"]) if search.is_valid() else None
    return _settings_page(request, search=search, found=found)


@require_POST
@organisation_page(Permission.MANAGE_ROLES)
def settings_change(request: OrganisationRequest) -> HttpResponse:
    form = SettingsForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, settings_form=form, status=422)
    if loosens(request.organisation, form.cleaned_data) and not is_confirmed(request.session):
        return confirm_first(request, reverse("organisation_settings", args=[request.organisation.slug]))
    change_settings(actor=request.access.actor, organisation=request.organisation, changes=form.cleaned_data)
    messages.success(request, _("The settings are saved."))
    return redirect("organisation_settings", org=request.organisation.slug)


@require_POST
@organisation_page(Permission.MANAGE_ROLES)
def role_grant(request: OrganisationRequest) -> HttpResponse:
    form = RoleForm(request.POST)
    user = login_known_to(request.organisation, form.cleaned_data["user"]) if form.is_valid() else None
    if user is None:
        raise Http404
    role = form.cleaned_data["role"]
    try:
        grant_role(actor=request.access.actor, organisation=request.organisation, user=user, role=role)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        message = _("%(name)s now has the role “%(role)s”.")
        messages.success(request, message % {"name": user, "role": Membership.Role(role).label})
    return redirect("organisation_settings", org=request.organisation.slug)


@require_POST
@organisation_page(Permission.MANAGE_ROLES)
def role_withdraw(request: OrganisationRequest, user_id: int) -> HttpResponse:
    """Whoever withdraws their own role leaves this page for good, so the answer leads to the front door."""
    try:
        withdraw_role(actor=request.access.actor, organisation=request.organisation, user_id=user_id)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("organisation_settings", org=request.organisation.slug)
    messages.success(request, _("The role was withdrawn; it ends at once."))
    if user_id == request.user.pk:
        return redirect("front_door")
    return redirect("organisation_settings", org=request.organisation.slug)


@require_POST
@organisation_page(Permission.VIEW_ORGANISATION)
def support_leave(request: OrganisationRequest) -> HttpResponse:
    close_support_access(actor=request.access.actor, organisation=request.organisation, user=request.user)
    return redirect("front_door")


def _settings_page(
    request: OrganisationRequest,
    *,
    search: MemberSearch | None = None,
    found: list[Affiliation] | None = None,
    settings_form: SettingsForm | None = None,
    status: int = 200,
) -> HttpResponse:
    organisation = request.organisation
    initial = {name: getattr(organisation, name) for name in SettingsForm.base_fields}
    context = {
        "members": members(organisation),
        "roles": Membership.Role.choices,
        "search": search or MemberSearch(),
        "found": found,
        "settings_form": settings_form or SettingsForm(initial=initial),
        "supports": support_accesses(organisation),
    }
    return render(request, "people/settings.html", context, status=status)
