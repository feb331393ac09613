"""Invitations of a cohort's people: planned in bulk, put into the outbox when due, and followed until they arrive.

A person has one invitation and numbered reminders, whichever wave they come from: the database refuses a second one.
Until its mail has left, each can be taken back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.db import transaction

from portal.core.outbox import create_mail_intake, withdraw_mails, write_mails
from portal.core.tenancy import cursor_rows
from portal.enrolments.services import carry_deliveries

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

INVITATION = "invitation"
REMINDER = "reminder"


def create_invitation_intake() -> None:
    """Make `invitation_intake`, which the caller fills: whom to write to, for the which time, and when."""
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS invitation_intake"
        " (enrolment_id bigint NOT NULL, number smallint NOT NULL, due_at timestamptz NOT NULL) ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE invitation_intake")


@transaction.atomic
def plan_invitations(*, actor: Actor, organisation: Organisation, wave_id: int) -> int:
    """Plan what `invitation_intake` holds, and return how many; whoever has one already keeps it.

    One that was withdrawn before it left is planned anew.
    """
    del actor
    planned = cursor_rows(
        """
        INSERT INTO enrolments_invitation AS i (organisation_id, enrolment_id, wave_id, number, state, due_at)
        SELECT %(organisation)s, enrolment_id, %(wave)s, number, 'planned', due_at FROM invitation_intake
        ON CONFLICT (organisation_id, enrolment_id, number) DO UPDATE
            SET wave_id = excluded.wave_id, state = 'planned', due_at = excluded.due_at, withdrawn_at = NULL
            WHERE i.state = 'withdrawn'
        RETURNING i.id
        """,
        {"organisation": organisation.pk, "wave": wave_id},
    )
    return len(planned)


@transaction.atomic
def queue_invitations(
    *, actor: Actor, organisation: Organisation, words: Mapping[int, Mapping[str, object]], now: dt.datetime, most: int
) -> int:
    """Put the due invitations of these waves into the outbox, and return how many were looked at.

    `words` is what the mails of each wave are given. Whoever left, was withdrawn or has begun meanwhile is not written
    to: their invitation is withdrawn.
    """
    del actor
    taken = _take_turn(organisation, list(words), now, most)
    if not taken:
        return 0
    create_mail_intake()
    cursor_rows(
        """
        INSERT INTO mail_intake (key, name, address, language, context, due_at)
        SELECT 'invitation:' || id, CASE WHEN number = 0 THEN %(invitation)s ELSE %(reminder)s END, email, language,
               (%(words)s::jsonb -> wave_id::text)
                   || jsonb_build_object('first_name', first_name, 'number', number), %(now)s
        FROM invitation_turn WHERE fit
        """,
        {
            "invitation": INVITATION,
            "reminder": REMINDER,
            "words": json.dumps({str(wave): dict(given) for wave, given in words.items()}),
            "now": now,
        },
    )
    write_mails(organisation_id=organisation.pk)
    cursor_rows(
        """
        UPDATE enrolments_invitation i SET
            state = CASE WHEN t.fit THEN 'queued' ELSE 'withdrawn' END,
            withdrawn_at = CASE WHEN t.fit THEN NULL ELSE %(now)s END, mail_id = m.id
        FROM invitation_turn t LEFT JOIN core_outgoingmail m
          ON m.organisation_id = %(organisation)s AND m.key = 'invitation:' || t.id AND m.address = t.email
        WHERE i.organisation_id = %(organisation)s AND i.id = t.id
        """,
        {"organisation": organisation.pk, "now": now},
    )
    return taken


@transaction.atomic
def withdraw_invitations(*, actor: Actor, organisation: Organisation, wave_id: int, now: dt.datetime) -> int:
    """Take back whatever of a wave has not left, and return how many."""
    return _take_back(actor, organisation, wave_id, state="withdrawn", now=now)


@transaction.atomic
def hold_back_invitations(*, actor: Actor, organisation: Organisation, wave_id: int, now: dt.datetime) -> int:
    """Take the mails of a wave out of the outbox again; they stay planned. Return how many."""
    return _take_back(actor, organisation, wave_id, state="planned", now=now)


@transaction.atomic
def settle_invitations(*, actor: Actor, organisation: Organisation, mail_ids: Iterable[int]) -> int:
    """Bring invitations and enrolments up to date with what became of these mails; return how many changed.

    Whoever was written to counts as invited from then on. A mail that the server took counts as delivered until it
    comes back: many servers never say more.
    """
    changed = cursor_rows(
        """
        UPDATE enrolments_invitation i SET state = m.state, sent_at = m.sent_at, answered_at = m.answered_at
        FROM core_outgoingmail m
        WHERE i.organisation_id = %(organisation)s AND m.organisation_id = %(organisation)s
          AND m.id = ANY (%(mails)s) AND i.mail_id = m.id AND i.state <> 'withdrawn'
          AND m.state IN ('sent', 'delivered', 'bounced', 'failed', 'uncertain')
          AND (i.state, i.sent_at, i.answered_at) IS DISTINCT FROM (m.state, m.sent_at, m.answered_at)
        RETURNING i.enrolment_id
        """,
        {"organisation": organisation.pk, "mails": list(mail_ids)},
    )
    if changed:
        told = sorted({enrolment_id for (enrolment_id,) in changed})
        carry_deliveries(actor=actor, organisation=organisation, enrolment_ids=told)
    return len(changed)


def _take_turn(organisation: Organisation, wave_ids: list[int], now: dt.datetime, most: int) -> int:
    """Name in `invitation_turn` the due invitations, and whether each still should leave."""
    cursor_rows("DROP TABLE IF EXISTS invitation_turn")
    cursor_rows(
        """
        CREATE TEMP TABLE invitation_turn ON COMMIT DROP AS
        SELECT i.id, i.wave_id, i.number, p.email, p.first_name,
               coalesce(nullif(p.language, ''), %(language)s) AS language,
               p.active AND p.email <> '' AND e.withdrawn_at IS NULL AND e.started_at IS NULL AS fit
        FROM (
            SELECT id, wave_id, number, enrolment_id FROM enrolments_invitation
            WHERE organisation_id = %(organisation)s AND state = 'planned' AND due_at <= %(now)s
              AND wave_id = ANY (%(waves)s)
            ORDER BY due_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
        ) i
        JOIN enrolments_enrolment e ON e.organisation_id = %(organisation)s AND e.id = i.enrolment_id
        JOIN people_employee p ON p.organisation_id = %(organisation)s AND p.id = e.employee_id
        """,
        {
            "organisation": organisation.pk,
            "language": organisation.language,
            "now": now,
            "waves": wave_ids,
            "most": most,
        },
    )
    ((taken,),) = cursor_rows("SELECT count(*) FROM invitation_turn")
    return int(taken)


def _take_back(actor: Actor, organisation: Organisation, wave_id: int, *, state: str, now: dt.datetime) -> int:
    del actor
    queued = cursor_rows(
        "SELECT mail_id FROM enrolments_invitation WHERE organisation_id = %s AND wave_id = %s AND state = 'queued'",
        [organisation.pk, wave_id],
    )
    stopped = withdraw_mails(organisation_id=organisation.pk, ids=[mail_id for (mail_id,) in queued])
    back = cursor_rows(
        """
        UPDATE enrolments_invitation SET state = %(state)s,
            withdrawn_at = CASE WHEN %(state)s = 'withdrawn' THEN %(now)s END
        WHERE organisation_id = %(organisation)s AND wave_id = %(wave)s
          AND (state = 'planned' OR (state = 'queued' AND mail_id = ANY (%(stopped)s)))
        RETURNING id
        """,
        {
            "state": state,
            "now": now,
            "organisation": organisation.pk,
            "wave": wave_id,
            "stopped": stopped,
        },
    )
    return len(back)
