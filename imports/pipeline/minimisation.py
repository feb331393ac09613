"""Minimisation at the door: which columns hold what a roster must never bring in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from imports.pipeline.cells import written_day
from imports.pipeline.fields import FORBIDDEN_HEADERS
from portal.core.text import fold

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from imports.pipeline.sheets import Cell

_SEPARATORS: Final = re.compile(r"[\s.\-_]+")
_NIR: Final = re.compile(r"[1-478]\d{2}(?:0[1-9]|[1-9]\d)(?:\d{2}|2[AB])\d{6}\d{2}")
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
# "12 bis rue des Lilas 75011 Paris", folded: a number, a kind of street, and a code of five digits after it.
_ADDRESS: Final = re.compile(
    r"\b\d{1,4} (?:(?:bis|ter|quater|[a-d]) )?"
    r"(?:rue|r|avenue|av|ave|boulevard|bd|bld|blvd|place|pl|chemin|che|allee|allees|impasse|imp|route|rte|quai|cours"
    r"|square|sq|passage|villa|cite|faubourg|fbg|lotissement|hameau|residence|sentier|ruelle|esplanade|clos)\b"
    r".*\b\d{5}\b"
)
_PRIVATE: Final = re.compile(r"\b(?:perso\w*|priv\w*|domicile|private|personal|home)\b")
_WORKPLACE: Final = re.compile(
    r"\b(?:site|etablissement|travail|bureau|agence|hotel|unite|affectation|professionnelle|pro|work|office|workplace"
    r"|location|implantation|entreprise|societe|company)\b"
)
_LONGEST_ADDRESS: Final = 200
_FEWEST: Final = 3
_YOUNGEST: Final = 16
_OLDEST: Final = 75
_DAYS_IN_YEAR: Final = 365.25
MASK: Final = "•••"


def forbidden_header(header: str, group: str = "") -> str | None:
    """Return the kind of personal data that a header announces, or nothing; `group` is the title over several headers.

    Under "Coordonnées personnelles" a plain "Mail" is a private one.
    """
    folded = fold(header)
    said = [folded, f"{folded} perso"] if folded and _PRIVATE.search(fold(group)) else [folded]
    return next((kind for text in said for kind, found in FORBIDDEN_HEADERS.items() if found.search(text)), None)


def forbidden_content(values: Iterable[Cell]) -> str | None:
    """Return the kind of personal data that a sample of a column holds, whatever its header says.

    A header can lie ("Matricule" over social security numbers), check digits cannot: half of the filled
    cells is far above chance, since one number in 97 passes.
    """
    texts = [compact for compact in map(_compact, values) if compact]
    for kind, recognises in (("nir", is_nir), ("bank", is_iban)):
        if texts and 2 * sum(map(recognises, texts)) >= len(texts):
            return kind
    return None


def looks_like_birth(values: Sequence[Cell], today: dt.date) -> bool:
    """Whether a sample of a column holds dates, nearly all of them those at which people of working age were born."""
    filled = [value for value in values if value not in {"", None}]
    days = [day for day in map(written_day, filled) if day is not None]
    if len(days) < _FEWEST or 10 * len(days) < 9 * len(filled):
        return False
    ages = [(today - day).days / _DAYS_IN_YEAR for day in days]
    return 10 * sum(_YOUNGEST <= age <= _OLDEST for age in ages) >= 9 * len(ages)


def looks_like_addresses(header: str, values: Sequence[Cell]) -> bool:
    """Whether half of a column are postal addresses, under a header that does not say that people work there."""
    texts = [value[:_LONGEST_ADDRESS] for value in values if isinstance(value, str) and value.strip()]
    if not texts or _WORKPLACE.search(fold(header)):
        return False
    return 2 * sum(_ADDRESS.search(fold(text)) is not None for text in texts) >= len(texts)


def masked(text: str) -> str:
    """Return a text that may be shown: a social security number or an account number never is, wherever it stands."""
    compact = _compact(text)
    return MASK if is_nir(compact) or is_iban(compact) else text


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
