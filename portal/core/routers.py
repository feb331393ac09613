"""Only the owner of the tables changes their structure."""

from __future__ import annotations

from typing import Any


class OwnerMigrates:
    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:  # noqa: ANN401, ARG002  Django's signature.
        return db == "owner"
