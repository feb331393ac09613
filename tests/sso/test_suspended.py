"""After an identity provider was replaced: who comes by an identity of before is not taken on its word alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.people.models import Affiliation, Membership, User
from portal.people.selectors import unlinked_affiliations
from sso.models import Identity, SignInTrace
from sso.selectors import suspended_identities
from sso.services import confirm_identity
from tests.factories.people import make_employee

if TYPE_CHECKING:
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db

NUMBER, MAIL = "00412877", "amelie.lefevre@laposte.example"


def suspend(company: Company) -> Identity:
    with organisation_scope(company.organisation.pk):
        Identity.objects.update(suspended_at=timezone.now())
        return Identity.objects.get()


def make_owner(company: Company) -> None:
    with organisation_scope(company.organisation.pk):
        Membership.objects.create(
            organisation=company.organisation, user=User.objects.get(), role=Membership.Role.OWNER
        )


def actions(company: Company) -> list[str]:
    with organisation_scope(company.organisation.pk):
        return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


@pytest.fixture
def learner(poste: Company) -> User:
    """Amélie, linked by her number, whose identity provider was then replaced."""
    make_employee(poste.organisation, NUMBER, email=MAIL)
    poste.sign_in(Client(), number=NUMBER, email=MAIL)
    suspend(poste)
    return User.objects.get()


@pytest.mark.parametrize("said", [{"number": NUMBER}, {"email": MAIL}, {"number": NUMBER, "email": "x@evil.example"}])
def test_who_is_still_named_by_the_roster_goes_on(poste: Company, learner: User, said: dict[str, str]) -> None:
    browser = Client()

    assert poste.sign_in(browser, **said).status_code == 302
    assert browser.session["_auth_user_id"] == str(learner.pk)
    assert "sso:identity:confirm" in actions(poste)
    with organisation_scope(poste.organisation.pk):
        assert not suspended_identities(poste.organisation).exists()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"number": "99999999"},
        {"email": "other@laposte.example"},
        {"email": "amelie.lefevre@evil.example"},
        {"number": "99999999", "email": MAIL},
    ],
)
def test_who_is_not_begins_anew_and_waits_at_the_desk(poste: Company, learner: User, said: dict[str, str]) -> None:
    browser = Client()

    assert poste.sign_in(browser, **said).status_code == 302
    newcomer = User.objects.exclude(pk=learner.pk).get()
    assert browser.session["_auth_user_id"] == str(newcomer.pk)
    assert newcomer.learner != learner.learner
    assert browser.get("/me/").status_code == 200
    with organisation_scope(poste.organisation.pk):
        assert [each.user for each in unlinked_affiliations(poste.organisation)] == [newcomer]
        assert Affiliation.objects.get(user=learner).employee is not None
        assert Identity.objects.get().user == newcomer
    again = Client()
    poste.sign_in(again, **said)
    assert again.session["_auth_user_id"] == str(newcomer.pk)


def test_an_unlinked_person_begins_anew(poste: Company) -> None:
    poste.sign_in(Client())
    suspend(poste)

    poste.sign_in(Client())

    assert User.objects.count() == 2


def test_a_role_is_not_given_back_before_an_owner_says_so(poste: Company, learner: User) -> None:
    """Whoever administers the new provider could otherwise become the owner by asserting a number."""
    make_owner(poste)
    identity = suspend(poste)
    browser = Client()

    response = poste.sign_in(browser, number=NUMBER, email=MAIL)

    assert response.status_code == 403
    assert "_auth_user_id" not in browser.session
    with organisation_scope(poste.organisation.pk):
        trace = SignInTrace.objects.latest("id")
    assert trace.error == "identity_suspended"
    assert trace.code in response.content.decode()
    with organisation_scope(poste.organisation.pk):
        confirm_identity(actor=OPERATOR, organisation=poste.organisation, identity_id=identity.pk)
    assert poste.sign_in(browser, number=NUMBER, email=MAIL).status_code == 302
    assert browser.session["_auth_user_id"] == str(learner.pk)


def test_a_confirmation_is_given_once_and_audited(poste: Company, learner: User) -> None:
    with organisation_scope(poste.organisation.pk):
        identity = Identity.objects.get()
        confirm_identity(actor=OPERATOR, organisation=poste.organisation, identity_id=identity.pk)
        with pytest.raises(Refusal) as caught:
            confirm_identity(actor=OPERATOR, organisation=poste.organisation, identity_id=identity.pk)
    assert caught.value.code == "unknown_identity"
    assert actions(poste).count("sso:identity:confirm") == 1
    assert learner.is_active


def test_the_identity_of_another_partner_is_unknown(poste: Company, avion: Company, learner: User) -> None:
    del learner
    with organisation_scope(poste.organisation.pk):
        identity = Identity.objects.get()
    with organisation_scope(avion.organisation.pk), pytest.raises(Refusal) as caught:
        confirm_identity(actor=OPERATOR, organisation=avion.organisation, identity_id=identity.pk)
    assert caught.value.code == "unknown_identity"
