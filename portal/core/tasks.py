"""Celery shells of the kernel: the task that works for one organisation, and the worker's heartbeat."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from celery import shared_task
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from portal.core import delivery

if TYPE_CHECKING:
    from celery import Task

HEARTBEAT = "worker-heartbeat"

log = logging.getLogger(__name__)


def enqueue_on_commit(task: Task[Any, Any], *ids: int) -> None:
    """Send a hint once the rows are safe.

    The message is only a hint: when the broker is away, the periodic sweep finds the rows, and the person who has
    just been told that the work is done must not be told otherwise.
    """

    def send() -> None:
        try:
            task.apply_async(ids)
        except (OperationalError, RedisError, OSError):
            log.warning("The broker did not take %s; the sweep will.", task.name)

    transaction.on_commit(send)


@shared_task
def heartbeat() -> None:
    """Say that a worker takes work: `/readyz` reads it."""
    cache.set(HEARTBEAT, time.time(), timeout=300)


@shared_task
def deliver_mail() -> None:
    """Find the mail that is due, whoever wrote it and whatever message was lost."""
    for organisation_id in delivery.organisations_with_mail():
        delivery.deliver_mail(organisation_id=organisation_id)


@shared_task
def deliver_mail_of(organisation_id: int) -> None:
    """Do it at once for an organisation whose page has just written a mail: the hint that spares the wait."""
    delivery.deliver_mail(organisation_id=organisation_id)
