"""How often codes may be tried: by one address, and one code by everybody.

Only failures of an address count, since a whole site may come through one. The limits are a second wall: a code has 56
bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from portal.core.limits import Limit
from portal.people.codes import code_key, read_code
from sso.admission import client_address

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_FAILURES: Final = 20
MOST_TRIES: Final = 8
WINDOW_SECONDS: Final = 600

_FAILURES: Final = Limit("code-failures", MOST_FAILURES, WINDOW_SECONDS)
_TRIES: Final = Limit("code-tries", MOST_TRIES, WINDOW_SECONDS)


def held_back(request: HttpRequest, typed: str) -> bool:
    """Count this try of the code, and say whether the address or the code has been tried too often."""
    code = code_key(read_code(typed))
    if _FAILURES.reached(client_address(request)) or _TRIES.reached(code):
        return True
    _TRIES.count(code)
    return False


def note_failure(request: HttpRequest) -> None:
    _FAILURES.count(client_address(request))
