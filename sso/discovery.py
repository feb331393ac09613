"""Finding one's door from a work e-mail address: by its domain alone.

The part before the @ is never looked up, so that nobody learns who is on a roster; a domain that nobody has verified
takes the same steps, through a scope in which nothing exists, and so the same time.
"""

from __future__ import annotations

from django.urls import reverse

from portal.core.tenancy import organisation_scope
from portal.organisations.selectors import organisation_of_domain
from sso.selectors import open_connection

_NOBODY = -1


def door_of(email: str) -> str | None:
    """Return the path at which the sign-in of this address's organisation begins, if it is open."""
    domain = email.strip().rpartition("@")[2].lower()
    organisation = organisation_of_domain(domain if domain.isprintable() else "")
    organisation_id = organisation.pk if organisation else _NOBODY
    with organisation_scope(organisation_id):
        connection = open_connection(organisation_id)
    return reverse("sso_login", args=[connection.public_id]) if connection else None
