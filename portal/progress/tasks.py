"""Celery shells: catching up, as soon as something changed and again by the sweep; and the nightly comparison."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from portal.core.actor import SYSTEM
from portal.core.tenancy import platform_scope
from portal.core.worklist import organisations_with_pending_work
from portal.organisations.models import Organisation
from portal.progress import dropped, services, telling

log = logging.getLogger(__name__)


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


@shared_task
def check_counts() -> None:
    """Compare every organisation's counts with its facts, one scope each; one that fails does not stop the others."""
    for organisation in Organisation.objects.order_by("pk"):
        try:
            services.check_counts(actor=SYSTEM, organisation=organisation)
        except DatabaseError:
            log.exception("The counts of organisation %s could not be compared.", organisation.pk)
