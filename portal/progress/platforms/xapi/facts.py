"""What a statement says in our words: whose fact, of which programme, and which step. Pure Python.

Verbs that say nothing of a step, groups, and objects that are no activity are taken and leave no fact. A part of the
course, known by the course in its context, is progress and no more, whatever the verb.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from portal.progress.platforms.xapi.formats import is_uuid
from portal.progress.platforms.xapi.statements import VOIDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_ADL: Final = "http://adlnet.gov/expapi/verbs/"
_CMI5: Final = "https://w3id.org/xapi/adl/verbs/"
KINDS: Final[dict[str, str]] = {
    **dict.fromkeys((f"{_ADL}initialized", f"{_ADL}attempted", f"{_ADL}launched", f"{_ADL}registered"), "started"),
    **dict.fromkeys((f"{_ADL}progressed", f"{_ADL}failed", f"{_ADL}suspended", f"{_ADL}resumed"), "progressed"),
    **dict.fromkeys((f"{_ADL}terminated", f"{_ADL}exited", f"{_ADL}experienced"), "progressed"),
    **dict.fromkeys((f"{_ADL}completed", f"{_CMI5}satisfied"), "completed"),
    **dict.fromkeys((f"{_ADL}passed", f"{_ADL}mastered"), "certified"),
    **dict.fromkeys(
        ("http://id.tincanapi.com/verb/earned", "https://w3id.org/xapi/openbadges/verbs/earned"), "certified"
    ),
    "http://adlnet.gov/expapi/verbs/revoked": "revoked",
}
PROGRESS: Final = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Ways:
    """How statements name what we know: `here` is our address; activities and domains lead to codes and slugs.

    `only` is the slug of the one organisation that the sender may write for, where there is but one.
    """

    here: str
    activities: Mapping[str, str]
    domains: Mapping[str, str]
    only: str = ""

    @property
    def certificate(self) -> str:
        return f"{self.here}/xapi/certificate"

    @property
    def organisation(self) -> str:
        return f"{self.here}/xapi/organisation"


def is_voiding(statement: Mapping[str, Any]) -> bool:
    return bool(statement["verb"]["id"] == VOIDED)


def event_of(statement: Mapping[str, Any], ways: Ways, *, now: datetime) -> dict[str, Any] | None:
    """Return the event that the statement is, or nothing when it says nothing of a step of a person."""
    kind = KINDS.get(statement["verb"]["id"])
    if kind is None or statement["object"].get("objectType", "Activity") != "Activity":
        return None
    if statement["actor"].get("objectType") == "Group":
        return None
    programme, whole = _programme(statement, ways)
    event = {
        "event_id": statement["id"].lower(),
        "programme": programme,
        "event": kind if whole else "progressed",
        "occurred_at": statement.get("timestamp") or now.isoformat(),
        "content": digest_of(statement),
        **_person(statement["actor"], ways),
    }
    result = statement.get("result", {}).get("extensions", {})
    # How far someone is in a part says nothing of how far they are in the course.
    if whole and PROGRESS in result:
        event["progress"] = result[PROGRESS]
    if ways.certificate in result:
        event["certificate_url"] = result[ways.certificate]
    stated = statement.get("context", {}).get("extensions", {}).get(ways.organisation) or ways.only
    if stated:
        event["organisation"] = stated
    return event


def digest_of(statement: Mapping[str, Any]) -> str:
    """Return what tells a repeat from a contradiction: all but what a store adds, and how things are called."""
    said = {
        name: value
        for name, value in statement.items()
        if name not in {"id", "stored", "authority", "version", "attachments"}
    }
    said["verb"] = said["verb"]["id"]
    said["object"] = {name: value for name, value in said["object"].items() if name != "definition"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _programme(statement: Mapping[str, Any], ways: Ways) -> tuple[str, bool]:
    """Return the programme's code, and whether the object is the whole of it."""
    activity = statement["object"]["id"]
    if known := ways.activities.get(_bare(activity)):
        return known, True
    for parent in _parents(statement.get("context", {}).get("contextActivities", {})):
        if known := ways.activities.get(_bare(parent)):
            return known, False
    return _last_part(activity), True


def _parents(context: Mapping[str, Any]) -> Iterator[str]:
    for name in ("parent", "grouping"):
        stated = context.get(name, [])
        for activity in stated if isinstance(stated, list) else [stated]:
            yield activity["id"]


def _bare(activity: str) -> str:
    return activity.split("?", 1)[0].split("#", 1)[0].rstrip("/")


def _last_part(activity: str) -> str:
    """An activity that nobody configured is known by the last part of its address: often the programme's code."""
    last = _bare(activity).rpartition("/")[2].rpartition(":")[2]
    return last if last and len(last) <= 60 else f"activity-{hashlib.sha256(activity.encode()).hexdigest()[:32]}"


def _person(actor: Mapping[str, Any], ways: Ways) -> dict[str, str]:
    if "mbox" in actor:
        email = actor["mbox"].removeprefix("mailto:").lower()
        slug = ways.domains.get(email.rpartition("@")[2])
        return {"email": email, **({"organisation": slug} if slug else {})}
    if "account" in actor:
        return _account(actor["account"]["homePage"].rstrip("/"), actor["account"]["name"], ways.here)
    named = f"sha1:{actor['mbox_sha1sum'].lower()}" if "mbox_sha1sum" in actor else actor["openid"]
    return {"account": _short(named)}


def _account(home: str, name: str, here: str) -> dict[str, str]:
    """Accounts of ours: a learner's reference, or under an organisation's address a number of its employees."""
    if home == here and is_uuid(name):
        return {"learner": str(uuid.UUID(name))}
    if home.startswith(f"{here}/o/"):
        slug = urlsplit(home).path.removeprefix(urlsplit(here).path).removeprefix("/o/").strip("/")
        return {"organisation": slug, "employee_number": name}
    return {"account": _short(f"{home} {name}")}


def _short(named: str) -> str:
    if len(named) <= _LONGEST:
        return named
    return f"{named[:150]} {hashlib.sha256(named.encode()).hexdigest()[:40]}"
