"""What is read of organisations before and outside any scope."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from portal.organisations.models import DoorKind, EmailDomain, Organisation, SetupLink

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from django.db.models import QuerySet

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)

_MOST_PARENTS: Final = 10


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
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.id FROM organisations_door d JOIN organisations_organisation o ON o.id = d.organisation_id"
            " WHERE d.kind = %s AND d.digest = %s AND o.active ORDER BY o.id",
            [str(kind), door_digest(key)],
        )
        return [organisation_id for (organisation_id,) in cursor.fetchall()]


def verified_domains(organisation: Organisation) -> frozenset[str]:
    """Return the domains by name; whether an address lies in one is for `owns_domain` to say."""
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


def owns_domain(organisation: Organisation, domain: str) -> bool:
    """Whether a domain is verified as the organisation's own, by itself or below one that includes its subdomains."""
    return bool(domain) and EmailDomain.objects.filter(_covering(domain), organisation=organisation).exists()


def organisation_of_domain(domain: str) -> Organisation | None:
    """Return who owns a domain: one read, whether it is known or not."""
    owners = EmailDomain.objects.select_related("organisation").filter(_covering(domain), organisation__active=True)
    # The exact domain before the one that includes it.
    found = max(owners, key=lambda owner: len(owner.domain), default=None)
    return found.organisation if found else None


def organisation_domains(organisation: Organisation) -> QuerySet[EmailDomain]:
    return EmailDomain.objects.filter(organisation=organisation).order_by("domain")


def setup_links(organisation: Organisation, *, limit: int = 50) -> list[SetupLink]:
    """Return the newest links first."""
    return list(SetupLink.objects.filter(organisation_id=organisation.pk).order_by("-id")[:limit])


def setup_link_state(link: SetupLink) -> str:
    """Return `done`, `revoked`, `expired`, `opened` or `unopened`."""
    if link.completed_at:
        return "done"
    if link.revoked_at:
        return "revoked"
    if link.expires_at <= timezone.now():
        return "expired"
    return "opened" if link.opened_at else "unopened"


def setup_link_held(organisation_id: int, token: str) -> SetupLink | None:
    """Return the link of a token, in whatever state, inside the scope of the organisation that its door named."""
    links = SetupLink.objects.select_related("organisation")
    return links.filter(organisation_id=organisation_id, digest=door_digest(token)).first()


def parent_domains(domain: str) -> list[str]:
    """Return the domains above one, the nearest first: never a single label, and never more than an address has."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(1, len(labels) - 1)][:_MOST_PARENTS]


def _covering(domain: str) -> Q:
    """Match the verified rows that an address of this domain belongs to."""
    exact = domain.lower()
    above = Q(domain__in=parent_domains(exact), include_subdomains=True)
    return Q(verified_at__isnull=False) & (Q(domain=exact) | above)


def domains_to_look_at(*, now: dt.datetime, limit: int) -> list[EmailDomain]:
    """Return the verified domains whose record is due for another look: every week, and every day while it is missing.

    A domain without a challenge was given by the operator, who vouches for it.
    """
    due = Q(missing_since=None, checked_at__lte=now - WEEK) | Q(missing_since__isnull=False, checked_at__lte=now - DAY)
    domains = EmailDomain.objects.select_related("organisation").filter(
        due, verified_at__isnull=False, organisation__active=True
    )
    return list(domains.exclude(challenge="").order_by("checked_at", "id")[:limit])
