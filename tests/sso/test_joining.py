"""Two organisations, one person: joined only by whoever has just signed in as both, and says so."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.sealing import seal
from portal.core.tenancy import organisation_scope
from portal.people.models import Affiliation, Employee, LearnerReference, Membership, User
from portal.people.services import grant_role
from sso import memory
from sso.matching import decline_match
from sso.models import Identity
from tests.factories.people import make_employee
from tests.sso.company import make_company

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.organisations.models import Organisation
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db


def both(poste: Company, avion: Company, **said: Any) -> tuple[Client, User, User]:
    """Sign in at La Poste, then at Airbus, in one browser; return it with the two logins."""
    browser = Client()
    poste.sign_in(browser, **{"attributes": (("displayName", ("Amélie à La Poste",)),), **said})
    first = User.objects.latest("pk")
    avion.sign_in(browser, **{"attributes": (("displayName", ("Amélie chez Airbus",)),), **said})
    return browser, first, User.objects.latest("pk")


def join(browser: Client) -> Any:
    return browser.post("/me/join/", {"answer": "join"})


def joined(organisation: Organisation) -> list[dict[str, Any]]:
    with organisation_scope(organisation.pk):
        return list(AuditEvent.objects.filter(action="sso:identity:join").values_list("data", flat=True))


def test_two_accounts_become_one_when_the_person_says_so(poste: Company, avion: Company) -> None:
    browser, first, second = both(poste, avion)
    assert "/me/join/" in browser.get("/me/").text
    offer = browser.get("/me/join/").text
    assert "Amélie à La Poste" in offer
    assert "Amélie chez Airbus" in offer
    assert User.objects.filter(is_active=True).count() == 2

    done = join(browser)

    assert done.status_code == 200
    assert poste.path("login/") in done.text
    for company in (poste, avion):
        with organisation_scope(company.organisation.pk):
            assert Identity.objects.get().user == first
        assert joined(company.organisation) == [{"joined": second.pk}]
    second.refresh_from_db()
    assert (second.is_active, second.name, second.email) == (False, "", "")
    assert list(User.objects.filter(is_active=True)) == [first]
    assert browser.get("/me/").status_code == 200
    assert browser.get("/api/v1/me/").json()["organisation"] == "airbus"
    assert browser.get("/me/join/").context["pair"] is None


def test_either_sign_in_opens_the_one_account_and_its_own_door_only(poste: Company, avion: Company) -> None:
    browser, first, _second = both(poste, avion)
    join(browser)
    assert browser.session["doors"] == [avion.organisation.pk]

    for company in (poste, avion):
        visitor = Client()
        company.sign_in(visitor)
        assert visitor.session["_auth_user_id"] == str(first.pk)
        assert visitor.session["doors"] == [company.organisation.pk]
    poste.sign_in(browser)
    assert browser.session["doors"] == sorted([poste.organisation.pk, avion.organisation.pk])


def test_the_learner_is_one_person_with_the_earlier_certificate(poste: Company, avion: Company) -> None:
    make_employee(avion.organisation, "5")
    browser, first, second = both(poste, avion, attributes=(("employeeNumber", ("5",)),))
    assert first.learner is not None
    assert second.learner is not None
    LearnerReference.objects.filter(pk=first.learner.pk).update(first_certified_on=dt.date(2026, 5, 1))
    LearnerReference.objects.filter(pk=second.learner.pk).update(first_certified_on=dt.date(2026, 3, 1))

    join(browser)

    first.learner.refresh_from_db()
    second.learner.refresh_from_db()
    assert second.learner.merged_into == first.learner
    assert first.learner.first_certified_on == dt.date(2026, 3, 1)
    with organisation_scope(avion.organisation.pk):
        assert Employee.objects.get().learner == first.learner
        assert Affiliation.objects.get(organisation=avion.organisation).user == first


def test_a_no_forgets_the_offer(poste: Company, avion: Company) -> None:
    browser, _first, _second = both(poste, avion)

    browser.post("/me/join/", {"answer": "no"})

    assert "/me/join/" not in browser.get("/me/").text
    join(browser)
    assert User.objects.filter(is_active=True).count() == 2


def test_an_administrator_who_plays_one_of_theirs_reaches_no_other_employer(poste: Company, avion: Company) -> None:
    """Airbus's administrator signs in as Amélie of Airbus in a browser of their own, where nobody came by La Poste."""
    both(poste, avion)
    theirs = Client()
    avion.sign_in(theirs)

    assert theirs.get("/me/join/").context["pair"] is None
    answer = join(theirs)

    assert answer.status_code == 302
    assert User.objects.filter(is_active=True).count() == 2
    assert joined(poste.organisation) == []


def sign_out(browser: Client) -> None:
    browser.post("/account/logout/")


def wait_too_long(browser: Client) -> None:
    session = browser.session
    known = memory._unsealed(session)
    assert known
    assert known.before
    old = (timezone.now() - memory.FRESH).isoformat()
    content = json.dumps({"now": asdict(known.now), "before": {**asdict(known.before), "at": old}})
    session["joining"] = seal(content.encode(), purpose="sso-joining").decode()
    session.save()


def forge(browser: Client) -> None:
    session = browser.session
    session["joining"] = "gAAAAABforged"
    session.save()


def become_somebody_else(browser: Client) -> None:
    browser.force_login(User.objects.create(username="sso:third"))


@pytest.mark.parametrize("spoil", [sign_out, wait_too_long, forge, become_somebody_else])
def test_both_sign_ins_are_fresh_and_of_this_very_session(
    poste: Company, avion: Company, spoil: Callable[[Client], None]
) -> None:
    browser, first, second = both(poste, avion)
    spoil(browser)

    join(browser)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.is_active
    assert second.is_active


def staff(user: User, _organisation: Organisation) -> None:
    User.objects.filter(pk=user.pk).update(username="a@programme.example", staff_role="account_manager")


def with_a_password(user: User, _organisation: Organisation) -> None:
    User.objects.filter(pk=user.pk).update(username="owner@laposte.example", password=make_password("a long password"))


def for_emergencies(user: User, organisation: Organisation) -> None:
    with organisation_scope(organisation.pk):
        grant_role(actor=OPERATOR, organisation=organisation, user=user, role=Membership.Role.OWNER)
        Membership.objects.update(break_glass=True)


def blocked(user: User, _organisation: Organisation) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def gone(user: User, organisation: Organisation) -> None:
    Affiliation.objects.filter(user=user).update(employee=make_employee(organisation, "66", active=False))


def suspended(_user: User, organisation: Organisation) -> None:
    with organisation_scope(organisation.pk):
        Identity.objects.update(suspended_at=timezone.now())


@pytest.mark.parametrize("made", [staff, with_a_password, for_emergencies, blocked, gone, suspended])
def test_accounts_that_are_never_joined(
    poste: Company, avion: Company, made: Callable[[User, Organisation], None]
) -> None:
    browser, first, second = both(poste, avion)
    made(first, poste.organisation)

    assert browser.get("/me/join/").context["pair"] is None
    join(browser)

    for company, user in ((poste, first), (avion, second)):
        with organisation_scope(company.organisation.pk):
            assert Identity.objects.get().user == user


def test_two_roles_never_meet_in_one_account(poste: Company, avion: Company) -> None:
    browser, first, second = both(poste, avion)
    for company, user in ((poste, first), (avion, second)):
        with organisation_scope(company.organisation.pk):
            grant_role(actor=OPERATOR, organisation=company.organisation, user=user, role=Membership.Role.OWNER)

    join(browser)

    assert User.objects.filter(is_active=True).count() == 2


def test_the_account_with_a_role_stays_and_its_role_is_behind_its_own_door(poste: Company, avion: Company) -> None:
    browser, _first, second = both(poste, avion)
    with organisation_scope(avion.organisation.pk):
        grant_role(actor=OPERATOR, organisation=avion.organisation, user=second, role=Membership.Role.OWNER)

    join(browser)

    assert list(User.objects.filter(is_active=True)) == [second]
    visitor = Client()
    poste.sign_in(visitor)
    assert visitor.session["_auth_user_id"] == str(second.pk)
    assert visitor.get("/o/airbus/").status_code == 404
    assert browser.get("/o/airbus/").status_code == 200


def test_a_new_identity_provider_of_the_same_employer_joins_what_was_one_person(poste: Company) -> None:
    newer = make_company(poste.organisation, name="new")
    amelie = make_employee(poste.organisation, "5")
    browser, first, second = both(poste, newer, attributes=(("employeeNumber", ("5",)),))
    assert Affiliation.objects.get(user=first).employee_id == amelie.pk
    assert Affiliation.objects.get(user=second).employee_id is None

    join(browser)

    assert list(Affiliation.objects.filter(organisation=poste.organisation)) == [Affiliation.objects.get(user=first)]
    with organisation_scope(poste.organisation.pk):
        assert {identity.user_id for identity in Identity.objects.all()} == {first.pk}
    assert joined(poste.organisation) == [{"joined": second.pk}]


def test_two_people_of_one_roster_stay_two(poste: Company) -> None:
    newer = make_company(poste.organisation, name="new")
    make_employee(poste.organisation, "5")
    make_employee(poste.organisation, "6")
    browser = Client()
    poste.sign_in(browser, number="5")
    newer.sign_in(browser, number="6")

    join(browser)

    assert User.objects.filter(is_active=True).count() == 2
    assert Affiliation.objects.filter(employee__isnull=False).count() == 2


def test_joining_links_nobody_with_a_role_to_the_roster(poste: Company) -> None:
    """What only an owner may say of whoever holds a role is not said by a second account either."""
    newer = make_company(poste.organisation, name="new")
    make_employee(poste.organisation, "5")
    browser = Client()
    poste.sign_in(browser)
    holder = User.objects.get()
    newer.sign_in(browser, number="5")
    with organisation_scope(poste.organisation.pk):
        grant_role(actor=OPERATOR, organisation=poste.organisation, user=holder, role=Membership.Role.ROSTER_MANAGER)

    join(browser)

    assert Affiliation.objects.get(user=holder).employee_id is None
    assert User.objects.filter(is_active=True).count() == 2


def test_the_first_of_two_returns_and_the_offer_is_the_same(poste: Company, avion: Company) -> None:
    browser, first, second = both(poste, avion)
    poste.sign_in(browser)

    pair = browser.get("/me/join/").context["pair"]

    assert (pair.here.user, pair.there.user) == (first, second)


def test_another_method_is_refused_and_a_stranger_is_sent_to_the_door(poste: Company, avion: Company) -> None:
    browser, _first, _second = both(poste, avion)

    assert browser.put("/me/join/").status_code == 405
    assert Client().get("/me/join/").status_code == 302


def test_a_no_of_hr_outlives_the_joining(poste: Company, laposte: Organisation) -> None:
    """Two connections of one organisation: HR has said of the second account that it is not this employee."""
    second = make_company(laposte, name="second")
    browser, _first, later = both(poste, second)
    amelie = make_employee(laposte, "5")
    with organisation_scope(laposte.pk):
        decline_match(
            actor=OPERATOR,
            organisation=laposte,
            affiliation_id=Affiliation.objects.get(user=later).pk,
            employee_id=amelie.pk,
        )
    assert join(browser).status_code == 200

    second.sign_in(Client(), attributes=(("employeeNumber", ("5",)),))

    with organisation_scope(laposte.pk):
        assert Affiliation.objects.get(organisation=laposte).employee_id is None
