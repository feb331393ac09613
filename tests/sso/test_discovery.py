"""The door is found by the domain of an address, whoever stands before the @."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.core.tenancy import organisation_scope
from portal.organisations.models import EmailDomain
from sso.discovery import door_of
from sso.models import Connection

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from tests.sso.company import Company

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("email", ["amelie@laposte.example", "  NOBODY@LaPoste.Example ", "laposte.example"])
def test_the_domain_leads_to_the_door(poste: Company, email: str) -> None:
    assert door_of(email) == poste.path("login/")


@pytest.mark.parametrize(
    "email", ["", "@", "a@unknown.example", "a@sub.laposte.example", "a@laposte.example\x00", "a" * 9_000]
)
def test_anything_else_leads_nowhere(poste: Company, email: str) -> None:
    assert door_of(email) is None


def test_a_domain_that_is_not_verified_leads_nowhere(poste: Company) -> None:
    EmailDomain.objects.update(verified_at=None)

    assert door_of("a@laposte.example") is None


def test_a_connection_that_is_not_switched_on_is_no_door(poste: Company) -> None:
    with organisation_scope(poste.organisation.pk):
        Connection.objects.update(state=Connection.State.TESTED)

    assert door_of("a@laposte.example") is None


def test_known_and_unknown_take_the_same_steps(
    poste: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(6):
        door_of("a@laposte.example")
    with django_assert_num_queries(6):
        door_of("a@unknown.example")
