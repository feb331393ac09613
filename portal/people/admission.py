"""Who gets in: the decorators that every page begins with.

A page of an organisation runs inside its scope. Whoever has no business there gets 404, as for an organisation that
does not exist; 403 is only for members whose role lacks the right.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast

from django.http import Http404, HttpRequest, HttpResponseBase

from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from portal.people.models import StaffRole
from portal.people.selectors import access_to
from portal.people.session import may_use_door

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.core.access import Permission
    from portal.core.http import OrganisationRequest, SignedInRequest

P = ParamSpec("P")


def organisation_page(
    permission: Permission,
) -> Callable[[Callable[Concatenate[OrganisationRequest, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Admit those who hold `permission` in the organisation that the URL names (`org`), and open its scope."""

    def decorate(
        view: Callable[Concatenate[OrganisationRequest, P], HttpResponseBase],
    ) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def admitted(request: HttpRequest, org: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            inside = cast("OrganisationRequest", request)
            organisation = Organisation.objects.filter(slug=org, active=True).first()
            if organisation is None or not may_use_door(inside, organisation.pk):
                raise Http404
            with organisation_scope(organisation.pk):
                access = access_to(organisation, inside.user)
                if access is None:
                    raise Http404
                access.require(permission)
                inside.organisation, inside.access = organisation, access
                return view(inside, *args, **kwargs)

        return admitted

    return decorate


def staff_page(
    view: Callable[Concatenate[SignedInRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Admit the programme's account managers; for everyone else the page does not exist."""

    @wraps(view)
    def admitted(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        inside = cast("SignedInRequest", request)
        if inside.user.staff_role != StaffRole.ACCOUNT_MANAGER:
            raise Http404
        return view(inside, *args, **kwargs)

    return admitted
