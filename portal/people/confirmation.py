"""Asking again before something sensitive: whether the person at this browser has just shown who they are.

How it is asked stands higher: by the second factor for those who have one here, by their company for the others
(`sso.confirming`). What both leave in the session is one moment, and it is forgotten after ten minutes.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.sessions.backends.base import SessionBase
    from django.http import HttpResponseBase

    from portal.core.http import OrganisationRequest

P = ParamSpec("P")

CONFIRMED: Final = "confirmed_at"
CONFIRMED_SECONDS: Final = 10 * 60


def note_confirmed(session: SessionBase) -> None:
    session[CONFIRMED] = timezone.now().timestamp()


def is_confirmed(session: SessionBase) -> bool:
    at = session.get(CONFIRMED)
    return isinstance(at, int | float) and 0 <= timezone.now().timestamp() - at < CONFIRMED_SECONDS


def confirm_first(request: OrganisationRequest, page: str) -> HttpResponseRedirect:
    """Lead to where the person is asked again; they come back to `page`, a path of ours."""
    where = reverse("sign_in_confirm", args=[request.organisation.slug])
    return HttpResponseRedirect(f"{where}?{urlencode({'next': page})}")


def confirmed_first(
    page: str,
) -> Callable[
    [Callable[Concatenate[OrganisationRequest, P], HttpResponseBase]],
    Callable[Concatenate[OrganisationRequest, P], HttpResponseBase],
]:
    """Do what the view does only when the person was asked again; `page` names where they press the button again.

    A file that was posted is not kept meanwhile: what is sensitive is done once, knowingly, after the question.
    """

    def decorate(
        view: Callable[Concatenate[OrganisationRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[OrganisationRequest, P], HttpResponseBase]:
        @wraps(view)
        def asked(request: OrganisationRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if is_confirmed(request.session):
                return view(request, *args, **kwargs)
            named = {"connection": kwargs["connection"]} if page == "sign_in_connection" else {}
            return confirm_first(request, reverse(page, kwargs={"org": request.organisation.slug, **named}))

        return asked

    return decorate
