"""Writing cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event, record_platform_event
from portal.cohorts.models import Cohort
from portal.cohorts.selectors import cohort_key, programme_coded
from portal.core.errors import Refusal
from portal.core.worklist import note_work

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from portal.cohorts.models import Programme
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

COHORT_CHANGED = "cohort"


@transaction.atomic
def configure_programme(*, actor: Actor, code: str, launch_url: str) -> Programme:
    """Say where the course of a programme opens; the learner's opaque reference is added to this address.

    Raises:
        Refusal: `unknown_programme`, `invalid_address`: not https, or http on this machine for a demo.
    """
    programme = programme_coded(code)
    address = urlsplit(launch_url)
    local = settings.ON_LOOPBACK and address.scheme == "http"
    if not (address.scheme == "https" or local) or not address.hostname or len(launch_url) > 500:
        raise Refusal("invalid_address", _("Give the course's address, beginning with https://."))
    if programme.launch_url != launch_url:
        programme.launch_url = launch_url
        programme.save(update_fields=["launch_url"])
        record_platform_event(
            actor=actor, action=Action.PROGRAMME_CONFIGURED, subject=code, data={"launch_url": launch_url}
        )
    return programme


@transaction.atomic
def create_cohort(
    *,
    actor: Actor,
    organisation: Organisation,
    name: str,
    programme: Programme | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Cohort:
    """Create a cohort; the same call again changes nothing.

    Raises:
        Refusal: `invalid_name`, `ends_before_it_starts`, `exists_differently`.
    """
    name = " ".join(name.split())
    programme = programme or programme_coded()
    if not 0 < len(name) <= 150:
        raise Refusal("invalid_name", _("Give the cohort a name of 150 characters at most."))
    if starts_on and ends_on and ends_on < starts_on:
        raise Refusal("ends_before_it_starts", _("The cohort would end before it starts."))
    wanted = {"programme_id": programme.pk, "starts_on": starts_on, "ends_on": ends_on}
    cohort, created = Cohort.objects.get_or_create(
        organisation_id=organisation.pk, name_key=cohort_key(name), defaults={"name": name, **wanted}
    )
    if not created:
        if any(getattr(cohort, field) != value for field, value in wanted.items()):
            message = _("A cohort “%(name)s” exists with other dates or another programme. Nothing was changed.")
            raise Refusal("exists_differently", message % {"name": cohort.name})
        return cohort
    note_cohorts_changed(organisation_id=organisation.pk, cohort_ids=[cohort.pk])
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.COHORT_CREATED,
        subject=str(cohort.pk),
        data={"name": cohort.name},
    )
    return cohort


def cohorts_for_names(*, actor: Actor, organisation: Organisation, names: Iterable[str]) -> dict[str, Cohort]:
    """Return the cohorts of these names by key, creating those that do not exist yet with the default programme."""
    by_key = {cohort_key(name): name for name in names if cohort_key(name)}
    known = Cohort.objects.filter(organisation_id=organisation.pk, name_key__in=by_key)
    found = {cohort.name_key: cohort for cohort in known}
    for key, name in sorted(by_key.items()):
        if key not in found:
            found[key] = create_cohort(actor=actor, organisation=organisation, name=name)
    return found


def note_cohorts_changed(*, organisation_id: int, cohort_ids: Iterable[int]) -> None:
    note_work(organisation_id=organisation_id, topic=COHORT_CHANGED, subject_ids=sorted(set(cohort_ids)))
