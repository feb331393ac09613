"""Writing cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event, record_platform_event
from portal.cohorts.models import Cohort, CohortRule
from portal.cohorts.rules import DAYS, LISTS, rules_of
from portal.cohorts.selectors import cohort_key, programme_coded
from portal.core.errors import Refusal
from portal.core.worklist import note_work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from portal.cohorts.models import Programme
    from portal.cohorts.rules import Rule
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

COHORT_CHANGED = "cohort"
RULES_CHANGED = "rules"
"""Who comes in by themselves has changed: the subject is the cohort."""

LARGEST_TARGET = 10_000_000
MOST_VALUES = 5_000


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
    target: int | None = None,
) -> Cohort:
    """Create a cohort; the same call again changes nothing.

    Raises:
        Refusal: `invalid_name`, `ends_before_it_starts`, `invalid_target`, `exists_differently`.
    """
    name = _checked_name(name)
    programme = programme or programme_coded()
    _check_days(starts_on, ends_on)
    _check_target(target)
    wanted: dict[str, object] = {"programme_id": programme.pk, "starts_on": starts_on, "ends_on": ends_on}
    if target is not None:
        wanted["target"] = target
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


@transaction.atomic
def change_cohort(
    *,
    actor: Actor,
    organisation: Organisation,
    cohort_id: int,
    name: str,
    programme: Programme,
    starts_on: date | None,
    ends_on: date | None,
    target: int | None,
    in_use: bool,
) -> Cohort:
    """Change what a cohort is. `in_use` says that people are enrolled: their facts are those of the programme.

    Raises:
        Refusal: `unknown_cohort`, `invalid_name`, `ends_before_it_starts`, `invalid_target`, `name_taken`,
            `programme_in_use`.
    """
    cohort = _locked(organisation, cohort_id)
    name = _checked_name(name)
    _check_days(starts_on, ends_on)
    _check_target(target)
    if in_use and cohort.programme_id != programme.pk:
        message = _("People are enrolled: their facts are those of this programme. Create another cohort instead.")
        raise Refusal("programme_in_use", message)
    others = Cohort.objects.filter(organisation_id=organisation.pk, name_key=cohort_key(name))
    if others.exclude(pk=cohort.pk).exists():
        raise Refusal("name_taken", _("Another cohort has this name."))
    wanted = {
        "name": name,
        "name_key": cohort_key(name),
        "programme_id": programme.pk,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "target": target,
    }
    different = [field for field, value in wanted.items() if getattr(cohort, field) != value]
    if different:
        for field in different:
            setattr(cohort, field, wanted[field])
        cohort.save(update_fields=different)
        note_cohorts_changed(organisation_id=organisation.pk, cohort_ids=[cohort.pk])
        # Another end may open a cohort again: its rules hold from now on.
        note_work(organisation_id=organisation.pk, topic=RULES_CHANGED, subject_ids=[cohort.pk])
        record_event(
            actor=actor,
            organisation_id=organisation.pk,
            action=Action.COHORT_CHANGED,
            subject=str(cohort.pk),
            data={"name": cohort.name, "fields": [field for field in different if field != "name_key"]},
        )
    return cohort


@transaction.atomic
def set_membership(
    *, actor: Actor, organisation: Organisation, cohort_id: int, membership: str, rules: Sequence[Rule] = ()
) -> Cohort:
    """Say who comes into a cohort by themselves. The next catching up enrols and withdraws accordingly.

    Raises:
        Refusal: `unknown_cohort`, `no_rule`, `invalid_rule`.
    """
    cohort = _locked(organisation, cohort_id)
    wanted = list(rules) if membership == Cohort.Membership.RULES else []
    if membership == Cohort.Membership.RULES and not wanted:
        raise Refusal("no_rule", _("Give one rule at least: without any, nobody would be named."))
    _check_rules(wanted)
    if cohort.membership == membership and _same_rules(rules_of(organisation, [cohort.pk])[cohort.pk], wanted):
        return cohort
    cohort.membership = membership
    cohort.save(update_fields=["membership"])
    CohortRule.objects.filter(organisation_id=organisation.pk, cohort=cohort).delete()
    CohortRule.objects.bulk_create(
        CohortRule(
            organisation_id=organisation.pk, cohort=cohort, field=rule.field, values=list(rule.values), day=rule.day
        )
        for rule in wanted
    )
    note_work(organisation_id=organisation.pk, topic=RULES_CHANGED, subject_ids=[cohort.pk])
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.COHORT_RULED,
        subject=str(cohort.pk),
        data={
            "name": cohort.name,
            "membership": membership,
            "rules": [
                {"field": rule.field, "values": len(rule.values), "day": rule.day.isoformat() if rule.day else ""}
                for rule in wanted
            ],
        },
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


def _locked(organisation: Organisation, cohort_id: int) -> Cohort:
    found = Cohort.objects.select_for_update().filter(organisation_id=organisation.pk, pk=cohort_id).first()
    if found is None:
        raise Refusal("unknown_cohort", _("There is no such cohort."))
    return found


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= 150:
        raise Refusal("invalid_name", _("Give the cohort a name of 150 characters at most."))
    return name


def _check_days(starts_on: date | None, ends_on: date | None) -> None:
    if starts_on and ends_on and ends_on < starts_on:
        raise Refusal("ends_before_it_starts", _("The cohort would end before it starts."))


def _check_target(target: int | None) -> None:
    if target is not None and not 0 < target <= LARGEST_TARGET:
        raise Refusal("invalid_target", _("A target is a number of people, from 1 to 10,000,000."))


def _check_rules(rules: Sequence[Rule]) -> None:
    """One rule for each field at most, each with what it needs."""
    fields = [rule.field for rule in rules]
    complete = all(
        bool(rule.values) and rule.day is None if rule.field in LISTS else rule.field in DAYS and rule.day is not None
        for rule in rules
    )
    small = all(len(rule.values) <= MOST_VALUES and all(len(value) <= 150 for value in rule.values) for rule in rules)
    if len(set(fields)) < len(fields) or not complete or not small:
        raise Refusal("invalid_rule", _("One of the rules says nothing, or is given twice."))


def _same_rules(known: Sequence[Rule], wanted: Sequence[Rule]) -> bool:
    def sense(rules: Sequence[Rule]) -> set[tuple[str, frozenset[str], date | None]]:
        return {(rule.field, frozenset(rule.values), rule.day) for rule in rules}

    return sense(known) == sense(wanted)
