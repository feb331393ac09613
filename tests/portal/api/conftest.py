"""Systems that hold tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from portal.api.services import create_api_token
from portal.core.actor import OPERATOR

if TYPE_CHECKING:
    from portal.organisations.models import Organisation


def holder(name: str, *scopes: str) -> Client:
    """Return a client that carries a new token."""
    secret = create_api_token(actor=OPERATOR, name=name, scopes=scopes)
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def platform(db: None) -> Client:
    """The learning platform, which writes for every organisation."""
    return holder("Learning platform", "completions:write")


@pytest.fixture
def laposte_system(laposte: Organisation) -> Client:
    """La Poste's own system, which writes and reads there only."""
    return holder("La Poste", "completions:write", "organisation:laposte")
