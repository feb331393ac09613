"""How often one visitor may try something: counted in the cache, by a digest of who tries.

Without the cache nobody is held back: these limits spare the machine and the mailboxes, they guard no secret.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.core.cache import cache
from redis.exceptions import RedisError


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries of `name` within `seconds` of the first, by each visitor or mailbox."""

    name: str
    most: int
    seconds: int

    def reached(self, who: str) -> bool:
        try:
            return int(cache.get(self._key(who), 0)) >= self.most
        except (RedisError, OSError):
            return False

    def count(self, who: str) -> None:
        try:
            if not cache.add(self._key(who), 1, timeout=self.seconds):
                cache.incr(self._key(who))
        except (RedisError, OSError, ValueError):
            # A counter that has just run out begins again at the next try.
            return

    def _key(self, who: str) -> str:
        return f"limit:{self.name}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"
