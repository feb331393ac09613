"""How often a token may call: a count per minute in the cache."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from portal.api.models import ApiToken

CALLS_PER_MINUTE = 600

log = logging.getLogger(__name__)


class TokenThrottle(BaseThrottle):
    """Without the cache nobody is held back: a limit that cannot count must not stop completions from coming in."""

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002  The framework's signature.
        token: ApiToken = request.auth  # type: ignore[assignment]  # Set by TokenAuthentication.
        key = f"api-calls:{token.pk}:{int(time.time() // 60)}"
        try:
            cache.add(key, 0, timeout=120)
            return cache.incr(key) <= CALLS_PER_MINUTE
        except (RedisError, OSError, ValueError):
            log.warning("The cache does not count the API's calls.")
            return True

    def wait(self) -> float:
        return 60 - time.time() % 60
