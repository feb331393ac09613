"""Child processes: they end with their parent, and what a killed parent left is found."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOG_LINES_SHOWN = 15
STOP_SECONDS = 30
PR_SET_PDEATHSIG = 1


class ProcessError(Exception):
    """What a person at the terminal must know about a process, in one sentence."""


def ending_with_parent(ending: signal.Signals) -> Callable[[], None] | None:
    """Return what a child runs before exec so that the kernel ends it when we are killed (Linux only)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(ending))
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


class Parent:
    """The command that started us.

    `make` keeps INT and HUP to itself when they are sent to it alone: it restores their default action, then
    waits for us. So what it catches is compared with what it caught at first. Elsewhere than on Linux, only
    its end is seen.
    """

    def __init__(self) -> None:
        self.pid = os.getppid()
        self.caught = self._caught_signals()

    def is_leaving(self) -> bool:
        return os.getppid() != self.pid or bool(self.caught & ~self._caught_signals())

    def _caught_signals(self) -> int:
        """Return the set of INT and HUP that the parent handles, as the bits of its SigCgt mask."""
        interesting = sum(1 << (number - 1) for number in (signal.SIGINT, signal.SIGHUP))
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0
        masks = (line.removeprefix("SigCgt:") for line in status.splitlines() if line.startswith("SigCgt:"))
        return interesting & int(next(masks, "0"), 16)


def stop_process(process: subprocess.Popen[bytes], ending: signal.Signals, seconds: float) -> None:
    """Ask a child to end, and end its whole session when it does not."""
    if process.poll() is None:
        process.send_signal(ending)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def stop_orphan(pid_file: Path, *, program: str, ending: signal.Signals) -> None:
    """End the server that a killed portal left in this folder, and remove its pid file.

    The caller holds the folder's lock, so no running portal's server is here. The process must run this
    program in this very folder: a number that now belongs to a stranger is never signalled.
    """
    try:
        pid = int(pid_file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        pid = 0
    deadline = time.monotonic() + STOP_SECONDS
    while pid > 0 and _runs_in(pid, program, pid_file.parent):
        if time.monotonic() > deadline:
            raise ProcessError(f"Process {pid} still serves {pid_file.parent} and does not end: stop it first.")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, ending)
        time.sleep(0.2)
    pid_file.unlink(missing_ok=True)


def _runs_in(pid: int, program: str, folder: Path) -> bool:
    process = Path("/proc") / str(pid)
    try:
        running = (process / "comm").read_text().strip()
        return running == program and (process / "cwd").readlink() == folder.resolve()
    except OSError:
        return False


def last_lines(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-LOG_LINES_SHOWN:])
