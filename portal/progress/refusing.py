"""Facts that are refused are lost to no one: each stands once at the desk, as it came, until somebody looks at it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import F

from portal.core.tenancy import organisation_scope
from portal.core.worklist import note_work
from portal.organisations.models import Organisation
from portal.progress.facts import Unreadable, stated_id
from portal.progress.models import Delivery, DeskItem, UnplacedEvent
from portal.progress.selectors import DESK_CHANGED
from portal.progress.tally import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portal.core.actor import Actor
    from portal.progress.tally import Tally

HOMELESS = "\x1f"
"""How the key begins of what was refused and names no organisation that we know: no event can be called like that."""

_LONGEST = 4_000


@dataclass
class Arrival:
    """One delivery: who brings it, by which way, for whom, and what became of it so far."""

    actor: Actor
    source: str
    name: str
    allowed: frozenset[str] | None
    tally: Tally


class Refused(NamedTuple):
    """An event that is refused; one that is not `kept` may not be left where it wanted to be."""

    row: int
    code: str
    event: object
    organisation_id: int | None = None
    kept: bool = True


def keep_refused(arrival: Arrival, refused: Sequence[Refused]) -> None:
    """Put refused events on the desks of their organisations, or aside until their organisation is known."""
    kept = [item for item in refused if item.kept]
    if not kept:
        return
    allowed = arrival.allowed
    slugs = {stated_organisation(item.event) for item in kept if item.organisation_id is None}
    known = dict(Organisation.objects.filter(slug__in=slugs | (allowed or set())).values_list("slug", "pk"))
    desks: defaultdict[int | None, list[tuple[str, object]]] = defaultdict(list)
    for item in kept:
        slug = stated_organisation(item.event)
        if not slug and allowed and len(allowed) == 1:
            (slug,) = allowed
        if item.organisation_id is None and slug and allowed is not None and slug not in allowed:
            continue
        home = item.organisation_id or known.get(slug)
        desks[home].append((item.code, item.event))
        if item.organisation_id is None and home is not None:
            arrival.tally.arrived[home][Outcome.REJECTED] += 1
    _keep_homeless(desks.pop(None, []))
    for organisation_id, items in sorted((pk, items) for pk, items in desks.items() if pk is not None):
        with organisation_scope(organisation_id):
            _keep_at_desk(organisation_id, items)
            note_work(organisation_id=organisation_id, topic=DESK_CHANGED)
            arrival.tally.organisation_ids.add(organisation_id)


def note_deliveries(arrival: Arrival) -> None:
    """Write down what arrived for each organisation; the parts of one delivery make one row."""
    tally = arrival.tally
    for organisation_id, counts in sorted(tally.arrived.items()):
        with organisation_scope(organisation_id):
            made = {str(outcome): count for outcome, count in counts.items()}
            known = tally.deliveries.get(organisation_id)
            if known is None:
                row = Delivery(organisation_id=organisation_id, source=arrival.source, name=arrival.name, **made)
                row.save(force_insert=True)
                tally.deliveries[organisation_id] = row.pk
            else:
                rows = Delivery.objects.filter(organisation_id=organisation_id, pk=known)
                rows.update(**{outcome: F(outcome) + count for outcome, count in made.items()})
    tally.arrived.clear()


def _keep_at_desk(organisation_id: int, refused: Iterable[tuple[str, object]]) -> None:
    """What stands there already stays as it is."""
    DeskItem.objects.bulk_create(
        (
            DeskItem(
                organisation_id=organisation_id,
                kind=DeskItem.Kind.CONTRADICTED if code == "contradicts" else DeskItem.Kind.REFUSED,
                key=_key(code, event),
                code=code,
                payload=_storable(event),
            )
            for code, event in refused
        ),
        ignore_conflicts=True,
        batch_size=1_000,
    )


def _keep_homeless(refused: Iterable[tuple[str, object]]) -> None:
    UnplacedEvent.objects.bulk_create(
        (
            UnplacedEvent(
                organisation_slug=stated_organisation(event)[:60],
                event_id=HOMELESS + _key(code, event),
                payload={"refused": code, "event": _storable(event)},
            )
            for code, event in refused
        ),
        ignore_conflicts=True,
        batch_size=1_000,
    )


def bring_home(*, organisation: Organisation) -> None:
    """Move what was refused before this organisation was known to its desk."""
    waiting = UnplacedEvent.objects.filter(organisation_slug=organisation.slug, event_id__startswith=HOMELESS)
    found = list(waiting.order_by("pk")[:10_000])
    if found:
        refused = [(item.payload["refused"], item.payload["event"]) for item in found]
        _keep_at_desk(organisation.pk, refused)
        UnplacedEvent.objects.filter(pk__in=[item.pk for item in found]).delete()


def stated_organisation(event: object) -> str:
    stated = event.get("organisation") if isinstance(event, dict) else None
    return stated.strip() if isinstance(stated, str) and stated.isprintable() else ""


def _key(code: str, event: object) -> str:
    digest = hashlib.sha256(f"{code}\x1f{_as_text(event)}".encode()).hexdigest()[:40]
    return f"{stated_id(event)[:120]}:{digest}"


def _as_text(event: object) -> str:
    """Return the event in signs that every database takes, whatever it holds."""
    if isinstance(event, Unreadable):
        return json.dumps(event.text)
    try:
        return json.dumps(event, sort_keys=True, default=str)
    except (RecursionError, TypeError):
        return "…"


def _storable(event: object) -> dict[str, Any]:
    """Return the event as it is when it is an object that can be stored, else its text, cut where it has no end."""
    text = _as_text(event)
    unstorable = ("\\u0000", "\\ud", "NaN", "Infinity")
    if isinstance(event, dict) and len(text) <= _LONGEST and not any(sign in text for sign in unstorable):
        return event
    return {"text": text[:_LONGEST]}
