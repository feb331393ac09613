"""A body of JSON as it was meant: no key twice, no number that is none, nothing deeper than a statement goes."""

from __future__ import annotations

import json
from typing import Any

from portal.progress.platforms.xapi.statements import MOST_DEPTH, StatementError


def read_body(body: bytes) -> Any:  # noqa: ANN401  JSON has no narrower type.
    """Return what the body says.

    Raises:
        StatementError: `not_json`, `duplicate_key`, `too_deep`.
    """
    try:
        found = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except StatementError:
        raise
    except (ValueError, RecursionError):
        raise StatementError("not_json", "") from None
    if _deeper(found, MOST_DEPTH):
        raise StatementError("too_deep", "")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise StatementError("duplicate_key", "")
    return found


def _no_number(text: str) -> float:
    raise StatementError("not_json", text)


def _deeper(value: object, most: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return most == 0 or any(_deeper(item, most - 1) for item in inner)
