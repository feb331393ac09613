"""Minimisation at the door: which columns hold what a roster must never bring in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from imports.pipeline.fields import FORBIDDEN_HEADERS
from portal.core.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

_SEPARATORS: Final = re.compile(r"[\s.\-_]+")
_NIR: Final = re.compile(r"[1-478]\d{2}(?:0[1-9]|[1-9]\d)(?:\d{2}|2[AB])\d{6}\d{2}")
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def forbidden_header(header: str) -> str | None:
    """Return the kind of personal data that a header announces, or nothing."""
    folded = fold(header)
    return next((kind for kind, pattern in FORBIDDEN_HEADERS.items() if pattern.search(folded)), None)


def forbidden_content(values: Iterable[object]) -> str | None:
    """Return the kind of personal data that a sample of a column holds, whatever its header says.

    A header can lie ("Matricule" over social security numbers), check digits cannot: half of the filled
    cells is far above chance, since one number in 97 passes.
    """
    texts = [compact for compact in map(_compact, values) if compact]
    for kind, recognises in (("nir", is_nir), ("bank", is_iban)):
        if texts and 2 * sum(map(recognises, texts)) >= len(texts):
            return kind
    return None


def is_nir(text: str) -> bool:
    """Whether a compact text is a French social security number: 13 signs and a key of two digits."""
    if not _NIR.fullmatch(text):
        return False
    # Corsica's departments are letters, worth 19 and 18 in the key's arithmetic.
    digits = text[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(digits) % 97 == int(text[13:])


def is_iban(text: str) -> bool:
    """Whether a compact text is a bank account number by its check digits (ISO 7064, modulo 97)."""
    if not _IBAN.fullmatch(text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def _compact(value: object) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else ""
    return _SEPARATORS.sub("", str(value)).upper() if value is not None else ""
