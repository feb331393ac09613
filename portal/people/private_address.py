"""The private address: attached by whoever is signed in, confirmed from its mailbox, and read by no employer.

What happens to it is recorded by the programme alone, without the address: an employer's audit does not even say that
there is one. Mail leaves through the outbox of an organisation, in which the link waits sealed.
"""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_platform_event
from portal.core.errors import Refusal
from portal.core.outbox import write_mail
from portal.core.sealing import seal, unseal
from portal.core.tenancy import organisation_scope
from portal.organisations.selectors import door_digest, organisation_of_domain
from portal.people.models import Affiliation, PrivateAddress, User
from portal.people.selectors import user_actor

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

VALID_FOR: Final = timedelta(hours=48)
_SEALED_FOR: Final = "private-address-link"


@transaction.atomic
def ask_private_address(*, actor: Actor, user: User, organisation: Organisation, address: str) -> None:
    """Write to an address that a person says is theirs; call it in the scope. What was confirmed before stays.

    Raises:
        Refusal: `address_of_an_employer`.
    """
    candidate = address.strip().lower()
    if organisation_of_domain(candidate.rpartition("@")[2]) is not None:
        message = _("This is an address at an organisation that takes part. Give one that stays yours when you leave.")
        raise Refusal("address_of_an_employer", message)
    token = secrets.token_urlsafe(32)
    digest = door_digest(token)
    PrivateAddress.objects.update_or_create(
        user=user, defaults={"candidate": candidate, "digest": digest, "asked_at": timezone.now()}
    )
    write_mail(
        organisation_id=organisation.pk,
        key=f"private-address:{digest.hex()[:32]}",
        name="private-address",
        address=candidate,
        language=user.language,
        context={"sealed": sealed_token(token), "hours": int(VALID_FOR.total_seconds() // 3600)},
    )
    record_platform_event(actor=actor, action=Action.PRIVATE_ADDRESS_ASKED)


def address_asked(token: str) -> PrivateAddress | None:
    """Return what a link asks to confirm, as long as it may be."""
    asked = PrivateAddress.objects.select_related("user")
    return asked.filter(digest=door_digest(token), asked_at__gt=timezone.now() - VALID_FOR).first()


@transaction.atomic
def confirm_private_address(*, token: str) -> bool:
    """Take the address of a link as the person's own, once. The actor is whoever reads that mailbox.

    The address of before is told that it no longer counts.
    """
    asked = address_asked(token)
    if asked is None:
        return False
    confirmed = PrivateAddress.objects.filter(pk=asked.pk, digest=door_digest(token)).update(
        address=asked.candidate, candidate="", digest=None, verified_at=timezone.now()
    )
    if confirmed:
        if asked.verified_at and asked.address != asked.candidate:
            _tell_the_former(asked)
        record_platform_event(actor=user_actor(asked.user), action=Action.PRIVATE_ADDRESS_CONFIRMED)
    return bool(confirmed)


@transaction.atomic
def remove_private_address(*, actor: Actor, user: User) -> bool:
    """Forget the address; a confirmed one is told."""
    kept = private_address_of(user)
    removed, _each = PrivateAddress.objects.filter(user=user).delete()
    if kept and removed:
        if kept.verified_at:
            _tell_the_former(kept)
        record_platform_event(actor=actor, action=Action.PRIVATE_ADDRESS_REMOVED)
    return bool(removed)


@transaction.atomic
def bring_private_address(*, kept: User, dropped: User) -> None:
    """Of two logins that become one, keep the address that was confirmed; that of the login that stays, when both."""
    theirs = PrivateAddress.objects.filter(user=dropped, verified_at__isnull=False).first()
    ours = PrivateAddress.objects.filter(user=kept, verified_at__isnull=False).exists()
    if theirs and not ours:
        PrivateAddress.objects.filter(user=kept).delete()
        PrivateAddress.objects.filter(pk=theirs.pk).update(user=kept)
    PrivateAddress.objects.filter(user=dropped).delete()


def private_address_of(user: User) -> PrivateAddress | None:
    return PrivateAddress.objects.filter(user=user).first()


def people_at(address: str) -> list[User]:
    """Return the logins whose confirmed private address this is: a family may share one."""
    wanted = address.strip().lower()
    found = PrivateAddress.objects.filter(address=wanted, verified_at__isnull=False, user__is_active=True)
    return [each.user for each in found.select_related("user__learner").order_by("pk")]


def masked(address: str) -> str:
    """Show enough of an address for its owner: whoever may come in as them must not learn it here."""
    name, _at, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if address else ""


def _tell_the_former(kept: PrivateAddress) -> None:
    """Write to an address that no longer counts: whoever came in as this person must not take it away in silence.

    The mail leaves through the outbox of an organisation that knows the person; without one there is nobody to deceive.
    """
    known = Affiliation.objects.filter(user=kept.user).order_by("pk").values_list("organisation_id", flat=True).first()
    if known is None:
        return
    with organisation_scope(known):
        write_mail(
            organisation_id=known,
            key=f"private-address-left:{timezone.now():%Y%m%d%H%M%S}",
            name="private-address-left",
            address=kept.address,
            language=kept.user.language,
            context={},
        )


def sealed_token(token: str) -> str:
    """Return a token as it waits in the outbox: neither the database nor a backup of it holds a link that works."""
    return base64.urlsafe_b64encode(seal(token.encode(), purpose=_SEALED_FOR)).decode()


def unsealed_token(sealed: str) -> str:
    return unseal(base64.urlsafe_b64decode(sealed), purpose=_SEALED_FOR).decode()
