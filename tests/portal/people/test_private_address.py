"""The private address: confirmed from its mailbox, replaced, removed, and nothing of it in an employer's audit."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from portal.audit.models import AuditEvent, PlatformAuditEvent
from portal.core.delivery import written
from portal.core.errors import Refusal
from portal.core.models import OutgoingMail
from portal.core.tenancy import organisation_scope
from portal.people.models import PrivateAddress
from portal.people.private_address import (
    ask_private_address,
    bring_private_address,
    confirm_private_address,
    masked,
    people_at,
    remove_private_address,
    unsealed_token,
)
from portal.people.selectors import user_actor
from tests.factories.people import make_user

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import User

pytestmark = pytest.mark.django_db

HOME = "amelie@maison.example"


def ask(user: User, organisation: Organisation, address: str = HOME) -> str:
    """Ask, and return the token that the mail carries."""
    with organisation_scope(organisation.pk):
        ask_private_address(actor=user_actor(user), user=user, organisation=organisation, address=address)
        mail = OutgoingMail.objects.latest("pk")
    return unsealed_token(mail.context["sealed"])


def test_it_counts_once_the_link_was_confirmed_and_only_once(laposte: Organisation, amelie_login: User) -> None:
    token = ask(amelie_login, laposte, " Amelie@Maison.example ")
    assert people_at(HOME) == []

    assert confirm_private_address(token=token)
    assert people_at(HOME.upper()) == [amelie_login]
    assert not confirm_private_address(token=token)


def test_neither_the_outbox_nor_the_row_holds_the_link(laposte: Organisation, amelie_login: User) -> None:
    token = ask(amelie_login, laposte)

    with organisation_scope(laposte.pk):
        assert token not in json.dumps(OutgoingMail.objects.get().context)
    assert token.encode() not in bytes(PrivateAddress.objects.get().digest or b"")


def test_a_link_ends_after_two_days(laposte: Organisation, amelie_login: User) -> None:
    token = ask(amelie_login, laposte)
    PrivateAddress.objects.update(asked_at=timezone.now() - timedelta(hours=48, seconds=1))

    assert not confirm_private_address(token=token)
    assert people_at(HOME) == []


def test_the_former_address_stays_until_the_new_one_is_confirmed(laposte: Organisation, amelie_login: User) -> None:
    first = ask(amelie_login, laposte)
    confirm_private_address(token=first)
    second = ask(amelie_login, laposte, "nouvelle@maison.example")
    assert people_at(HOME) == [amelie_login]

    confirm_private_address(token=second)
    assert people_at(HOME) == []
    assert people_at("nouvelle@maison.example") == [amelie_login]


def test_an_address_that_no_longer_counts_is_told(laposte: Organisation, amelie_login: User) -> None:
    confirm_private_address(token=ask(amelie_login, laposte))
    confirm_private_address(token=ask(amelie_login, laposte, "nouvelle@maison.example"))
    remove_private_address(actor=user_actor(amelie_login), user=amelie_login)

    with organisation_scope(laposte.pk):
        told = OutgoingMail.objects.filter(name="private-address-left").order_by("pk")
        assert [mail.address for mail in told] == [HOME, "nouvelle@maison.example"]
        assert "La Poste" not in str(written(told[0]).message())


def test_asking_again_ends_the_link_before(laposte: Organisation, amelie_login: User) -> None:
    first, second = ask(amelie_login, laposte), ask(amelie_login, laposte)

    assert not confirm_private_address(token=first)
    assert confirm_private_address(token=second)


def test_an_address_at_a_partner_is_no_private_one(
    laposte: Organisation, airbus: Organisation, amelie_login: User
) -> None:
    with pytest.raises(Refusal) as refused:
        ask(amelie_login, laposte, "amelie@airbus.example")

    assert refused.value.code == "address_of_an_employer"
    assert not PrivateAddress.objects.exists()


def test_it_is_removed_for_good(laposte: Organisation, amelie_login: User) -> None:
    confirm_private_address(token=ask(amelie_login, laposte))

    assert remove_private_address(actor=user_actor(amelie_login), user=amelie_login)
    assert not PrivateAddress.objects.exists()
    assert not remove_private_address(actor=user_actor(amelie_login), user=amelie_login)


def test_an_employer_s_audit_says_nothing_of_it(laposte: Organisation, amelie_login: User) -> None:
    with organisation_scope(laposte.pk):
        before = AuditEvent.objects.count()
    confirm_private_address(token=ask(amelie_login, laposte))
    remove_private_address(actor=user_actor(amelie_login), user=amelie_login)

    with organisation_scope(laposte.pk):
        assert AuditEvent.objects.count() == before
    recorded = PlatformAuditEvent.objects.filter(action__startswith="people:private-address")
    assert [(event.action.rpartition(":")[2], event.data) for event in recorded.order_by("pk")] == [
        ("ask", {}),
        ("confirm", {}),
        ("remove", {}),
    ]


def test_of_two_logins_that_become_one_the_confirmed_address_stays(laposte: Organisation, amelie_login: User) -> None:
    other = make_user("Amélie ailleurs")
    confirm_private_address(token=ask(other, laposte))
    ask(amelie_login, laposte, "jamais@confirmee.example")

    bring_private_address(kept=amelie_login, dropped=other)

    assert people_at(HOME) == [amelie_login]
    assert PrivateAddress.objects.count() == 1


def test_only_the_owner_recognises_what_is_shown() -> None:
    assert masked(HOME) == "a…@maison.example"
    assert masked("") == ""
