"""Which organisation and programme a fact belongs to; and the facts that belong to none yet, kept as they came."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from portal.cohorts.models import Programme
from portal.organisations.models import Door, DoorKind, Organisation
from portal.organisations.selectors import door_digest
from portal.progress.models import UnplacedEvent
from portal.progress.refusing import Refused
from portal.progress.tally import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from uuid import UUID

    from portal.progress.facts import Fact
    from portal.progress.tally import Tally


Key = tuple[str, str]
"""The slug of the organisation that a fact states, or nothing, and its event_id."""


NumberedFact = tuple[int, "Fact"]
"""The number of a line or item, and the fact in it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Placement:
    """`placed`: by organisation, the facts with their programme. `unplaced`: the others, each with the reason.

    `early` are those, by organisation, that happened before their programme began.
    """

    placed: dict[int, list[tuple[int, Fact, int]]]
    unplaced: list[tuple[NumberedFact, str]]
    early: dict[int, list[NumberedFact]]


def place_facts(facts: Sequence[NumberedFact]) -> Placement:
    """Find each fact's place; three queries whatever their number.

    Facts of a delivery are nearly all of one organisation and programme: they are sorted by what they state, and what
    is stated is looked up once.
    """
    stated: defaultdict[tuple[str, str], list[NumberedFact]] = defaultdict(list)
    for item in facts:
        fact = item[1]
        stated[fact.organisation, fact.programme].append(item)
    organisations = dict(
        Organisation.objects.filter(slug__in={slug for slug, _code in stated}).values_list("slug", "pk")
    )
    known = Programme.objects.filter(code__in={code for _slug, code in stated})
    programmes = {code: (pk, _dawn(day)) for code, pk, day in known.values_list("code", "pk", "starts_on")}
    homes = _homes_of({fact.learner for (slug, _), items in stated.items() if not slug for _row, fact in items})
    placement = Placement(defaultdict(list), [], defaultdict(list))
    for (slug, code), items in stated.items():
        home: int | str | None = organisations.get(slug, "unknown_organisation") if slug else None
        programme = programmes.get(code)
        if isinstance(home, int) and programme and programme[1] is None:
            placement.placed[home] += [(row, fact, programme[0]) for row, fact in items]
            continue
        for item in items:
            _place(item, home if home is not None else _home(item[1], homes), programme, placement)
    return placement


def _place(
    item: NumberedFact, home: int | str, programme: tuple[int, datetime | None] | None, placement: Placement
) -> None:
    row, fact = item
    if isinstance(home, str):
        placement.unplaced.append((item, home))
    elif programme is None:
        placement.unplaced.append((item, "unknown_programme"))
    elif programme[1] and fact.occurred_at < programme[1]:
        placement.early[home].append(item)
    else:
        placement.placed[home].append((row, fact, programme[0]))


def _dawn(starts_on: date | None) -> datetime | None:
    """Return the moment before which nothing of the programme can have happened, wherever on earth one is."""
    return datetime.combine(starts_on, time(), UTC) - timedelta(days=1) if starts_on else None


def keep_unplaced(unplaced: Iterable[tuple[NumberedFact, str]], tally: Tally) -> list[Refused]:
    """Keep facts without a place under their key; the same again is a duplicate, and what contradicts is returned."""
    items = list(unplaced)
    kept = payloads_kept(fact for (_row, fact), _reason in items)
    fresh: list[UnplacedEvent] = []
    wrong: list[Refused] = []
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
            wrong.append(Refused(row, "contradicts", payload))
    UnplacedEvent.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=5_000)
    return wrong


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
        **{name: said for name, said in (("account", fact.account), ("content", fact.content)) if said},
    }


def _home(fact: Fact, homes: dict[UUID, list[int]]) -> int | str:
    behind = homes.get(fact.learner, []) if fact.learner else []
    if len(behind) > 1:
        return "several_organisations"
    return behind[0] if behind else "unknown_learner"


def _homes_of(learners: set[UUID | None]) -> dict[UUID, list[int]]:
    if not learners:
        return {}
    by_digest = {door_digest(str(learner)): learner for learner in learners if learner}
    doors = Door.objects.filter(kind=DoorKind.LEARNER, digest__in=list(by_digest), organisation__active=True)
    homes: defaultdict[UUID, list[int]] = defaultdict(list)
    for digest, organisation_id in doors.values_list("digest", "organisation_id"):
        homes[by_digest[bytes(digest)]].append(organisation_id)
    return dict(homes)
