"""How PostgreSQL is to plan statements over many rows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 100


@contextmanager
def whole_sets(rows: int | None = None) -> Iterator[None]:
    """Join whole sets, never row by row, while the block runs; for a few rows the planner is left alone.

    Until autovacuum has seen a new organisation, the statistics say that it has no rows, and every index that begins
    with the organisation looks equally good: the planner then walks through all of it once for each row (19 s instead
    of 0.03 s for 10,000 events). With few rows that hardly matters, and afterwards an index is the better way.
    """
    if rows is not None and rows <= FEW:
        yield
        return
    ((before,),) = cursor_rows("SELECT current_setting('enable_nestloop')")
    cursor_rows("SELECT set_config('enable_nestloop', 'off', true)")
    yield
    # What was before, not "on": a block inside another must not end the outer one.
    cursor_rows("SELECT set_config('enable_nestloop', %s, true)", [before])


@contextmanager
def in_order() -> Iterator[None]:
    """Walk along an index and stop when the page is full, while the block runs.

    For a page out of many rows. Without statistics the planner takes the many for few, reads all of them and sorts.
    """
    switches = ("enable_sort", "enable_hashjoin", "enable_mergejoin", "enable_material", "enable_bitmapscan")
    ((before,),) = cursor_rows(
        "SELECT array(SELECT current_setting(name) FROM unnest(%s::text[]) name)", [list(switches)]
    )
    cursor_rows("SELECT set_config(name, 'off', true) FROM unnest(%s::text[]) name", [list(switches)])
    yield
    cursor_rows(
        "SELECT set_config(name, was, true) FROM unnest(%s::text[], %s::text[]) AS switch (name, was)",
        [list(switches), before],
    )
