"""One event of the learning platform, checked: a typed fact, or an issue with a name.

Pure Python, no database. Nearly every event of a delivery has nothing but texts, which are therefore looked at
together first. A time without a time zone is taken as UTC, the platform's own clock; one more than a day
ahead of ours is refused, since a fact of the future would hide the facts that come. Text that cannot be stored or
shown (control signs, halves of a surrogate pair) is refused here, before it can stop a whole batch.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from operator import gt
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

KINDS = frozenset({"started", "progressed", "completed", "certified", "revoked"})
AHEAD = timedelta(days=1)

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST = {
    "event_id": 200,
    "organisation": 60,
    "programme": 60,
    "event": 20,
    "occurred_at": 40,
    "learner": 45,
    "employee_number": 64,
    "email": 254,
    "certificate_url": 500,
    "account": 200,
    "content": 64,
}
_TEXTS = tuple(_LONGEST)[:9]
_LIMITS = tuple(_LONGEST[name] for name in _TEXTS)
_ABSENT = ("",) * len(_TEXTS)

SENTENCES: dict[str, _StrPromise] = {
    "unreadable_line": _("This line cannot be read: one event in UTF-8 text is expected."),
    "invalid_event": _("This is not an event: an object with its fields is expected."),
    "invalid_text": _("A field is too long, or is not plain text."),
    "missing_event_id": _("The event has no event_id."),
    "missing_organisation": _("The event names neither an organisation nor a learner reference."),
    "missing_programme": _("The event names no programme."),
    "missing_person": _("The event names nobody: learner, employee_number, email or account is expected."),
    "unknown_kind": _("The event must be started, progressed, completed, certified or revoked."),
    "bad_date": _("occurred_at is not a date and time in ISO 8601."),
    "from_the_future": _("occurred_at is more than a day ahead."),
    "bad_progress": _("progress must be a whole number from 0 to 100."),
    "bad_learner": _("learner is not one of our references."),
    "bad_certificate_url": _("certificate_url must begin with https:// or http://."),
    "before_programme": _("occurred_at is before the programme began. The event is kept on the desk."),
    "batch_refused": _("Another event of this request is refused, so that none of it was recorded."),
    "contradicts": _("Another event with this event_id was recorded first. That one stays."),
    "unknown_person": _("Nobody on the roster is this person yet. The event is kept and tried again."),
    "unknown_organisation": _("There is no such organisation. The event is kept until there is."),
    "unknown_learner": _("No organisation knows this learner reference. The event is kept."),
    "several_organisations": _("Several organisations know this learner: name one. The event is kept."),
    "unknown_programme": _("There is no such programme. The event is kept until there is."),
    "organisation_not_allowed": _("This token may not write to that organisation."),
}


class FactError(ValueError):
    """The event cannot be a fact. `code` is one of `SENTENCES`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Unreadable(NamedTuple):
    """What stands in the place of an event where its source could not be read, and the beginning of what was there."""

    code: str
    text: str = ""


class Fact(NamedTuple):
    """A checked event; empty text means that the field was absent. `digest` tells a repeat from a contradiction.

    `account` is the platform's own name for the person; `content`, where an adapter gave it, stands for all that was
    said, of which the other fields are a part.
    """

    event_id: str
    organisation: str
    programme: str
    kind: str
    occurred_at: datetime
    learner: uuid.UUID | None
    employee_number: str
    email: str
    progress: int | None
    certificate_url: str
    account: str
    digest: bytes
    content: str = ""


def parse_fact(event: object, *, now: datetime) -> Fact:
    """Return the fact that the event states.

    Raises:
        FactError: with the name of what is wrong.
    """
    if isinstance(event, Unreadable):
        raise FactError(event.code)
    if not isinstance(event, dict):
        raise FactError("invalid_event")
    event_id, organisation, programme, kind, when, learner, number, email, url = _texts(event)
    if not (event_id and programme):
        raise FactError("missing_programme" if event_id else "missing_event_id")
    if kind not in KINDS:
        raise FactError("unknown_kind")
    occurred_at = _moment(when, now)
    reference = _reference(learner) if learner else None
    account = _text(event, "account") if "account" in event else ""
    _check_parties(organisation, reference, number or email or account)
    progress = _share(event.get("progress"))
    # The address becomes a link: a scheme that runs in the reader's browser must not come in.
    if url and not url.startswith(("https://", "http://")):
        raise FactError("bad_certificate_url")
    email = email.lower()
    content = _text(event, "content") if "content" in event else ""
    said = [programme, kind, occurred_at.isoformat(), str(reference), number, email, str(progress), url]
    if account:
        said.append(account)
    digest = hashlib.sha256((content or "\x1f".join(said)).encode()).digest()
    who = (event_id, organisation, programme, kind, occurred_at, reference, number, email, progress, url, account)
    return Fact(*who, digest, content)


def _check_parties(organisation: str, reference: uuid.UUID | None, otherwise: str) -> None:
    if reference is None and not otherwise:
        raise FactError("missing_person")
    if reference is None and not organisation:
        raise FactError("missing_organisation")


def stated_id(event: object) -> str:
    """Return what an event that is refused calls itself, when it can be shown."""
    stated = event.get("event_id") if isinstance(event, dict) else None
    return stated[:200] if isinstance(stated, str) and stated.isprintable() else ""


def _texts(event: Mapping[str, Any]) -> list[str]:
    """Return the texts in the order of `_TEXTS`, trimmed; what is absent is empty."""
    try:
        texts = list(map(str.strip, map(event.get, _TEXTS, _ABSENT)))
    except TypeError:
        # Something is no text: null, a number, or what cannot be.
        return [_text(event, name) for name in _TEXTS]
    if "".join(texts).isprintable() and not any(map(gt, map(len, texts), _LIMITS)):
        return texts
    raise FactError("invalid_text")


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    # Nearly every field of a delivery is a text or absent, and there are ten of them to an event: those come first.
    if value is None or value == "":
        return ""
    if type(value) is not str:
        # A whole number says the same as its digits; True is no number, though Python calls it one.
        if type(value) is not int:
            raise FactError("invalid_text")
        value = str(value)
    value = value.strip()
    if len(value) > _LONGEST[name] or not value.isprintable():
        raise FactError("invalid_text")
    return value


def _moment(text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not UTC:
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise FactError("bad_date") from None
    if moment < _EARLIEST:
        raise FactError("bad_date")
    if moment > now + AHEAD:
        raise FactError("from_the_future")
    return moment


def _reference(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise FactError("bad_learner") from None


def _share(value: object) -> int | None:
    if value is None or value == "":
        return None
    if type(value) is int and 0 <= value <= 100:
        return value
    # A CSV file has nothing but text, and some writers of JSON give 50 as 50.0.
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 3:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= 100:
        raise FactError("bad_progress")
    return value
