"""How far a reading has come: said through the cache, since its rows are written in one transaction at its end.

Only the page's bar and the wish to stop depend on it. When the cache is away, the bar stands still and the reading goes
to its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.core.cache import cache
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_HOUR = 3_600
_AWAY = (RedisError, OSError)


def note_rows_read(import_id: int, rows: int) -> bool:
    """Note how many rows have been read, and return whether the import is still wanted."""

    def note() -> bool:
        cache.set(f"import-read:{import_id}", rows, _HOUR)
        return not cache.get(f"import-given-up:{import_id}")

    return _or(note, otherwise=True)


def rows_read(import_id: int) -> int:
    return _or(lambda: int(cache.get(f"import-read:{import_id}") or 0), otherwise=0)


def give_up(import_id: int) -> None:
    """Tell whoever reads the file that nobody wants it any more."""

    def tell() -> bool:
        cache.set(f"import-given-up:{import_id}", 1, _HOUR)
        return True

    _or(tell, otherwise=False)


def _or(ask: Callable[[], T], *, otherwise: T) -> T:
    try:
        return ask()
    except _AWAY:
        return otherwise
