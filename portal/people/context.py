"""What every page's frame shows: where one can go, who one is, and who else is inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _

from portal.core.access import Permission
from portal.core.tenancy import current_scope
from portal.people.models import Membership, StaffRole, User
from portal.people.roles import SUPPORT
from portal.people.session import came_by_password

if TYPE_CHECKING:
    from django.http import HttpRequest

    from portal.core.access import Access
    from portal.organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class NavigationItem:
    label: str
    url: str
    current: bool


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Give the layouts their navigation, person and support notice; costs no query."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    access: Access | None = getattr(request, "access", None)
    organisation: Organisation | None = getattr(request, "organisation", None)
    if access and organisation:
        return {
            "organisation": organisation,
            "navigation_label": organisation.name,
            "navigation": _organisation_navigation(
                request.path, organisation, access, by_company=not came_by_password(request)
            ),
            "person": {"name": access.actor.name, "role": _role_label(access.role), **_security(request)},
            "support": _support(access, organisation),
        }
    person = {"name": user.name or user.email or _("Signed in"), "role": "", **_security(request)}
    if user.staff_role == StaffRole.ACCOUNT_MANAGER and request.path.startswith("/manage/"):
        person["role"] = str(StaffRole.ACCOUNT_MANAGER.label)
        return {
            "navigation_label": _("Programme"),
            "navigation": _programme_navigation(request.path),
            "person": person,
        }
    navigation = _learner_navigation(request.path) if request.path.startswith("/me/") else []
    return {"navigation": navigation, "person": person}


def _organisation_navigation(
    path: str, organisation: Organisation, access: Access, *, by_company: bool
) -> list[NavigationItem]:
    """List what the role may open; whoever came by the company is a learner too."""
    # Support reads the page of the sign-in, and changes nothing there.
    sign_in = Permission.VIEW_AUDIT if access.support_until else Permission.MANAGE_SIGN_IN
    pages = (
        (Permission.VIEW_ORGANISATION, _("Home"), "organisation_home"),
        (Permission.VIEW_ROSTER, _("Roster"), "roster"),
        (Permission.IMPORT_ROSTER, _("Imports"), "imports"),
        (Permission.VIEW_REPORTS, _("Cohorts"), "cohorts"),
        (Permission.VIEW_REPORTS, _("Reports"), "reports"),
        (Permission.MATCH_PEOPLE, _("Matches"), "matches"),
        (Permission.VIEW_ROSTER, _("Facts to settle"), "reconciliation"),
        (sign_in, _("Company sign-in"), "sign_in_settings"),
        (Permission.VIEW_AUDIT, _("Audit"), "organisation_audit"),
        (Permission.MANAGE_ROLES, _("Settings"), "organisation_settings"),
    )
    allowed = [(label, reverse(name, args=[organisation.slug])) for right, label, name in pages if access.allows(right)]
    items = _items(path, allowed, home=reverse("organisation_home", args=[organisation.slug]))
    if by_company:
        items.append(NavigationItem(_("My course"), reverse("learner_home"), current=False))
    return items


def _programme_navigation(path: str) -> list[NavigationItem]:
    pages = (
        (_("Today"), "manage"),
        (_("Organisations"), "manage_organisations"),
        (_("Reconciliation"), "manage_reconciliation"),
        (_("Failed sign-ins"), "manage_attempts"),
        (_("Programme"), "manage_programme"),
        (_("Audit"), "manage_audit"),
    )
    return _items(path, [(label, reverse(name)) for label, name in pages], home=reverse("manage"))


def _learner_navigation(path: str) -> list[NavigationItem]:
    pages = (
        (_("My course"), "learner_home"),
        (_("My certificates"), "learner_certificates"),
        (_("Privacy"), "learner_privacy"),
    )
    return _items(path, [(label, reverse(name)) for label, name in pages], home=reverse("learner_home"))


def _items(path: str, pages: list[tuple[str, str]], *, home: str) -> list[NavigationItem]:
    """Mark where one is: the home page only when it is the page itself, the others with what lies below them."""
    return [NavigationItem(label, url, path == url if url == home else path.startswith(url)) for label, url in pages]


def _security(request: HttpRequest) -> dict[str, str]:
    """Lead to the password and the second factor; whoever came by their company has neither here."""
    return {"security_url": reverse("mfa_index")} if came_by_password(request) else {}


def _role_label(role: str) -> str:
    return _("support") if role == SUPPORT else str(Membership.Role(role).label)


def _support(access: Access, organisation: Organisation) -> dict[str, Any] | None:
    if access.support_until is None or current_scope() is None:
        return None
    return {
        "name": access.actor.name,
        "until": access.support_until,
        "mine": True,
        "leave_url": reverse("support_leave", args=[organisation.slug]),
    }
