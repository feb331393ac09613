"""Set-up links as an account manager makes them: for one organisation, and visible to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from portal.audit.selectors import audit_lines
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.organisations.models import SetupLink
from portal.organisations.setup_links import create_setup_link

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db

PAGE = "/manage/organisations/laposte/"


def test_a_link_is_made_shown_once_listed_and_withdrawn(
    as_manon: Client, as_odile: Client, laposte: Organisation
) -> None:
    assert as_manon.get(f"{PAGE}setup-links/").status_code == 200
    made = as_manon.post(f"{PAGE}setup-links/", {"recipient": "DSI de La Poste"})
    path = made.context["url"].removeprefix("http://localhost:8000")
    assert path in made.text
    assert Client().get(path).status_code == 200
    listed = as_manon.get(PAGE).text
    assert "DSI de La Poste" in listed
    assert path not in listed

    with organisation_scope(laposte.pk):
        link = SetupLink.objects.get()
        (event,) = [line for line in audit_lines(laposte) if line.action == "organisations:setup-link:create"]
    assert (link.created_by, event.actor) == ("Manon Petit", "Manon Petit")
    assert "Manon Petit" in as_odile.get("/o/laposte/sign-in/").text

    as_manon.post(f"{PAGE}setup-links/{link.pk}/revoke/")
    assert Client().get(path).status_code == 410


def test_a_link_of_another_organisation_does_not_exist(
    as_manon: Client, laposte: Organisation, airbus: Organisation
) -> None:
    with organisation_scope(airbus.pk):
        theirs, _token = create_setup_link(actor=OPERATOR, organisation=airbus)
    assert as_manon.post(f"{PAGE}setup-links/{theirs.pk}/revoke/").status_code == 404
    assert as_manon.post("/manage/organisations/nobody/setup-links/").status_code == 404
    with organisation_scope(airbus.pk):
        theirs.refresh_from_db()
    assert theirs.revoked_at is None


def test_a_recipient_that_is_too_long_is_refused(as_manon: Client, laposte: Organisation) -> None:
    assert as_manon.post(f"{PAGE}setup-links/", {"recipient": "x" * 300}).status_code == 422
