"""The door is found by the domain of an address, whoever stands before the @, or by a company's exact name or code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from portal.core.tenancy import organisation_scope
from portal.organisations.models import EmailDomain, Organisation
from sso.discovery import MISSES, door_behind, door_of
from sso.models import Connection
from tests.factories.people import make_organisation
from tests.sso.company import make_company

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


@pytest.mark.parametrize("entered", ["laposte", " LaPoste ", "La Poste", "la  POSTE", "la-poste", "là poste"])
def test_the_exact_name_or_code_leads_to_the_door(poste: Company, entered: str) -> None:
    assert door_behind(entered) == poste.path("login/")


@pytest.mark.parametrize(
    "entered", ["", " ", "***", "la", "poste", "la post", "la poste x", "airbus", "%", "a" * 9_000, "la\x00", "𝕃"]
)
def test_a_part_of_a_name_leads_nowhere(poste: Company, airbus: Organisation, entered: str) -> None:
    assert door_behind(entered) is None


def test_a_name_that_two_have_is_nobodys_and_a_code_still_counts(poste: Company) -> None:
    make_organisation("la-poste", "La Poste")
    make_organisation("nameless", "***")

    assert door_behind("La Poste") is None
    assert door_behind("laposte") == poste.path("login/")
    assert door_behind("***") is None


def test_a_closed_organisation_has_no_door(poste: Company) -> None:
    Organisation.objects.update(active=False)

    assert door_behind("laposte") is None
    assert door_behind("a@laposte.example") is None


def test_known_and_unknown_names_take_the_same_steps(
    poste: Company, airbus: Organisation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for entered in ("La Poste", "laposte", "airbus", "nobody at all"):
        with django_assert_num_queries(6):
            door_behind(entered)


def test_newcomers_are_led_to_the_connection_that_leads(poste: Company) -> None:
    newer = make_company(poste.organisation, name="new")
    assert door_behind("laposte") == poste.path("login/")
    with organisation_scope(poste.organisation.pk):
        Connection.objects.filter(pk=newer.connection.pk).update(leads_since=timezone.now())
    assert door_behind("laposte") == newer.path("login/")
    with organisation_scope(poste.organisation.pk):
        Connection.objects.filter(pk=newer.connection.pk).update(closed_at=timezone.now())
    assert door_behind("laposte") == poste.path("login/")


def test_misses_are_counted_for_each_address_alone(db: None) -> None:
    for _ in range(MISSES.most):
        assert not MISSES.reached("192.0.2.1")
        MISSES.count("192.0.2.1")

    assert MISSES.reached("192.0.2.1")
    assert not MISSES.reached("192.0.2.2")
