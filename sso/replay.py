"""What may be used once: our request, the assertion that answers it, and the ticket that carries the answer.

Each is taken by one statement that the database lets succeed once, in the transaction of the sign-in: of twenty
identical posts at the same moment, one passes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from sso.models import SignInRequest, UsedAssertion
from sso.saml.errors import SAMLError

if TYPE_CHECKING:
    import datetime as dt

    from sso.models import Connection
    from sso.saml.response import VerifiedAssertion

REQUEST_LIFETIME = timedelta(minutes=15)
TICKET_LIFETIME = timedelta(seconds=60)


def digest(secret: str) -> bytes:
    """Return what is stored in place of a nonce, a ticket or an id: it opens nothing if it is read."""
    return hashlib.sha256(secret.encode()).digest()


def waiting_request(connection: Connection, request_id: str, *, now: dt.datetime) -> SignInRequest:
    """Return our request that a message claims to answer.

    Raises:
        SAMLError: `request_unknown`, `request_expired`, `request_used`.
    """
    request = SignInRequest.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, request_id=request_id
    ).first()
    if request is None:
        raise SAMLError("request_unknown", received=request_id)
    if request.answered_at is not None:
        raise SAMLError("request_used")
    if request.expires_at <= now:
        raise SAMLError("request_expired", received=request.sent_at.isoformat())
    return request


def take_request(request: SignInRequest, answer: bytes, *, now: dt.datetime) -> str:
    """Keep the sealed answer with the request, once, and return the ticket that leads to it.

    Raises:
        SAMLError: `request_used`: another message answered it first.
    """
    ticket = secrets.token_urlsafe(32)
    taken = SignInRequest.objects.filter(pk=request.pk, answered_at__isnull=True).update(
        answer=answer, answered_at=now, ticket=digest(ticket), ticket_expires_at=now + TICKET_LIFETIME
    )
    if not taken:
        raise SAMLError("request_used")
    return ticket


def remember_assertion(connection: Connection, assertion: VerifiedAssertion) -> None:
    """Note that an assertion was used, until it would be refused as expired anyway.

    Raises:
        SAMLError: `replay`.
    """
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(
                organisation_id=connection.organisation_id,
                connection=connection,
                digest=digest(assertion.assertion_id),
                expires_at=assertion.not_on_or_after,
            )
    except IntegrityError:
        raise SAMLError("replay") from None


def take_ticket(connection: Connection, ticket: str, nonce: str, *, now: dt.datetime) -> SignInRequest:
    """Return the answered request that a ticket leads to, once, and only to the browser that asked.

    Raises:
        SAMLError: `ticket_unknown`, `ticket_expired`, `ticket_used`, `browser_mismatch`.
    """
    request = SignInRequest.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, ticket=digest(ticket)
    ).first()
    if request is None or request.ticket_expires_at is None:
        raise SAMLError("ticket_unknown")
    # Before it is used: a link that someone else was made to open must not spoil the sign-in of its owner.
    if not hmac.compare_digest(bytes(request.browser), digest(nonce)):
        raise SAMLError("browser_mismatch")
    if request.finished_at is not None:
        raise SAMLError("ticket_used")
    if request.ticket_expires_at <= now:
        raise SAMLError("ticket_expired")
    taken = SignInRequest.objects.filter(pk=request.pk, finished_at__isnull=True).update(finished_at=now, answer=None)
    if not taken:
        raise SAMLError("ticket_used")
    return request
