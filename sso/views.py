"""The five addresses of a connection, and the pages on which HR looks after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from portal.core.access import Permission
from portal.core.actor import SYSTEM
from portal.core.errors import Refusal
from portal.people.admission import organisation_page
from portal.people.confirmation import confirmed_first
from sso.admission import client_address, connection_page, count_failure, protocol_page, too_many_failures
from sso.browser import (
    browser_nonce,
    came_from_tile,
    forget_tile,
    held_nonce,
    remember_nonce,
    remember_tile,
)
from sso.connecting import activate_connection, replace_metadata
from sso.device import remember_door
from sso.diagnosis import diagnosed
from sso.forms import MetadataForm
from sso.health import note_failure
from sso.leaving import leave_page
from sso.parties import connection_card, service_provider
from sso.refusals import refusal_context
from sso.saml.errors import SAMLError
from sso.saml.metadata import service_provider_metadata
from sso.saml.response import peek_in_response_to, posted_response
from sso.selectors import (
    OPEN_STATES,
    connection_with,
    connections,
    purpose_of,
    recent_failures,
)
from sso.services import CONFIRM, SIGN_IN, TEST, answer_sign_in, begin_sign_in, complete_login
from sso.session import start_session
from sso.setup_cards import link_cards
from sso.traces import Attempt, record_failure
from sso.trial import note_failed_exchange

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

    from portal.core.http import OrganisationRequest
    from sso.models import Connection

LARGEST_POST: Final = 256 * 1024
_FORBIDDEN_CODES = frozenset({"user_disabled", "staff_account", "connection_closed", "identity_suspended"})


class SeeOther(HttpResponseRedirectBase):
    """After a POST, whatever its method: go there with GET."""

    status_code = 303


def _failed(request: HttpRequest, connection: Connection, error: SAMLError) -> HttpResponse:
    """Tell the person one sentence and a code; what was wrong stands in the trace, for those who may read it.

    A test comes back to its page, which explains the trace to whoever is testing.
    """
    if too_many_failures(request, connection):
        return _failed_page(request, connection, code="too_many", trace="", status=429)
    attempt = _attempt(request, connection)
    count_failure(request, connection)
    trace = record_failure(connection=connection, error=error, attempt=attempt, code=error.trace)
    if attempt.purpose == TEST:
        note_failed_exchange(actor=SYSTEM, connection=connection, error=error)
        page = reverse("sso_tested", args=[connection.public_id])
        return SeeOther(f"{page}?{urlencode({'trace': trace.code})}")
    note_failure(actor=SYSTEM, connection=connection, code=error.code)
    forbidden = error.code in _FORBIDDEN_CODES or error.code.startswith("status_")
    return _failed_page(request, connection, code=error.code, trace=trace.code, status=403 if forbidden else 400)


def _attempt(request: HttpRequest, connection: Connection) -> Attempt:
    """Return what a refused request was, as far as it can be read."""
    address = client_address(request)
    try:
        raw = _posted_response(request) if request.method == "POST" else ""
    except SAMLError:
        raw = ""
    try:
        request_id = peek_in_response_to(raw) if raw else ""
    except SAMLError:
        request_id = ""
    return Attempt(raw, request_id, address, (request_id and purpose_of(connection, request_id)) or SIGN_IN)


def _failed_page(request: HttpRequest, connection: Connection, *, code: str, trace: str, status: int) -> HttpResponse:
    context = refusal_context(connection, code=code, trace=trace)
    return render(request, "sso/failed.html", context, status=status)


def _posted_response(request: HttpRequest) -> str:
    """Return the message of a form of honest size; Django reads nothing before the fields are asked for."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST_POST:
        raise SAMLError("too_large", received=length, expected=str(LARGEST_POST))
    if request.content_type != "application/x-www-form-urlencoded":
        raise SAMLError("malformed", reason="not a form", received=request.content_type or "")
    return request.POST.get("SAMLResponse", "")


@protocol_page(_failed)
@require_GET
def sign_in(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Send the browser to the identity provider; `next` is kept here, never sent along."""
    nonce = browser_nonce(request)
    from_tile = "tile" in request.GET
    if from_tile and came_from_tile(request):
        # It has just come back from there without having been asked: once more would be for ever.
        raise SAMLError("unsolicited")
    going = begin_sign_in(connection=connection, nonce=nonce, next_path=_next_path(request))
    response = leave_page(request, connection, going) if going.fields else HttpResponseRedirect(going.url)
    remember_nonce(response, nonce)
    if from_tile:
        remember_tile(response)
    return response


@protocol_page(_failed)
@csrf_exempt
@require_POST
def acs(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Verify the posted answer. Our cookies do not come with a post from another site, so nobody is signed in here."""
    if too_many_failures(request, connection):
        return _failed_page(request, connection, code="too_many", trace="", status=429)
    posted = posted_response(_posted_response(request))
    try:
        request_id = posted.in_response_to
    except SAMLError as error:
        if error.code != "unsolicited":
            raise
        # From a tile of the identity provider: a request of our own makes a login of it.
        count_failure(request, connection)
        return SeeOther(f"{reverse('sso_login', args=[connection.public_id])}?tile=1")
    ticket = answer_sign_in(
        connection=connection,
        saml_response=posted,
        request_id=request_id,
        client_address=client_address(request),
    )
    if ticket.purpose == TEST:
        finish = reverse("sso_tested", args=[connection.public_id])
    elif ticket.purpose == CONFIRM:
        finish = reverse("sign_in_confirmed", args=[connection.organisation.slug, connection.public_id])
    else:
        finish = reverse("sso_finish", args=[connection.public_id])
    return SeeOther(f"{finish}?{urlencode({'t': ticket.code})}")


@protocol_page(_failed)
@require_GET
def finish(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Sign in the browser that asked: the cookie arrives here, and must be the one that began."""
    login = complete_login(connection=connection, ticket=request.GET.get("t", ""), nonce=held_nonce(request))
    start_session(request, connection, login)
    response = HttpResponseRedirect(login.next_path)
    forget_tile(response)
    remember_door(response, connection)
    return response


@connection_page
@require_GET
def metadata(request: HttpRequest, connection: Connection) -> HttpResponse:
    try:
        xml = service_provider_metadata(service_provider(connection))
    except SAMLError as error:
        return _failed(request, connection, error)
    return HttpResponse(xml, content_type="application/samlmetadata+xml")


@organisation_page(Permission.VIEW_AUDIT)
@require_GET
def sign_in_settings(request: OrganisationRequest) -> HttpResponse:
    """Show the connections, the set-up links and the last failures, to support as well."""
    return _settings_page(request)


@organisation_page(Permission.MANAGE_SIGN_IN)
@require_POST
@confirmed_first("sign_in_connection")
def replace(request: OrganisationRequest, connection: UUID) -> HttpResponse:
    """Take new addresses or certificates of the same identity provider."""
    known = _connection(request, connection)
    form = MetadataForm(request.POST, request.FILES)
    try:
        if form.is_valid():
            replace_metadata(
                actor=request.access.actor,
                organisation=request.organisation,
                connection=known,
                metadata_xml=form.cleaned_data["metadata_xml"],
            )
            messages.success(
                request,
                _("The addresses and certificates are those of this metadata. The state says if a new test is due."),
            )
        else:
            messages.error(request, _("Choose a file, or paste its text."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("sign_in_settings", org=request.organisation.slug)


@organisation_page(Permission.MANAGE_SIGN_IN)
@require_POST
@confirmed_first("sign_in_connection")
def activate(request: OrganisationRequest, connection: UUID) -> HttpResponse:
    known = _connection(request, connection)
    try:
        activate_connection(actor=request.access.actor, organisation=request.organisation, connection=known)
        messages.success(request, _("Your people can now sign in with their company account."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("sign_in_settings", org=request.organisation.slug)


def _settings_page(request: OrganisationRequest) -> HttpResponse:
    known = [connection_card(each) for each in connections(request.organisation)]
    failures = [diagnosed(trace) for trace in recent_failures(request.organisation)]
    opened = any(card.connection.state in OPEN_STATES and not card.connection.closed_at for card in known)
    context = {
        "connections": known,
        "opened": opened,
        "connected": any(card.connection.idp_entity_id for card in known),
        "failures": failures,
        "links": link_cards(request.organisation, revoke="setup_link_revoke"),
        "may_manage": request.access.allows(Permission.MANAGE_SIGN_IN),
    }
    return render(request, "sso/sign_in_settings.html", context)


def _connection(request: OrganisationRequest, public_id: UUID) -> Connection:
    known = connection_with(request.organisation, public_id)
    if known is None:
        raise Http404
    return known


def _next_path(request: HttpRequest) -> str:
    """Return the page to come back to, if it is one of ours; anything else is forgotten."""
    wanted = request.GET.get("next", "")
    ours = wanted.startswith("/") and wanted.isprintable() and len(wanted) <= 500
    return wanted if ours and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else ""


def failed(request: HttpRequest, connection: Connection, error: SAMLError) -> HttpResponse:
    """Show the one page of a failed sign-in, for the views of the neighbouring modules."""
    return _failed(request, connection, error)
