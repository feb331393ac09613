"""Looking after verified domains: a record that went missing is told to the owners before it costs anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse

from portal.organisations.domains import GRACE, Finding, note_recheck, readable_domain
from portal.organisations.txt_records import record_name, record_value
from portal.people.notices import write_to_owners

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
        _tell_owners(claimed, "domain-missing", since=now)
    elif finding is Finding.LOST:
        _tell_owners(claimed, "domain-lost", since=claimed.missing_since or now)
    return finding


def _tell_owners(claimed: EmailDomain, name: str, *, since: dt.datetime) -> None:
    organisation = claimed.organisation
    write_to_owners(
        organisation=organisation,
        key=f"{name}:{claimed.pk}:{since:%Y-%m-%d}",
        name=name,
        path=reverse("domains", args=[organisation.slug]),
        context={
            "domain": readable_domain(claimed.domain),
            "record": record_name(claimed.domain),
            "value": record_value(claimed.challenge),
            "until": (since + GRACE).isoformat(),
        },
    )
