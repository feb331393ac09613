"""Real Celery workers on the tests' servers, to be killed, and what is seen of an import from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection

from imports.models import RosterImport
from portal.celery import app
from portal.core.tasks import HEARTBEAT
from portal.core.tenancy import organisation_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.organisations.models import Organisation

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240


class Worker:
    """`celery worker` as in production, in a process group of its own; small steps make many moments to die at."""

    def __init__(self, *, chunk_rows: int) -> None:
        here = connection.settings_dict
        url = f"postgresql://{here['USER']}@{str(here['HOST']).replace('/', '%2F')}/{here['NAME']}"
        given = {name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL"}
        own = {
            "DATABASE_URL": url,
            "STORAGE_URL": Path(default_storage.base_location).as_uri(),  # type: ignore[attr-defined]  # A folder.
            "IMPORT_CHUNK_ROWS": str(chunk_rows),
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


@contextmanager
def workers(*, chunk_rows: int) -> Iterator[Callable[[], Worker]]:
    """Yield what starts a worker; whoever still works at the end is killed."""
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(chunk_rows=chunk_rows))
        return started[-1]

    try:
        yield start
    finally:
        for worker in started:
            if worker.process.poll() is None:
                worker.kill()


def send(task: str, *ids: int) -> None:
    app.send_task(task, args=ids)


def wait_until_all_is_done() -> None:
    """Wait until a worker has done whatever was sent before: what is sent first is done first."""
    cache.delete(HEARTBEAT)
    send("portal.core.tasks.heartbeat")
    deadline = time.monotonic() + PATIENCE
    while cache.get(HEARTBEAT) is None:
        assert time.monotonic() < deadline, f"No worker has answered for {PATIENCE} s."
        time.sleep(0.02)


def seen(organisation: Organisation, import_id: int) -> RosterImport:
    with organisation_scope(organisation.pk):
        return RosterImport.objects.get(pk=import_id)


def wait_for(
    organisation: Organisation,
    import_id: int,
    condition: Callable[[RosterImport], bool],
    *,
    meanwhile: Callable[[], None] = lambda: None,
) -> RosterImport:
    """Look again and again until the condition holds; `meanwhile` is done twice a second."""
    deadline, turn = time.monotonic() + PATIENCE, 0.0
    while not condition(found := seen(organisation, import_id)):
        assert found.state != RosterImport.State.FAILED, found.error
        assert time.monotonic() < deadline, f"{found.state}, {found.done_rows} rows after {PATIENCE} s"
        if time.monotonic() > turn:
            meanwhile()
            turn = time.monotonic() + 0.5
        time.sleep(0.01)
    return found


def sweep() -> None:
    """Do what beat does every ten seconds: nothing else tells a new worker what the killed one was at."""
    send("imports.tasks.resume_imports")
