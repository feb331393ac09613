"""The wall in Python: a partner's rows are reached only inside that organisation's scope.

The second wall is PostgreSQL's row-level security (`portal.core.policies`). Both read the same scope, so a query
that forgets its filter returns nothing of another organisation, and one outside any scope raises.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection, models, transaction

from portal.core.errors import OutsideScope

if TYPE_CHECKING:
    from collections.abc import Iterator

PLATFORM = 0
"""The scope of the programme itself: organisations and counts, never a person."""

_scope: ContextVar[int | None] = ContextVar("organisation_scope", default=None)

_SET = "SELECT set_config('portal.organisation', %s, true)"

M = TypeVar("M", bound=models.Model)


def current_scope() -> int | None:
    """Return the id of the organisation in scope, `PLATFORM`, or None outside any scope."""
    return _scope.get()


@contextmanager
def organisation_scope(organisation_id: int) -> Iterator[None]:
    """Open a transaction in which this organisation's rows, and no others, exist.

    The setting is local to the transaction, and ends with it. Inside another it is restored by hand, on success only:
    after an error the savepoint has already restored it, and a statement on the broken transaction would hide that
    error.
    """
    if organisation_id == PLATFORM:
        raise OutsideScope("An organisation's scope needs an organisation.")
    previous = _scope.get()
    nested = connection.in_atomic_block
    token = _scope.set(organisation_id)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SET, [str(organisation_id)])
            yield
            if nested:
                cursor.execute(_SET, [str(previous or "")])
    finally:
        _scope.reset(token)


@contextmanager
def platform_scope() -> Iterator[None]:
    """Open a transaction as the role that sees every organisation's counts and nobody's people."""
    token = _scope.set(PLATFORM)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL ROLE portal_platform")
            yield
            cursor.execute("RESET ROLE")
    finally:
        _scope.reset(token)


class TenantManager(models.Manager[M]):
    """Builds querysets inside a scope only; row-level security does the filtering again."""

    def get_queryset(self) -> models.QuerySet[M]:
        if current_scope() is None:
            raise OutsideScope(f"{self.model.__name__} was queried outside an organisation's scope.")
        return super().get_queryset()


def cursor_rows(sql: str, params: list[Any] | dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Run one statement of set-based SQL in the current scope and return its rows.

    Raises:
        OutsideScope: no scope is open.
    """
    if current_scope() is None:
        raise OutsideScope("A statement was run outside an organisation's scope.")
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []
