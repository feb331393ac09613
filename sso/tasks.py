"""What the workers do for company sign-in: forget, end what is over, read again, turn keys, watch certificates."""

from __future__ import annotations

import logging

from celery import shared_task
from django.core.cache import cache

from portal.core.actor import SYSTEM
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from sso import reading
from sso.radar import sound_radar
from sso.retention import forget_sign_ins as forget
from sso.rotation import turn_keys
from sso.selectors import organisations_with_connections
from sso.sign_out import end_sessions_of_leavers as end_sessions

log = logging.getLogger(__name__)


@shared_task
def forget_sign_ins() -> None:
    """Delete what sign-ins leave behind, one organisation at a time."""
    for organisation_id in organisations_with_connections():
        with organisation_scope(organisation_id):
            forget(organisation_id=organisation_id)


@shared_task
def refresh_metadata() -> None:
    """Read the metadata that is due. One round at a time: four hosts are asked at once, never eight."""
    if not cache.add("metadata-round", 1, timeout=reading.LEASE.total_seconds()):
        return
    try:
        reading.refresh_metadata()
    finally:
        cache.delete("metadata-round")


@shared_task
def look_after_connections() -> None:
    """Turn our keys whose day has come, look at every certificate, and see that what is read has a day for it."""
    ids = organisations_with_connections()
    for organisation in Organisation.objects.filter(pk__in=ids, active=True).order_by("pk"):
        try:
            with organisation_scope(organisation.pk):
                turn_keys(actor=SYSTEM, organisation=organisation)
                sound_radar(organisation=organisation)
                reading.give_days(organisation=organisation)
        except Exception as error:  # noqa: BLE001  One partner's trouble is not the next one's.
            log.error("Organisation %s could not be looked after: %s.", organisation.pk, type(error).__name__)  # noqa: TRY400


@shared_task
def end_sessions_of_leavers() -> None:
    """End the sessions of people who are no longer active. They were refused before: this only removes what is left."""
    for organisation in Organisation.objects.filter(pk__in=organisations_with_connections()):
        with organisation_scope(organisation.pk):
            end_sessions(organisation=organisation)
