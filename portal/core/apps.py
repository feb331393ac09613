"""The kernel: scopes, actors, work lists and the rules every app shares."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "portal.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from portal.core import (  # noqa: PLC0415  Registers checks and reports once apps are loaded.
            checks,  # noqa: F401
            mail_reports,  # noqa: F401
        )
