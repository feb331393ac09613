"""Reading metadata again from where a connection found it: when, from whom, and what a failure means.

What is due is a row. Whoever reads it first moves its moment on, so that no two readers ask for the same document, and
asks outside any transaction: a host that hangs holds no lock.
"""

from __future__ import annotations

import hashlib
import logging
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.actor import SYSTEM
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope, platform_scope
from sso.connecting import read_metadata
from sso.fetching import Fetched, checked_address, fetched_if_changed
from sso.models import Connection
from sso.versions import lingering, record_reading

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

AT_ONCE: Final = 4
MOST_IN_A_ROUND: Final = 100
LEASE: Final = timedelta(minutes=10)
"""A reader that dies is followed by another after this time."""

SHORTEST_WAIT: Final = timedelta(minutes=15)
LONGEST_WAIT: Final = timedelta(hours=24)
HOST_RESTS: Final = timedelta(minutes=5)
"""Doubled by each failure of the host, up to four hours: many partners share one."""

_LONGEST_REST_STEPS = 6

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one address answered, or why it did not."""

    organisation_id: int
    connection_id: int
    url: str
    fetched: Fetched | None = None
    failure: str = ""


def next_moment(now: dt.datetime) -> dt.datetime:
    """Return when to read again: about a day later, spread so that a thousand partners do not meet."""
    return now + timedelta(hours=random.uniform(18, 30))  # noqa: S311  No secret hangs on it.


@transaction.atomic
def follow_metadata(
    *, actor: Actor, organisation: Organisation, connection: Connection, url: str, just_read: bool = False
) -> None:
    """Read this connection's metadata from `url` from now on; "" reads it nowhere.

    `just_read`: what the connection has was read there a moment ago.

    Raises:
        Refusal: `bad_address`.
    """
    url = url.strip()
    if url:
        checked_address(url)
    changed = Connection.objects.filter(pk=connection.pk).exclude(metadata_url=url)
    now = timezone.now()
    if not changed.update(
        metadata_url=url,
        metadata_etag="",
        metadata_failure="",
        metadata_read_at=now if just_read else None,
        due_at=None if not url else next_moment(now) if just_read else now,
    ):
        return
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_CHANGED,
        subject=str(connection.public_id),
        data={"metadata_host": urlsplit(url).hostname or ""},
    )


@transaction.atomic
def ask_for_reading(*, actor: Actor, organisation: Organisation, connection: Connection) -> None:
    """Read at once, not when the day comes. It changes nothing by itself, so the audit has nothing to say of it.

    Raises:
        Refusal: `no_address`.
    """
    del actor
    known = Connection.objects.filter(organisation_id=organisation.pk, pk=connection.pk).exclude(metadata_url="")
    if not known.update(due_at=timezone.now(), metadata_etag=""):
        raise Refusal("no_address", _("This connection has no address to read its metadata from."))


@transaction.atomic
def give_days(*, organisation: Organisation) -> None:
    """Give a day to connections that have an address and no day: the set-up knows the address alone."""
    followed = Connection.objects.filter(organisation_id=organisation.pk, due_at__isnull=True, closed_at__isnull=True)
    for connection in followed.exclude(metadata_url="").exclude(state=Connection.State.DRAFT):
        Connection.objects.filter(pk=connection.pk).update(due_at=next_moment(timezone.now()))


def due_connections(*, now: dt.datetime) -> list[tuple[int, int]]:
    """Return (organisation, connection) of what is due, the longest first."""
    with platform_scope():
        due = Connection.objects.filter(due_at__lte=now, closed_at__isnull=True).order_by("due_at", "id")
        return list(due.values_list("organisation_id", "id")[:MOST_IN_A_ROUND])


def refresh_metadata(
    *, now: dt.datetime | None = None, fetch: Callable[[str, str], Fetched] = fetched_if_changed
) -> int:
    """Read what is due, four at a time, and return how many were read."""
    moment = now or timezone.now()
    claims = [_claim(*pair, moment) for pair in due_connections(now=moment)]
    claimed = [claim for claim in claims if claim is not None]
    with ThreadPoolExecutor(AT_ONCE) as readers:
        for reading in readers.map(lambda claim: _read(claim[0], claim[1], fetch), claimed):
            try:
                _take_in(reading, moment)
            except Exception as error:  # noqa: BLE001  One partner's trouble is not the next one's.
                log.error("Connection %s could not be compared: %s.", reading.connection_id, type(error).__name__)  # noqa: TRY400
    return len(claimed)


def _claim(organisation_id: int, connection_id: int, now: dt.datetime) -> tuple[Reading, str] | None:
    """Take the reading for us; a host that rests is left for later."""
    with organisation_scope(organisation_id):
        due = Connection.objects.filter(organisation_id=organisation_id, pk=connection_id, due_at__lte=now)
        connection = due.select_for_update(skip_locked=True).first()
        if connection is None:
            return None
        if not connection.metadata_url:
            due.update(due_at=None)
            return None
        rest = _rest_of(connection.metadata_url)
        due.update(due_at=now + (rest or LEASE))
        if rest:
            return None
        # While a certificate is on its way out, the whole document is wanted: "unchanged" would not say from what.
        etag = "" if lingering(connection) else connection.metadata_etag
        return Reading(organisation_id, connection_id, connection.metadata_url), etag


def _read(wanted: Reading, etag: str, fetch: Callable[[str, str], Fetched]) -> Reading:
    """Fetch, in a thread that touches no database."""
    try:
        # Only the code of a refusal is kept; the words are for whoever opens the page.
        with translation.override("en"):
            fetched = fetch(wanted.url, etag)
    except Refusal as refusal:
        return Reading(wanted.organisation_id, wanted.connection_id, wanted.url, failure=refusal.code)
    except Exception as error:  # noqa: BLE001  A thread that dies would take the round with it.
        log.error("Connection %s could not be read: %s.", wanted.connection_id, type(error).__name__)  # noqa: TRY400
        return Reading(wanted.organisation_id, wanted.connection_id, wanted.url, failure="unreachable")
    return Reading(wanted.organisation_id, wanted.connection_id, wanted.url, fetched=fetched)


def _take_in(reading: Reading, now: dt.datetime) -> None:
    if reading.failure == "unreachable":
        _let_rest(reading.url)
    elif reading.fetched:
        _forget_rest(reading.url)
    with organisation_scope(reading.organisation_id):
        connection = (
            Connection.objects.select_related("organisation")
            .filter(organisation_id=reading.organisation_id, pk=reading.connection_id, metadata_url=reading.url)
            .first()
        )
        if connection is None:
            # Somebody gave another address meanwhile.
            return
        failure = reading.failure or _compared(connection, reading.fetched)
        here = Connection.objects.filter(pk=connection.pk)
        if failure:
            since = now - (connection.metadata_read_at or connection.created_at)
            wait = min(max(since, SHORTEST_WAIT), LONGEST_WAIT)
            here.update(metadata_failure=failure[:60], metadata_etag="", due_at=now + wait)
            return
        etag = reading.fetched.etag if reading.fetched else ""
        here.update(metadata_failure="", metadata_etag=etag, metadata_read_at=now, due_at=next_moment(now))


def _compared(connection: Connection, fetched: Fetched | None) -> str:
    """Validate and compare a document; return the code of what is wrong with it, or ""."""
    if fetched is None or fetched.content is None:
        return ""
    try:
        idp = read_metadata(fetched.content)
    except Refusal as refusal:
        return refusal.code
    record_reading(
        actor=SYSTEM,
        organisation=connection.organisation,
        connection=connection,
        idp=idp,
        # The first document of an address proves nothing: whoever gives the address could have written it.
        known_address=connection.metadata_url.startswith("https://") and connection.metadata_read_at is not None,
    )
    return ""


def _rest_of(url: str) -> timedelta | None:
    """Return how long the host of an address still rests. Without the cache it does not: the rest is a courtesy."""
    try:
        failures = int(cache.get(_host_key(url), 0))
    except (RedisError, OSError, ValueError):
        return None
    return HOST_RESTS if failures else None


def _let_rest(url: str) -> None:
    """Leave a host that failed alone, twice as long each time."""
    key = _host_key(url)
    try:
        failures = min(int(cache.get(f"{key}:count", 0)) + 1, _LONGEST_REST_STEPS)
        seconds = HOST_RESTS.total_seconds() * 2 ** (failures - 1)
        cache.set(key, 1, timeout=seconds)
        cache.set(f"{key}:count", failures, timeout=seconds * 3)
    except (RedisError, OSError, ValueError):
        return


def _forget_rest(url: str) -> None:
    try:
        cache.delete_many([_host_key(url), f"{_host_key(url)}:count"])
    except (RedisError, OSError):
        return


def _host_key(url: str) -> str:
    host = (urlsplit(url).hostname or "").encode()
    return f"metadata-host:{hashlib.sha256(host).hexdigest()[:32]}"
