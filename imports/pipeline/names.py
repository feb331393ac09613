"""Names: a 'NOM Prénom' column is cut into a last name and a first name, kept as they were typed."""

from __future__ import annotations

from typing import Final

# Particles that open a last name: alone they are never the whole of it.
_PARTICLES: Final = frozenset({
    "de", "du", "des", "d", "le", "la", "les", "l", "van", "von", "der", "den", "dos", "da", "di", "del",
    "el", "al", "ben", "bin", "saint", "sainte", "st", "ste", "mac", "mc", "o",
})  # fmt: skip


def split_full_name(text: str) -> tuple[str, str, bool]:
    """Return last name, first name, and whether the cut is certain.

    Leading words in capitals are the last name: "DE LA TOUR Jean-Marc". Without that sign
    (all in capitals, or none) the first word and the particles before it are the best guess.
    """
    last, comma, first = (part.strip() for part in text.partition(","))
    if comma and last and first:
        return last, first, True
    words = text.replace(",", " ").split()
    if len(words) < 2:
        return "".join(words), "", True
    leading = _capitals_at_start(words)
    if 0 < leading < len(words):
        return " ".join(words[:leading]), " ".join(words[leading:]), True
    trailing = _capitals_at_start(words[::-1])
    if leading == 0 and trailing:
        return " ".join(words[-trailing:]), " ".join(words[:-trailing]), False
    cut = _guess(words)
    return " ".join(words[:cut]), " ".join(words[cut:]), False


def _capitals_at_start(words: list[str]) -> int:
    return next((rank for rank, word in enumerate(words) if not word.isupper()), len(words))


def _guess(words: list[str]) -> int:
    cut = 0
    while cut < len(words) - 2 and words[cut].casefold().rstrip("'’.") in _PARTICLES:
        cut += 1
    return cut + 1
