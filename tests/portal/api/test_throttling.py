"""A token that calls too often waits; one that cannot be counted does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ConnectionError as CacheAway

from portal.api import throttling
from tests.portal.api.conftest import holder

if TYPE_CHECKING:
    from django.test import Client

    from portal.organisations.models import Organisation

URL = "/api/v1/organisations/laposte/cohorts/"

pytestmark = pytest.mark.django_db


def test_too_many_calls_wait(laposte: Organisation, laposte_system: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "CALLS_PER_MINUTE", 2)
    monkeypatch.setattr("portal.api.throttling.time.time", lambda: 1_800_000_030.0)
    assert [laposte_system.get(URL).status_code for _ in range(3)] == [200, 200, 429]
    refused = laposte_system.get(URL)
    assert refused.json()["error"]["code"] == "throttled"
    assert refused["Retry-After"] == "30"
    # Each token has its own count.
    assert holder("Another", "organisation:laposte").get(URL).status_code == 200


def test_without_the_cache_nobody_waits(laposte_system: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def add(self, *_: object, **__: object) -> None:
            raise CacheAway

    monkeypatch.setattr(throttling, "cache", Away())
    assert laposte_system.get(URL).status_code == 200
