"""The certificate radar: which certificate of a connection ends when, and who was told.

An expired certificate is warned about and never refused: SAML trusts the key, and refusing it would lock everybody out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from portal.people.notices import write_to_owners
from sso.models import Connection
from sso.parties import certificates_until, facts_of

if TYPE_CHECKING:
    import datetime as dt

    from portal.organisations.models import Organisation

THRESHOLDS: Final = (90, 60, 30, 14, 7, 1)
"""Days before its end at which owners are told of a certificate, once each; and once more when it has ended."""

EXPIRED: Final = -1
URGENT_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Blip:
    """One certificate on the radar. `threshold` is the nearest that it has passed, None while its end is far."""

    connection: Connection
    ours: bool
    role: str
    fingerprint: str
    expires_at: dt.datetime
    days: int
    threshold: int | None
    another: bool

    @property
    def tone(self) -> str:
        if self.threshold is None or self.another:
            return "good" if self.threshold is None else "neutral"
        return "bad" if self.days <= URGENT_DAYS else "warn"


def blips(connection: Connection, *, now: dt.datetime | None = None) -> list[Blip]:
    """Return every certificate in use, those that end first at the top.

    `another`: one of the same side lasts longer, so that its end stops nobody who signs with that one.
    """
    moment = now or timezone.now()
    named = [(False, "signing", each) for each in connection.idp_certificates]
    named += [(True, "signing", connection.sp_certificate), (True, "next", connection.next_certificate)]
    known = [(ours, role, facts_of(text)) for ours, role, text in named if text]
    found = []
    for ours, role, facts in known:
        days = (facts.expires_at - moment).days
        later = any(side is ours and each.expires_at > facts.expires_at for side, _role, each in known)
        found.append(
            Blip(
                connection=connection,
                ours=ours,
                role=role,
                fingerprint=facts.fingerprint,
                expires_at=facts.expires_at,
                days=days,
                threshold=passed(facts.expires_at, moment),
                another=later,
            )
        )
    return sorted(found, key=lambda blip: blip.expires_at)


def passed(expires_at: dt.datetime, now: dt.datetime) -> int | None:
    """Return the nearest threshold that has been passed: 90 days before the end the first, `EXPIRED` the last."""
    if expires_at <= now:
        return EXPIRED
    remaining = (expires_at - now).total_seconds() / 86_400
    return min((days for days in THRESHOLDS if remaining <= days), default=None)


@transaction.atomic
def sound_radar(*, organisation: Organisation, now: dt.datetime | None = None) -> None:
    """Write to the owners of each certificate that has passed a threshold of which they have not heard yet."""
    live = Connection.objects.filter(organisation_id=organisation.pk, closed_at__isnull=True)
    for connection in live.exclude(state=Connection.State.DRAFT):
        until = certificates_until(connection)
        if until != connection.certificates_until:
            Connection.objects.filter(pk=connection.pk).update(certificates_until=until)
        for blip in blips(connection, now=now):
            if blip.threshold is not None:
                _tell(organisation, blip)


def alarms(connections: list[Connection], *, now: dt.datetime | None = None) -> list[Blip]:
    """Return what needs somebody: certificates that end, and have no other beside them that lasts."""
    live = [each for each in connections if each.closed_at is None and each.state != Connection.State.DRAFT]
    found = [blip for each in live for blip in blips(each, now=now) if blip.threshold is not None and not blip.another]
    return sorted(found, key=lambda blip: blip.expires_at)


def _tell(organisation: Organisation, blip: Blip) -> None:
    """The key names connection, certificate and threshold: each is told once, however often the radar turns."""
    short = blip.fingerprint.replace(":", "")[:32].lower()
    write_to_owners(
        organisation=organisation,
        key=f"certificate:{blip.connection.pk}:{short}:{blip.threshold}",
        name="certificate-ends",
        path=reverse("sign_in_connection", args=[organisation.slug, blip.connection.public_id]),
        context={
            "whose": "ours" if blip.ours else "idp",
            "ends": blip.expires_at.isoformat(),
            "days": blip.days,
            "fingerprint": blip.fingerprint,
            "another": blip.another,
            "follows": bool(blip.connection.metadata_url),
        },
    )
