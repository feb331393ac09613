"""Set-up links as rows: shown once, open for a while, withdrawn at any time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from portal.audit.selectors import audit_lines
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations import setup_links
from portal.organisations.models import DoorKind, SetupLink
from portal.organisations.selectors import organisations_behind, setup_link_held, setup_link_state
from portal.organisations.setup_links import (
    complete_setup_link,
    create_setup_link,
    link_actor,
    note_link_opened,
    revoke_setup_link,
)

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


def make(organisation: Organisation) -> tuple[SetupLink, str]:
    with organisation_scope(organisation.pk):
        return create_setup_link(actor=OPERATOR, organisation=organisation, recipient="  DSI \n Nord ")


def state(link: SetupLink) -> str:
    with organisation_scope(link.organisation_id):
        link.refresh_from_db()
        return setup_link_state(link)


def test_its_token_leads_to_its_organisation_and_is_nowhere(laposte: Organisation) -> None:
    link, token = make(laposte)

    assert organisations_behind(DoorKind.SETUP, token) == [laposte.pk]
    assert (link.recipient, link.created_by, len(token)) == ("DSI Nord", "Operator", 43)
    assert timedelta(days=13, hours=23) < link.expires_at - timezone.now() <= timedelta(days=14)
    with organisation_scope(laposte.pk):
        found = setup_link_held(laposte.pk, token)
        row = SetupLink.objects.values().get()
        events = audit_lines(laposte)
    assert found == link
    assert token not in str(row)
    assert events[0].action == "organisations:setup-link:create"
    assert token not in str(events) and "DSI" not in str(events[0].data)  # noqa: PT018  Neither may stand in the audit.


def test_another_organisations_scope_does_not_know_it(laposte: Organisation, airbus: Organisation) -> None:
    _link, token = make(laposte)
    with organisation_scope(airbus.pk):
        assert setup_link_held(airbus.pk, token) is None
        assert setup_link_held(laposte.pk, token) is None


def test_its_states(laposte: Organisation) -> None:
    link, _token = make(laposte)
    seen = [state(link)]
    with organisation_scope(laposte.pk):
        note_link_opened(link=link)
        opened = SetupLink.objects.get().opened_at
        note_link_opened(link=SetupLink.objects.get())
        assert SetupLink.objects.get().opened_at == opened
    seen.append(state(link))
    with organisation_scope(laposte.pk):
        SetupLink.objects.update(expires_at=timezone.now())
    seen.append(state(link))
    with organisation_scope(laposte.pk):
        revoke_setup_link(actor=OPERATOR, organisation=laposte, link_id=link.pk)
        revoke_setup_link(actor=OPERATOR, organisation=laposte, link_id=link.pk)
    seen.append(state(link))
    with organisation_scope(laposte.pk):
        complete_setup_link(organisation=laposte, link_id=link.pk)
        revoked = [line for line in audit_lines(laposte) if line.action == "organisations:setup-link:revoke"]
    seen.append(state(link))
    assert seen == ["unopened", "opened", "expired", "revoked", "done"]
    assert len(revoked) == 1


def test_nobody_withdraws_anothers_link(laposte: Organisation, airbus: Organisation) -> None:
    link, _token = make(laposte)
    with pytest.raises(Refusal) as refused, organisation_scope(airbus.pk):
        revoke_setup_link(actor=OPERATOR, organisation=airbus, link_id=link.pk)
    assert refused.value.code == "unknown_link"
    assert state(link) == "unopened"


def test_there_are_not_endless_links(laposte: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_links, "MOST_OPEN", 1)
    make(laposte)
    with pytest.raises(Refusal) as refused:
        make(laposte)
    assert refused.value.code == "too_many_links"


def test_who_acts_by_a_link_is_the_link(laposte: Organisation) -> None:
    first, second = make(laposte)[0], make(laposte)[0]
    assert link_actor(first).pseudonym != link_actor(second).pseudonym
    assert "DSI Nord" in link_actor(first).name
