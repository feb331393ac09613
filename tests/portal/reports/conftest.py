"""Two cohorts of La Poste over several sites, with what the platform said of their people."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories.people import make_employee
from tests.factories.progress import caught_up, enrol, event, make_cohort, record

if TYPE_CHECKING:
    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation

SITES = {"PDC Lyon Est": 24, "PIC Nantes": 18, "=cmd|'/c calc'!A1": 14, "Siège": 4, "": 11}


@dataclass(frozen=True, slots=True)
class World:
    """What went in: the roster, the events, and the cohorts."""

    roster: list[dict[str, str]]
    events: list[dict[str, Any]]
    cohorts: dict[str, Cohort]


@pytest.fixture
def world(laposte: Organisation) -> World:
    chance = random.Random(7)  # noqa: S311  The same world each time.
    cohorts = {name: make_cohort(laposte, name) for name in ("Vague 1", "Vague 2")}
    roster: list[dict[str, str]] = []
    events: list[dict[str, Any]] = []
    for site, number in SITES.items():
        for index in range(number):
            row = {
                "number": f"{site[:3]}{index:05d}",
                "site": site,
                "cohort": "Vague 2" if index % 7 == 6 else "Vague 1",
            }
            roster.append(row)
            employee = make_employee(laposte, row["number"], site=site)
            enrol(laposte, cohorts[row["cohort"]], [employee])
            # A certificate may come without the steps before it.
            kinds = ("started", "completed", "certified", "revoked")[: chance.randrange(5)]
            said = [kind for kind in kinds if chance.random() < 0.8]
            events += [event(kind, row["number"], day=chance.randrange(15)) for kind in said]
    chance.shuffle(events)
    record(*events)
    caught_up(laposte)
    return World(roster, events, cohorts)
