"""The formats of xAPI 1.0.3: identifiers, moments, durations, languages. Pure Python."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Final

_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}")
_LANGUAGE: Final = re.compile(r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8}|[xi])(?:-[A-Za-z0-9]{1,8})*")
_MAILBOX: Final = re.compile(r"mailto:[^@\s:]+@[^@\s]+\.?[^@\s]+")
_SHA1: Final = re.compile(r"[0-9a-fA-F]{40}")
_SHA2: Final = re.compile(r"[0-9a-fA-F]{56,128}")
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+(?:\s*;.*)?")
_DURATION: Final = re.compile(
    r"P(?:\d+(?:[.,]\d+)?W|(?=.)(?:\d+(?:[.,]\d+)?Y)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?D)?"
    r"(?:T(?=\d)(?:\d+(?:[.,]\d+)?H)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?S)?)?)"
)
_VERSION: Final = re.compile(r"1\.0(?:\.\d+)?")
_FRACTION: Final = re.compile(r"([.,]\d{6})\d+")


def is_iri(text: str) -> bool:
    return _IRI.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """In the standard form of text, and of the variant of RFC 4122."""
    return _UUID.fullmatch(text) is not None


def is_language(text: str) -> bool:
    return _LANGUAGE.fullmatch(text) is not None


def is_mailbox(text: str) -> bool:
    return _MAILBOX.fullmatch(text) is not None


def is_sha1(text: str) -> bool:
    return _SHA1.fullmatch(text) is not None


def is_sha2(text: str) -> bool:
    return _SHA2.fullmatch(text) is not None


def is_media_type(text: str) -> bool:
    return _MEDIA_TYPE.fullmatch(text) is not None


def is_duration(text: str) -> bool:
    return len(text) <= 60 and _DURATION.fullmatch(text) is not None


def is_version(text: str) -> bool:
    return _VERSION.fullmatch(text) is not None


def moment(text: str) -> datetime | None:
    """Return the moment, or nothing for what is none; finer than a microsecond is cut, "-00:00" is not allowed."""
    if len(text) > 60 or "T" not in text.upper() or text.endswith(("-00", "-0000", "-00:00")):
        return None
    try:
        found = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def new_id() -> str:
    return str(uuid.uuid4())
