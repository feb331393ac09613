"""Writing organisations, their domains and their doors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.core.text import fold
from portal.organisations.models import Door, EmailDomain, Organisation
from portal.organisations.selectors import door_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from portal.core.actor import Actor
    from portal.organisations.models import DoorKind

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


@transaction.atomic
def create_organisation(*, actor: Actor, slug: str, name: str, domains: Sequence[str] = ()) -> Organisation:
    """Create an organisation; the same call again changes nothing.

    Domains given here count as verified: the operator vouches for them.

    Raises:
        Refusal: `invalid_slug`, `invalid_name`, `invalid_domain`, `exists_differently`, `domain_taken`.
    """
    wanted = sorted({_checked_domain(domain) for domain in domains})
    name = " ".join(name.split())
    if not _SLUG.fullmatch(slug):
        message = _("“%(slug)s” cannot be an address: use small letters, digits and hyphens, 60 at most.")
        raise Refusal("invalid_slug", message % {"slug": slug})
    if not 0 < len(name) <= 200:
        raise Refusal("invalid_name", _("Give the organisation a name of 200 characters at most."))
    organisation, created = Organisation.objects.get_or_create(
        slug=slug, defaults={"name": name, "sort_name": fold(name)}
    )
    if not created:
        _refuse_other_values(organisation, name, wanted)
        return organisation
    _verify_domains(organisation, wanted)
    with organisation_scope(organisation.pk):
        record_event(
            actor=actor,
            organisation_id=organisation.pk,
            action=Action.ORGANISATION_CREATED,
            subject=slug,
            data={"domains": wanted},
        )
    return organisation


@transaction.atomic
def change_settings(*, actor: Actor, organisation: Organisation, changes: Mapping[str, str | int]) -> None:
    """Change what an owner decides: `support_contact`, `accent`, the thresholds `departure_*` and `small_group`.

    The audit holds the numbers before and after; of the contact, which may be a person's name, only that it changed.
    """
    different = {name: value for name, value in changes.items() if getattr(organisation, name) != value}
    if not different:
        return
    before = {name: getattr(organisation, name) for name in different}
    Organisation.objects.filter(pk=organisation.pk).update(**different)
    numbers = {name: [before[name], value] for name, value in different.items() if isinstance(value, int)}
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.SETTINGS_CHANGED,
        subject=organisation.slug,
        data={"fields": sorted(different), "numbers": numbers},
    )


@transaction.atomic
def require_company_sign_in(*, actor: Actor, organisation: Organisation, required: bool) -> None:
    """Say whether people come by the company sign-in alone; what must hold first is for `sso.enforcing` to check."""
    before = Organisation.objects.filter(pk=organisation.pk, sign_in_enforced_at__isnull=required)
    organisation.sign_in_enforced_at = timezone.now() if required else None
    if before.update(sign_in_enforced_at=organisation.sign_in_enforced_at):
        record_event(
            actor=actor,
            organisation_id=organisation.pk,
            action=Action.SIGN_IN_ENFORCED if required else Action.SIGN_IN_RELEASED,
            subject=organisation.slug,
        )


def open_door(*, kind: DoorKind, key: str, organisation_id: int) -> None:
    """Let `key` lead to the organisation; opening it again changes nothing."""
    open_doors(kind=kind, keys=[key], organisation_id=organisation_id)


def open_doors(*, kind: DoorKind, keys: Iterable[str], organisation_id: int) -> None:
    doors = [Door(kind=kind, digest=door_digest(key), organisation_id=organisation_id) for key in keys]
    Door.objects.bulk_create(doors, ignore_conflicts=True, batch_size=5_000)


def close_door(*, kind: DoorKind, key: str, organisation_id: int) -> None:
    Door.objects.filter(kind=kind, digest=door_digest(key), organisation_id=organisation_id).delete()


def _checked_domain(domain: str) -> str:
    folded = domain.strip().lower().removeprefix("@")
    if len(folded) > 253 or not _DOMAIN.fullmatch(folded):
        message = _("“%(domain)s” is not a domain. Write it like example.fr.")
        raise Refusal("invalid_domain", message % {"domain": domain})
    return folded


def _refuse_other_values(organisation: Organisation, name: str, domains: list[str]) -> None:
    known = sorted(organisation.email_domains.values_list("domain", flat=True))
    if (organisation.name, known) != (name, domains):
        message = _("“%(slug)s” exists with another name or other domains. Nothing was changed.")
        raise Refusal("exists_differently", message % {"slug": organisation.slug})


def _verify_domains(organisation: Organisation, domains: list[str]) -> None:
    taken = EmailDomain.objects.filter(domain__in=domains, verified_at__isnull=False).first()
    if taken:
        message = _("The domain %(domain)s already belongs to another organisation.")
        raise Refusal("domain_taken", message % {"domain": taken.domain})
    now = timezone.now()
    EmailDomain.objects.bulk_create(
        EmailDomain(organisation=organisation, domain=domain, verified_at=now) for domain in domains
    )
