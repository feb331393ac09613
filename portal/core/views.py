"""What machines ask: is the process up, can it work, how much has it done; and the answer to a stale form."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from portal.core.tasks import HEARTBEAT

if TYPE_CHECKING:
    from django.http import HttpRequest

HEARTBEAT_SECONDS = 60


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  A view's signature.
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  A view's signature.
    """Say which of database, broker and worker does not answer: 503 names it, and never says more."""
    parts = {"database": _database_answers(), "broker": _broker_answers(), "worker": _worker_beats()}
    missing = [name for name, answers in parts.items() if not answers]
    return JsonResponse({"ready": not missing, "missing": missing}, status=503 if missing else 200)


@login_not_required
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  A view's signature.
    """Speak Prometheus' text format: the parts of the portal that answer, nothing of any organisation."""
    parts = {"database": _database_answers(), "broker": _broker_answers(), "worker": _worker_beats()}
    lines = ["# HELP portal_up Whether a part of the portal answers.", "# TYPE portal_up gauge"]
    lines += [f'portal_up{{part="{name}"}} {int(answers)}' for name, answers in parts.items()]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    del reason  # It speaks to developers; the page speaks to whoever left a form open too long.
    return render(request, "403_csrf.html", status=403)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    try:
        cache.get(HEARTBEAT)
    except (RedisError, OSError):
        return False
    return True


def _worker_beats() -> bool:
    try:
        beat = cache.get(HEARTBEAT)
    except (RedisError, OSError):
        return False
    return isinstance(beat, float) and time.time() - beat < HEARTBEAT_SECONDS
