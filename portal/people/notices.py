"""Mail to an organisation's owners: what they must hear of, each in their own language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.outbox import write_mail
from portal.people.models import Membership

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.organisations.models import Organisation
    from portal.people.models import User


def write_to_owners(
    *, organisation: Organisation, key: str, name: str, path: str, context: Mapping[str, Any] | None = None
) -> None:
    """Put the mail `name` into the outbox for every owner; the same `key` again writes to nobody twice.

    `path` is the page where they act on it. What `context` holds is JSON: moments are written in ISO.
    """
    owners = Membership.objects.filter(organisation_id=organisation.pk, role=Membership.Role.OWNER)
    words = {"organisation": organisation.name, "path": path, **(context or {})}
    for owner in owners.select_related("user").order_by("id"):
        address = address_of(owner.user)
        if address:
            write_mail(
                organisation_id=organisation.pk,
                key=key,
                name=name,
                address=address,
                language=owner.user.language,
                context=words,
            )


def address_of(user: User) -> str:
    """Return where to write: an account with a password is named by its address."""
    return user.username if "@" in user.username else user.email
