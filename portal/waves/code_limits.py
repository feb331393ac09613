"""How often codes may be tried: by one address, and one code by everybody.

Only failures of an address count, since a whole site may come through one. Without the cache nobody is held back: the
limits are a second wall, a code has 56 bits.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from redis.exceptions import RedisError

from portal.people.codes import code_key, read_code
from sso.admission import client_address

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_FAILURES: Final = 20
MOST_TRIES: Final = 8
WINDOW_SECONDS: Final = 600


def held_back(request: HttpRequest, typed: str) -> bool:
    """Count this try of the code, and say whether the address or the code has been tried too often."""
    try:
        return int(cache.get(_address(request), 0)) >= MOST_FAILURES or _counted(_code(typed)) > MOST_TRIES
    except (RedisError, OSError):
        return False


def note_failure(request: HttpRequest) -> None:
    try:
        _counted(_address(request))
    except (RedisError, OSError):
        return


def _counted(key: str) -> int:
    if cache.add(key, 1, timeout=WINDOW_SECONDS):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:
        # It ran out between the two: the next try begins to count again.
        return 1


def _address(request: HttpRequest) -> str:
    return f"code-failures:{hashlib.sha256(client_address(request).encode()).hexdigest()[:32]}"


def _code(typed: str) -> str:
    return f"code-tries:{code_key(read_code(typed))[:32]}"
