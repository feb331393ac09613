"""How PostgreSQL is to plan statements over whole sets."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def whole_sets() -> Iterator[None]:
    """Join whole sets, never row by row, while the block runs.

    Right after a large import the statistics still speak of an almost empty table: the planner then walks through a
    whole organisation once for each of its rows (14 s instead of 0.1 s for 5,000 people).
    """
    cursor_rows("SELECT set_config('enable_nestloop', 'off', true)")
    yield
    cursor_rows("SELECT set_config('enable_nestloop', 'on', true)")
