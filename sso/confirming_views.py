"""Asking again before something sensitive: by the second factor, or by the person's company."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from allauth.mfa.utils import is_mfa_enabled
from csp.decorators import csp_update
from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from portal.core.access import Permission
from portal.people.admission import organisation_page
from portal.people.confirmation import has_proof, note_confirmed
from portal.people.session import came_by_password
from sso.browser import browser_nonce, held_nonce, remember_nonce
from sso.confirming import begin_confirmation, complete_confirmation
from sso.parties import idp_origin
from sso.saml.errors import SAMLError
from sso.selectors import connection_with
from sso.views import failed

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from portal.core.http import OrganisationRequest
    from sso.models import Connection
    from sso.saml.bindings import SignInRedirect


@organisation_page(Permission.VIEW_ORGANISATION)
@require_GET
def confirm(request: OrganisationRequest) -> HttpResponse:
    """Ask again, then lead back to `next`, where the person presses the button again."""
    goes_on = _own_page(request)
    if came_by_password(request):
        return _by_second_factor(request, goes_on)
    nonce = browser_nonce(request)
    try:
        connection, going = begin_confirmation(
            organisation=request.organisation, user=request.user, nonce=nonce, next_path=goes_on
        )
    except SAMLError as error:
        raise Http404 from error
    response = _asked_there(request, connection, going, goes_on)
    remember_nonce(response, nonce)
    return response


@organisation_page(Permission.VIEW_ORGANISATION)
@require_GET
def confirmed(request: OrganisationRequest, connection: UUID) -> HttpResponse:
    """Take the identity provider's answer: it counts for ten minutes, in this browser session only."""
    known = connection_with(request.organisation, connection)
    if known is None:
        raise Http404
    try:
        goes_on = complete_confirmation(
            connection=known, user=request.user, ticket=request.GET.get("t", ""), nonce=held_nonce(request)
        )
    except SAMLError as error:
        return failed(request, known, error)
    return _gone_on(request, goes_on, by_company=True)


def _by_second_factor(request: OrganisationRequest, goes_on: str) -> HttpResponse:
    if has_proof(request):
        return _gone_on(request, goes_on, by_company=False)
    here = f"{request.path}?{urlencode({'next': goes_on})}"
    ask = reverse("mfa_reauthenticate" if is_mfa_enabled(request.user) else "account_reauthenticate")
    return HttpResponseRedirect(f"{ask}?{urlencode({'next': here})}")


def _gone_on(request: OrganisationRequest, goes_on: str, *, by_company: bool) -> HttpResponse:
    note_confirmed(request.session, *([request.organisation.pk] if by_company else ()))
    messages.success(request, _("Thank you: it is you. For ten minutes we do not ask again. Now do what you came for."))
    return HttpResponseRedirect(goes_on)


def _asked_there(
    request: OrganisationRequest, connection: Connection, going: SignInRedirect, goes_on: str
) -> HttpResponse:
    context = {"going": going, "back": goes_on}
    may_post_there = csp_update({"form-action": [idp_origin(connection)]})
    page = may_post_there(lambda request: render(request, "sso/confirm.html", context))
    return cast("HttpResponse", page(request))


def _own_page(request: OrganisationRequest) -> str:
    """Return the page of this organisation to come back to; anything else is its sign-in page."""
    wanted = request.GET.get("next", "")
    ours = wanted.startswith(f"/o/{request.organisation.slug}/") and wanted.isprintable() and len(wanted) <= 500
    if ours and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("sign_in_settings", args=[request.organisation.slug])
