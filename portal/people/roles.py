"""Which role may do what: one table."""

from __future__ import annotations

from portal.core.access import Permission
from portal.people.models import Membership

_VIEWER = frozenset({Permission.VIEW_ORGANISATION, Permission.VIEW_REPORTS})
_MANAGER = _VIEWER | {
    Permission.VIEW_ROSTER,
    Permission.IMPORT_ROSTER,
    Permission.APPROVE_IMPORT,
    Permission.MANAGE_COHORTS,
    Permission.MATCH_PEOPLE,
}
_OWNER = _MANAGER | {Permission.MANAGE_SIGN_IN, Permission.MANAGE_ROLES, Permission.VIEW_AUDIT}

SUPPORT = "support"
"""An account manager inside an organisation: reads, changes nothing, and the organisation sees it."""

PERMISSIONS: dict[str, frozenset[Permission]] = {
    Membership.Role.OWNER: _OWNER,
    Membership.Role.ROSTER_MANAGER: _MANAGER,
    Membership.Role.REPORT_VIEWER: _VIEWER,
    SUPPORT: _VIEWER | {Permission.VIEW_ROSTER, Permission.VIEW_AUDIT},
}
