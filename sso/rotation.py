"""Changing our own key of a connection without a day on which nobody can sign in.

The next key is published first, beside the one that signs; on its day it signs; what is encrypted for any of them is
read throughout. The partner's IT has the time between to take the new certificate in.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.sealing import seal
from portal.people.notices import write_to_owners
from sso.models import Connection
from sso.parties import KEY_PURPOSE, certificates_until, facts_of
from sso.saml.config import new_key_pair

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

NOTICE: Final = dt.timedelta(days=30)
LONGEST_NOTICE: Final = dt.timedelta(days=365)
PREVIOUS_KEPT: Final = dt.timedelta(days=30)


@transaction.atomic
def publish_next_key(
    *, actor: Actor, organisation: Organisation, connection: Connection, signs_at: dt.datetime | None = None
) -> None:
    """Make the next key and publish it; it signs from `signs_at` on, in thirty days unless HR says otherwise.

    Raises:
        Refusal: `key_published`, `bad_day`.
    """
    day = _usable_day(signs_at or timezone.now() + NOTICE)
    private_key, certificate = new_key_pair(f"Objectif IA {organisation.slug}")
    published = Connection.objects.filter(pk=connection.pk, next_certificate="", closed_at__isnull=True).update(
        next_certificate=certificate,
        next_private_key=seal(private_key.encode(), purpose=KEY_PURPOSE),
        next_signs_at=day,
    )
    if not published:
        raise Refusal("key_published", _("A next key is published already, or the connection is closed."))
    _record(actor, organisation, connection, Action.KEY_PUBLISHED, {"signs_at": day.isoformat()})
    write_to_owners(
        organisation=organisation,
        key=f"key:{connection.pk}:{facts_of(certificate).fingerprint.replace(':', '')[:32]}",
        name="key-published",
        path=_page(organisation, connection),
        context={"signs": day.isoformat()},
    )


@transaction.atomic
def choose_day(*, actor: Actor, organisation: Organisation, connection: Connection, signs_at: dt.datetime) -> None:
    """Say from when on the next key signs.

    Raises:
        Refusal: `no_next_key`, `bad_day`.
    """
    day = _usable_day(signs_at)
    published = Connection.objects.filter(pk=connection.pk).exclude(next_certificate="")
    if not published.update(next_signs_at=day):
        raise Refusal("no_next_key", _("No next key is published."))
    _record(actor, organisation, connection, Action.KEY_PUBLISHED, {"signs_at": day.isoformat()})


@transaction.atomic
def withdraw_next_key(*, actor: Actor, organisation: Organisation, connection: Connection) -> None:
    """Take the next key back before it signs.

    Raises:
        Refusal: `no_next_key`.
    """
    published = Connection.objects.filter(pk=connection.pk).exclude(next_certificate="")
    if not published.update(next_certificate="", next_private_key=None, next_signs_at=None):
        raise Refusal("no_next_key", _("No next key is published."))
    _record(actor, organisation, connection, Action.KEY_CHANGED, {"withdrawn": True})


@transaction.atomic
def turn_keys(*, actor: Actor, organisation: Organisation, now: dt.datetime | None = None) -> None:
    """Let next keys sign whose day has come, and forget previous ones whose time is over."""
    moment = now or timezone.now()
    here = Connection.objects.filter(organisation_id=organisation.pk)
    here.filter(previous_until__lte=moment).update(
        previous_certificate="", previous_private_key=None, previous_until=None
    )
    for connection in here.filter(next_signs_at__lte=moment).exclude(next_certificate=""):
        turned = here.filter(pk=connection.pk, next_certificate=connection.next_certificate).update(
            previous_certificate=F("sp_certificate"),
            previous_private_key=F("sp_private_key"),
            previous_until=moment + PREVIOUS_KEPT,
            sp_certificate=F("next_certificate"),
            sp_private_key=F("next_private_key"),
            next_certificate="",
            next_private_key=None,
            next_signs_at=None,
        )
        if not turned:
            continue
        connection.refresh_from_db()
        here.filter(pk=connection.pk).update(certificates_until=certificates_until(connection))
        _record(actor, organisation, connection, Action.KEY_CHANGED, {})
        write_to_owners(
            organisation=organisation,
            key=f"key-changed:{connection.pk}:{facts_of(connection.sp_certificate).fingerprint.replace(':', '')[:32]}",
            name="key-changed",
            path=_page(organisation, connection),
        )


def _usable_day(signs_at: dt.datetime) -> dt.datetime:
    now = timezone.now()
    if not now - dt.timedelta(days=1) < signs_at <= now + LONGEST_NOTICE:
        raise Refusal("bad_day", _("Choose a day from today on, within a year."))
    return signs_at


def _record(
    actor: Actor, organisation: Organisation, connection: Connection, action: Action, data: dict[str, str | bool]
) -> None:
    record_event(
        actor=actor, organisation_id=organisation.pk, action=action, subject=str(connection.public_id), data=data
    )


def _page(organisation: Organisation, connection: Connection) -> str:
    return reverse("sign_in_connection", args=[organisation.slug, connection.public_id])
