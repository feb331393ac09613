"""The whole portal in one terminal: servers, web, worker, beat and the identity provider, until Ctrl-C.

`make demo` runs it. It imports no Django: every part is a child process with the environment that it would
have in production. What ends first, or a signal, ends everything, in order. Started again, it keeps the data.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from portal import embedded
from portal.processes import Parent, ProcessError, ending_with_parent, last_lines, stop_process

if TYPE_CHECKING:
    from collections.abc import Sequence

READY_SECONDS = 120
STOP_SECONDS = 15
PORT_SECONDS = 3
OWNER = "DATABASE_OWNER_URL"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Demo:
    """One demo: its directory, its addresses, and the parts that run."""

    directory: Path
    port: int
    provider_port: int
    environment: dict[str, str]
    stack: contextlib.ExitStack
    parts: dict[str, subprocess.Popen[bytes]]
    parent: Parent

    @property
    def address(self) -> str:
        return self.environment["BASE_URL"]

    def log(self, name: str) -> Path:
        return self.directory / "log" / f"{name}.log"

    def run(self, name: str, *arguments: str, **extra: str) -> None:
        """Run one command to its end; `extra` is what this command alone may know."""
        process = self._spawn(name, arguments, extra)
        with contextlib.ExitStack() as stack:
            stack.callback(stop_process, process, signal.SIGTERM, STOP_SECONDS)
            code = process.wait()
        if code != 0:
            raise self.failure(name, "failed")

    def start(self, name: str, *arguments: str) -> None:
        """Start a part that runs as long as the demo does."""
        process = self._spawn(name, arguments, {})
        self.parts[name] = process
        self.stack.callback(stop_process, process, signal.SIGTERM, STOP_SECONDS)

    def _spawn(self, name: str, arguments: Sequence[str], extra: dict[str, str]) -> subprocess.Popen[bytes]:
        inherited = {key: value for key, value in os.environ.items() if key != OWNER}
        with self.log(name).open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - our own programs, no shell.
                [sys.executable, *arguments],
                cwd=embedded.CHECKOUT,
                env=inherited | self.environment | extra,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=ending_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it calls prctl alone.
            )

    def failure(self, name: str, what: str) -> ProcessError:
        return ProcessError(f"{name} {what}; the end of {self.log(name)}:\n{last_lines(self.log(name))}")

    def check(self) -> None:
        """Stop when the command that started us has ended or was told to; raise when a part has ended."""
        if self.parent.is_leaving():
            _stop(signal.SIGHUP, None)
        for name, process in self.parts.items():
            if process.poll() is not None:
                raise self.failure(name, "ended")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--provider-port", type=int, default=0, help="by default the port after --port")
    parser.add_argument("--directory", type=Path, default=embedded.VAR, help="where its data and servers live")
    options = parser.parse_args(arguments)
    for number in SIGNALS:
        signal.signal(number, _stop)
    try:
        run(options.directory.resolve(), options.port, options.provider_port or options.port + 1)
    except ProcessError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _stop(_number: int, _frame: object) -> NoReturn:
    """End by the ordered stop, which a second signal may not interrupt."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(0)


def run(directory: Path, port: int, provider_port: int) -> None:
    parent = Parent()
    _say("Starting PostgreSQL and Valkey…")
    with contextlib.ExitStack() as stack:
        servers = stack.enter_context(embedded.start(directory))
        for number, name in ((port, "PORT"), (provider_port, "IDP_PORT")):
            _check_free(number, name)
        owner = servers.environment.pop(OWNER)
        environment = servers.environment | _settings(directory, port, provider_port)
        demo = Demo(directory, port, provider_port, environment, stack, {}, parent)
        embedded.remember(directory, environment)
        stack.callback(embedded.forget, directory)
        _start_parts(demo, owner)
        _wait_until_ready(demo)
        _say(_welcome(demo))
        while True:
            demo.check()
            time.sleep(0.5)


def _settings(directory: Path, port: int, provider_port: int) -> dict[str, str]:
    """Return the settings of a portal on this machine's loopback, for the demo alone."""
    return {
        "SECRET_KEY": embedded.secret_key(directory),
        "BASE_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "ALLOW_LOOPBACK_IDP": "1",
        "STAFF_SECOND_FACTOR": "0",
        "DEMO": "1",
        "DEMO_DIRECTORY": str(directory),
        "DEMO_IDP_URL": f"http://127.0.0.1:{provider_port}",
        "EMAIL_URL": f"file:///{directory / 'mail'}",
        "STORAGE_URL": (directory / "storage").as_uri(),
    }


def _start_parts(demo: Demo, owner: str) -> None:
    """Migrate as the owner, seed as the application, start what serves; it stops in the other order."""
    _say("Preparing the database…")
    demo.run("migrate", "manage.py", "migrate", "--database", "owner", "--no-input", **{OWNER: owner})
    provider = ["--port", str(demo.provider_port), "--data", str(demo.directory / "identity-provider")]
    provider += ["--allow-acs", f"{demo.address}/"]
    demo.start("identity-provider", "-m", "portal.demo.identity_provider", *provider)
    _say("Seeding two organisations…")
    demo.run("seed", "manage.py", "seed_demo")
    _say("Starting the portal…")
    schedule = str(demo.directory / "celerybeat-schedule")
    demo.start("beat", "-m", "celery", "-A", "portal.celery", "beat", "-s", schedule, "--pidfile=")
    demo.start("worker", "-m", "celery", "-A", "portal.celery", "worker", "--concurrency", "2", "-l", "INFO")
    bind = ["--bind", f"127.0.0.1:{demo.port}", "--workers", "2", "--threads", "4"]
    demo.start("web", "-m", "gunicorn", "portal.wsgi:application", *bind, "--no-control-socket")


def _check_free(port: int, name: str) -> None:
    """Refuse a port that is taken; the web process of a demo that was killed has a moment to let go of it."""
    deadline = time.monotonic() + PORT_SECONDS
    while not _is_free(port):
        if time.monotonic() > deadline:
            raise ProcessError(f"Port {port} is not free: choose another with {name}=…")
        time.sleep(0.3)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError, OverflowError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def _wait_until_ready(demo: Demo) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while (answer := _readiness(demo)) != "":
        demo.check()
        if time.monotonic() > deadline:
            raise demo.failure("web", f"does not become ready ({answer})")
        time.sleep(0.3)


def _readiness(demo: Demo) -> str:
    """Return what is missing, nothing when the portal is ready."""
    # The address is our own, on loopback: no proxy may stand between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{demo.address}/readyz", timeout=5):
            return ""
    except urllib.error.HTTPError as error:
        return error.read(500).decode(errors="replace").strip() or str(error.code)
    except OSError as error:
        return str(error)


def _welcome(demo: Demo) -> str:
    accounts = demo.directory / "demo" / "accounts.txt"
    text = accounts.read_text() if accounts.exists() else ""
    logs = demo.directory / "log"
    return f"\nThe portal answers on {demo.address}/ (Ctrl-C stops it; its logs are in {logs}).\n\n{text}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
