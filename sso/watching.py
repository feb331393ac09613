"""Looking at an attempt from the programme's side: recorded, and visible to the organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from portal.audit.actions import Action
from portal.audit.services import record_event

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from sso.models import SignInTrace


@transaction.atomic
def note_attempt_seen(*, actor: Actor, organisation: Organisation, trace: SignInTrace) -> None:
    """Record that an account manager opened an attempt; whose it was is not shown to them."""
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.TRACE_READ,
        subject=trace.code,
        data={"raw": False},
    )
