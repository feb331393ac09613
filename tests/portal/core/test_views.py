from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.test import Client

from portal.core.tasks import HEARTBEAT, heartbeat

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db


def test_the_process_is_up() -> None:
    assert Client().get("/healthz").content == b"ok\n"


def test_it_is_ready_once_a_worker_beats_and_names_what_is_missing() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "missing": ["worker"]})
    heartbeat()
    assert Client().get("/readyz").status_code == 200
    cache.set(HEARTBEAT, time.time() - 61)
    assert Client().get("/readyz").json()["missing"] == ["worker"]


def test_a_broker_that_is_away_is_named(settings: Settings) -> None:
    away = {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/valkey.sock"}
    settings.CACHES = {"default": away}
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["broker", "worker"])
    settings.CACHES = {"default": {**away, "BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


def test_metrics_speak_of_parts_and_of_nobody() -> None:
    text = Client().get("/metrics").content.decode()
    assert 'portal_up{part="database"} 1' in text
    assert 'portal_up{part="worker"} 0' in text
