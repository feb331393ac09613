"""Numbers that no copy may hold, wherever they stand: social security numbers and bank accounts.

Columns are dropped by their headers and by what most of their cells are. This is the second net, for the one number
in a remark. Both kinds carry check digits, so that a match is hardly ever chance.
"""

from __future__ import annotations

import re
from typing import Final

from imports.pipeline.minimisation import is_iban, is_nir

MASK: Final = "•••"
"""What is shown in the place of a cell that held such a number."""

_NIR: Final = re.compile(r"(?<!\w)[1-478](?:[\s.\-_/]?[0-9AB]){14}(?!\w)")
_IBAN: Final = re.compile(r"(?<![A-Z0-9])([A-Z]{2})\d{2}(?:[\s.\-_]?[A-Z0-9]){11,30}")
_SEPARATORS: Final = re.compile(r"[\s.\-_/]+")
# In running text the words after an account number look like its end: its country says how long it is.
_LENGTHS: Final = {
    country: int(length)
    for length, countries in (
        entry.split(":")
        for entry in (
            "15:NO", "16:BE", "18:DK FI FO GL NL", "19:MK SI", "20:AT BA EE KZ LT LU XK", "21:CH HR LI LV",
            "22:BG BH CR DE GB GE IE ME RS VA", "23:AE GI IL", "24:AD CZ ES MD PK RO SA SE SK TN",
            "25:PT", "26:IS TR", "27:FR GR IT MC MR SM", "28:AL AZ BY CY DO GT HU LB PL", "29:BR EG PS QA UA",
            "30:JO KW MU", "31:MT",
        )
    )
    for country in countries.split()
}  # fmt: skip

_SIGNS: Final = bytes.maketrans(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", b"0" * 10 + b"A" * 52
)
_GAPS: Final = b" .-_/\xc2\xa0\xe2\x80\xaf"
_LIKE_AN_ACCOUNT: Final = re.compile(rb"AA00[0A]{11}")


def may_disclose(block: bytes) -> bool:
    """Whether a block of UTF-8 is worth a closer look: at the speed of a copy, it never overlooks a number."""
    shape = block.translate(_SIGNS, _GAPS)
    if b"0" * 15 in shape or b"000000A00000000" in shape:
        return True
    return _LIKE_AN_ACCOUNT.search(shape) is not None


def discloses(text: str) -> bool:
    """Whether a text is, or contains, a social security number or a bank account number."""
    if len(text) < 15:
        return False
    upper = text.upper()
    if any(is_nir(_compact(match[0])) for match in _NIR.finditer(upper)):
        return True
    if is_iban(_compact(upper)):
        return True
    return any(_is_account(match) for match in _IBAN.finditer(upper))


def _is_account(match: re.Match[str]) -> bool:
    length = _LENGTHS.get(match[1])
    return length is not None and is_iban(_compact(match[0])[:length])


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", text)
