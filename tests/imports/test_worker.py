"""A real Celery worker, killed in the middle of an apply; a new one takes the import up where it stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection

from imports.models import ImportChange, RosterImport
from imports.runs import prepare_import
from imports.services import confirm_import
from portal.celery import app
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from tests.factories.people import make_organisation
from tests.imports.rosters import open_roster, people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

ROOT = Path(__file__).resolve().parents[2]
HEAD_COUNT = 3_000
PATIENCE = 60


class Worker:
    """`celery worker` as in production, on the tests' servers, in a process group of its own."""

    def __init__(self) -> None:
        here = connection.settings_dict
        url = f"postgresql://{here['USER']}@{str(here['HOST']).replace('/', '%2F')}/{here['NAME']}"
        given = {name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL"}
        own = {
            "DATABASE_URL": url,
            "STORAGE_URL": Path(default_storage.base_location).as_uri(),  # type: ignore[attr-defined]  # A folder.
            "IMPORT_CHUNK_ROWS": "50",
            "IMPORT_SILENCE_SECONDS": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "portal.celery", "worker", "--concurrency", "1"],
            cwd=ROOT,
            env=given | own,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start_worker() -> Iterator[Callable[[], Worker]]:
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker())
        return started[-1]

    yield start
    for worker in started:
        if worker.process.poll() is None:
            worker.kill()


def send(task: str, *ids: int) -> None:
    app.send_task(task, args=ids)


def seen(organisation: Organisation, import_id: int) -> RosterImport:
    with organisation_scope(organisation.pk):
        return RosterImport.objects.get(pk=import_id)


def wait_for(
    organisation: Organisation, import_id: int, condition: Callable[[RosterImport], bool], each: Callable[[], None]
) -> RosterImport:
    deadline = time.monotonic() + PATIENCE
    while not condition(found := seen(organisation, import_id)):
        assert time.monotonic() < deadline, f"{found.state}, {found.done_rows} rows after {PATIENCE} s"
        each()
        time.sleep(0.02)
    return found


def test_a_worker_killed_in_the_middle_of_an_apply(start_worker: Callable[[], Worker]) -> None:
    organisation = make_organisation("kill", "Kill")
    rows = people(HEAD_COUNT, cohort="Vague 1")
    import_id = open_roster(organisation, rows)
    prepare_import(actor=OPERATOR, organisation=organisation, import_id=import_id)
    with organisation_scope(organisation.pk):
        confirm_import(actor=OPERATOR, organisation=organisation, import_id=import_id)

    app.control.purge()
    first = start_worker()
    send("imports.tasks.apply", organisation.pk, import_id)
    wait_for(organisation, import_id, lambda found: found.done_rows > 0, lambda: None)
    first.kill()
    half = seen(organisation, import_id)
    assert half.state == RosterImport.State.APPLYING
    assert 0 < half.done_rows < HEAD_COUNT

    # Beat would send this every ten seconds; nothing else tells the new worker.
    start_worker()
    done = wait_for(
        organisation,
        import_id,
        lambda found: found.state == RosterImport.State.APPLIED,
        lambda: send("imports.tasks.resume_imports"),
    )
    assert done.done_rows == HEAD_COUNT
    with organisation_scope(organisation.pk):
        numbers = cursor_rows("SELECT employee_number FROM people_employee ORDER BY employee_number")
        assert [number for (number,) in numbers] == [row[0] for row in rows]
        assert cursor_rows("SELECT count(*) FROM enrolments_enrolment") == [(HEAD_COUNT,)]
        assert ImportChange.objects.count() == 2 * HEAD_COUNT
    assert settings.IMPORT_CHUNK_ROWS != 50, "Only the workers take small steps."
