"""Asking again before something sensitive: whether the person at this browser has just shown who they are.

How it is asked stands higher: by the second factor for those who have one here, by their company for the others
(`sso.confirming`). What both leave in the session is one moment, and it is forgotten after ten minutes. A company
speaks for itself alone: that a person showed there who they are says nothing to another one.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from portal.people.session import came_by_password

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.sessions.backends.base import SessionBase
    from django.http import HttpRequest, HttpResponseBase

    from portal.core.http import OrganisationRequest

P = ParamSpec("P")

CONFIRMED: Final = "confirmed_at"
CONFIRMED_SECONDS: Final = 10 * 60
_BY_PORTAL: Final = "portal"
PROOF_SECONDS: Final = 5 * 60
"""A second factor that was given so recently, be it to come in, is not asked for twice."""


def note_confirmed(session: SessionBase, *organisation_ids: int) -> None:
    """Note that the person was asked just now: by these organisations, or by the portal itself, for all of them."""
    moments = session.get(CONFIRMED)
    now = timezone.now().timestamp()
    asked = {str(each): now for each in organisation_ids} or {_BY_PORTAL: now}
    session[CONFIRMED] = {**(moments if isinstance(moments, dict) else {}), **asked}


def is_confirmed(request: OrganisationRequest) -> bool:
    """Say whether the person need not be asked: they were, or have just given their second factor to come in."""
    moments, now = request.session.get(CONFIRMED), timezone.now().timestamp()
    known = moments if isinstance(moments, dict) else {}
    if any(0 <= now - known.get(by, 0) < CONFIRMED_SECONDS for by in (str(request.organisation.pk), _BY_PORTAL)):
        return True
    if not (came_by_password(request) and has_proof(request)):
        return False
    note_confirmed(request.session)
    return True


def has_proof(request: HttpRequest) -> bool:
    """Say whether the second factor, or the password of whoever has none yet, was given in this session just now."""
    method = "mfa" if is_mfa_enabled(request.user) else "password"
    now = timezone.now().timestamp()
    records = get_authentication_records(request, request.user)
    return any(each.get("method") == method and 0 <= now - each.get("at", 0) < PROOF_SECONDS for each in records)


def confirm_first(request: OrganisationRequest, page: str) -> HttpResponseRedirect:
    """Lead to where the person is asked again; they come back to `page`, a path of ours."""
    where = reverse("sign_in_confirm", args=[request.organisation.slug])
    return HttpResponseRedirect(f"{where}?{urlencode({'next': page})}")


def confirmed_first(
    page: str,
) -> Callable[
    [Callable[Concatenate[OrganisationRequest, P], HttpResponseBase]],
    Callable[..., HttpResponseBase],
]:
    """Do what the view does only when the person was asked again; `page` names where they press the button again.

    A file that was posted is not kept meanwhile: what is sensitive is done once, knowingly, after the question.
    """

    def decorate(
        view: Callable[Concatenate[OrganisationRequest, P], HttpResponseBase],
    ) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def asked(request: OrganisationRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if is_confirmed(request):
                return view(request, *args, **kwargs)
            named = {"connection": kwargs["connection"]} if page == "sign_in_connection" else {}
            return confirm_first(request, reverse(page, kwargs={"org": request.organisation.slug, **named}))

        return asked

    return decorate
