"""Set-up links: how a partner's IT connects its identity provider without an account.

The token is shown once, to whoever creates the link; only its digest is kept. A link that was completed, withdrawn or
has expired keeps its door, so that whoever opens it can be told to ask for another; nothing else is behind it.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.actor import Actor, ActorKind
from portal.core.errors import Refusal
from portal.organisations.models import DoorKind, SetupLink
from portal.organisations.selectors import door_digest
from portal.organisations.services import open_door

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

LIFETIME: Final = timedelta(days=14)
MOST_OPEN: Final = 20


@transaction.atomic
def create_setup_link(*, actor: Actor, organisation: Organisation, recipient: str = "") -> tuple[SetupLink, str]:
    """Make a link for the partner's IT and return it with its token, which nobody can read again.

    Raises:
        Refusal: `too_many_links`: so many are open that nobody could still say who holds them.
    """
    now = timezone.now()
    links = SetupLink.objects.filter(organisation_id=organisation.pk)
    still_open = links.filter(completed_at=None, revoked_at=None, expires_at__gt=now)
    if still_open.count() >= MOST_OPEN:
        message = _("%(count)s set-up links are open. Withdraw those that are not needed any more.")
        raise Refusal("too_many_links", message % {"count": MOST_OPEN})
    token = secrets.token_urlsafe(32)
    link = SetupLink.objects.create(
        organisation=organisation,
        digest=door_digest(token),
        recipient=" ".join(recipient.split())[:200],
        created_by=actor.name[:200],
        expires_at=now + LIFETIME,
    )
    open_door(kind=DoorKind.SETUP, key=token, organisation_id=organisation.pk)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.SETUP_LINK_CREATED,
        subject=str(link.pk),
        data={"expires": link.expires_at.isoformat()},
    )
    return link, token


@transaction.atomic
def note_link_opened(*, link: SetupLink) -> None:
    """Remember when a link was first opened. It is no deed of anybody's: programs that check mail open links too."""
    if link.opened_at is None:
        SetupLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=timezone.now())


@transaction.atomic
def revoke_setup_link(*, actor: Actor, organisation: Organisation, link_id: int) -> None:
    """Withdraw a link at once; what was set up by it stays as it is. Withdrawing it again changes nothing.

    Raises:
        Refusal: `unknown_link`.
    """
    links = SetupLink.objects.filter(organisation_id=organisation.pk, pk=link_id)
    if not links.exists():
        raise Refusal("unknown_link", _("There is no such set-up link."))
    if links.filter(completed_at=None, revoked_at=None).update(revoked_at=timezone.now()):
        record_event(
            actor=actor, organisation_id=organisation.pk, action=Action.SETUP_LINK_REVOKED, subject=str(link_id)
        )


@transaction.atomic
def complete_setup_link(*, organisation: Organisation, link_id: int) -> None:
    """Close a link whose work is done. The fact is the activation of its connection, which is audited there."""
    links = SetupLink.objects.filter(organisation_id=organisation.pk, pk=link_id, completed_at=None)
    links.update(completed_at=timezone.now())


def link_actor(link: SetupLink) -> Actor:
    """Return who acts when somebody who holds the link does: the link itself, by the name it was made for."""
    name = _("Set-up link for %(recipient)s") % {"recipient": link.recipient} if link.recipient else _("Set-up link")
    return Actor(ActorKind.TOKEN, f"setup:{link.pk}", name)
