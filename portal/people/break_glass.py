"""Break-glass owners: who may still come in by password once the company sign-in is required, and when they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.mfa.utils import is_mfa_enabled
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.people.models import Membership
from portal.people.notices import write_to_owners

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from portal.people.models import User


def owners(organisation: Organisation) -> list[Membership]:
    """Return the owners, locked: two who take each other's way in away must not both succeed."""
    found = Membership.objects.filter(organisation_id=organisation.pk, role=Membership.Role.OWNER)
    return list(found.select_for_update(of=("self",)).select_related("user").order_by("user__name", "id"))


def can_break_glass(user: User) -> bool:
    """Say whether the login has what it takes: a password of its own and a second factor."""
    return "@" in user.username and user.is_active and user.has_usable_password() and bool(is_mfa_enabled(user))


def ways_in(organisation: Organisation, *, without: int = 0) -> list[Membership]:
    """Return the owners who could really come in by password now, `without` one of them."""
    glass = [owner for owner in owners(organisation) if owner.break_glass and owner.user_id != without]
    return [owner for owner in glass if can_break_glass(owner.user)]


@transaction.atomic
def give_break_glass(*, actor: Actor, organisation: Organisation, user_id: int) -> None:
    """Let an owner use their password also when the company sign-in is required.

    Raises:
        Refusal: `not_an_owner`, `no_second_factor`.
    """
    owner = next((each for each in owners(organisation) if each.user_id == user_id), None)
    if owner is None:
        raise Refusal("not_an_owner", _("Only an owner can have emergency access."))
    if not can_break_glass(owner.user):
        message = _("Emergency access needs an account with a password and a second factor: this owner has not both.")
        raise Refusal("no_second_factor", message)
    if not Membership.objects.filter(pk=owner.pk, break_glass=False).update(break_glass=True):
        return
    record_event(
        actor=actor, organisation_id=organisation.pk, action=Action.BREAK_GLASS_GIVEN, subject=str(owner.user_id)
    )


@transaction.atomic
def take_break_glass(*, actor: Actor, organisation: Organisation, user_id: int) -> None:
    """Take emergency access away.

    Raises:
        Refusal: `last_way_in`: the company sign-in is required, and nobody else could come in when it fails.
    """
    keep_a_way_in(organisation, without=user_id)
    taken = Membership.objects.filter(organisation_id=organisation.pk, user_id=user_id, break_glass=True)
    if taken.update(break_glass=False):
        record_event(
            actor=actor, organisation_id=organisation.pk, action=Action.BREAK_GLASS_TAKEN, subject=str(user_id)
        )


def keep_a_way_in(organisation: Organisation, *, without: int) -> None:
    """Refuse to take away the last way in by password while the company sign-in is required.

    Raises:
        Refusal: `last_way_in`.
    """
    if organisation.sign_in_enforced_at is None:
        return
    leaving = Membership.objects.filter(organisation_id=organisation.pk, user_id=without, break_glass=True)
    if leaving.exists() and not ways_in(organisation, without=without):
        message = _(
            "Nobody else could come in if the company sign-in failed: give another owner emergency access first."
        )
        raise Refusal("last_way_in", message)


@transaction.atomic
def note_break_glass_use(*, actor: Actor, organisation: Organisation) -> None:
    """Record that an owner came in by password although the company sign-in is required, and tell every owner."""
    now = timezone.now()
    record_event(
        actor=actor, organisation_id=organisation.pk, action=Action.BREAK_GLASS_USED, subject=str(actor.user_id)
    )
    write_to_owners(
        organisation=organisation,
        key=f"break-glass:{actor.user_id}:{now.isoformat()}",
        name="break-glass-used",
        path=reverse("sign_in_required", args=[organisation.slug]),
        context={"who": actor.name, "at": now.isoformat()},
    )
