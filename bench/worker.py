"""One benchmark in a process of its own, as the application's role: its memory is nobody else's.

Nothing here may be imported before the environment names the servers; Django is set up by the first call.
"""

from __future__ import annotations

import pickle
from importlib import import_module
from typing import TYPE_CHECKING, cast

import django

import bench.toolkit  # noqa: F401  It must come before the portal's own module replaces what it keeps.

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Protocol

    from bench.measuring import Line

    class Benchmark(Protocol):
        def measure(self, *, rows: int, runs: int, directory: Path) -> list[Line]: ...


def prepared(module: str, function: str, content: bytes, *arguments: object) -> None:
    """Call a function of a benchmark in a process that it starts: Django first, then what was pickled for it."""
    django.setup()
    getattr(import_module(module), function)(*pickle.loads(content), *arguments)  # noqa: S301  Our own parent's.


def measured(name: str, *, rows: int, runs: int, directory: Path) -> list[Line]:
    django.setup()
    benchmark = cast("Benchmark", import_module(f"bench.{name}"))
    return benchmark.measure(rows=rows, runs=runs, directory=directory)
