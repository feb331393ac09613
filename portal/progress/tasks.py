"""Celery shells: catching up, as soon as something changed and again by the sweep."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from portal.core.actor import SYSTEM
from portal.core.tenancy import platform_scope
from portal.core.worklist import organisations_with_pending_work
from portal.organisations.models import Organisation
from portal.progress import dropped, services, telling


@shared_task
def catch_up() -> None:
    """Find what messages that were lost, or never sent, would have said."""
    for organisation in Organisation.objects.filter(pk__in=organisations_with_pending_work()).order_by("pk"):
        services.catch_up(actor=SYSTEM, organisation=organisation)


@shared_task
def catch_up_organisation(organisation_id: int) -> None:
    services.catch_up(actor=SYSTEM, organisation=Organisation.objects.get(pk=organisation_id))


@shared_task
def tell_platforms() -> None:
    """Tell the platforms of enrolments that wait for it."""
    with platform_scope():
        due = telling.due_organisations(timezone.now())
    for organisation in Organisation.objects.filter(pk__in=due).order_by("pk"):
        telling.tell_platforms(organisation=organisation)


@shared_task
def take_dropped_files() -> None:
    """Record the files that a platform left in the drop folder."""
    for organisation_id in sorted(dropped.take_dropped_files(actor=SYSTEM)):
        catch_up_organisation(organisation_id)
