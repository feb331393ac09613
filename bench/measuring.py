"""One measurement: the floor and our work by turns in one process, so that a busy machine slows both."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from bench.memory import forget_peak, peak_memory, watched_children

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

_HEADINGS = ("what", "rows", "floor", "ours", "ratio", "goal", "memory", "note")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: medians in seconds, peaks of memory during our work in bytes.

    `goal` is the ratio that the design asks for, at most or `at_least`; `peak` is this process's own memory, `children`
    that of the processes that it starts; `note` is what is worth knowing besides.
    """

    what: str
    rows: int
    floor: float
    ours: float
    goal: float
    peak: int
    children: int = 0
    note: str = ""
    at_least: bool = False

    @property
    def ratio(self) -> float:
        return self.ours / self.floor


def compare(
    *,
    what: str,
    rows: int,
    runs: int,
    goal: float,
    prepare: Callable[[], T],
    floor: Callable[[T], object],
    ours: Callable[[T], object],
    per_run: int = 1,
    at_least: bool = False,
    note: str = "",
) -> Line:
    """Measure both `runs` times. `prepare` makes, outside of the measurement, what one run of either uses up.

    `per_run` is how often a run does the work: the times are of one.
    """
    floors, times, peak, children = [], [], 0, 0
    for _run in range(runs):
        floors.append(_seconds(floor, prepare()))
        ready = prepare()
        forget_peak()
        with watched_children() as watched:
            times.append(_seconds(ours, ready))
        peak, children = max(peak, peak_memory()), max(children, watched.peak)
    return Line(
        what, rows, median(floors) / per_run, median(times) / per_run, goal, peak, children, note, at_least=at_least
    )


def _seconds(work: Callable[[T], object], ready: T) -> float:
    gc.collect()
    begun = time.perf_counter()
    work(ready)
    return time.perf_counter() - begun


def table(lines: Sequence[Line]) -> str:
    """Return the lines as an aligned table in Markdown."""
    cells = [
        _HEADINGS,
        *(
            (
                line.what,
                f"{line.rows:,}",
                _duration(line.floor),
                _duration(line.ours),
                f"{line.ratio:.2f} ×",
                f"{'≥' if line.at_least else '≤'} {line.goal:g} ×",
                _memory(line),
                line.note,
            )
            for line in lines
        ),
    ]
    widths = [max(len(row[index]) for row in cells) for index in range(len(_HEADINGS))]
    rows = ["| " + " | ".join(_padded(row, widths)) + " |" for row in cells]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join((rows[0], rule, *rows[1:]))


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Words to the left, numbers to the right."""
    last = len(row) - 1
    return [
        cell.ljust(width) if index in {0, last} else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _memory(line: Line) -> str:
    children = f" + {line.children / 1024**2:.0f}" if line.children else ""
    return f"{line.peak / 1024**2:.0f}{children} MB"


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"
