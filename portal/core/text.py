"""Folding of text: how names and headers are compared when accents, case and punctuation do not count."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Return `text` without accents, in lower case, its runs of other signs as single spaces.

    PostgreSQL is built without ICU here, so what must be sorted or compared this way is stored folded.
    """
    decomposed = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae"))
    kept = "".join(sign if sign.isalnum() else " " for sign in decomposed if not unicodedata.combining(sign))
    return " ".join(kept.casefold().split())
