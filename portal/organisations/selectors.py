"""What is read of organisations before and outside any scope."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from portal.organisations.models import Door, DoorKind, EmailDomain, Organisation

if TYPE_CHECKING:
    from collections.abc import Mapping


def organisation_named(slug: str) -> Organisation:
    """Return the organisation, active or not.

    Raises:
        Refusal: `unknown_organisation`.
    """
    try:
        return Organisation.objects.get(slug=slug)
    except Organisation.DoesNotExist:
        message = _("There is no organisation “%(slug)s”. Check the spelling, or create it first.")
        raise Refusal("unknown_organisation", message % {"slug": slug}) from None


def door_digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def organisations_behind(kind: DoorKind, key: str) -> list[int]:
    """Return the ids of the active organisations that this key leads to: one indexed read."""
    doors = Door.objects.filter(kind=kind, digest=door_digest(key), organisation__active=True)
    return list(doors.order_by("organisation_id").values_list("organisation_id", flat=True))


def verified_domains(organisation: Organisation) -> frozenset[str]:
    domains = EmailDomain.objects.filter(organisation=organisation, verified_at__isnull=False)
    return frozenset(domains.values_list("domain", flat=True))


def loosens(organisation: Organisation, changes: Mapping[str, str | int]) -> bool:
    """Say whether a change weakens a safeguard: imports held later, or smaller groups shown."""
    weaker = {"departure_percent": 1, "departure_floor": 1, "small_group": -1}
    return any(
        (int(changes[name]) - getattr(organisation, name)) * sign > 0
        for name, sign in weaker.items()
        if name in changes
    )


def organisation_of_domain(domain: str) -> Organisation | None:
    owner = EmailDomain.objects.select_related("organisation").filter(
        domain=domain.lower(), verified_at__isnull=False, organisation__active=True
    )
    found = owner.first()
    return found.organisation if found else None
