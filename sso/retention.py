"""How long the leavings of sign-ins are kept: as long as they protect or explain something."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from sso.models import SignInRequest, SignInSession, SignInTrace, UsedAssertion
from sso.traces import forget_messages

REQUESTS_KEPT: Final = timedelta(hours=1)
"""Past its end a request still tells "too late" from "not ours"."""

TRACES_KEPT: Final = timedelta(days=30)


@transaction.atomic
def forget_sign_ins(*, organisation_id: int) -> None:
    """Delete old requests, used assertions, sessions and traces of an organisation, and answers that nobody fetched."""
    now = timezone.now()
    requests = SignInRequest.objects.filter(organisation_id=organisation_id)
    requests.filter(ticket_expires_at__lte=now, answer__isnull=False).update(answer=None)
    requests.filter(expires_at__lte=now - REQUESTS_KEPT).delete()
    UsedAssertion.objects.filter(organisation_id=organisation_id, expires_at__lte=now).delete()
    SignInSession.objects.filter(organisation_id=organisation_id, expires_at__lte=now).delete()
    forget_messages(organisation_id=organisation_id)
    SignInTrace.objects.filter(organisation_id=organisation_id, at__lte=now - TRACES_KEPT).delete()
