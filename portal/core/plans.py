"""How PostgreSQL is to plan statements over many rows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 100
_WHOLE_SETS = {"enable_nestloop": "off", "work_mem": "64MB", "default_statistics_target": "10"}
_IN_ORDER = {f"enable_{way}": "off" for way in ("sort", "hashjoin", "mergejoin", "material", "bitmapscan")}


@contextmanager
def whole_sets(rows: int | None = None) -> Iterator[None]:
    """Join whole sets, never row by row, while the block runs; for a few rows the planner is left alone.

    Until autovacuum has seen a new organisation, the statistics say that it has no rows, and every index that begins
    with the organisation looks equally good: the planner then walks through all of it once for each row (19 s instead
    of 0.03 s for 10,000 events). With few rows that hardly matters, and afterwards an index is the better way.

    Where whole sets are joined, rough figures of a relation do as well as exact ones, and ANALYZE takes a tenth of the
    time; and sets of a hundred thousand rows are sorted and hashed in memory.
    """
    if rows is not None and rows <= FEW:
        yield
        return
    with _planned_with(_WHOLE_SETS):
        yield


@contextmanager
def in_order() -> Iterator[None]:
    """Walk along an index and stop when the page is full, while the block runs.

    For a page out of many rows. Without statistics the planner takes the many for few, reads all of them and sorts.
    """
    with _planned_with(_IN_ORDER):
        yield


@contextmanager
def _planned_with(settings: dict[str, str]) -> Iterator[None]:
    """Come back to what was before, not to the defaults: a block inside another must not end the outer one."""
    names = list(settings)
    before = dict(cursor_rows("SELECT name, current_setting(name) FROM unnest(%s::text[]) name", [names]))
    _set(settings)
    yield
    _set(before)


def _set(settings: dict[str, str]) -> None:
    cursor_rows(
        "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) setting (name, value)",
        [list(settings), list(settings.values())],
    )
