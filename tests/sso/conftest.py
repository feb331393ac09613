"""Two partners, each with an identity provider of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from tests.sso import saml_kit as kit
from tests.sso.company import Company, make_company

if TYPE_CHECKING:
    from portal.organisations.models import Organisation


@pytest.fixture(autouse=True)
def _one_key_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a key of our own takes a second: the connections of a run share one."""
    ours = kit.keys("portal")
    monkeypatch.setattr("sso.connecting.new_key_pair", lambda _name: (ours.private_pem, ours.certificate_pem))


@pytest.fixture
def poste(laposte: Organisation) -> Company:
    return make_company(laposte)


@pytest.fixture
def avion(airbus: Organisation) -> Company:
    return make_company(airbus)


@pytest.fixture
def visitor() -> Client:
    return Client()
