"""What every attempt leaves behind, under a short code: whether it failed and why, and for a week the message itself.

The message holds what the identity provider said of a person: it is sealed, only administrators read it, and each
reading stands in the audit.
"""

from __future__ import annotations

import base64
import binascii
import unicodedata
import zlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.sealing import keyed_digest, seal, unseal
from portal.core.tenancy import cursor_rows
from sso.codes import new_code
from sso.models import SignInTrace

if TYPE_CHECKING:
    import datetime as dt

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from sso.models import Connection
    from sso.saml.errors import SAMLError

RAW_PURPOSE = "sso-trace"
NAME_PURPOSE = "sso-name"
RAW_KEPT: Final = timedelta(days=7)
LONGEST_RAW: Final = 256 * 1024
_KEPT_DETAILS = ("received", "expected", "reason")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known of an attempt before anything of it is believed."""

    raw: str = ""
    request_id: str = ""
    client_address: str = ""
    purpose: str = "sign-in"


@dataclass(frozen=True, slots=True)
class Verified:
    """What the trace of a verified answer holds besides the request's own values."""

    code: str
    name_id: bytes | None
    client_address: str
    raw: bytes | None
    raw_until: dt.datetime
    details: dict[str, str] = field(default_factory=dict)


def verified_trace(
    *, organisation_id: int, posted: str, name_id: str, client_address: str, now: dt.datetime
) -> Verified:
    return Verified(
        code=new_code(organisation_id),
        name_id=name_digest(name_id) if name_id else None,
        client_address=client_address,
        raw=sealed_message(posted),
        raw_until=now + RAW_KEPT,
    )


def name_digest(name: str) -> bytes:
    """Return what a NameID or a session's index is found again by, however its accents and spaces were written."""
    return keyed_digest(unicodedata.normalize("NFC", name).strip(), purpose=NAME_PURPOSE)


NOTHING_KNOWN: Final = Attempt()


def sealed_message(posted: str) -> bytes | None:
    """Return a posted message as it is stored. One that is too long to be a message is not kept."""
    if not posted or len(posted) > LONGEST_RAW:
        return None
    try:
        content = base64.b64decode(posted, validate=True)
    except (binascii.Error, ValueError):
        content = posted.encode()
    return seal_bytes(content)


def seal_bytes(content: bytes) -> bytes:
    return seal(zlib.compress(content, 1), purpose=RAW_PURPOSE)


def kept_details(error: SAMLError) -> dict[str, str]:
    """Return what a trace keeps. The status message of an identity provider often names the person: it goes."""
    return {name: error.details[name].replace("\x00", "") for name in _KEPT_DETAILS if error.details.get(name)}


@transaction.atomic
def record_failure(
    *, connection: Connection, error: SAMLError, attempt: Attempt = NOTHING_KNOWN, code: str = ""
) -> SignInTrace:
    """Keep why an attempt failed under the short code that the person is shown.

    `code` is that of the trace that the attempt has already: an answer that was verified, and then led to nobody.
    """
    traces = SignInTrace.objects.filter(organisation_id=connection.organisation_id)
    if code and traces.filter(code=code, error="").update(error=error.code[:60], details=kept_details(error)):
        return traces.get(code=code)
    raw = sealed_message(attempt.raw)
    return SignInTrace.objects.create(
        organisation_id=connection.organisation_id,
        connection=connection,
        code=new_code(connection.organisation_id),
        error=error.code[:60],
        details=kept_details(error),
        purpose=attempt.purpose[:10],
        request_id=attempt.request_id[:80].replace("\x00", ""),
        client_address=attempt.client_address[:45],
        raw=raw,
        raw_until=timezone.now() + RAW_KEPT if raw else None,
    )


@transaction.atomic
def record_verdict(*, connection: Connection, request_id: str, error: SAMLError) -> None:
    """Write on the trace of a verified test what it nevertheless lacked."""
    traces = SignInTrace.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, request_id=request_id, purpose="test"
    )
    traces.filter(error="").update(error=error.code[:60], details=kept_details(error))


@transaction.atomic
def read_message(*, actor: Actor, organisation: Organisation, code: str) -> bytes:
    """Return the message of a trace, as it was posted, and record who read it.

    Raises:
        Refusal: `unknown_trace`, `message_gone`: it is older than a week, or there was none.
    """
    traces = SignInTrace.objects.filter(organisation_id=organisation.pk, code=code.strip().upper().replace("\x00", ""))
    trace = traces.first()
    if trace is None:
        raise Refusal("unknown_trace", _("There is no sign-in with this code."))
    kept = trace.raw if trace.raw_until and trace.raw_until > timezone.now() else None
    try:
        message = zlib.decompress(unseal(bytes(kept or b""), purpose=RAW_PURPOSE))
    except InvalidToken:
        raise Refusal("message_gone", _("The message itself is kept for a week; this one is gone.")) from None
    record_event(
        actor=actor, organisation_id=organisation.pk, action=Action.TRACE_READ, subject=trace.code, data={"raw": True}
    )
    return message


def forget_messages(*, organisation_id: int) -> None:
    """Delete the messages whose week is over; the traces stay."""
    cursor_rows(
        "UPDATE sso_signintrace SET raw = NULL, raw_until = NULL"
        " WHERE organisation_id = %s AND raw_until <= now() AND raw IS NOT NULL",
        [organisation_id],
    )
