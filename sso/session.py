"""From a login by the company account to a browser session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import login, logout

from portal.people.session import open_one_door

if TYPE_CHECKING:
    from django.http import HttpRequest

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
