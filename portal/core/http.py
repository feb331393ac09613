"""Typed requests: what a view may rely on once the request was admitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from portal.core.access import Access
    from portal.organisations.models import Organisation
    from portal.people.models import User


class SignedInRequest(HttpRequest):
    """Somebody is signed in, whoever it is."""

    user: User
    htmx: HtmxDetails


class OrganisationRequest(SignedInRequest):
    """Somebody works inside an organisation, whose scope is open while the view runs."""

    organisation: Organisation
    access: Access
