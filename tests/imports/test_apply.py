"""Applying: exactly what was planned, in chunks, once, whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from imports.models import ImportChange
from imports.runs import prepare_import, run_apply
from imports.services import confirm_import
from imports.turn import turn
from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from tests.factories.people import make_employee, make_organisation
from tests.imports.rosters import (
    apply_roster,
    employees,
    enrolments,
    open_roster,
    people,
    person,
    prepare_roster,
    reread,
)

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

    from portal.organisations.models import Organisation

ROOT = Path(__file__).parents[2]
WRITTEN = ("people_employee", "enrolments_enrolment", "imports_importchange", "cohorts_cohort")


def footprint(organisation: Organisation) -> list[list[tuple[str, ...]]]:
    """Where and by which transaction each row was written: it changes with every insert and update."""
    with organisation_scope(organisation.pk):
        return [cursor_rows(f"SELECT ctid::text, xmin::text FROM {table} ORDER BY id") for table in WRITTEN]


def changes(organisation: Organisation, import_id: int) -> list[tuple[str, int]]:
    with organisation_scope(organisation.pk):
        return cursor_rows(
            "SELECT action, count(*) FROM ("
            " SELECT action FROM imports_importchange WHERE roster_import_id = %(import)s UNION ALL"
            " SELECT 'joined' FROM imports_importchange, unnest(cohort_ids) WHERE roster_import_id = %(import)s"
            ") noted GROUP BY 1 ORDER BY 1",
            {"import": import_id},
        )


def test_people_come_in_and_join_their_cohorts(laposte: Organisation, settings: Settings) -> None:
    settings.IMPORT_CHUNK_ROWS = 2

    done = apply_roster(laposte, people(5, cohort="Vague 1"), cohort_name="Tous")

    assert (done.state, done.done_rows) == ("applied", 5)
    assert len(employees(laposte)) == 5
    assert [name for _, _, name, _ in enrolments(laposte)] == ["Tous", "Vague 1"] * 5
    assert changes(laposte, done.pk) == [("create", 5), ("joined", 10)]


def test_the_same_file_again_writes_nothing_at_all(laposte: Organisation) -> None:
    rows = [*people(5, cohort="Vague 1"), person("00009", "Parti", "Zoé", "", "Lyon", "Vague 1", "01/02/2020")]
    apply_roster(laposte, rows)
    before = footprint(laposte)

    again = apply_roster(laposte, rows)

    assert (again.state, again.counts["unchanged"]) == ("applied", 6)
    assert footprint(laposte) == before


def test_an_update_remembers_what_it_replaced(laposte: Organisation) -> None:
    apply_roster(laposte, people(1, site="Lyon"))

    done = apply_roster(laposte, people(1, site="Brest"))

    with organisation_scope(laposte.pk):
        change = ImportChange.objects.get(roster_import=done)
    assert (change.action, change.before, change.after) == ("update", {"site": "Lyon"}, {"site": "Brest"})


def test_whoever_leaves_is_not_enrolled(laposte: Organisation) -> None:
    apply_roster(laposte, [person("1", "A", "B", "", "", "Vague 1", "01/02/2020")])

    assert employees(laposte, "active") == [(False,)]
    assert enrolments(laposte) == []


def test_absent_people_become_inactive(laposte: Organisation, settings: Settings) -> None:
    settings.IMPORT_CHUNK_ROWS = 10
    apply_roster(laposte, people(30))

    done = apply_roster(laposte, people(28), mode="full")

    assert [active for (active,) in employees(laposte, "active")].count(False) == 2
    assert changes(laposte, done.pk) == [("deactivate", 2)]


def test_one_event_says_what_was_applied(laposte: Organisation, settings: Settings) -> None:
    settings.IMPORT_CHUNK_ROWS = 2
    done = apply_roster(laposte, people(5))

    with organisation_scope(laposte.pk):
        event = AuditEvent.objects.get(action="imports:import:apply")
    assert (event.subject, event.data["create"]) == (str(done.pk), 5)


def test_somebody_added_by_hand_meanwhile_is_found_again(laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(3))
    with organisation_scope(laposte.pk):
        confirm_import(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    make_employee(laposte, "00002", first_name="Zoé", last_name="Ancien")

    run_apply(actor=OPERATOR, organisation=laposte, import_id=found.pk)

    assert reread(laposte, found.pk).state == "applied"
    assert employees(laposte, "employee_number", "last_name") == [
        ("00001", "Martin1"),
        ("00002", "Martin2"),
        ("00003", "Martin3"),
    ]


def test_what_is_not_confirmed_is_not_applied(laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(2))

    run_apply(actor=OPERATOR, organisation=laposte, import_id=found.pk)

    assert (reread(laposte, found.pk).state, employees(laposte)) == ("ready", [])


# --- Killed in the middle: a real process, a real kill -9 ---------------------------------------------------------
# At the moments that chance hardly ever finds (test_kill.py tries others): right before and after a commit.
# The process stops itself: nothing runs after it, no handler, no rollback of ours.
KILLED = """
import importlib, os, signal, sys
import django
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
from django.conf import settings
settings.IMPORT_CHUNK_ROWS = 50
from imports import runs
from portal.core.actor import OPERATOR
from portal.organisations.models import Organisation
target, function, call = importlib.import_module(f"imports.{sys.argv[4]}"), sys.argv[5], int(sys.argv[6])
real, calls = getattr(target, function), []
def deadly(*args, **kwargs):
    result = real(*args, **kwargs)
    calls.append(1)
    if len(calls) == call:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(target, function, deadly)
organisation = Organisation.objects.get(pk=int(sys.argv[2]))
work = runs.prepare_import if sys.argv[7] == "prepare" else runs.run_apply
work(actor=OPERATOR, organisation=organisation, import_id=int(sys.argv[3]))
"""

KILL_POINTS = [
    ("prepare", "runs", "begin_preparing", 1),
    ("prepare", "lifecycle", "make_plan", 1),
    ("prepare", "quarantine", "discard", 1),
    ("apply", "apply", "upsert_employees", 1),
    ("apply", "apply", "upsert_employees", 3),
    ("apply", "apply", "_enrol", 2),
    ("apply", "apply", "_write_people", 2),
    ("apply", "runs", "apply_chunk", 2),
    ("apply", "runs", "_apply_next", 2),
    ("apply", "runs", "finish_applying", 1),
]


def run_and_die(organisation: Organisation, import_id: int, *point: object) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL"}
    environment["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    arguments = [connection.settings_dict["NAME"], organisation.pk, import_id, *point[1:], point[0]]
    died = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, arguments)], cwd=ROOT, env=environment, check=False, timeout=60
    )
    assert died.returncode == -signal.SIGKILL


def wait_for_the_turn(import_id: int) -> None:
    """PostgreSQL notices within moments that the other side of a socket is gone."""
    for _ in range(100):
        with turn(import_id) as mine:
            if mine:
                return
        time.sleep(0.05)
    pytest.fail("The dead process still has its turn.")


def survives(settings: Settings, point: tuple[object, ...]) -> None:
    settings.IMPORT_CHUNK_ROWS = 50
    os.environ["STORAGE_URL"] = Path(default_storage.base_location).as_uri()  # type: ignore[attr-defined]  # A folder.
    organisation = make_organisation("kill", "Kill")
    rows = [*people(180, cohort="Vague 1"), person("", "Sans", "Clé")]
    import_id = open_roster(organisation, rows, cohort_name="Tous")
    if point[0] == "prepare":
        run_and_die(organisation, import_id, *point)
        wait_for_the_turn(import_id)
        prepare_import(actor=OPERATOR, organisation=organisation, import_id=import_id)
    else:
        prepare_import(actor=OPERATOR, organisation=organisation, import_id=import_id)
    with organisation_scope(organisation.pk):
        confirm_import(actor=OPERATOR, organisation=organisation, import_id=import_id)
    if point[0] == "apply":
        run_and_die(organisation, import_id, *point)
        wait_for_the_turn(import_id)
    run_apply(actor=OPERATOR, organisation=organisation, import_id=import_id)

    done = reread(organisation, import_id)
    assert (done.state, done.counts["rows"], done.counts["reject"]) == ("applied", 181, 1)
    assert [number for (number,) in employees(organisation, "employee_number")] == [row[0] for row in rows[:180]]
    assert len(enrolments(organisation)) == len(set(enrolments(organisation))) == 360
    assert changes(organisation, import_id) == [("create", 180), ("joined", 360)]
    with organisation_scope(organisation.pk):
        assert AuditEvent.objects.filter(action="imports:import:apply").count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_killed_in_the_middle_of_an_apply_nothing_is_lost_or_twice(settings: Settings) -> None:
    survives(settings, ("apply", "apply", "_enrol", 2))


@pytest.mark.chaos
@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
@pytest.mark.parametrize("point", KILL_POINTS, ids=lambda point: f"{point[2]}-{point[3]}")
def test_killed_at_a_chosen_moment_nothing_is_lost_or_twice(settings: Settings, point: tuple[object, ...]) -> None:
    survives(settings, point)
