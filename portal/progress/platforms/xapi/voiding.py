"""Taking back what a voiding statement names, whichever of the two comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from portal.progress.models import CompletionEvent, UnplacedEvent
from portal.progress.services import record_completions
from portal.progress.standing import VOIDS
from portal.progress.tally import Source

if TYPE_CHECKING:
    from collections.abc import Collection

    from portal.core.actor import Actor


def void_facts(*, actor: Actor, targets: Collection[str], allowed: frozenset[str] | None) -> set[int]:
    """Take these facts back; those that did not come yet are taken back when they come.

    An event_id is an organisation's own, so that all the sender may write for are looked into.
    """
    if not targets:
        return set()
    events, places = _events(targets, allowed)
    missing = set(targets) - places.keys()
    UnplacedEvent.objects.bulk_create(
        (
            UnplacedEvent(organisation_slug=slug, event_id=VOIDS + target, payload={"voids": target})
            for target in sorted(missing)
            for slug in sorted(allowed or {""})
        ),
        ignore_conflicts=True,
    )
    recorded = record_completions(actor=actor, events=enumerate(events, 1), allowed=allowed, source=Source.XAPI)
    return set(recorded.organisation_ids)


def void_what_waited(*, actor: Actor, came: Collection[str], allowed: frozenset[str] | None) -> set[int]:
    """Take back what came just now and was taken back before; who may not write somewhere takes nothing back there."""
    waiting = UnplacedEvent.objects.filter(event_id__in=[VOIDS + event_id for event_id in came])
    changed = set[int]()
    for item in waiting.order_by("pk"):
        within = frozenset({item.organisation_slug}) if item.organisation_slug else allowed
        target = item.event_id.removeprefix(VOIDS)
        events, places = _events([target], within)
        if places:
            recorded = record_completions(actor=actor, events=enumerate(events, 1), source=Source.XAPI)
            changed |= set(recorded.organisation_ids)
            item.delete()
    return changed


def _events(targets: Collection[str], allowed: frozenset[str] | None) -> tuple[list[dict[str, object]], dict[str, str]]:
    """Return the events that take these back, and in which organisation each was found."""
    organisations = Organisation.objects.filter(active=True)
    if allowed is not None:
        organisations = organisations.filter(slug__in=allowed)
    events: list[dict[str, object]] = []
    places = {}
    for organisation in organisations.order_by("pk"):
        with organisation_scope(organisation.pk):
            kept = CompletionEvent.objects.filter(organisation_id=organisation.pk, event_id__in=targets)
            for fact in kept.select_related("programme"):
                places[fact.event_id] = organisation.slug
                events.append(_taken_back(fact, organisation.slug))
    return events, places


def _taken_back(fact: CompletionEvent, slug: str) -> dict[str, object]:
    """Say the same of the person as the fact does: whoever is found for the one is found for the other."""
    return {
        "event_id": VOIDS + fact.event_id,
        "organisation": slug,
        "programme": fact.programme.code,
        "event": "revoked",
        "occurred_at": fact.occurred_at.isoformat(),
        "learner": str(fact.learner) if fact.learner else "",
        "employee_number": fact.employee_number,
        "email": fact.email,
        "account": fact.account,
        "content": VOIDS + fact.event_id,
    }
