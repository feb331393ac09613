"""The stage: the portal and the browser of the journeys, and identity providers that others wrote.

`deploy/interop.sh` installs these and names them in the environment; without it the tests fail, they never skip.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portal import embedded
from tests.interop import samlp as samlp_server
from tests.interop import simplesamlphp as simplesamlphp_server
from tests.interop.company import Company, connected_company, found_company, invented_people
from tests.journeys.conftest import browser_context_args, browser_type_launch_args, free_port, portal
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext

    from portal.demo.invented import Person
    from tests.interop.samlp import Samlp
    from tests.interop.simplesamlphp import SimpleSAMLphp
    from tests.journeys.conftest import Portal

__all__ = ["browser_context_args", "browser_type_launch_args", "portal"]

PEOPLE = invented_people("rosier.example", 40)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(
        dir=embedded.VAR / "test", prefix="interop-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def simplesamlphp(folder: Path) -> Iterator[SimpleSAMLphp]:
    own = folder / "simplesamlphp"
    own.mkdir()
    program = installed("PORTAL_SIMPLESAMLPHP")
    with simplesamlphp_server.running(program, own, free_port(), kit.keys("simplesamlphp")) as provider:
        provider.employ(PEOPLE)
        yield provider


@pytest.fixture(scope="session")
def samlp(folder: Path) -> Iterator[Samlp]:
    own = folder / "samlp"
    own.mkdir()
    with samlp_server.running(installed("PORTAL_SAMLP"), own, free_port(), kit.keys("samlp")) as provider:
        yield provider


def installed(name: str) -> Path:
    place = os.environ.get(name)
    if not place:
        pytest.fail(f"{name} names no identity provider: run `make interop`.")
    return Path(place)


@pytest.fixture(scope="session")
def _rosier(portal: Portal, simplesamlphp: SimpleSAMLphp, folder: Path) -> Company:
    found_company(portal, "rosier", PEOPLE, folder)
    company = connected_company(portal, "rosier", simplesamlphp.metadata_url)
    simplesamlphp.know("rosier", company.our_metadata())
    return company


@pytest.fixture
def rosier(_rosier: Company, simplesamlphp: SimpleSAMLphp) -> Company:
    """The organisation of most tests: its identity provider is SimpleSAMLphp, which has not been told any habit."""
    simplesamlphp.behave("rosier")
    return _rosier


@pytest.fixture(scope="session")
def _people() -> Iterator[Person]:
    return iter(PEOPLE)


@pytest.fixture
def person(_people: Iterator[Person]) -> Person:
    """Somebody who has not signed in yet: an identity that another test made would decide for this one."""
    return next(_people)


@pytest.fixture(autouse=True)
def _impatience(context: BrowserContext) -> None:
    """Nobody waits long for a page of this machine."""
    context.set_default_timeout(15_000)
