"""What the workers do for organisations and their people: look at the records of verified domains again."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from portal.core.actor import SYSTEM
from portal.core.tenancy import organisation_scope
from portal.organisations.selectors import domains_to_look_at
from portal.organisations.txt_records import proof_of
from portal.people.domain_watch import watch_domain

AT_ONCE = 200


@shared_task
def recheck_domains() -> None:
    """Ask the DNS for each record that is due. No transaction is open while it answers."""
    for claimed in domains_to_look_at(now=timezone.now(), limit=AT_ONCE):
        answer = proof_of(claimed.domain, claimed.challenge)
        with organisation_scope(claimed.organisation_id):
            watch_domain(actor=SYSTEM, claimed=claimed, answer=answer, now=timezone.now())
