"""Celery shells: catching up, as soon as something changed and again by the sweep."""

from __future__ import annotations

from celery import shared_task

from portal.core.actor import SYSTEM
from portal.core.worklist import organisations_with_pending_work
from portal.organisations.models import Organisation
from portal.progress import services


@shared_task
def catch_up() -> None:
    """Find what messages that were lost, or never sent, would have said."""
    for organisation in Organisation.objects.filter(pk__in=organisations_with_pending_work()).order_by("pk"):
        services.catch_up(actor=SYSTEM, organisation=organisation)


@shared_task
def catch_up_organisation(organisation_id: int) -> None:
    services.catch_up(actor=SYSTEM, organisation=Organisation.objects.get(pk=organisation_id))
