"""What holds for every request: the session is still welcome, and staff have a second factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404
from django.shortcuts import redirect
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _

from portal.people.models import User
from portal.people.session import came_by_password, still_holds

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

_CLOSED = ("/account/signup/", "/account/email/", "/account/password/set/", "/account/confirm-email/")
_OPEN_PATHS = ("/static/", "/healthz", "/readyz", "/metrics")


class SessionStillValid:
    """End a session whose person was deactivated, at their next request: nobody has to find it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if request.path.startswith(_OPEN_PATHS) or not isinstance(user, User) or still_holds(request, user):
            return self.get_response(request)
        logout(request)
        messages.info(request, _("Your access has ended. If this is a mistake, ask your organisation's HR."))
        return redirect("front_door")


class OwnAccountOnly:
    """Keep the pages of passwords and second factors to those who signed in by them.

    Whoever came by their company gets none of them: what they set here would outlive what the company decides. Nobody
    signs up here, and the address of an account is its name, which does not change.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path
        by_company = isinstance(request.user, User) and not came_by_password(request)
        if path.startswith(_CLOSED) or (path.startswith("/account/") and by_company and path != "/account/logout/"):
            raise Http404
        return self.get_response(request)


class PrivatePages:
    """Tell browsers and proxies to keep nothing of what a signed-in person sees: computers are shared."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(request.user, User) and not request.path.startswith("/static/"):
            patch_cache_control(response, private=True, no_store=True)
        return response


class SecondFactor:
    """Let an account with a password go nowhere but to its own security page until it has a second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if (
            not settings.STAFF_SECOND_FACTOR
            or request.path.startswith((*_OPEN_PATHS, "/account/", "/i18n/"))
            or not isinstance(user, User)
            or not user.has_usable_password()
            or is_mfa_enabled(user)
        ):
            return self.get_response(request)
        messages.info(request, _("Add a second factor first: this account can see other people's data."))
        return redirect("mfa_index")
