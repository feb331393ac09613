"""Every URL × every kind of visitor: an address that is not in the table fails the test.

An organisation's page is 404 for whoever has no business there, as if the organisation did not exist; 403 only for a
member whose role lacks the right. Anonymous visitors are sent to sign in, whatever the address.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from tests.factories.people import make_employee

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.test import Client

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


class Expected(NamedTuple):
    """The status that a GET answers to each of the cast."""

    anonymous: int
    owner: int
    manager: int
    viewer: int
    learner: int
    stranger: int
    staff: int


def open_to_all(status: int) -> Expected:
    return Expected(*[status] * 7)
