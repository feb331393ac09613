"""Mail that must leave once: a row when the fact happens, a message when it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from portal.core.models import OutgoingMail
from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

MAIL_CHANGED = "mail"
"""A mail's state changed: the subject is the mail."""


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


def create_mail_intake() -> None:
    """Make `mail_intake`, which the caller fills: one row for each mail, as `write_mail` takes them."""
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS mail_intake (key text NOT NULL, name text NOT NULL, address text NOT NULL,"
        " language text NOT NULL, context jsonb NOT NULL, due_at timestamptz NOT NULL) ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE mail_intake")


def write_mails(*, organisation_id: int) -> None:
    """Put what `mail_intake` holds into the outbox. One that was withdrawn before it left is due again."""
    cursor_rows(
        """
        INSERT INTO core_outgoingmail AS m
            (organisation_id, key, name, address, language, context, state, due_at, attempts, message_id, error)
        SELECT %s, key, name, address, language, context, 'due', due_at, 0, '', '' FROM mail_intake
        ON CONFLICT (organisation_id, key, address) DO UPDATE
            SET state = 'due', due_at = excluded.due_at, context = excluded.context, language = excluded.language
            WHERE m.state = 'withdrawn'
        """,
        [organisation_id],
    )


def withdraw_mails(*, organisation_id: int, ids: Sequence[int]) -> list[int]:
    """Stop those of these mails that nobody has begun to send, and return which."""
    rows = cursor_rows(
        "UPDATE core_outgoingmail SET state = 'withdrawn' WHERE organisation_id = %s AND id = ANY (%s)"
        " AND state = 'due' RETURNING id",
        [organisation_id, list(ids)],
    )
    return [mail_id for (mail_id,) in rows]
