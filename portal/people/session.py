"""What a session remembers of how it began, and whether it still holds.

A login by a partner's identity provider opens that partner's door only: its administrator, who could sign in as any
of their people, must not read another employer. A login by password and second factor opens all of the login's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.tenancy import organisation_scope
from portal.organisations.models import DoorKind, Organisation
from portal.organisations.selectors import organisations_behind
from portal.people.models import Affiliation
from portal.people.selectors import has_left

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase
    from django.http import HttpRequest

    from portal.people.models import User

_DOORS = "doors"
_EVERY = "every"


def open_every_door(session: SessionBase) -> None:
    session[_DOORS] = _EVERY


def open_one_door(session: SessionBase, organisation_id: int) -> None:
    """Add the door used; doors used before in the same browser session by the same login stay open."""
    used = session.get(_DOORS)
    session[_DOORS] = sorted({*(used if isinstance(used, list) else ()), organisation_id})


def close_doors(session: SessionBase, *, keep: set[int]) -> None:
    """Leave only these doors open: a sign-out at one company is none at another."""
    session[_DOORS] = sorted(keep)


def came_by_password(request: HttpRequest) -> bool:
    """Return whether the session began with the portal's own sign-in rather than a company's."""
    return request.session.get(_DOORS) == _EVERY


def doors_used(request: HttpRequest) -> list[int]:
    """Return the organisations whose company sign-in was used in this session."""
    doors = request.session.get(_DOORS)
    return doors if isinstance(doors, list) else []


def may_use_door(request: HttpRequest, organisation_id: int) -> bool:
    doors = request.session.get(_DOORS)
    return doors == _EVERY or (isinstance(doors, list) and organisation_id in doors)


def organisations_with_a_role(request: HttpRequest, user: User) -> list[int]:
    """Return the organisations in which the login has a role and whose door is open in this session."""
    behind = organisations_behind(DoorKind.MEMBER, str(user.pk))
    return [organisation_id for organisation_id in behind if may_use_door(request, organisation_id)]


def still_holds(request: HttpRequest, user: User) -> bool:
    """Return whether every organisation whose door was used still knows the person as active."""
    return all(_still_welcome(organisation_id, user) for organisation_id in doors_used(request))


def _still_welcome(organisation_id: int, user: User) -> bool:
    if not Organisation.objects.filter(pk=organisation_id, active=True).exists():
        return False
    affiliation = Affiliation.objects.filter(organisation_id=organisation_id, user=user).first()
    if affiliation is None:
        return False
    if affiliation.employee_id is None:
        return True
    with organisation_scope(organisation_id):
        return not has_left(organisation_id, user)
