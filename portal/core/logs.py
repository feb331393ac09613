"""What a log line may say of a request."""

from __future__ import annotations

import logging


class RouteForPath(logging.Filter):
    """Name the route of a request that failed, never its path: a path may carry a token or somebody's id."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None and isinstance(record.args, tuple) and len(record.args) == 2:
            match = getattr(request, "resolver_match", None)
            record.args = (record.args[0], match.route if match else "an unknown address")
        return True
