"""Celery shells: what is due of each wave, and what became of its mails."""

from __future__ import annotations

from celery import shared_task

from portal.core.actor import SYSTEM
from portal.core.worklist import organisations_with_pending_work
from portal.organisations.models import Organisation
from portal.waves import services
from portal.waves.selectors import organisations_with_waves


@shared_task
def release_due() -> None:
    """Let leave what is due, one organisation at a time."""
    for organisation in Organisation.objects.filter(pk__in=organisations_with_waves()).order_by("pk"):
        services.release_due(actor=SYSTEM, organisation=organisation)


@shared_task
def settle_mails() -> None:
    for organisation in Organisation.objects.filter(pk__in=organisations_with_pending_work()).order_by("pk"):
        services.settle_mails(actor=SYSTEM, organisation=organisation)
