"""PostgreSQL and Valkey for the tests, started before Django reads its settings.

Loaded by `-p tests.servers`. The servers that the operator's environment names are used; the others are
started, without durability, in a folder of this run alone. The workers of pytest-xdist inherit the first
process's environment and its servers.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from portal import embedded
from portal.processes import ProcessError

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = embedded.VAR / "test"
PREFIX = "run-"
STARTED = "PORTAL_TEST_RUN"
SETTINGS = {
    "SECRET_KEY": "only for the tests, and public: no secret at all",
    "BASE_URL": "http://localhost:8000",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "ALLOW_LOOPBACK_IDP": "1",
    "EMAIL_URL": "memory://",
}


def start() -> None:
    """Start the servers and name everything that the settings read, whatever the operator's shell holds."""
    with one_at_a_time():
        sweep()
        run = Path(tempfile.mkdtemp(dir=RUNS, prefix=PREFIX))
        # The servers' user, when it is not ours, must be able to pass; their folders inside stay closed.
        run.chmod(0o711)
        servers = embedded.start(run, durable=False, may_create_databases=True)
    # Registered in this order, they run in the other: the servers stop, then their folder goes.
    atexit.register(embedded.discard, run)
    atexit.register(servers.stop)
    os.environ.update(SETTINGS, **servers.environment)
    os.environ.update({"STORAGE_URL": (run / "storage").as_uri(), STARTED: str(run)})


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Between making its folder and locking it, a run must not be swept away by another that starts."""
    RUNS.mkdir(parents=True, exist_ok=True)
    (embedded.VAR / "static").mkdir(exist_ok=True)
    with (RUNS / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sweep() -> None:
    """Remove what runs that were killed left; a run that is alive holds its lock and is passed over."""
    for run in RUNS.glob(f"{PREFIX}*"):
        with contextlib.suppress(ProcessError):
            embedded.discard(run)


def take_own_database(worker: str) -> None:
    """Give a worker of pytest-xdist a numbered database of its own in the shared Valkey: tests empty their cache."""
    address, _, _query = os.environ["REDIS_URL"].partition("?")
    os.environ["REDIS_URL"] = f"{address}?db={int(worker.removeprefix('gw')) + 1}"


if STARTED not in os.environ:
    try:
        start()
    except ProcessError as error:
        sys.exit(str(error))
if "PYTEST_XDIST_WORKER" in os.environ:
    take_own_database(os.environ["PYTEST_XDIST_WORKER"])
