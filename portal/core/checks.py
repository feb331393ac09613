"""What stops the start: a database role that could see more than one organisation at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.apps import AppConfig
    from django.core.checks import CheckMessage

_ROLES = "SELECT rolname FROM pg_roles WHERE rolname IN (session_user, current_user) AND (rolsuper OR rolbypassrls)"
_OWNED = (
    "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    " AND pg_has_role(current_user, relowner, 'MEMBER')"
)


def role_problems() -> list[str]:
    """Return a sentence for each reason why this role must not serve requests."""
    problems = []
    with connection.cursor() as cursor:
        cursor.execute(_ROLES)
        problems += [
            f"The database role {name} is a superuser or bypasses row-level security: it would see every organisation."
            for (name,) in cursor.fetchall()
        ]
        cursor.execute(_OWNED)
        if cursor.fetchone()[0]:
            problems.append("The database role owns tables: DATABASE_URL must name the application's role.")
    return problems


def refuse_to_start_as_owner() -> None:
    """Stop web, worker and beat when they could see or change more than the application's role may.

    Raises:
        ImproperlyConfigured: with one sentence.
    """
    if "owner" in settings.DATABASES:
        raise ImproperlyConfigured(
            "DATABASE_OWNER_URL is set: it is for migrations only, never for web, worker or beat."
        )
    for problem in role_problems():
        raise ImproperlyConfigured(problem)


@register(Tags.database)
def database_role(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature.
    databases: Sequence[str] | None = None,
    **kwargs: Any,  # noqa: ANN401, ARG001
) -> list[CheckMessage]:
    if not databases or "default" not in databases:
        return []
    return [Error(problem, id="core.E001") for problem in role_problems()]
