"""Two partners, each with an identity provider of its own and both with the same third one: nothing crosses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from portal.core.tenancy import organisation_scope
from portal.people.models import Affiliation, User
from sso.models import Identity
from tests.sso import saml_kit as kit
from tests.sso.company import Company, make_company

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def companies(laposte: Organisation, airbus: Organisation) -> list[Company]:
    """The third identity provider has one entity ID and one key at both: a group's own, or a hosted one."""
    return [
        make_company(organisation, name=name)
        for organisation, name in ((laposte, "laposte"), (laposte, "shared"), (airbus, "airbus"), (airbus, "shared"))
    ]


def test_every_answer_is_taken_where_it_was_asked_for_and_nowhere_else(companies: list[Company]) -> None:
    for asked in companies:
        browsers = {id(company): Client() for company in companies}
        pending = {id(company): company.begin(browsers[id(company)]) for company in companies}
        for posted_to in companies:
            answer = asked.answer(pending[id(asked)], email="chief@airbus.example")
            expected = 303 if posted_to is asked else 400
            assert posted_to.post(answer).status_code == expected, (asked.entity_id, posted_to.entity_id)


def test_no_identity_provider_answers_for_another(companies: list[Company]) -> None:
    """Everything as the other connection expects it, its request included; only the key is one's own."""
    for victim in companies:
        for attacker in companies:
            if attacker.keys == victim.keys:
                continue
            browser = Client()
            message = victim.message(victim.begin(browser), name_id="victim")
            forged = kit.encode(kit.signed(message, how=kit.Signature(by=attacker.keys)))
            assert victim.post(forged).status_code == 400
    assert not User.objects.filter(username__startswith="sso:").exists()


def test_one_name_at_four_connections_is_four_people(companies: list[Company]) -> None:
    """The same subject, number and address at each: nobody becomes anybody else's anything."""
    for company in companies:
        company.sign_in(Client(), name_id="same", number="1", email="same@laposte.example")

    assert User.objects.filter(username__startswith="sso:").count() == 4
    assert Affiliation.objects.count() == 4
    for company in companies:
        with organisation_scope(company.organisation.pk):
            users = Identity.objects.values_list("user_id", flat=True)
            known = Affiliation.objects.filter(organisation=company.organisation).values_list("user_id", flat=True)
            assert sorted(users) == sorted(known)
            emails = set(User.objects.filter(pk__in=users).values_list("email", flat=True))
        # An address counts only on a domain that this very partner has verified.
        assert emails == ({"same@laposte.example"} if company.organisation.slug == "laposte" else {""})
