"""Finding one's door: from a work e-mail address by its domain alone, or from a company's exact name or code.

The part before the @ is never looked up, so that nobody learns who is on a roster. What nobody has verified or is
called takes the same steps, through a scope in which nothing exists, and so the same time; nothing is ever listed.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Q
from django.urls import reverse

from portal.core.limits import Limit
from portal.core.tenancy import organisation_scope
from portal.core.text import fold
from portal.organisations.models import Organisation
from portal.organisations.selectors import organisation_of_domain
from sso.selectors import open_connection

MISSES: Final = Limit("door-misses", most=60, seconds=60)
"""Only misses of an address count: a whole company comes through one on a Monday morning."""

_NOBODY: Final = -1
_NAMELESS: Final = "\u0001"
"""What no organisation is called: a name without letters folds to nothing."""


def door_behind(entered: str) -> str | None:
    """Return the path at which the sign-in of the visitor's organisation begins, if it is open."""
    entered = entered.replace("\x00", "")
    return door_of(entered) if "@" in entered else door_named(entered)


def door_of(email: str) -> str | None:
    """Return the door of this address's organisation."""
    domain = email.strip().rpartition("@")[2].lower()
    return _door(organisation_of_domain(domain if domain.isprintable() else ""))


def door_named(entered: str) -> str | None:
    """Return the door of the organisation with exactly this code or this name; a name that two have is nobody's."""
    code = entered.strip().lower()[:60]
    name = fold(entered[:200]) or _NAMELESS
    found = list(Organisation.objects.filter(Q(slug=code) | Q(sort_name=name), active=True).order_by("id")[:3])
    by_code = [organisation for organisation in found if organisation.slug == code]
    one = by_code or (found if len(found) == 1 else [])
    return _door(one[0] if one else None)


def _door(organisation: Organisation | None) -> str | None:
    organisation_id = organisation.pk if organisation else _NOBODY
    with organisation_scope(organisation_id):
        connection = open_connection(organisation_id)
    return reverse("sso_login", args=[connection.public_id]) if connection else None
