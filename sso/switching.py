"""Several connections side by side, for a migration: which one leads newcomers, which one lets nobody in any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from sso.models import Connection, SignInSession
from sso.selectors import open_connections

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

_BATCH: Final = 1_000


@transaction.atomic
def lead_newcomers_to(*, actor: Actor, organisation: Organisation, connection: Connection) -> None:
    """Lead whoever comes by the front door to this connection; the addresses of the others go on working.

    Raises:
        Refusal: `not_open`.
    """
    now = timezone.now()
    if not open_connections(organisation.pk).filter(pk=connection.pk).update(leads_since=now):
        raise Refusal("not_open", _("This connection lets nobody in yet: switch it on first."))
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_CHOSEN,
        subject=str(connection.public_id),
    )


@transaction.atomic
def close_connection(*, actor: Actor, organisation: Organisation, connection: Connection) -> None:
    """Let nobody in by this connection any more, and end the sessions that began there.

    Raises:
        Refusal: `last_open`: the company sign-in is required, and there would be no other.
    """
    # Locked together, so that two owners do not close the last two at once.
    opened = [each.pk for each in open_connections(organisation.pk).select_for_update()]
    if organisation.sign_in_enforced_at is not None and opened == [connection.pk]:
        message = _("The company sign-in is required, and this is the last connection: require it no longer first.")
        raise Refusal("last_open", message)
    live = Connection.objects.filter(organisation_id=organisation.pk, pk=connection.pk, closed_at__isnull=True)
    if not live.update(closed_at=timezone.now()):
        return
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_CLOSED,
        subject=str(connection.public_id),
        data={"sessions": end_sessions_of(connection)},
    )


@transaction.atomic
def reopen_connection(*, actor: Actor, organisation: Organisation, connection: Connection) -> None:
    """Let people in again by a connection that was closed, if it did before."""
    closed = Connection.objects.filter(organisation_id=organisation.pk, pk=connection.pk, closed_at__isnull=False)
    if closed.update(closed_at=None):
        record_event(
            actor=actor,
            organisation_id=organisation.pk,
            action=Action.CONNECTION_ACTIVATED,
            subject=str(connection.public_id),
            data={"reopened": True},
        )


def end_sessions_of(connection: Connection) -> int:
    """End every browser session that began by a connection, and return how many."""
    began = SignInSession.objects.filter(organisation_id=connection.organisation_id, connection=connection)
    keys = list(began.values_list("session_key", flat=True))
    for start in range(0, len(keys), _BATCH):
        Session.objects.filter(session_key__in=keys[start : start + _BATCH]).delete()
    began.delete()
    return len(keys)
