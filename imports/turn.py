"""Whose turn it is: one process at a time works on an import, and its death is noticed at once.

A lock of the database session, not a time limit: parsing a sheet of a million rows is silent for longer than any
heartbeat, and a second worker that took it for dead would begin again. The lock lives on the connection that writes,
so whoever lost it can no longer write either.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

_KIND = 0x1321
"""Tells these locks from others of the same database; the pair of numbers is the lock's name."""


@contextmanager
def turn(import_id: int) -> Iterator[bool]:
    """Yield whether this process may work on the import; somebody else's turn is not waited for."""
    name = [_KIND, import_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", name)
        (taken,) = cursor.fetchone()
    try:
        yield taken
    finally:
        # On a broken connection the lock went with the session, and asking would hide the first error.
        if taken and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", name)
