"""Signing out, from either side: what an identity provider asks of us, and what we ask of it.

A sign-out at one connection ends what that connection opened and nothing else. An identity provider's request is
carried by a hidden frame of its own page, where our cookie does not arrive: the session is found by connection, NameID
and SessionIndex, never by a cookie.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from portal.audit.actions import Action
from portal.audit.services import Fact, record_event, record_events
from portal.core.actor import SYSTEM
from portal.core.sealing import unseal
from portal.core.tenancy import cursor_rows
from portal.people.selectors import user_actor
from sso.models import Connection, SignInRequest, SignInSession, SignInTrace
from sso.parties import identity_provider, service_provider
from sso.replay import LOGOUT, REQUEST_LIFETIME, digest, take_sign_out, use_message
from sso.saml.errors import SAMLError
from sso.saml.logout import (
    SignOutName,
    sign_out_answer,
    sign_out_request,
    verify_answer,
    verify_request,
)
from sso.saml.request import new_request_id
from sso.session import end_session
from sso.traces import NAME_PURPOSE, RAW_KEPT, name_digest, new_code, seal_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portal.organisations.models import Organisation
    from portal.people.models import User
    from sso.saml.bindings import SignInRedirect
    from sso.saml.logout import Received, VerifiedRequest

BY_PROVIDER = "identity provider"
BY_PERSON = "person"
BY_ROSTER = "roster"


@dataclass(frozen=True, slots=True)
class Leaving:
    """A session that has ended here; `going` leads to the identity provider, where its own session may still last."""

    connection: Connection
    going: SignInRedirect | None


@transaction.atomic
def end_as_asked(*, connection: Connection, received: Received, client_address: str = "") -> SignInRedirect | None:
    """End the sessions that an identity provider names, and return our answer to it, if it has an address for one.

    When nobody is signed in under that name, what it wants is so already: it is told the same, and the trace says that
    nothing was found.

    Raises:
        SAMLError: with the code of the catalogue.
    """
    now = timezone.now()
    sp, idp = service_provider(connection), identity_provider(connection)
    wanted = verify_request(received, sp=sp, idp=idp, now=now)
    use_message(connection, wanted.request_id, until=wanted.usable_until)
    ended = _end(connection, _named(connection, wanted), by=BY_PROVIDER)
    SignInTrace.objects.create(
        organisation_id=connection.organisation_id,
        connection=connection,
        code=new_code(),
        error="" if ended else "logout_no_session",
        details={},
        purpose=LOGOUT,
        user_id=ended[0] if len(ended) == 1 else None,
        name_id=name_digest(wanted.name_id),
        request_id=wanted.request_id[:80],
        certificate=wanted.certificate,
        client_address=client_address[:45],
        raw=seal_bytes(received.xml),
        raw_until=now + RAW_KEPT,
    )
    if not idp.slo_url:
        return None
    return sign_out_answer(
        sp,
        idp,
        message_id=new_request_id(),
        in_response_to=wanted.request_id,
        relay_state=received.relay_state,
        now=now,
    )


@transaction.atomic
def leave_connection(*, user: User, connection: Connection, session_key: str) -> Leaving:
    """End here what this connection opened in one browser session, and say how to end it there as well.

    The caller ends the browser session itself. Our request is signed, names the session, and is answered once.
    """
    rows = SignInSession.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, user=user, session_key=session_key
    )
    latest = rows.order_by("-id").first()
    rows.delete()
    record_event(
        actor=user_actor(user),
        organisation_id=connection.organisation_id,
        action=Action.PERSON_SIGNED_OUT,
        subject=str(user.pk),
        data={"connection": str(connection.public_id), "by": BY_PERSON},
    )
    return Leaving(connection, _request(connection, latest) if latest and connection.idp_slo_url else None)


@transaction.atomic
def note_answer(*, connection: Connection, received: Received) -> None:
    """Take what an identity provider says became of our request: nothing when its session has ended as well.

    Raises:
        SAMLError: with the code of the catalogue; `logout_partial`: it says that something is still open.
    """
    answer = verify_answer(
        received, sp=service_provider(connection), idp=identity_provider(connection), now=timezone.now()
    )
    take_sign_out(connection, answer.in_response_to)
    if not answer.success:
        raise SAMLError("logout_partial", received=answer.status)


@transaction.atomic
def end_sessions_of_leavers(*, organisation: Organisation) -> int:
    """End the sessions of people whom the roster no longer has as active, and return how many.

    They were refused from the moment on: every request asks. This removes what is left of them.
    """
    rows = cursor_rows(
        """
        SELECT s.id FROM sso_signinsession s
        JOIN people_affiliation a ON a.organisation_id = s.organisation_id AND a.user_id = s.user_id
        JOIN people_employee e ON e.organisation_id = s.organisation_id AND e.id = a.employee_id
        WHERE s.organisation_id = %(organisation)s AND NOT e.active AND NOT EXISTS (
            SELECT FROM people_membership m WHERE m.organisation_id = s.organisation_id AND m.role = 'owner'
            HAVING count(*) = 1 AND min(m.user_id) = s.user_id)
        """,
        {"organisation": organisation.pk},
    )
    sessions = SignInSession.objects.filter(organisation_id=organisation.pk, pk__in=[row[0] for row in rows])
    by_connection: dict[int, list[SignInSession]] = {}
    for session in sessions.select_related("connection"):
        by_connection.setdefault(session.connection_id, []).append(session)
    for found in by_connection.values():
        _end(found[0].connection, found, by=BY_ROSTER)
    return len(rows)


def _named(connection: Connection, wanted: VerifiedRequest) -> list[SignInSession]:
    """Return the sessions of the person; of several, those that the message names by their index.

    One for which no index was given at its sign-in cannot be told apart: it ends with the others.
    """
    sessions = SignInSession.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, name_id=name_digest(wanted.name_id)
    )
    if wanted.session_indexes:
        indexes = [name_digest(index) for index in wanted.session_indexes]
        sessions = sessions.filter(Q(session_index__in=indexes) | Q(session_index__isnull=True))
    return list(sessions)


def _end(connection: Connection, sessions: Iterable[SignInSession], *, by: str) -> list[int]:
    """End these sessions of one connection and return whose they were."""
    known = list(sessions)
    for session in known:
        end_session(session.session_key, user_id=session.user_id, connection=connection)
    SignInSession.objects.filter(
        organisation_id=connection.organisation_id, pk__in=[session.pk for session in known]
    ).delete()
    people = sorted({session.user_id for session in known})
    if people:
        data = {"connection": str(connection.public_id), "by": by}
        record_events(
            actor=SYSTEM,
            organisation_id=connection.organisation_id,
            facts=[Fact(Action.PERSON_SIGNED_OUT, str(user_id), data) for user_id in people],
        )
    return people


def _request(connection: Connection, session: SignInSession) -> SignInRedirect | None:
    try:
        name = json.loads(unseal(bytes(session.sealed), purpose=NAME_PURPOSE))
        sp = service_provider(connection)
    except (InvalidToken, SAMLError):
        # A key changed within these hours: the session here has ended, the other one we can no longer name.
        return None
    if not name["name_id"]:
        return None
    now = timezone.now()
    request = SignInRequest.objects.create(
        organisation_id=connection.organisation_id,
        connection=connection,
        request_id=new_request_id(),
        # No ticket comes of it, and so no browser fetches one.
        browser=digest(secrets.token_urlsafe(32)),
        purpose=LOGOUT,
        expires_at=now + REQUEST_LIFETIME,
    )
    index = name.pop("session_index")
    return sign_out_request(
        sp,
        identity_provider(connection),
        SignOutName(**name),
        session_index=index,
        request_id=request.request_id,
        relay_state="",
        now=now,
    )
