"""A refusal that no view answered becomes a page with its sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render

from portal.core.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseBase


class RefusalPages:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refusal):
            return render(request, "refusal.html", {"refusal": exception}, status=409)
        return None
