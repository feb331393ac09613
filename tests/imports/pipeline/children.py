"""Work in a child process with little memory: what a hostile file does to its reader must not end the tests."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 1 << 30
"""Bytes beyond what this process has already."""
SECONDS = 60
ABORTED = signal.SIGABRT.value
"""How a child ends whose parser could not have the memory it asked for."""


def in_child(work: Callable[[], object], *, memory: int = MEMORY) -> int:
    """Return 0 when `work` came to its end in a child of limited memory, else how the child ended."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + memory
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return status
