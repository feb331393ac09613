"""The short code of an attempt: read out on the telephone, and found again without knowing whose it is.

Its first two signs are a keyed digest of the organisation: they tell nobody outside whose it is, and spare the
programme's people the search through every organisation's scope.
"""

from __future__ import annotations

import secrets
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

SIGNS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""None that is taken for another when it is read out."""

_PREFIX: Final = 2
_LENGTH: Final = 10
"""Of the rest, 30⁸, two never meet in practice: every sign-in of a large organisation leaves one."""


def new_code(organisation_id: int) -> str:
    number, rest = secrets.randbelow(len(SIGNS) ** (_LENGTH - _PREFIX)), ""
    for _sign in range(_LENGTH - _PREFIX):
        number, index = divmod(number, len(SIGNS))
        rest += SIGNS[index]
    return _prefix(organisation_id, settings.SECRET_KEY) + rest


def tidy_code(text: str) -> str:
    """Return a code as it was given out, however it was typed, or "" when it cannot be one."""
    code = "".join(text[:40].split()).upper().replace("-", "")
    return code if 0 < len(code) <= _LENGTH + 4 and code.isascii() and code.isalnum() else ""


def could_be_of(code: str, organisation_id: int) -> bool:
    """Say whether a code may have been given out by this organisation: of a thousand, one or two may have."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(code.startswith(_prefix(organisation_id, key)) for key in keys)


def _prefix(organisation_id: int, key: str) -> str:
    digest = salted_hmac("sso.codes", str(organisation_id), secret=key, algorithm="sha256").digest()
    return "".join(SIGNS[byte % len(SIGNS)] for byte in digest[:_PREFIX])
