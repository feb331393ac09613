"""Requiring the company sign-in: what must hold first, and whom it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from portal.organisations.services import require_company_sign_in
from portal.people.break_glass import can_break_glass, ways_in
from portal.people.models import Membership
from portal.people.selectors import members
from sso.models import Connection, Identity
from sso.selectors import open_connections

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class MemberLine:
    """Somebody with a role here, and how they could come in once the company sign-in is required."""

    membership: Membership
    has_password: bool
    has_identity: bool
    can_have_glass: bool

    @property
    def locked_out(self) -> bool:
        """Neither by the company nor by password: nobody has linked this account to a company account yet."""
        return not self.has_identity and not self.membership.break_glass


@dataclass(frozen=True, slots=True)
class Readiness:
    active: bool
    tested: bool
    ways_in: int
    lines: list[MemberLine]

    @property
    def ready(self) -> bool:
        return self.active and self.tested and self.ways_in > 0

    @property
    def locked_out(self) -> list[MemberLine]:
        return [line for line in self.lines if line.locked_out]


@transaction.atomic
def readiness(organisation: Organisation) -> Readiness:
    """Say what holds already, and how each member comes in now."""
    working = open_connections(organisation.pk).filter(state=Connection.State.ACTIVE)
    tested = [each.tested_at is not None for each in working]
    known = set(
        Identity.objects.filter(
            organisation_id=organisation.pk, suspended_at__isnull=True, connection__in=open_connections(organisation.pk)
        ).values_list("user_id", flat=True)
    )
    lines = [
        MemberLine(
            membership=member,
            has_password=member.user.has_usable_password(),
            has_identity=member.user_id in known,
            can_have_glass=member.role == Membership.Role.OWNER and can_break_glass(member.user),
        )
        for member in members(organisation)
    ]
    real = sum(line.membership.break_glass and line.can_have_glass for line in lines)
    return Readiness(active=bool(tested), tested=any(tested), ways_in=real, lines=lines)


@transaction.atomic
def enforce_sign_in(*, actor: Actor, organisation: Organisation) -> None:
    """Require the company sign-in of everybody but break-glass owners.

    Raises:
        Refusal: `not_open`, `not_tested`, `no_way_in`.
    """
    now = readiness(organisation)
    if not now.active:
        raise Refusal("not_open", _("No connection is switched on and working. Nothing was changed."))
    if not now.tested:
        message = _("Make a successful test sign-in by the connection that is switched on first.")
        raise Refusal("not_tested", message)
    if not ways_in(organisation):
        message = _("Give at least one owner emergency access first: somebody must come in when the sign-in fails.")
        raise Refusal("no_way_in", message)
    require_company_sign_in(actor=actor, organisation=organisation, required=True)


@transaction.atomic
def release_sign_in(*, actor: Actor, organisation: Organisation) -> None:
    """Let people with a password use it again."""
    require_company_sign_in(actor=actor, organisation=organisation, required=False)
