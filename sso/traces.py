"""The message of an attempt: sealed for a week, read by administrators only, and each reading stands in the audit."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import TYPE_CHECKING

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.sealing import seal, unseal
from sso.models import SignInTrace

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

RAW_PURPOSE = "sso-trace"


def sealed_message(posted: str) -> bytes | None:
    """Return a posted message as it is stored."""
    try:
        content = base64.b64decode(posted, validate=True)
    except (binascii.Error, ValueError):
        content = posted.encode()
    return seal(zlib.compress(content, 1), purpose=RAW_PURPOSE)


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
    try:
        if trace.raw is None or trace.raw_until is None or trace.raw_until <= timezone.now():
            raise InvalidToken  # noqa: TRY301  Both end in one sentence.
        message = zlib.decompress(unseal(bytes(trace.raw), purpose=RAW_PURPOSE))
    except InvalidToken:
        raise Refusal("message_gone", _("The message itself is kept for a week; this one is gone.")) from None
    record_event(
        actor=actor, organisation_id=organisation.pk, action=Action.TRACE_READ, subject=trace.code, data={"raw": True}
    )
    return message
