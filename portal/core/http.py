"""Typed requests: what a view may rely on once the request was admitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from portal.core.access import Access
    from portal.organisations.models import Organisation
    from portal.people.models import User


class SignedInRequest(HttpRequest):
    """Somebody is signed in, whoever it is."""

    user: User  # type: ignore[assignment]  # Django types it as possibly anonymous.
    htmx: HtmxDetails


class OrganisationRequest(SignedInRequest):
    """Somebody works inside an organisation, whose scope is open while the view runs."""

    organisation: Organisation
    access: Access
