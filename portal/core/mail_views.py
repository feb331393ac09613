"""Where the mail provider reports: django-anymail reads and checks what it says, in its own format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponseBadRequest
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

_UNREADABLE = (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError)


@csrf_exempt
@login_not_required
def mail_report(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Take the reports of the provider that `EMAIL_URL` names; for the others there is nothing here.

    Its secret, and its signature where it has one, are checked by django-anymail before anything is read.
    """
    if provider != settings.MAIL_PROVIDER:
        raise Http404
    try:
        found = resolve(f"/{provider}/tracking/", urlconf="anymail.urls")
    except Resolver404:
        raise Http404 from None
    try:
        answer: HttpResponseBase = found.func(request)
    except _UNREADABLE:
        return HttpResponseBadRequest()
    return answer
