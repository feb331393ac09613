"""What may be used once: our request, the assertion that answers it, and the ticket that carries the answer.

Each is taken by one statement that the database lets succeed once, in the transaction of the sign-in: of twenty
identical posts at the same moment, one passes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from portal.core.tenancy import cursor_rows
from sso.models import SignInRequest
from sso.saml.errors import SAMLError

if TYPE_CHECKING:
    import datetime as dt

    from sso.models import Connection
    from sso.saml.response import VerifiedAssertion
    from sso.traces import Verified

LOGOUT = "logout"
"""The purpose of a request that asks for a sign-out: no sign-in answers it."""

REQUEST_LIFETIME = timedelta(minutes=15)
TICKET_LIFETIME = timedelta(seconds=60)


def digest(secret: str) -> bytes:
    """Return what is stored in place of a nonce, a ticket or an id: it opens nothing if it is read."""
    return hashlib.sha256(secret.encode()).digest()


def require_waiting(connection: Connection, request_id: str, *, now: dt.datetime) -> SignInRequest:
    """Return our request that a message claims to answer, or say why it does not wait.

    Raises:
        SAMLError: `request_unknown`, `request_expired`, `request_used`.
    """
    request = SignInRequest.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, request_id=request_id
    ).first()
    if request is None or request.purpose == LOGOUT:
        raise SAMLError("request_unknown", received=request_id)
    if request.answered_at is not None:
        raise SAMLError("request_used")
    if request.expires_at <= now:
        raise SAMLError("request_expired", received=request.sent_at.isoformat())
    return request


@dataclass(frozen=True, slots=True)
class Ticket:
    """What carries an answer on, and for which purpose: `TEST` signs nobody in."""

    code: str
    purpose: str


def keep_answer(
    connection: Connection,
    assertion: VerifiedAssertion,
    answer: bytes,
    trace: Verified,
    *,
    only: str,
    now: dt.datetime,
) -> Ticket:
    """Keep the sealed answer with the request that it answers, once, and return the ticket that leads to it.

    With `only`, a request for another purpose is not answered.

    One statement uses the request and the assertion up and leaves the trace. It need not have reached the disk when we
    answer: nobody is signed in yet, and the transaction that signs somebody in waits for all that came before it. After
    a crash in between, the ticket is unknown and the person starts again.

    Raises:
        SAMLError: `replay`: the assertion was used before; as `require_waiting`.
    """
    ticket = secrets.token_urlsafe(32)
    ((unused, purpose, _no_wait),) = cursor_rows(
        """
        WITH used AS (
            INSERT INTO sso_usedassertion (organisation_id, connection_id, digest, expires_at)
            VALUES (%(organisation)s, %(connection)s, %(assertion)s, %(until)s) ON CONFLICT DO NOTHING RETURNING 1
        ), taken AS (
            UPDATE sso_signinrequest
            SET answer = %(answer)s, answered_at = %(now)s, ticket = %(ticket)s, ticket_expires_at = %(ticket_until)s
            WHERE organisation_id = %(organisation)s AND connection_id = %(connection)s
              AND request_id = %(request_id)s AND answered_at IS NULL AND expires_at > %(now)s
              AND purpose <> %(logout)s AND (%(only)s = '' OR purpose = %(only)s) AND EXISTS (SELECT FROM used)
            RETURNING purpose
        ), traced AS (
            INSERT INTO sso_signintrace (organisation_id, connection_id, code, error, details, purpose, name_id,
                                         request_id, assertion, certificate, client_address, raw, raw_until, at)
            SELECT %(organisation)s, %(connection)s, %(code)s, '', %(details)s::jsonb, taken.purpose, %(name_id)s,
                   %(request_id)s, %(assertion)s, %(certificate)s, %(client)s, %(raw)s, %(raw_until)s, %(now)s
            FROM taken
        )
        SELECT (SELECT count(*) FROM used), (SELECT purpose FROM taken),
               set_config('synchronous_commit', 'off', true)
        """,
        {
            "organisation": connection.organisation_id,
            "connection": connection.pk,
            "assertion": digest(assertion.assertion_id),
            "until": assertion.not_on_or_after,
            "answer": answer,
            "now": now,
            "ticket": digest(ticket),
            "ticket_until": now + TICKET_LIFETIME,
            "logout": LOGOUT,
            "only": only,
            "code": trace.code,
            "details": json.dumps(trace.details),
            "name_id": trace.name_id,
            "request_id": assertion.in_response_to,
            "certificate": assertion.certificate,
            "client": trace.client_address[:45],
            "raw": trace.raw,
            "raw_until": trace.raw_until,
        },
    )
    if purpose is None:
        require_waiting(connection, assertion.in_response_to, now=now)
        # Of two at the same moment, the second finds the assertion used or the request answered.
        raise SAMLError("request_used" if unused else "replay")
    return Ticket(ticket, purpose)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a ticket led to."""

    request: SignInRequest
    answer: bytes


def take_ticket(connection: Connection, ticket: str, nonce: str, purpose: str, *, now: dt.datetime) -> Taken:
    """Return the answered request that a ticket leads to, once, and only to the browser that asked.

    Raises:
        SAMLError: `ticket_unknown`, `ticket_expired`, `ticket_used`, `browser_mismatch`.
    """
    rows = cursor_rows(
        """
        WITH found AS (
            SELECT id, request_id, next_path, answer FROM sso_signinrequest
            WHERE organisation_id = %(organisation)s AND connection_id = %(connection)s AND ticket = %(ticket)s
              AND browser = %(browser)s AND purpose = %(purpose)s AND finished_at IS NULL
              AND ticket_expires_at > %(now)s
            FOR UPDATE
        )
        UPDATE sso_signinrequest taken SET finished_at = %(now)s, answer = NULL FROM found
        WHERE taken.organisation_id = %(organisation)s AND taken.id = found.id
        RETURNING found.id, found.request_id, found.next_path, found.answer
        """,
        {
            "organisation": connection.organisation_id,
            "connection": connection.pk,
            "ticket": digest(ticket),
            "browser": digest(nonce),
            "purpose": purpose,
            "now": now,
        },
    )
    if not rows:
        raise _why_not(connection, ticket, nonce, purpose, now)
    ((request_pk, request_id, next_path, answer),) = rows
    request = SignInRequest(
        pk=request_pk,
        organisation_id=connection.organisation_id,
        connection=connection,
        request_id=request_id,
        next_path=next_path,
        purpose=purpose,
        finished_at=now,
    )
    return Taken(request, bytes(answer or b""))


def _why_not(connection: Connection, ticket: str, nonce: str, purpose: str, now: dt.datetime) -> SAMLError:
    """Say why a ticket opens nothing: only then is it read once more."""
    request = SignInRequest.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, ticket=digest(ticket), purpose=purpose
    ).first()
    if request is None or request.ticket_expires_at is None:
        return SAMLError("ticket_unknown")
    # First of all: a link that someone else was made to open must not tell them more.
    if not hmac.compare_digest(bytes(request.browser), digest(nonce)):
        return SAMLError("browser_mismatch")
    expired = request.finished_at is None and request.ticket_expires_at <= now
    return SAMLError("ticket_expired" if expired else "ticket_used")


def use_message(connection: Connection, message_id: str, *, until: dt.datetime) -> None:
    """Note that a sign-out was asked for, until the message would be too old anyway.

    Raises:
        SAMLError: `replay`.
    """
    rows = cursor_rows(
        "INSERT INTO sso_usedassertion (organisation_id, connection_id, digest, expires_at)"
        " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING 1",
        [connection.organisation_id, connection.pk, digest(f"{LOGOUT}:{message_id}"), until],
    )
    if not rows:
        raise SAMLError("replay")


def take_sign_out(connection: Connection, request_id: str) -> None:
    """Use up the request for a sign-out that an answer names.

    Raises:
        SAMLError: `request_unknown`, `request_expired`, `request_used`.
    """
    now = timezone.now()
    ours = SignInRequest.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, request_id=request_id, purpose=LOGOUT
    )
    if ours.filter(answered_at__isnull=True, expires_at__gt=now).update(answered_at=now, finished_at=now):
        return
    request = ours.first()
    if request is None:
        raise SAMLError("request_unknown", received=request_id)
    raise SAMLError("request_used" if request.answered_at else "request_expired")
