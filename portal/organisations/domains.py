"""E-mail domains: claimed by an owner, proved by a TXT record, looked at again every week.

A domain has one owner in the whole portal once it is verified. Whoever claims another's learns nothing of it: the
claim stands like any other, and cannot be verified.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import idna
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.organisations.models import EmailDomain
from portal.organisations.public_mail import is_public_mail, registrable_domain
from portal.organisations.selectors import parent_domains
from portal.organisations.txt_records import Answer

if TYPE_CHECKING:
    import datetime as dt

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

MOST_DOMAINS: Final = 50
GRACE: Final = timedelta(days=14)
LONGEST_SILENCE: Final = timedelta(days=30)
"""A domain whose DNS has not answered for so long counts as one without its record."""

_ASCII_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Finding(StrEnum):
    """What a weekly look changed."""

    KEPT = "kept"
    MISSING = "missing"
    STILL_MISSING = "still_missing"
    LOST = "lost"
    UNDECIDED = "undecided"


def domain_asked(text: str) -> str:
    """Return a domain as the DNS writes it, from what somebody typed: `@Société.fr` → `xn--socit-esab.fr`.

    Raises:
        Refusal: `invalid_domain`, `public_suffix`, `public_mail`.
    """
    typed = text.strip().strip(".").rpartition("@")[2]
    try:
        folded = idna.encode(typed, uts46=True).decode().lower() if typed else ""
    except (idna.IDNAError, UnicodeError):
        folded = ""
    if len(folded) > 253 or not _ASCII_DOMAIN.fullmatch(folded):
        message = _("“%(domain)s” is not a domain. Write what stands after the @, like example.fr.")
        raise Refusal("invalid_domain", message % {"domain": text.strip()[:100]})
    if not registrable_domain(folded):
        message = _("“%(domain)s” is an ending under which everybody registers domains. Give your own.")
        raise Refusal("public_suffix", message % {"domain": folded})
    if is_public_mail(folded):
        message = _("%(domain)s gives addresses to everybody: it cannot say that somebody works for you.")
        raise Refusal("public_mail", message % {"domain": folded})
    return folded


def readable_domain(domain: str) -> str:
    """Return a domain as people write it."""
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


@transaction.atomic
def claim_domain(
    *, actor: Actor, organisation: Organisation, domain: str, include_subdomains: bool = False
) -> EmailDomain:
    """Note that the organisation says a domain is its own, with the text that its TXT record must hold.

    The same claim again changes nothing; with the other choice of subdomains it changes that choice.

    Raises:
        Refusal: as `domain_asked`; `too_many_domains`; `cannot_verify`.
    """
    asked = domain_asked(domain)
    _lock(asked)
    claims = EmailDomain.objects.filter(organisation=organisation)
    known = claims.filter(domain=asked).first()
    if known and known.include_subdomains == include_subdomains:
        return known
    if known is None and claims.count() >= MOST_DOMAINS:
        message = _("%(count)s domains are claimed already. Remove those that are not yours any more.")
        raise Refusal("too_many_domains", message % {"count": MOST_DOMAINS})
    if known and known.verified_at and include_subdomains:
        _refuse_taken(organisation, asked, include_subdomains=True)
    claimed, _created = EmailDomain.objects.update_or_create(
        organisation=organisation,
        domain=asked,
        defaults={"include_subdomains": include_subdomains},
        create_defaults={"include_subdomains": include_subdomains, "challenge": secrets.token_hex(16)},
    )
    _record(actor, claimed, Action.DOMAIN_CLAIMED, include_subdomains=include_subdomains)
    return claimed


@transaction.atomic
def verify_domain(*, actor: Actor, organisation: Organisation, claimed: EmailDomain, answer: Answer) -> None:
    """Take a domain as the organisation's own when the DNS holds its record. Verified again, it changes nothing.

    Raises:
        Refusal: `record_missing`, `dns_silent`, `cannot_verify`.
    """
    if answer is Answer.SILENT:
        raise Refusal("dns_silent", _("The DNS did not answer in time. Nothing was changed: try again in a minute."))
    if answer is Answer.MISSING:
        raise _record_missing()
    _lock(claimed.domain)
    # As it is now: whoever runs the DNS chooses how long it takes to answer, and could change the claim meanwhile.
    known = EmailDomain.objects.filter(organisation=organisation, pk=claimed.pk).first()
    if known is None:
        raise _record_missing()
    _refuse_taken(organisation, known.domain, include_subdomains=known.include_subdomains)
    now = timezone.now()
    try:
        with transaction.atomic():
            unverified = EmailDomain.objects.filter(pk=claimed.pk, verified_at=None)
            fresh = unverified.update(verified_at=now, checked_at=now, missing_since=None)
    except IntegrityError:
        raise _cannot_verify() from None
    if fresh:
        _record(actor, known, Action.DOMAIN_VERIFIED, include_subdomains=known.include_subdomains)
    else:
        EmailDomain.objects.filter(pk=claimed.pk).update(checked_at=now, missing_since=None)


@transaction.atomic
def remove_domain(*, actor: Actor, organisation: Organisation, claimed: EmailDomain) -> None:
    """Give a domain up: addresses in it are not trusted any more, from the next sign-in on."""
    if EmailDomain.objects.filter(organisation=organisation, pk=claimed.pk).delete()[0]:
        _record(actor, claimed, Action.DOMAIN_REMOVED)


@transaction.atomic
def note_recheck(*, actor: Actor, claimed: EmailDomain, answer: Answer, now: dt.datetime) -> Finding:
    """Record what a weekly look found: a record that stays away for the time of grace takes the domain away."""
    row = EmailDomain.objects.select_for_update().filter(pk=claimed.pk, verified_at__isnull=False).first()
    if row is None:
        return Finding.UNDECIDED
    if answer is Answer.SILENT and now - (row.checked_at or now) < LONGEST_SILENCE:
        return Finding.UNDECIDED
    if answer is Answer.FOUND:
        EmailDomain.objects.filter(pk=row.pk).update(checked_at=now, missing_since=None)
        return Finding.KEPT
    checked = {} if answer is Answer.SILENT else {"checked_at": now}
    if row.missing_since is None:
        EmailDomain.objects.filter(pk=row.pk).update(missing_since=now, **checked)
        claimed.missing_since = now
        return Finding.MISSING
    if now - row.missing_since < GRACE:
        EmailDomain.objects.filter(pk=row.pk).update(**{"checked_at": row.checked_at, **checked})
        return Finding.STILL_MISSING
    EmailDomain.objects.filter(pk=row.pk).update(verified_at=None, **checked)
    _record(actor, row, Action.DOMAIN_LOST)
    return Finding.LOST


def _lock(domain: str) -> None:
    """Let one decision at a time be made about a domain and those above and below it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [registrable_domain(domain)])


def _refuse_taken(organisation: Organisation, domain: str, *, include_subdomains: bool) -> None:
    """Refuse what would give one address to two organisations. The sentence does not say that there is another."""
    others = EmailDomain.objects.filter(verified_at__isnull=False).exclude(organisation=organisation)
    clash = Q(domain=domain) | Q(domain__in=parent_domains(domain), include_subdomains=True)
    if include_subdomains:
        clash |= Q(domain__endswith=f".{domain}")
    if others.filter(clash).exists():
        raise _cannot_verify()


def _record_missing() -> Refusal:
    message = _("The record is not there yet. A new record can take an hour, sometimes a day, to be seen.")
    return Refusal("record_missing", message)


def _cannot_verify() -> Refusal:
    message = _("This domain cannot be verified now. Your account manager can look into it.")
    return Refusal("cannot_verify", message)


def _record(actor: Actor, claimed: EmailDomain, action: Action, **data: bool) -> None:
    record_event(
        actor=actor,
        organisation_id=claimed.organisation_id,
        action=action,
        subject=claimed.domain[:80],
        data={"domain": claimed.domain, **data},
    )
