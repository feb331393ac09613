"""The cast, one for all tests.

Hélène manages La Poste's roster, Odile owns its account, Victor only reads its reports, and Amélie works there. Oscar
manages Airbus's roster and must see nothing of La Poste. Manon is an account manager of the programme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.db import connections
from django.test.utils import setup_databases, teardown_databases
from django.utils import translation

from portal.cohorts.models import DEFAULT_PROGRAMME, Programme
from portal.people.models import Membership
from tests.factories.people import (
    make_employee,
    make_learner,
    make_member,
    make_organisation,
    make_user,
    sign_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django.fixtures import Settings
    from pytest_django.plugin import DjangoDbBlocker

    from portal.organisations.models import Organisation
    from portal.people.models import Employee, User


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Migrate as the owner; the tests then run as the application's role, which mirrors that database."""
    with django_db_blocker.unblock():
        databases = setup_databases(
            verbosity=0, interactive=False, aliases=dict.fromkeys(("default", "owner")), serialized_aliases=()
        )
    yield
    with django_db_blocker.unblock():
        # Nobody may be connected to a database that is dropped.
        connections.close_all()
        teardown_databases(databases, verbosity=0)


@pytest.fixture(autouse=True)
def _everyday_language() -> Iterator[None]:
    """A page that was read in English leaves English behind in its thread, for whichever test comes next."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _first_rows(request: pytest.FixtureRequest) -> None:
    """A transactional test empties every table at its end, also of what the first migration had put there."""
    marker = request.node.get_closest_marker("django_db")
    if marker and marker.kwargs.get("transaction"):
        request.getfixturevalue("transactional_db")
        Programme.objects.get_or_create(
            code=DEFAULT_PROGRAMME, defaults={"name_fr": "Objectif IA", "name_en": "Objectif IA"}
        )


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Rate limits and heartbeats of one test are not those of the next; each worker process has its own prefix."""
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _private_storage(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> None:
    """Files of one test are not those of the next."""
    folder = tmp_path_factory.mktemp("storage")
    storages = dict(settings.STORAGES)
    storages["default"] = {
        **storages["default"],
        "OPTIONS": {**storages["default"]["OPTIONS"], "location": folder},
    }
    settings.STORAGES = storages


@pytest.fixture
def laposte(db: None) -> Organisation:
    return make_organisation("laposte", "La Poste")


@pytest.fixture
def airbus(db: None) -> Organisation:
    return make_organisation("airbus", "Airbus")


@pytest.fixture
def helene(laposte: Organisation) -> User:
    return make_member(laposte, "Hélène Marchand", Membership.Role.ROSTER_MANAGER)


@pytest.fixture
def odile(laposte: Organisation) -> User:
    return make_member(laposte, "Odile Garnier", Membership.Role.OWNER)


@pytest.fixture
def victor(laposte: Organisation) -> User:
    return make_member(laposte, "Victor Blin", Membership.Role.REPORT_VIEWER)


@pytest.fixture
def oscar(airbus: Organisation) -> User:
    return make_member(airbus, "Oscar Faure", Membership.Role.OWNER)


@pytest.fixture
def manon(db: None) -> User:
    return make_user("Manon Petit", email="manon@programme.example", staff=True)


@pytest.fixture
def amelie(laposte: Organisation) -> Employee:
    return make_employee(laposte, "00412877", email="amelie.lefevre@laposte.example", site="PDC Lyon Est")


@pytest.fixture
def amelie_login(laposte: Organisation, amelie: Employee) -> User:
    return make_learner(laposte, amelie, "Amélie Lefèvre")


@pytest.fixture
def as_helene(helene: User, laposte: Organisation) -> Client:
    return sign_in(helene, laposte)


@pytest.fixture
def as_odile(odile: User, laposte: Organisation) -> Client:
    return sign_in(odile, laposte)


@pytest.fixture
def as_victor(victor: User, laposte: Organisation) -> Client:
    return sign_in(victor, laposte)


@pytest.fixture
def as_oscar(oscar: User, airbus: Organisation) -> Client:
    return sign_in(oscar, airbus)


@pytest.fixture
def as_manon(manon: User) -> Client:
    return sign_in(manon)


@pytest.fixture
def as_amelie(amelie_login: User, laposte: Organisation) -> Client:
    return sign_in(amelie_login, laposte)
