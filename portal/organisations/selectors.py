"""What is read of organisations before and outside any scope."""

from __future__ import annotations

import hashlib

from django.db import connection
from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from portal.organisations.models import DoorKind, EmailDomain, Organisation


def organisation_named(slug: str) -> Organisation:
    """Return the organisation, active or not.

    Raises:
        Refusal: `unknown_organisation`.
    """
    try:
        return Organisation.objects.get(slug=slug)
    except Organisation.DoesNotExist:
        message = _("There is no organisation “%(slug)s”. Check the spelling, or create it first.")
        raise Refusal("unknown_organisation", message % {"slug": slug}) from None


def door_digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def organisations_behind(kind: DoorKind, key: str) -> list[int]:
    """Return the ids of the active organisations that this key leads to: one indexed read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.id FROM organisations_door d JOIN organisations_organisation o ON o.id = d.organisation_id"
            " WHERE d.kind = %s AND d.digest = %s AND o.active ORDER BY o.id",
            [str(kind), door_digest(key)],
        )
        return [organisation_id for (organisation_id,) in cursor.fetchall()]


def verified_domains(organisation: Organisation) -> frozenset[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT domain FROM organisations_emaildomain WHERE organisation_id = %s AND verified_at IS NOT NULL",
            [organisation.pk],
        )
        return frozenset(domain for (domain,) in cursor.fetchall())


def organisation_of_domain(domain: str) -> Organisation | None:
    owner = EmailDomain.objects.select_related("organisation").filter(
        domain=domain.lower(), verified_at__isnull=False, organisation__active=True
    )
    found = owner.first()
    return found.organisation if found else None
