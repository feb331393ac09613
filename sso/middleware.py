"""Who came by password where the company sign-in is required gets a page that leads to the company's door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.urls import reverse

from portal.core.tenancy import organisation_scope
from portal.people.admission import CompanySignInOnly
from sso.selectors import open_connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseBase


class CompanyDoor:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, CompanySignInOnly):
            return None
        organisation = exception.organisation
        with organisation_scope(organisation.pk):
            connection = open_connection(organisation.pk)
        door = reverse("sso_login", args=[connection.public_id]) if connection else ""
        return render(request, "sso/company_only.html", {"partner": organisation, "door": door}, status=403)
