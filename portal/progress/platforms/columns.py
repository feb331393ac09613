"""The columns of a platform's nightly file: headers in French or English, and what stands under them. Pure Python."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from imports.pipeline.fields import ROSTER_FIELDS
from portal.core.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROSTER: Final = {field.name: field.synonyms for field in ROSTER_FIELDS}
HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "event_id": ("event id", "identifiant de l evenement", "identifiant evenement", "id evenement", "event", "eventid"),
    "organisation": ("organisation", "organization", "entreprise", "societe", "partenaire", "company", "employeur"),
    "programme": ("programme", "program", "cours", "course", "parcours", "formation", "code programme"),
    "event": ("event", "evenement", "statut", "status", "etape", "etat", "state", "resultat"),
    "occurred_at": (
        *("occurred at", "date", "date de l evenement", "date evenement", "date heure", "le", "horodatage"),
        *("timestamp", "date de fin", "date de reussite", "completed on", "completion date"),
    ),
    "learner": ("learner", "apprenant", "reference apprenant", "reference de l apprenant", "learner reference"),
    "employee_number": _ROSTER["employee_number"],
    "email": _ROSTER["email"],
    "progress": ("progress", "progression", "avancement", "progression %", "taux d avancement", "pourcentage"),
    "certificate_url": (
        *("certificate url", "lien de l attestation", "url attestation", "attestation", "certificate", "certificat"),
        *("lien du certificat", "url certificat"),
    ),
    "account": ("account", "compte", "compte plateforme", "identifiant plateforme", "platform account", "user id"),
}
KINDS: Final[dict[str, str]] = {
    **dict.fromkeys(("started", "commence", "demarre", "debut", "inscrit et demarre", "initialized"), "started"),
    **dict.fromkeys(("progressed", "en cours", "in progress", "progresse", "progression"), "progressed"),
    **dict.fromkeys(("completed", "termine", "acheve", "complete", "fini", "finished"), "completed"),
    **dict.fromkeys(("certified", "certifie", "atteste", "attestation", "reussi", "passed", "diplome"), "certified"),
    **dict.fromkeys(("revoked", "revoque", "annule", "retire", "cancelled"), "revoked"),
}
_NEEDED: Final = frozenset({"event", "occurred_at"})
_WHO: Final = frozenset({"learner", "employee_number", "email", "account"})
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T]+(\d{1,2})[:h](\d{2})(?::(\d{2}))?)?")


def columns_of(cells: Sequence[str]) -> dict[str, int] | None:
    """Return where each field stands when this row is the header: a step, a date and a person have to be there."""
    found: dict[str, int] = {}
    folded = [fold(cell) for cell in cells]
    for name, headers in HEADERS.items():
        for header in headers:
            if header in folded and folded.index(header) not in found.values():
                found[name] = folded.index(header)
                break
    # A file of ours in which "event" is the step, not its id.
    if "event" not in found and "event_id" in found and folded[found["event_id"]] == "event":
        found["event"] = found.pop("event_id")
    return found if found.keys() >= _NEEDED and found.keys() & _WHO else None


def event_of_row(cells: Sequence[str], columns: Mapping[str, int], given: Mapping[str, str]) -> dict[str, str]:
    """Return the event in a row. `given` says what a file need not repeat: its organisation, its programme."""
    said = {name: cells[place].strip() for name, place in columns.items() if place < len(cells)}
    event = {**given, **{name: value for name, value in said.items() if value}}
    event["event"] = KINDS.get(fold(event.get("event", "")), event.get("event", ""))
    event["occurred_at"] = _iso(event.get("occurred_at", ""))
    if "progress" in event:
        event["progress"] = event["progress"].rstrip("% ").strip()
    if not event.get("event_id"):
        event["event_id"] = stable_id(event)
    return event


def stable_id(event: Mapping[str, str]) -> str:
    """Return the same id for the same content, so that the same file again changes nothing."""
    content = "\x1f".join(f"{name}={event[name]}" for name in sorted(event) if event[name])
    return f"file:{hashlib.sha256(content.encode()).hexdigest()[:40]}"


def _iso(text: str) -> str:
    """Read JJ/MM/AAAA, with or without the time; MM/DD is never guessed."""
    match = _DAY_FIRST.fullmatch(text.strip())
    if match is None:
        return text.strip()
    day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}"
