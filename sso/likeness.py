"""How like two names are: in any order of their words, and a slip of the keyboard apart."""

from __future__ import annotations

from typing import Final

_FURTHEST: Final = 2


def orders(words: list[str]) -> list[str]:
    """Return the names that these words make, last name first or first name first."""
    few = words[:6]
    return list(dict.fromkeys(" ".join(few[turn:] + few[:turn]) for turn in range(len(few))))


def distance(one: str, other: str) -> int | None:
    """Return how many slips lie between two folded names that share a word, or None when they are not alike.

    A word more (a second first name) counts as one slip.
    """
    ours, theirs = one.split(), other.split()
    shared = [word for word in dict.fromkeys(ours) if word in theirs and len(word) > 1]
    if not shared:
        return None
    rest, their_rest = _without(ours, shared), _without(theirs, shared)
    if not rest or not their_rest:
        return 1 if rest or their_rest else 0
    here, there = "".join(rest), "".join(their_rest)
    furthest = 1 if min(len(here), len(there)) < 5 else _FURTHEST
    slips = _slips(here, there, furthest)
    return slips if slips <= furthest else None


def _without(words: list[str], shared: list[str]) -> list[str]:
    return [word for word in words if word not in shared]


def _slips(one: str, other: str, furthest: int) -> int:
    """Count the letters to add, drop or replace; anything beyond `furthest` is as good as infinite."""
    if abs(len(one) - len(other)) > furthest:
        return furthest + 1
    before = list(range(len(other) + 1))
    for row, ours in enumerate(one, start=1):
        now = [row]
        for column, theirs in enumerate(other, start=1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (ours != theirs)))
        if min(now) > furthest:
            return furthest + 1
        before = now
    return before[-1]
