"""Two partners, each with an identity provider of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from tests.sso.company import Company, make_company

if TYPE_CHECKING:
    from portal.organisations.models import Organisation


@pytest.fixture
def poste(laposte: Organisation) -> Company:
    return make_company(laposte)


@pytest.fixture
def avion(airbus: Organisation) -> Company:
    return make_company(airbus)


@pytest.fixture
def visitor() -> Client:
    return Client()
