"""Mail that must leave once: a row when the fact happens, a message when it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from portal.core.models import OutgoingMail

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


def write_mail(
    *,
    organisation_id: int,
    key: str,
    name: str,
    address: str,
    language: str,
    context: Mapping[str, Any],
    due_at: dt.datetime | None = None,
) -> None:
    """Put a mail in the outbox; the same `key` to the same address again changes nothing.

    `name` is the folder of its templates under `templates/email/`, `context` what they are given.
    """
    mail = OutgoingMail(
        organisation_id=organisation_id,
        key=key,
        name=name,
        address=address,
        language=language,
        context=dict(context),
        due_at=due_at or timezone.now(),
    )
    OutgoingMail.objects.bulk_create([mail], ignore_conflicts=True)
