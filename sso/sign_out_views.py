"""Signing out: the address that identity providers use, and the button in the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, urlsplit

from allauth.account.views import logout as password_logout
from csp.decorators import csp_replace, csp_update
from django.contrib.auth import logout
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from portal.core.tenancy import organisation_scope
from portal.people.models import User
from sso.admission import client_address, connection_page, count_failure, too_many_failures
from sso.diagnosis import plain_sentence, sign_out_sentence
from sso.models import Connection
from sso.saml.errors import SAMLError
from sso.saml.logout import RESPONSE, received_by_post, received_by_redirect
from sso.session import connections_of
from sso.sign_out import Leaving, end_as_asked, leave_connection, note_answer
from sso.traces import Attempt, record_failure

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from sso.saml.bindings import SignInRedirect

LARGEST_POST = 256 * 1024


@connection_page
@csrf_exempt
@xframe_options_exempt
@require_http_methods(["GET", "POST"])
def single_logout(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Do what an identity provider asks, or show what it answers to us."""
    if too_many_failures(request, connection):
        return _refused(request, connection, code="too_many", trace="", status=429)
    raw, answer = "", False
    try:
        raw = _posted(request) if request.method == "POST" else request.META.get("QUERY_STRING", "")
        answer = "SAMLResponse" in (request.POST if request.method == "POST" else request.GET)
        received = received_by_post(request.POST.dict()) if request.method == "POST" else received_by_redirect(raw)
        if received.kind == RESPONSE:
            note_answer(connection=connection, received=received)
            return _signed_out(request, connection)
        going = end_as_asked(connection=connection, received=received, client_address=client_address(request))
    except SAMLError as error:
        count_failure(request, connection)
        attempt = Attempt(raw, client_address=client_address(request), purpose="logout")
        trace = record_failure(connection=connection, error=error, attempt=attempt)
        if answer:
            return _signed_out(request, connection, error=error.code, trace=trace.code)
        return _refused(request, connection, code=error.code, trace=trace.code, status=400)
    if going is None:
        return _signed_out(request, connection)
    return _answered(request, connection, going) if going.fields else HttpResponseRedirect(going.url)


@never_cache
def leave(request: HttpRequest) -> HttpResponseBase:
    """Sign out of the portal; whoever came by their company goes on to sign out there.

    Everybody else gets the page of the accounts with a password.
    """
    opened = connections_of(request.session)
    if request.method != "POST" or not opened or not isinstance(request.user, User):
        return cast("HttpResponseBase", password_logout(request))
    user, key = request.user, request.session.session_key or ""
    left: list[Leaving] = []
    for public_id, organisation_id in sorted(opened.items()):
        with organisation_scope(organisation_id):
            known = Connection.objects.select_related("organisation").filter(public_id=public_id).first()
            if known is not None:
                left.append(leave_connection(user=user, connection=known, session_key=key))
    logout(request)
    return _left(request, [each for each in left if each.going is not None])


def _posted(request: HttpRequest) -> str:
    """Return the message of a form of honest size; Django reads nothing before the fields are asked for."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST_POST:
        raise SAMLError("too_large", received=length, expected=str(LARGEST_POST))
    if request.content_type != "application/x-www-form-urlencoded":
        raise SAMLError("malformed", reason="not a form", received=request.content_type or "")
    return request.POST.get("SAMLRequest") or request.POST.get("SAMLResponse") or ""


def _left(request: HttpRequest, left: list[Leaving]) -> HttpResponse:
    """Show that the portal is left, and go on to the identity provider; with several, each has its button.

    A form may not lead to another site, not even by a redirect: the page itself goes on.
    """
    if len(left) == 1 and left[0].going is not None:
        return _going_on(request, left[0].connection, left[0].going)
    return _page(request, "sso/signed_out.html", {"left": left}, [each.connection for each in left])


def _going_on(request: HttpRequest, connection: Connection, going: SignInRedirect) -> HttpResponse:
    context = {"going": going, "partner": connection.organisation}
    return _page(request, "sso/signing_out.html", context, [connection])


def _answered(request: HttpRequest, connection: Connection, going: SignInRedirect) -> HttpResponse:
    """Carry our answer back by post. It may stand in the identity provider's own page, which asked in a frame."""
    context = {"going": going, "partner": connection.organisation, "answer": True}
    return _page(request, "sso/signing_out.html", context, [connection], framed=True)


def _page(
    request: HttpRequest, template: str, context: dict[str, object], to: list[Connection], *, framed: bool = False
) -> HttpResponse:
    """Render a page whose forms may post to these identity providers, and to nobody else."""
    origins = sorted({f"{parts.scheme}://{parts.netloc}" for each in to for parts in _addresses(each)})
    page = csp_update({"form-action": origins})(lambda request: render(request, template, context))
    if framed:
        page = csp_replace({"frame-ancestors": origins})(page)
    return cast("HttpResponse", page(request))


def _addresses(connection: Connection) -> list[SplitResult]:
    return [urlsplit(url) for url in (connection.idp_slo_url, connection.idp_slo_response_url) if url]


def _signed_out(request: HttpRequest, connection: Connection, *, error: str = "", trace: str = "") -> HttpResponse:
    context = {
        "partner": connection.organisation,
        "sentence": sign_out_sentence(error) if error else _("Your company's sign-in service has signed you out too."),
        "trace": trace,
    }
    return render(request, "sso/signed_out.html", context)


def _refused(request: HttpRequest, connection: Connection, *, code: str, trace: str, status: int) -> HttpResponse:
    sentence = plain_sentence(code) if code == "too_many" else _("This request to sign out could not be used.")
    context = {"sentence": sentence, "trace": trace, "partner": connection.organisation, "start_again": ""}
    return render(request, "sso/failed.html", context, status=status)
