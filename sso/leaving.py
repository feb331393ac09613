"""The step out to an identity provider: a page with a button, which alone may post there."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from csp.decorators import csp_update
from django.shortcuts import render

from sso.parties import idp_origin

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from sso.models import Connection
    from sso.saml.bindings import SignInRedirect


def leave_page(
    request: HttpRequest, connection: Connection, going: SignInRedirect, *, test: bool = False
) -> HttpResponse:
    context = {"going": going, "partner": connection.organisation, "test": test}
    may_post_there = csp_update({"form-action": [idp_origin(connection)]})
    page = may_post_there(lambda request: render(request, "sso/leave.html", context))
    return cast("HttpResponse", page(request))
