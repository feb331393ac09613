"""An identity provider of another maker as a child process: it answers before it is used, and ends with the tests."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from portal.processes import ending_with_parent, last_lines, stop_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

START_SECONDS = 30
STOP_SECONDS = 5


@contextlib.contextmanager
def serving(command: Sequence[str], *, address: str, log: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a server until the block ends; at its beginning `address` answers."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=ending_with_parent(signal.SIGTERM),  # noqa: PLW1509  It calls prctl alone.
        )
    try:
        wait_until_answering(server, address, log)
        yield
    finally:
        stop_process(server, signal.SIGTERM, STOP_SECONDS)


def wait_until_answering(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    # On loopback, no proxy may stand between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), opener.open(address, timeout=10):
            return
        time.sleep(0.1)
    raise AssertionError(f"Nothing answers on {address}:\n{last_lines(log)}")
