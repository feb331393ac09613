"""Which organisation and programme a fact belongs to; and the facts that belong to none yet, kept as they came."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from portal.cohorts.models import Programme
from portal.organisations.models import Door, DoorKind, Organisation
from portal.organisations.selectors import door_digest
from portal.progress.models import UnplacedEvent
from portal.progress.tally import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from portal.progress.facts import Fact
    from portal.progress.tally import Tally


Key = tuple[str, str]
"""The slug of the organisation that a fact states, or nothing, and its event_id."""


class NumberedFact(NamedTuple):
    """A fact and the number of its line or item."""

    row: int
    fact: Fact


@dataclasses.dataclass(frozen=True, slots=True)
class Placement:
    """`placed`: by organisation, the facts with their programme. `unplaced`: the others, each with the reason."""

    placed: dict[int, list[tuple[int, Fact, int]]]
    unplaced: list[tuple[NumberedFact, str]]


def place_facts(facts: Sequence[NumberedFact]) -> Placement:
    """Find each fact's place; three queries whatever their number."""
    organisations = dict(
        Organisation.objects.filter(slug__in={item.fact.organisation for item in facts}).values_list("slug", "pk")
    )
    programmes = dict(
        Programme.objects.filter(code__in={item.fact.programme for item in facts}).values_list("code", "pk")
    )
    homes = _homes_of({item.fact.learner for item in facts if item.fact.learner and not item.fact.organisation})
    placed: defaultdict[int, list[tuple[int, Fact, int]]] = defaultdict(list)
    unplaced: list[tuple[NumberedFact, str]] = []
    for item in facts:
        home = _home(item.fact, organisations, homes)
        programme_id = programmes.get(item.fact.programme)
        if isinstance(home, str):
            unplaced.append((item, home))
        elif programme_id is None:
            unplaced.append((item, "unknown_programme"))
        else:
            placed[home].append((item.row, item.fact, programme_id))
    return Placement(dict(placed), unplaced)


def keep_unplaced(unplaced: Iterable[tuple[NumberedFact, str]], tally: Tally) -> None:
    """Keep facts without a place under their key; the same again is a duplicate."""
    items = list(unplaced)
    kept = payloads_kept(item.fact for item, _reason in items)
    fresh = []
    for (row, fact), reason in items:
        payload = payload_of(fact)
        known = kept.setdefault(key_of(fact), payload)
        if known is payload:
            slug, event_id = key_of(fact)
            fresh.append(UnplacedEvent(organisation_slug=slug, event_id=event_id, payload=payload))
            tally.note(Outcome.UNMATCHED, row, fact.event_id, reason)
        elif known == payload:
            tally.add(Outcome.DUPLICATE)
        else:
            tally.note(Outcome.REJECTED, row, fact.event_id, "contradicts")
    UnplacedEvent.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=5_000)


def key_of(fact: Fact) -> Key:
    """Return under what a fact without a place is kept: the organisation it states, or none, and its event_id."""
    return fact.organisation, fact.event_id


def payloads_kept(facts: Iterable[Fact]) -> dict[Key, dict[str, object]]:
    """Return what is kept without a place, by key. Hardly ever anything: the table is looked into only then."""
    if not UnplacedEvent.objects.exists():
        return {}
    keys = {key_of(fact) for fact in facts}
    found = UnplacedEvent.objects.filter(
        organisation_slug__in={slug for slug, _event_id in keys}, event_id__in={event_id for _slug, event_id in keys}
    )
    payloads = found.values_list("organisation_slug", "event_id", "payload")
    return {(slug, event_id): payload for slug, event_id, payload in payloads}


def payload_of(fact: Fact) -> dict[str, object]:
    """The fact as an event again: what is kept can be read by `parse_fact` later."""
    return {
        "event_id": fact.event_id,
        "organisation": fact.organisation,
        "programme": fact.programme,
        "event": fact.kind,
        "occurred_at": fact.occurred_at.isoformat(),
        "learner": str(fact.learner) if fact.learner else "",
        "employee_number": fact.employee_number,
        "email": fact.email,
        "progress": fact.progress,
        "certificate_url": fact.certificate_url,
    }


def _home(fact: Fact, organisations: dict[str, int], homes: dict[UUID, list[int]]) -> int | str:
    if fact.organisation:
        return organisations.get(fact.organisation, "unknown_organisation")
    behind = homes.get(fact.learner, []) if fact.learner else []
    if len(behind) > 1:
        return "several_organisations"
    return behind[0] if behind else "unknown_learner"


def _homes_of(learners: set[UUID]) -> dict[UUID, list[int]]:
    if not learners:
        return {}
    by_digest = {door_digest(str(learner)): learner for learner in learners}
    doors = Door.objects.filter(kind=DoorKind.LEARNER, digest__in=list(by_digest), organisation__active=True)
    homes: defaultdict[UUID, list[int]] = defaultdict(list)
    for digest, organisation_id in doors.values_list("digest", "organisation_id"):
        homes[by_digest[bytes(digest)]].append(organisation_id)
    return dict(homes)
