"""What the page of an undo shows: what comes back, who changed since and stays, whom something already reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import npgettext

from imports.models import RosterImport
from imports.review import Fact, Tile, undo_facts
from imports.undo import people_left_alone, undo_outlook
from portal.core.templatetags.ui import number

if TYPE_CHECKING:
    from imports.undo import Outlook

LISTS = ("changed", "contacted")
_PAGE = 50


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A page of people whom the undo leaves as they are, and the place after which the next one begins."""

    name: str
    people: list[dict[str, Any]] = field(default_factory=list)
    after: int = 0


def page(roster_import: RosterImport, *, wanted: str, after: int) -> dict[str, Any]:
    """The outlook of an undo before it is asked for; afterwards what it came to, with the same lists."""
    undone = roster_import.state == RosterImport.State.UNDONE
    whose = {"organisation_id": roster_import.organisation_id, "import_id": roster_import.pk}
    outlook = None if undone else undo_outlook(**whose)
    name = wanted if wanted in LISTS else _first(outlook)
    found = people_left_alone(**whose, why=name, after=after, limit=_PAGE + 1)
    shown = found[:_PAGE]
    people = [
        {"name": named or key, "key": key, "url": reverse("employee", args=[roster_import.organisation.slug, person])}
        for _change, person, named, key in shown
    ]
    left = LeftAlone(name, people, shown[-1][0] if len(found) > _PAGE else 0)
    return {
        "outlook": outlook,
        "comes_back": outlook.people - outlook.changed_since if outlook else 0,
        "tiles": _tiles(roster_import, outlook, name),
        "facts": undo_facts(roster_import) if undone else _what_happens(outlook),
        "left": left,
    }


def _first(outlook: Outlook | None) -> str:
    if outlook is None:
        return "changed"
    return "contacted" if outlook.contacted and not outlook.changed_since else "changed"


def _tiles(roster_import: RosterImport, outlook: Outlook | None, current: str) -> list[Tile]:
    address = reverse("import_undo", args=[roster_import.organisation.slug, roster_import.pk])
    if outlook is None:
        results: dict[str, int] = roster_import.counts.get("undo") or {}
        kept = sum(results.get(name, 0) for name in ("kept", "partly", "inactive"))
        numbers = {"changed": kept, "contacted": results.get("enrolments_kept", 0)}
        back = sum(results.get(name, 0) for name in ("restored", "removed"))
    else:
        numbers = {"changed": outlook.changed_since, "contacted": outlook.contacted}
        back = outlook.people - outlook.changed_since
    return [
        Tile(back, npgettext("undo", "person as before", "people as before", back)),
        *(
            Tile(
                count,
                _label(name, count),
                url=f"{address}?list={name}" if count else "",
                current=name == current and bool(count),
                tone="warn" if count else "",
            )
            for name, count in numbers.items()
        ),
    ]


def _label(name: str, count: int) -> str:
    if name == "changed":
        return npgettext("undo", "changed since: stays as it is", "changed since: stay as they are", count)
    return npgettext("undo", "already contacted: stays enrolled", "already contacted: stay enrolled", count)


def _what_happens(outlook: Outlook | None) -> list[Fact]:
    if outlook is None:
        return []
    back = outlook.enrolments - outlook.contacted
    return [Fact(_("Enrolments taken back"), number(back))] if back else []
