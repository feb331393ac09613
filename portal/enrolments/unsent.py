"""Invitations that have not left, withdrawn because their enrolment ends: the planned, and mails nobody has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from portal.core.outbox import withdraw_mails
from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation


@transaction.atomic
def withdraw_unsent_of(*, actor: Actor, organisation: Organisation, enrolment_ids: Sequence[int]) -> int:
    """Withdraw what has not left to these enrolments, and return how many; what is leaving or has left stays."""
    del actor
    params = {"organisation": organisation.pk, "enrolments": list(enrolment_ids)}
    queued = cursor_rows(
        "SELECT mail_id FROM enrolments_invitation WHERE organisation_id = %(organisation)s"
        " AND enrolment_id = ANY (%(enrolments)s) AND state = 'queued' AND mail_id IS NOT NULL",
        params,
    )
    stopped = withdraw_mails(organisation_id=organisation.pk, ids=[mail_id for (mail_id,) in queued])
    withdrawn = cursor_rows(
        "UPDATE enrolments_invitation SET state = 'withdrawn', withdrawn_at = statement_timestamp()"
        " WHERE organisation_id = %(organisation)s AND enrolment_id = ANY (%(enrolments)s)"
        " AND (state = 'planned' OR state = 'queued' AND mail_id = ANY (%(stopped)s)) RETURNING id",
        {**params, "stopped": stopped},
    )
    return len(withdrawn)


def withdraw_unsent(*, actor: Actor, organisation: Organisation, cohort_id: int, employee_ids: Iterable[int]) -> int:
    """Withdraw what has not left to people who are no longer in the cohort, and return how many."""
    rows = cursor_rows(
        "SELECT id FROM enrolments_enrolment WHERE organisation_id = %s AND cohort_id = %s AND employee_id = ANY (%s)",
        [organisation.pk, cohort_id, list(employee_ids)],
    )
    ids = [enrolment_id for (enrolment_id,) in rows]
    return withdraw_unsent_of(actor=actor, organisation=organisation, enrolment_ids=ids)
