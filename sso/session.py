"""From a login by the company account to a browser session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import login, logout

from portal.core.tenancy import organisation_scope
from portal.people.session import doors_used, open_one_door
from sso.models import SignInSession

if TYPE_CHECKING:
    from django.http import HttpRequest

    from portal.people.models import User
    from sso.models import Connection
    from sso.services import Login

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SESSION_INDEXES = "sso"
"""Connection → the identity provider's name for its own session: what a sign-out there will refer to."""


def start_session(request: HttpRequest, connection: Connection, signed_in: Login) -> None:
    """Sign the browser in; whoever else was signed in here is signed out first.

    Two accounts never become one because they met in a browser. The key of the session changes in every case: a key
    that somebody knew before opens nothing after.
    """
    again = request.user.is_authenticated and request.user.pk == signed_in.user.pk
    if request.user.is_authenticated and not again:
        logout(request)
    login(request, signed_in.user, backend=BACKEND)
    if again:
        # Django changes the key of a new login only.
        request.session.cycle_key()
    open_one_door(request.session, connection.organisation_id)
    indexes = request.session.get(SESSION_INDEXES, {})
    request.session[SESSION_INDEXES] = {**indexes, str(connection.public_id): signed_in.session_index}


def continue_as(request: HttpRequest, user: User) -> None:
    """Go on as the account that two of one person became; the doors that are open stay so, and no other opens."""
    doors, indexes = doors_used(request), request.session.get(SESSION_INDEXES, {})
    former = request.session.session_key
    if request.user.pk == user.pk:
        request.session.cycle_key()
    else:
        logout(request)
        login(request, user, backend=BACKEND)
    for organisation_id in doors:
        open_one_door(request.session, organisation_id)
        with organisation_scope(organisation_id):
            SignInSession.objects.filter(organisation_id=organisation_id, session_key=former, user=user).update(
                session_key=request.session.session_key
            )
    request.session[SESSION_INDEXES] = indexes
