"""Two organisations, one person: two logins become one account when the person proves both and says so.

Both sign-ins must have happened in this very browser session, within half an hour: an identity provider's administrator
can sign in as any of their own people, and must not reach another employer by it. A role never moves from one account
to another, and accounts with a password or of the programme are never joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.models import DoorKind, Organisation
from portal.organisations.selectors import organisations_behind
from portal.people.joining import bring_affiliation, retire_login
from portal.people.learners import join_learners
from portal.people.models import Affiliation, Membership, User
from portal.people.private_address import bring_private_address
from portal.people.selectors import has_left, user_actor
from sso.models import DeclinedMatch, Identity, SignInSession

if TYPE_CHECKING:
    from sso.memory import Remembered, SignedIn


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sign-ins, as the person recognises it."""

    user: User
    organisation: Organisation
    signed_in: SignedIn


@dataclass(frozen=True, slots=True)
class Pair:
    here: Side
    there: Side


def pair_to_join(known: Remembered | None) -> Pair | None:
    """Return the two sign-ins of this session that could be one person's; None when they may not be joined."""
    try:
        return _pair(known)
    except Refusal:
        return None


@transaction.atomic
def join_accounts(*, known: Remembered | None) -> User:
    """Make the two logins one account, and return it. Everything is checked again, with both of them locked.

    The actor is the person, who has just signed in as both.

    Raises:
        Refusal: `joining_over`, `joining_refused`, `joining_roles`, `joining_two_people`.
    """
    if known and known.before:
        list(User.objects.select_for_update().filter(pk__in=(known.now.user_id, known.before.user_id)).order_by("pk"))
    pair = _pair(known)
    kept, dropped = _which_stays(pair)
    organisations = list(Organisation.objects.filter(pk__in=_known_at(dropped)).order_by("pk"))
    stays = goes = None
    with organisation_scope(pair.here.organisation.pk):
        stays, goes = join_learners(kept=kept, dropped=dropped)
    for organisation in organisations:
        with organisation_scope(organisation.pk):
            Identity.objects.filter(organisation_id=organisation.pk, user=dropped).update(user=kept)
            SignInSession.objects.filter(organisation_id=organisation.pk, user=dropped).update(user=kept)
            _keep_what_hr_said(organisation, kept=kept, dropped=dropped)
            bring_affiliation(organisation=organisation, kept=kept, dropped=dropped, stays=stays, goes=goes)
    bring_private_address(kept=kept, dropped=dropped)
    retire_login(dropped=dropped)
    concerned = {each.pk for each in organisations} | {pair.here.organisation.pk, pair.there.organisation.pk}
    for organisation_id in sorted(concerned):
        with organisation_scope(organisation_id):
            # Neither organisation reads in its audit which other one it was.
            record_event(
                actor=user_actor(kept),
                organisation_id=organisation_id,
                action=Action.IDENTITIES_JOINED,
                subject=str(kept.pk),
                data={"joined": dropped.pk},
            )
    return kept


def _pair(known: Remembered | None) -> Pair:
    if known is None or known.before is None or not (known.now.fresh and known.before.fresh):
        message = _("Sign in with both of your accounts first, in this browser and within half an hour.")
        raise Refusal("joining_over", message)
    pair = Pair(_side(known.now), _side(known.before))
    _which_stays(pair)
    _require_one_person(pair)
    return pair


def _side(signed_in: SignedIn) -> Side:
    """Return who signed in there, if they still may: an account of one's own company, and nothing else."""
    user = User.objects.select_related("learner").filter(pk=signed_in.user_id, is_active=True).first()
    organisation = Organisation.objects.filter(pk=signed_in.organisation_id, active=True).first()
    if user is None or organisation is None or user.staff_role or user.has_usable_password():
        raise Refusal("joining_refused", _("One of the two accounts cannot be joined with another."))
    with organisation_scope(organisation.pk):
        identities = Identity.objects.filter(organisation_id=organisation.pk, user=user, suspended_at__isnull=True)
        if not identities.exists() or has_left(organisation.pk, user):
            raise Refusal("joining_refused", _("One of the two accounts cannot be joined with another."))
    return Side(user, organisation, signed_in)


def _which_stays(pair: Pair) -> tuple[User, User]:
    """Return the account that stays and the one that goes: the one with a role stays, else the older one.

    Raises:
        Refusal: `joining_roles`: both hold one, or one is for emergencies. `joining_refused`.
    """
    users = sorted((pair.here.user, pair.there.user), key=lambda user: user.pk)
    roles = [_roles(user) for user in users]
    if all(roles) or any(role.break_glass for held in roles for role in held):
        message = _("Both accounts hold a role, or one is an organisation’s emergency account: they stay apart.")
        raise Refusal("joining_roles", message)
    first, second = users
    return (second, first) if roles[1] else (first, second)


def _roles(user: User) -> list[Membership]:
    held: list[Membership] = []
    for organisation_id in organisations_behind(DoorKind.MEMBER, str(user.pk)):
        with organisation_scope(organisation_id):
            held += Membership.objects.filter(organisation_id=organisation_id, user=user)
    return held


def _require_one_person(pair: Pair) -> None:
    """Refuse what only HR can say: two people of one roster, or who somebody with a role is."""
    kept, dropped = _which_stays(pair)
    theirs = {each.organisation_id: each.employee_id for each in Affiliation.objects.filter(user=dropped)}
    for ours in Affiliation.objects.filter(user=kept, organisation_id__in=list(theirs)):
        other = theirs[ours.organisation_id]
        if other is None:
            continue
        if ours.employee_id is not None:
            message = _("The two accounts are two different people on one roster. Ask your HR, who can put that right.")
            raise Refusal("joining_two_people", message)
        if any(role.organisation_id == ours.organisation_id for role in _roles(kept)):
            message = _("An owner of your organisation says who you are on its roster, because you hold a role there.")
            raise Refusal("joining_roles", message)


def _keep_what_hr_said(organisation: Organisation, *, kept: User, dropped: User) -> None:
    """Where both are known, HR's "no" about the account that goes is one about the account that stays."""
    ours = Affiliation.objects.filter(organisation=organisation, user=kept).first()
    if ours is None:
        return
    said = DeclinedMatch.objects.filter(organisation_id=organisation.pk)
    already = list(said.filter(affiliation=ours).values_list("employee_id", flat=True))
    said.filter(affiliation__user=dropped).exclude(employee_id__in=already).update(affiliation=ours)


def _known_at(user: User) -> list[int]:
    return list(Affiliation.objects.filter(user=user).values_list("organisation_id", flat=True))
