"""The life of a connection on one page: certificates, versions, keys, the move to another, and requiring it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.core.tasks import deliver_mail_of, enqueue_on_commit
from portal.people.admission import organisation_page
from portal.people.break_glass import give_break_glass, take_break_glass
from portal.people.confirmation import confirm_first, confirmed_first, is_confirmed
from sso.enforcing import enforce_sign_in, readiness, release_sign_in
from sso.life import connection_life
from sso.life_forms import DayForm, FollowForm
from sso.reading import ask_for_reading, follow_metadata
from sso.rotation import NOTICE, choose_day, publish_next_key, withdraw_next_key
from sso.selectors import connection_with
from sso.switching import close_connection, lead_newcomers_to, reopen_connection
from sso.tasks import refresh_metadata
from sso.versions import accept_version, decline_version, roll_back

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from django.http import HttpResponse

    from portal.core.http import OrganisationRequest
    from sso.models import Connection


Acts: TypeAlias = "Mapping[str, tuple[Callable[..., object], str]]"
"""What a button's name does, and what is said when it is done."""


@organisation_page(Permission.VIEW_AUDIT)
@require_GET
def connection_page(request: OrganisationRequest, connection: UUID) -> HttpResponse:
    known = _connection(request, connection)
    context = {
        "life": connection_life(request.organisation, known),
        "connection": known,
        "follow_form": FollowForm(initial={"url": known.metadata_url}),
        "day_form": DayForm(
            initial={"day": timezone.localdate(known.next_signs_at or timezone.now() + NOTICE)},
        ),
        "may_manage": request.access.allows(Permission.MANAGE_SIGN_IN),
    }
    return render(request, "sso/connection.html", context)


@organisation_page(Permission.MANAGE_SIGN_IN)
@require_POST
@confirmed_first("sign_in_connection")
def version(request: OrganisationRequest, connection: UUID, version: int) -> HttpResponse:
    """Accept, decline or put back a version of the metadata."""
    acts: Acts = {
        "accept": (accept_version, _("Accepted. The state says if a new test is due.")),
        "decline": (decline_version, _("Declined: nothing was changed, and the same is not proposed again.")),
        "back": (roll_back, _("The former version is in use again. The state says if a new test is due.")),
    }
    return _acted(request, connection, acts, version_id=version)


@organisation_page(Permission.MANAGE_SIGN_IN)
@require_POST
@confirmed_first("sign_in_connection")
def follow(request: OrganisationRequest, connection: UUID) -> HttpResponse:
    """Say from where the metadata is read, or that it is read nowhere."""
    known, form = _connection(request, connection), FollowForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("This address is too long."))
        return _back(request, known)
    url = form.cleaned_data["url"]
    try:
        follow_metadata(actor=request.access.actor, organisation=request.organisation, connection=known, url=url)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        enqueue_on_commit(refresh_metadata)
        done = _("The metadata is read from there once a day, for the first time in a moment.")
        messages.success(request, done if url.strip() else _("The metadata is not read from anywhere any more."))
    return _back(request, known)


@organisation_page(Permission.MANAGE_SIGN_IN)
@require_POST
def read_again(request: OrganisationRequest, connection: UUID) -> HttpResponse:
    known = _connection(request, connection)
    try:
        ask_for_reading(actor=request.access.actor, organisation=request.organisation, connection=known)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        enqueue_on_commit(refresh_metadata)
        messages.success(request, _("The metadata is being read again. Open this page anew in a moment."))
    return _back(request, known)


@organisation_page(Permission.MANAGE_SIGN_IN)
@require_POST
@confirmed_first("sign_in_connection")
def keys(request: OrganisationRequest, connection: UUID) -> HttpResponse:
    """Publish our next key, move its day, or take it back."""
    acts: Acts = {
        "publish": (publish_next_key, _("The new key is published. Now your IT takes our metadata in again.")),
        "day": (choose_day, _("The day is changed.")),
        "withdraw": (withdraw_next_key, _("The new key is withdrawn. The present one goes on signing.")),
    }
    if request.POST.get("act") == "withdraw":
        return _acted(request, connection, acts)
    form = DayForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a day from today on, within a year."))
        return _back(request, _connection(request, connection))
    return _acted(request, connection, acts, signs_at=form.moment(request.organisation.time_zone))


@organisation_page(Permission.MANAGE_SIGN_IN)
@require_POST
@confirmed_first("sign_in_connection")
def move(request: OrganisationRequest, connection: UUID) -> HttpResponse:
    """Lead newcomers here, close the connection, or open it again."""
    acts: Acts = {
        "lead": (lead_newcomers_to, _("Newcomers are led here from now on.")),
        "close": (close_connection, _("Closed: nobody comes in by it any more, and its sessions have ended.")),
        "reopen": (reopen_connection, _("The connection is open again.")),
    }
    return _acted(request, connection, acts)


@organisation_page(Permission.VIEW_AUDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def required(request: OrganisationRequest) -> HttpResponse:
    """Show what requiring the company sign-in would mean; a POST requires it, or lets passwords in again."""
    if request.method == "POST":
        request.access.require(Permission.MANAGE_SIGN_IN)
        if not is_confirmed(request):
            return confirm_first(request, request.path)
        return _required_or_not(request)
    context = {
        "ready": readiness(request.organisation),
        "may_manage": request.access.allows(Permission.MANAGE_SIGN_IN),
    }
    return render(request, "sso/required.html", context)


def _required_or_not(request: OrganisationRequest) -> HttpResponse:
    actor, organisation = request.access.actor, request.organisation
    try:
        if request.POST.get("act") == "release":
            release_sign_in(actor=actor, organisation=organisation)
            messages.success(request, _("People with a password may use it again."))
        else:
            enforce_sign_in(actor=actor, organisation=organisation)
            messages.success(request, _("The company sign-in is required from now on."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("sign_in_required", org=organisation.slug)


@organisation_page(Permission.MANAGE_ROLES)
@require_POST
@confirmed_first("sign_in_required")
def glass(request: OrganisationRequest, user_id: int) -> HttpResponse:
    """Give an owner emergency access, or take it away."""
    give = request.POST.get("act") != "take"
    try:
        if give:
            give_break_glass(actor=request.access.actor, organisation=request.organisation, user_id=user_id)
            messages.success(request, _("This owner has emergency access now."))
        else:
            take_break_glass(actor=request.access.actor, organisation=request.organisation, user_id=user_id)
            messages.success(request, _("The emergency access is taken away."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("sign_in_required", org=request.organisation.slug)


def _acted(
    request: OrganisationRequest,
    public_id: UUID,
    acts: Acts,
    **values: object,
) -> HttpResponse:
    """Do what the button says, tell what came of it, and send what was written to the owners."""
    known = _connection(request, public_id)
    service, done = acts.get(request.POST.get("act", ""), (None, ""))
    if service is None:
        raise Http404
    try:
        service(actor=request.access.actor, organisation=request.organisation, connection=known, **values)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
        enqueue_on_commit(deliver_mail_of, request.organisation.pk)
    return _back(request, known)


def _connection(request: OrganisationRequest, public_id: UUID) -> Connection:
    known = connection_with(request.organisation, public_id)
    if known is None:
        raise Http404
    return known


def _back(request: OrganisationRequest, connection: Connection) -> HttpResponse:
    return redirect("sign_in_connection", org=request.organisation.slug, connection=connection.public_id)
