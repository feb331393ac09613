"""`make bench`: measure the portal against floors, on servers of its own, and print one table.

Ratios are what counts: both sides run in turn, in one process, on whatever else the machine does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import psycopg

from bench.measuring import table
from bench.worker import measured
from portal import embedded
from portal.processes import ProcessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.measuring import Line

BENCHMARKS = ("rosters", "competitor", "completions", "sign_in", "hostile", "burst", "reports", "pages")
SIZES = (10_000, 100_000)
RUNS = 3
DIRECTORY = embedded.VAR / "bench"
OWNER = "DATABASE_OWNER_URL"
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "SECRET_KEY": "only for the benchmarks, and public: no secret at all",
    "BASE_URL": "http://localhost:8000",
    "ALLOWED_HOSTS": "localhost",
    "EMAIL_URL": "memory://",
    "STORAGE_URL": (DIRECTORY / "storage").as_uri(),
    "LOG_LEVEL": "WARNING",
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"which to run, by default all: {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--rows", nargs="+", type=int, default=SIZES, help="sizes, by default 10000 100000")
    parser.add_argument("--runs", type=int, default=RUNS, help="the medians are of so many runs")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"There is no benchmark {', '.join(sorted(unknown))}: choose from {', '.join(BENCHMARKS)}.")
    try:
        embedded.discard(DIRECTORY)
        with embedded.start(DIRECTORY, given={}, durable=True) as servers:
            _prepare(servers.environment)
            lines, broken = _measured(options.names or BENCHMARKS, sizes=options.rows, runs=options.runs)
        embedded.discard(DIRECTORY)
    except ProcessError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    print(table(lines))
    return 1 if broken else 0


def _prepare(environment: dict[str, str]) -> None:
    """Migrate as the owner, in a process that alone knows its address; the benchmarks run as the application.

    They may also bring the planner's figures of people up to date, which is autovacuum's to do when it comes to it.
    """
    os.environ.pop(OWNER, None)
    os.environ.update(SETTINGS, **{name: value for name, value in environment.items() if name != OWNER})
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--database", "owner", "--no-input", "--verbosity", "0"],
        cwd=embedded.CHECKOUT,
        env=os.environ | {OWNER: environment[OWNER]},
        check=True,
    )
    with psycopg.connect(environment[OWNER]) as connection:
        connection.execute("GRANT MAINTAIN ON people_employee TO portal_app")


def _measured(names: Sequence[str], *, sizes: Sequence[int], runs: int) -> tuple[list[Line], bool]:
    """Return the lines, and whether a benchmark broke: what the others measured is shown all the same."""
    lines: list[Line] = []
    broken = False
    for name in names:
        for rows in sizes:
            print(f"{name}, {rows:,} rows…", file=sys.stderr, flush=True)
            try:
                with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
                    found = process.submit(measured, name, rows=rows, runs=runs, directory=DIRECTORY).result()
            except Exception as error:  # noqa: BLE001  Whatever it is, it is this benchmark's alone.
                broken = True
                print(f"{name} broke: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                continue
            lines += found
            for line in found:
                print(f"  {line.what}: {line.ratio:.2f} ×", file=sys.stderr, flush=True)
    return lines, broken


if __name__ == "__main__":
    sys.exit(main())
