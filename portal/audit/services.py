"""Writing to the audit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portal.audit.models import PlatformAuditEvent
from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.audit.actions import Action
    from portal.core.actor import Actor


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened, without who did it."""

    action: Action
    subject: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def record_event(
    *,
    actor: Actor,
    organisation_id: int,
    action: Action,
    subject: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Record one business fact of an organisation, in the transaction that makes it one."""
    record_events(actor=actor, organisation_id=organisation_id, facts=[Fact(action, subject, data or {})])


def record_events(*, actor: Actor, organisation_id: int, facts: Sequence[Fact]) -> None:
    """Record the facts of one deed, in this order, by one statement."""
    cursor_rows(
        """
        WITH named AS (
            INSERT INTO audit_auditname (organisation_id, pseudonym, name)
            VALUES (%(organisation)s, %(actor)s, %(name)s) ON CONFLICT DO NOTHING
        )
        INSERT INTO audit_auditevent
            (organisation_id, at, action, actor_kind, actor, on_behalf_of_programme, subject, data)
        SELECT %(organisation)s, statement_timestamp(), fact.action, %(kind)s, %(actor)s, %(behalf)s,
               fact.subject, fact.data::jsonb
        FROM unnest(%(actions)s::text[], %(subjects)s::text[], %(data)s::text[])
             WITH ORDINALITY AS fact (action, subject, data, place)
        ORDER BY fact.place
        """,
        {
            "organisation": organisation_id,
            "actor": actor.pseudonym,
            "name": actor.name[:200],
            "kind": actor.kind.value,
            "behalf": actor.on_behalf_of_programme,
            "actions": [fact.action.value for fact in facts],
            "subjects": [fact.subject for fact in facts],
            "data": [json.dumps(fact.data) for fact in facts],
        },
    )


def record_platform_event(
    *, actor: Actor, action: Action, subject: str = "", data: dict[str, Any] | None = None
) -> None:
    """Record one business fact of the programme."""
    PlatformAuditEvent.objects.create(
        action=action, actor_kind=actor.kind, actor=actor.pseudonym, subject=subject, data=data or {}
    )
