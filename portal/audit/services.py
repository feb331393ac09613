"""Writing to the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.audit.models import AuditEvent, AuditName, PlatformAuditEvent

if TYPE_CHECKING:
    from portal.audit.actions import Action
    from portal.core.actor import Actor


def record_event(
    *,
    actor: Actor,
    organisation_id: int,
    action: Action,
    subject: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Record one business fact of an organisation, in the transaction that makes it one."""
    AuditName.objects.bulk_create(
        [AuditName(organisation_id=organisation_id, pseudonym=actor.pseudonym, name=actor.name[:200])],
        ignore_conflicts=True,
    )
    AuditEvent.objects.create(
        organisation_id=organisation_id,
        action=action,
        actor_kind=actor.kind,
        actor=actor.pseudonym,
        on_behalf_of_programme=actor.on_behalf_of_programme,
        subject=subject,
        data=data or {},
    )


def record_platform_event(
    *, actor: Actor, action: Action, subject: str = "", data: dict[str, Any] | None = None
) -> None:
    """Record one business fact of the programme."""
    PlatformAuditEvent.objects.create(
        action=action, actor_kind=actor.kind, actor=actor.pseudonym, subject=subject, data=data or {}
    )
