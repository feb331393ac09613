"""A rehearsal in a child process: a file that would take the process down takes down the child instead.

A damaged or hostile workbook can make the parser ask for more memory than there is, which ends its process at once:
nothing can be caught. The child reads first, within limits; only what it survives is read here. It costs the parsing
once more, and a fork.
"""

from __future__ import annotations

import faulthandler
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 2 * 1024**3
"""Bytes beyond what this process has already."""
SECONDS = 120
"""Of processor time."""


def survives(read: Callable[[], object]) -> bool:
    """Return whether `read` comes to an end, even to an error that can be caught, within the limits."""
    child = os.fork()
    if child == 0:
        _read_and_leave(read)
    _, status = os.waitpid(child, 0)
    return status == 0


def _read_and_leave(read: Callable[[], object]) -> NoReturn:
    """Never return: the child holds copies of connections and locks that are the parent's to close."""
    code = 1
    try:
        # A parser that aborts says so with pieces of the file.
        faulthandler.disable()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        read()
        code = 0
    except MemoryError:
        code = 1
    except BaseException:  # noqa: BLE001  The parent meets the same error, and names it.
        code = 0
    finally:
        os._exit(code)
