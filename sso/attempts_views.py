"""HR's pages of attempts to sign in, and the account manager's search for one by its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.people.admission import organisation_page, staff_page
from portal.people.selectors import current_support, user_actor
from sso.attempts import (
    FAILED,
    SUCCEEDED,
    Wanted,
    attempt_coded,
    attempts_page,
    failure_groups,
    opened,
    organisation_of_code,
)
from sso.codes import tidy_code
from sso.diagnosis import diagnosed, what_happened
from sso.saml.reading import readable
from sso.selectors import connections
from sso.traces import read_message
from sso.watching import note_attempt_seen

if TYPE_CHECKING:
    from django.http import HttpRequest

    from portal.core.http import OrganisationRequest, SignedInRequest
    from portal.organisations.models import Organisation
    from sso.models import Connection, SignInTrace


@require_safe
@organisation_page(Permission.VIEW_ROSTER)
def attempts(request: OrganisationRequest) -> HttpResponse:
    """Show the newest attempts. A code typed into the field opens it; one that is not known says so."""
    organisation = request.organisation
    asked = request.GET.get("code", "").strip()
    if asked and attempt_coded(organisation, asked):
        return redirect("sign_in_attempt", org=organisation.slug, attempt_code=tidy_code(asked))
    known = list(connections(organisation))
    wanted = _wanted(request, {str(each.public_id): each for each in known})
    page = attempts_page(organisation, wanted, before=_id_given(request, "before"))
    context = {
        "page": page,
        "told": [(trace, diagnosed(trace) if trace.error else None) for trace in page.attempts],
        "groups": failure_groups(organisation),
        "wanted": wanted,
        "narrowed": wanted != Wanted(),
        "error_words": what_happened(wanted.error) if wanted.error else "",
        "connections": known,
        "unknown": tidy_code(asked) or asked[:20],
        "names_shown": request.access.support_until is None,
        "may_manage": request.access.allows(Permission.MANAGE_SIGN_IN),
    }
    return render(request, "sso/attempts.html", context)


@require_safe
@organisation_page(Permission.VIEW_ROSTER)
def attempt(request: OrganisationRequest, attempt_code: str) -> HttpResponse:
    """Open a code to its diagnosis. Support reads what happened; to whom stays with the organisation."""
    trace = _attempt(request.organisation, attempt_code)
    inside_as_support = request.access.support_until is not None
    if inside_as_support:
        note_attempt_seen(actor=request.access.actor, organisation=request.organisation, trace=trace)
    context = {
        "opened": opened(trace),
        "names_shown": not inside_as_support,
        "may_read": request.access.allows(Permission.MANAGE_SIGN_IN),
        "may_correct": request.access.allows(Permission.IMPORT_ROSTER),
        "inside": True,
    }
    return render(request, "sso/attempt.html", context)


@require_safe
@organisation_page(Permission.MANAGE_SIGN_IN)
def attempt_message(request: OrganisationRequest, attempt_code: str) -> HttpResponse:
    """Show the message itself, or give it as a file; either stands in the audit."""
    trace = _attempt(request.organisation, attempt_code)
    try:
        message = read_message(actor=request.access.actor, organisation=request.organisation, code=trace.code)
    except Refusal as refusal:
        return render(request, "sso/attempt_message.html", {"trace": trace, "gone": str(refusal)}, status=409)
    if "file" in request.GET:
        # Never a type that a browser would open in place: the content is somebody else's.
        return HttpResponse(
            message,
            content_type="application/octet-stream",
            headers={
                "Content-Disposition": f'attachment; filename="sign-in-{trace.code}.xml"',
                "X-Content-Type-Options": "nosniff",
            },
        )
    text, whole = readable(message)
    return render(request, "sso/attempt_message.html", {"trace": trace, "text": text, "whole": whole})


@require_safe
@staff_page
def manage_attempts(request: SignedInRequest) -> HttpResponse:
    """Find an attempt by its code alone, in whichever organisation it was."""
    asked = request.GET.get("code", "").strip()
    if asked and organisation_of_code(asked):
        return redirect("manage_attempt", attempt_code=tidy_code(asked))
    return render(request, "sso/manage_attempts.html", {"unknown": tidy_code(asked) or asked[:20]})


@require_safe
@staff_page
def manage_attempt(request: SignedInRequest, attempt_code: str) -> HttpResponse:
    """Show the diagnosis without the person; the organisation reads in its audit who looked."""
    organisation = organisation_of_code(attempt_code)
    if organisation is None:
        raise Http404
    with organisation_scope(organisation.pk):
        trace = _attempt(organisation, attempt_code)
        actor = user_actor(request.user, on_behalf_of_programme=True)
        note_attempt_seen(actor=actor, organisation=organisation, trace=trace)
        context = {
            "opened": opened(trace),
            "partner": organisation,
            "support": current_support(organisation, request.user),
            "names_shown": False,
        }
        return render(request, "sso/manage_attempt.html", context)


def _attempt(organisation: Organisation, code: str) -> SignInTrace:
    trace = attempt_coded(organisation, code)
    if trace is None:
        raise Http404
    return trace


def _wanted(request: HttpRequest, known: dict[str, Connection]) -> Wanted:
    """Read the filters of the address; what does not exist narrows nothing."""
    outcome = request.GET.get("outcome", "")
    error = request.GET.get("error", "")[:60].replace("\x00", "")
    return Wanted(
        outcome=outcome if outcome in {FAILED, SUCCEEDED} else "",
        error=error,
        connection=known.get(request.GET.get("connection", "")),
    )


def _id_given(request: HttpRequest, name: str) -> int | None:
    given = request.GET.get(name, "")[:18]
    return int(given) if given.isdecimal() else None
