"""Folding of text: how names and headers are compared when accents, case and punctuation do not count."""

from __future__ import annotations

import unicodedata

_ASCII_SIGNS = {code: " " for code in range(128) if not chr(code).isalnum()}
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})


def fold(text: str) -> str:
    """Return `text` without accents, in lower case, its runs of other signs as single spaces.

    PostgreSQL is built without ICU here, so what must be sorted or compared this way is stored folded. Most text is
    ASCII, and rosters have millions of names: that way is the short one.
    """
    if text.isascii():
        return " ".join(text.lower().translate(_ASCII_SIGNS).split())
    lowered = unicodedata.normalize("NFKD", text).casefold().translate(_LIGATURES)
    decomposed = unicodedata.normalize("NFKD", lowered)
    kept = "".join(sign if sign.isalnum() else " " for sign in decomposed if not unicodedata.combining(sign))
    return " ".join(kept.split())
