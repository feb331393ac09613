"""From a login by the company account to a browser session, and from a sign-out to its end."""

from __future__ import annotations

import datetime as dt
import json
from importlib import import_module
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, logout
from django.middleware.csrf import rotate_token
from django.utils import timezone

from portal.core.sealing import seal
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.people.session import close_doors, doors_used, open_one_door
from sso.memory import remember_sign_in, remembered
from sso.models import SignInSession
from sso.traces import NAME_PURPOSE, name_digest

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase
    from django.http import HttpRequest

    from portal.people.models import User
    from sso.models import Connection
    from sso.services import Login

BACKEND: Final = "allauth.account.auth_backends.AuthenticationBackend"
CONNECTIONS: Final = "sso"
"""Connection → its organisation: the identity providers by which this browser session was opened."""


def start_session(request: HttpRequest, connection: Connection, signed_in: Login) -> None:
    """Sign the browser in; whoever else was signed in here is signed out first.

    Two accounts never become one because they met in a browser. The key of the session changes in every case: a key
    that somebody knew before opens nothing after. What Django's `login` does is done here in its order, so that the
    session is written once, complete, in the transaction of the sign-in.
    """
    user, session, before = signed_in.user, request.session, remembered(request)
    again = request.user.is_authenticated and request.user.pk == user.pk
    if not again and SESSION_KEY in session:
        logout(request)
    known = connections_of(session) if again else {}
    former = session.session_key or ""
    _begin(session, user)
    remember_sign_in(session, connection, user, before)
    open_one_door(session, connection.organisation_id)
    session[CONNECTIONS] = {**known, str(connection.public_id): connection.organisation_id}
    expires_at = _shortened(session, signed_in.answer.session_end)
    session.cycle_key()
    request.user = user
    rotate_token(request)
    key = session.session_key or ""
    _note_session(connection, signed_in, key=key, former=former if known else "", expires_at=expires_at)
    for organisation_id in sorted(set(known.values())):
        with organisation_scope(organisation_id):
            _follow_key(organisation_id, user_id=user.pk, former=former, key=key)


def continue_as(request: HttpRequest, user: User) -> None:
    """Go on as the account that two of one person became; the doors that are open stay so, and no other opens."""
    doors, known = doors_used(request), connections_of(request.session)
    former = request.session.session_key or ""
    if request.user.pk != user.pk:
        logout(request)
    session = request.session
    _begin(session, user)
    session[CONNECTIONS] = known
    for organisation_id in doors:
        open_one_door(session, organisation_id)
    session.cycle_key()
    request.user = user
    rotate_token(request)
    for organisation_id in doors:
        with organisation_scope(organisation_id):
            _follow_key(organisation_id, user_id=user.pk, former=former, key=session.session_key or "")


def _begin(session: SessionBase, user: User) -> None:
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()


def connections_of(session: SessionBase) -> dict[str, int]:
    """Return the connections by which this session was opened, with their organisations."""
    known = session.get(CONNECTIONS)
    return dict(known) if isinstance(known, dict) else {}


def end_session(session_key: str, *, user_id: int, connection: Connection) -> None:
    """Close what a connection opened in a browser session, and end the session when nothing else is open in it."""
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    if store.get(SESSION_KEY) != str(user_id):
        # It has ended already, or it is no longer theirs.
        return
    left = connections_of(store)
    left.pop(str(connection.public_id), None)
    if not left:
        store.delete()
        return
    store[CONNECTIONS] = left
    close_doors(store, keep=set(left.values()))
    store.save()


def _note_session(connection: Connection, signed_in: Login, *, key: str, former: str, expires_at: dt.datetime) -> None:
    """Keep what a sign-out on either side needs, and finish the trace and the identity, by one statement."""
    answer = signed_in.answer
    name = {**vars(answer.name), "session_index": answer.session_index}
    cursor_rows(
        """
        WITH replaced AS (
            DELETE FROM sso_signinsession
            WHERE organisation_id = %(organisation)s AND connection_id = %(connection)s AND user_id = %(user)s
              AND session_key = %(former)s
        ), traced AS (
            UPDATE sso_signintrace SET user_id = %(user)s
            WHERE organisation_id = %(organisation)s AND code = %(trace)s
        ), seen AS (
            UPDATE sso_identity SET email = %(email)s, employee_number = %(number)s, last_seen_at = %(now)s
            WHERE organisation_id = %(organisation)s AND id = %(identity)s
        )
        INSERT INTO sso_signinsession (organisation_id, connection_id, user_id, session_key, name_id, session_index,
                                       sealed, started_at, expires_at)
        VALUES (%(organisation)s, %(connection)s, %(user)s, %(key)s, %(name)s, %(index)s, %(sealed)s, %(now)s,
                %(until)s)
        """,
        {
            "organisation": connection.organisation_id,
            "connection": connection.pk,
            "user": signed_in.user.pk,
            "former": former,
            "trace": answer.trace,
            "email": signed_in.email,
            "number": signed_in.number,
            "identity": signed_in.identity_id,
            "now": timezone.now(),
            "key": key,
            "name": name_digest(answer.name.name_id),
            "index": name_digest(answer.session_index) if answer.session_index else None,
            "sealed": seal(json.dumps(name).encode(), purpose=NAME_PURPOSE),
            "until": expires_at,
        },
    )


def _follow_key(organisation_id: int, *, user_id: int, former: str, key: str) -> None:
    """Let the records of the other doors of this browser session follow its new key."""
    SignInSession.objects.filter(organisation_id=organisation_id, user_id=user_id, session_key=former).update(
        session_key=key
    )


def _shortened(session: SessionBase, end: str) -> dt.datetime:
    """Let the session end with the one at the identity provider, if that says when, and not after our own hours."""
    now = timezone.now()
    seconds = settings.SESSION_COOKIE_AGE
    if end:
        there = int((dt.datetime.fromisoformat(end) - now).total_seconds())
        if 60 <= there < seconds:
            seconds = there
            session.set_expiry(seconds)
    return now + dt.timedelta(seconds=seconds)
