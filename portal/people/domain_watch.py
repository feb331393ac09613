"""Looking after verified domains: a record that went missing is told to the owners before it costs anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from portal.core.outbox import write_mail
from portal.organisations.domains import GRACE, Finding, note_recheck, readable_domain
from portal.organisations.txt_records import record_name, record_value
from portal.people.models import Membership
from portal.people.selectors import members

if TYPE_CHECKING:
    import datetime as dt

    from portal.core.actor import Actor
    from portal.organisations.models import EmailDomain
    from portal.organisations.txt_records import Answer


@transaction.atomic
def watch_domain(*, actor: Actor, claimed: EmailDomain, answer: Answer, now: dt.datetime) -> Finding:
    """Record what the DNS said of a verified domain, and write to the owners when that changes something."""
    finding = note_recheck(actor=actor, claimed=claimed, answer=answer, now=now)
    if finding is Finding.MISSING:
        _tell_owners(claimed, "domain_missing", since=now)
    elif finding is Finding.LOST:
        _tell_owners(claimed, "domain_lost", since=claimed.missing_since or now)
    return finding


def _tell_owners(claimed: EmailDomain, name: str, *, since: dt.datetime) -> None:
    organisation = claimed.organisation
    context = {
        "organisation": organisation.name,
        "domain": readable_domain(claimed.domain),
        "record": record_name(claimed.domain),
        "value": record_value(claimed.challenge),
        "until": (since + GRACE).isoformat(),
        "url": f"{settings.BASE_URL}{reverse('domains', args=[organisation.slug])}",
    }
    for owner in members(organisation).filter(role=Membership.Role.OWNER).exclude(user__email=""):
        write_mail(
            organisation_id=organisation.pk,
            key=f"{name}:{claimed.pk}:{since:%Y-%m-%d}",
            name=name,
            address=owner.user.email,
            language=owner.user.language or organisation.language,
            context=context,
        )
