"""What an organisation reads of its audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.audit.actions import ABOUT_A_PERSON, ABOUT_EVERYONE
from portal.audit.models import AuditEvent, AuditName

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from portal.organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class AuditLine:
    id: int
    at: datetime
    action: str
    actor: str
    actor_kind: str
    pseudonym: UUID
    on_behalf_of_programme: bool
    subject: str
    data: dict[str, Any]


def audit_lines(organisation: Organisation, *, before: int | None = None, limit: int = 50) -> list[AuditLine]:
    """Return the newest events first; two queries whatever their number."""
    events = AuditEvent.objects.filter(organisation_id=organisation.pk).order_by("-id")
    if before is not None:
        events = events.filter(id__lt=before)
    return _lines(organisation, list(events[:limit]))


def lines_about(
    organisation: Organisation,
    *,
    subject: str,
    besides: UUID,
    since: datetime,
    before: int | None = None,
    limit: int = 50,
) -> list[AuditLine]:
    """Return what others did with one employee (`subject`; empty for none) or with everyone, the newest first.

    `besides` is the person's own pseudonym. Three queries: each of the two kinds is read from its index as far as the
    page needs.
    """
    events = AuditEvent.objects.filter(organisation_id=organisation.pk, at__gte=since).order_by("-id")
    events = events.exclude(actor=besides)
    if before is not None:
        events = events.filter(id__lt=before)
    found = list(events.filter(action__in=ABOUT_EVERYONE)[:limit])
    if subject:
        found += events.filter(action__in=ABOUT_A_PERSON, subject=subject)[:limit]
    return _lines(organisation, sorted(found, key=lambda event: -event.pk)[:limit])


def _lines(organisation: Organisation, page: list[AuditEvent]) -> list[AuditLine]:
    names = dict(
        AuditName.objects.filter(
            organisation_id=organisation.pk, pseudonym__in={event.actor for event in page}
        ).values_list("pseudonym", "name")
    )
    return [
        AuditLine(
            id=event.pk,
            at=event.at,
            action=event.action,
            actor=names.get(event.actor, ""),
            actor_kind=event.actor_kind,
            pseudonym=event.actor,
            on_behalf_of_programme=event.on_behalf_of_programme,
            subject=event.subject,
            data=event.data,
        )
        for event in page
    ]
