"""The most memory that this process held, and the most that the processes it started held together (Linux).

Both are read from /proc. `getrusage` knows of children, but counts what a child shared with us before it became its own
program: a child of a large process is never small there.
"""

from __future__ import annotations

import ctypes
import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC = Path("/proc")
_EVERY = 0.05
"""Seconds between two looks: what grows in the last of them, before a child ends, is not seen."""


def forget_peak() -> None:
    """Begin the peak of this process anew, without what the floor freed and the allocator still holds."""
    ctypes.CDLL(None).malloc_trim(0)
    (_PROC / "self" / "clear_refs").write_text("5")


def peak_memory(process: str = "self") -> int:
    """Return the most memory that a process held (since it was forgotten), in bytes; 0 when it is over."""
    status = (_PROC / process / "status").read_text().splitlines()
    peak = next((line.split()[1] for line in status if line.startswith("VmHWM:")), "0")
    return int(peak) * 1024


class Children:
    """The processes that the main thread starts. `peak` is the most that they held together, in bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._list = _PROC / "self" / "task" / str(os.getpid()) / "children"
        self._command = (_PROC / "self" / "cmdline").read_bytes()

    def look(self) -> None:
        self.peak = max(self.peak, sum(map(self._memory, self._list.read_text().split())))

    def _memory(self, child: str) -> int:
        """A child that is not its own program yet shows our memory, and one may be gone before it is looked at."""
        try:
            started = (_PROC / child / "cmdline").read_bytes() != self._command
            return peak_memory(child) if started else 0
        except OSError:
            return 0


@contextmanager
def watched_children() -> Iterator[Children]:
    """Look at the children from beside until the block ends."""
    children, over = Children(), threading.Event()

    def watch() -> None:
        while not over.wait(_EVERY):
            children.look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield children
    finally:
        over.set()
        watcher.join()
