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
from portal.people.break_glass import note_break_glass_use
from portal.people.models import StaffRole
from portal.people.selectors import access_to
from portal.people.session import came_by_password, may_use_door

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.core.access import Access, Permission
    from portal.core.http import OrganisationRequest, SignedInRequest

P = ParamSpec("P")

_BROKEN_GLASS = "broken_glass"
"""The organisations that were entered by password in this session although they require the company sign-in."""


class CompanySignInOnly(Exception):  # noqa: N818  It is an answer, not a fault.
    """Whoever came by password is known here, and has to come by the company (`sso.middleware` shows the way)."""

    def __init__(self, organisation: Organisation) -> None:
        super().__init__(organisation.slug)
        self.organisation = organisation


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
                _require_company_sign_in(inside, organisation, access)
                access.require(permission)
                inside.organisation, inside.access = organisation, access
                return view(inside, *args, **kwargs)

        return admitted

    return decorate


def _require_company_sign_in(request: OrganisationRequest, organisation: Organisation, access: Access) -> None:
    """Keep sessions by password out where the company sign-in is required, but for owners who break the glass.

    It is asked at every request, so sessions that began before end for this organisation at once. Support is not
    concerned: the programme's people have no company account here, and their visits are announced already.

    Raises:
        CompanySignInOnly: there is a page that leads to the company's door.
    """
    if organisation.sign_in_enforced_at is None or access.support_until is not None or not came_by_password(request):
        return
    if not access.break_glass:
        raise CompanySignInOnly(organisation)
    broken = request.session.get(_BROKEN_GLASS, [])
    if organisation.pk not in broken:
        request.session[_BROKEN_GLASS] = [*broken, organisation.pk]
        note_break_glass_use(actor=access.actor, organisation=organisation)


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
