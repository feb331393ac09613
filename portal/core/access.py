"""What an actor may do in one organisation; which role may do what is said in `portal.people.roles`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied

if TYPE_CHECKING:
    from datetime import datetime

    from portal.core.actor import Actor


class Permission(StrEnum):
    VIEW_ORGANISATION = "organisation:view"
    VIEW_REPORTS = "reports:view"
    VIEW_ROSTER = "roster:view"
    IMPORT_ROSTER = "roster:import"
    APPROVE_IMPORT = "roster:approve"
    MANAGE_COHORTS = "cohorts:manage"
    MATCH_PEOPLE = "people:match"
    MANAGE_SIGN_IN = "sign-in:manage"
    MANAGE_ROLES = "roles:manage"
    VIEW_AUDIT = "audit:view"


@dataclass(frozen=True, slots=True)
class Access:
    """An actor inside one organisation: who, where, as what."""

    actor: Actor
    organisation_id: int
    role: str
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    support_until: datetime | None = None
    break_glass: bool = False

    def allows(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise `PermissionDenied` (403): the organisation is known to the actor, the right is missing."""
        if not self.allows(permission):
            raise PermissionDenied
