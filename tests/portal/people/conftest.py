"""The DNS as the tests make it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.portal.organisations.dns_server import Zone, dns_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings


@pytest.fixture
def zone(settings: Settings) -> Iterator[Zone]:
    with dns_server() as served:
        settings.DNS_SERVERS = [served.address]
        yield served
