"""Two ways into the set-up of a connection: an owner's session, and a set-up link.

A link leads to its organisation by a door, as a connection's id does; then its scope is entered and everything is
checked again. It never becomes a session: each request shows the token anew, and nothing but the set-up of the link's
own connection is behind it. The token is in the address, so no page of the set-up is kept by a browser or told to
another site.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache

from portal.core.access import Permission
from portal.core.tenancy import organisation_scope
from portal.organisations.models import DoorKind
from portal.organisations.selectors import organisations_behind, setup_link_held, setup_link_state
from portal.organisations.setup_links import link_actor, note_link_opened
from portal.people.admission import organisation_page
from sso.drafts import UNFINISHED
from sso.models import Connection
from sso.selectors import connection_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse, HttpResponseBase

    from portal.core.actor import Actor
    from portal.core.http import OrganisationRequest
    from portal.organisations.models import Organisation, SetupLink

AFTER_SWITCHING_ON = frozenset({"test", "tested", "activate"})
"""The steps that a connection which has been in use may still go through."""


@dataclass(slots=True)
class Setup:
    """Who sets up what, and by which way in; the connection is there once its product was chosen."""

    organisation: Organisation
    actor: Actor
    connection: Connection | None = None
    link: SetupLink | None = None
    token: str = ""

    def url(self, step: str = "") -> str:
        if self.link:
            return reverse("setup_step", args=[self.token, step]) if step else reverse("setup", args=[self.token])
        if self.connection is None:
            return reverse("sign_in_new", args=[self.organisation.slug])
        known = [self.organisation.slug, self.connection.public_id]
        return reverse("sign_in_setup_step", args=[*known, step]) if step else reverse("sign_in_setup", args=known)


def by_link(view: Callable[[HttpRequest, Setup, str], HttpResponse]) -> Callable[..., HttpResponse]:
    """Admit whoever holds a link that is still open; for all others there is one page, which names nobody."""

    @login_not_required
    @never_cache
    @wraps(view)
    def admitted(request: HttpRequest, token: str, step: str = "") -> HttpResponse:
        behind = organisations_behind(DoorKind.SETUP, token)
        if not behind:
            return _no_link(request, status=404)
        with organisation_scope(behind[0]):
            link = setup_link_held(behind[0], token)
            if link is None:
                return _no_link(request, status=404)
            connection = Connection.objects.filter(organisation_id=behind[0], setup_link=link).order_by("-id").first()
            if connection:
                connection.organisation = link.organisation
            if setup_link_state(link) not in {"unopened", "opened"} or not _settable(connection):
                return _no_link(request, status=410)
            note_link_opened(link=link)
            setup = Setup(link.organisation, link_actor(link), connection, link, token)
            return _private(view(request, setup, step))

    return admitted


def by_owner(view: Callable[[HttpRequest, Setup, str], HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Admit an owner to a connection of the organisation, or to none yet."""

    @organisation_page(Permission.MANAGE_SIGN_IN)
    @wraps(view)
    def admitted(request: OrganisationRequest, connection: UUID | None = None, step: str = "") -> HttpResponse:
        known = connection_with(request.organisation, connection) if connection else None
        if connection and (known is None or known.closed_at is not None):
            raise Http404
        if known and known.activated_at is not None and step not in AFTER_SWITCHING_ON:
            return redirect("sign_in_settings", org=request.organisation.slug)
        return view(request, Setup(request.organisation, request.access.actor, known), step)

    return admitted


def _settable(connection: Connection | None) -> bool:
    if connection is None:
        return True
    return connection.closed_at is None and connection.activated_at is None and connection.state in UNFINISHED


def _no_link(request: HttpRequest, *, status: int) -> HttpResponse:
    return _private(render(request, "sso/setup/no_link.html", status=status))


def _private(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, private=True, no_store=True)
    # Not "no-referrer": the browser would then hide the origin of our own forms from us.
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    return response
