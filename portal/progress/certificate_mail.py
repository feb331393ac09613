"""Certificates sent to whoever has left: to the private address that was confirmed before, and to no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from portal.audit.actions import Action
from portal.audit.services import record_platform_event
from portal.core.outbox import write_mail
from portal.core.tenancy import organisation_scope
from portal.people.private_address import people_at
from portal.progress.certificate_document import LINK_DAYS
from portal.progress.certificates import valid_certificates_everywhere

if TYPE_CHECKING:
    from portal.core.actor import Actor


@transaction.atomic
def send_certificates(*, actor: Actor, address: str) -> int | None:
    """Write to a private address with links to what its owner holds; at most once an hour.

    Return the organisation whose outbox carries the mail; None when there is none to write, which nobody is told.
    """
    people = people_at(address)
    held = valid_certificates_everywhere([user.learner for user in people if user.learner is not None])
    if not held:
        return None
    organisation_id = held[0].organisation_id
    with organisation_scope(organisation_id):
        write_mail(
            organisation_id=organisation_id,
            key=f"my-certificates:{timezone.now():%Y%m%d%H}",
            name="my-certificates",
            address=address.strip().lower(),
            language=people[0].language,
            context={
                "certificates": [
                    {
                        "fr": each.programme.name_fr,
                        "en": each.programme.name_en,
                        "certified_at": each.certified_at.isoformat(),
                        "code": each.code,
                    }
                    for each in held
                ],
                "days": LINK_DAYS,
            },
        )
    record_platform_event(actor=actor, action=Action.CERTIFICATES_SENT, data={"certificates": len(held)})
    return organisation_id
