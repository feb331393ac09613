"""Requiring the company sign-in: what must hold first, who still comes in, and that breaking the glass is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.models import OutgoingMail
from portal.core.tenancy import organisation_scope
from portal.people.break_glass import give_break_glass, take_break_glass
from portal.people.models import Membership
from portal.people.selectors import user_actor
from portal.people.services import grant_role, open_support_access, withdraw_role
from sso.enforcing import enforce_sign_in, readiness, release_sign_in
from sso.models import Connection
from tests.factories.people import make_user, sign_in
from tests.sso.company import Company, make_company

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.fixtures import Settings

    from portal.organisations.models import Organisation
    from portal.people.models import User

pytestmark = pytest.mark.django_db

REQUIRED = "/o/laposte/sign-in/required/"


@pytest.fixture(autouse=True)
def _no_second_factor_asked(settings: Settings) -> None:
    """The factor itself is another middleware's matter; who has one is what counts here."""
    settings.STAFF_SECOND_FACTOR = False


def password_member(organisation: Organisation, name: str, role: str, *, factor: bool = True) -> User:
    user = make_user(name, email=f"{name.lower()}@laposte.example", password="a long enough password")
    with organisation_scope(organisation.pk):
        grant_role(actor=OPERATOR, organisation=organisation, user=user, role=role)
    if factor:
        TOTP.activate(user, generate_totp_secret())
    return user


@pytest.fixture
def gaelle(laposte: Organisation) -> User:
    return password_member(laposte, "Gaelle", Membership.Role.OWNER)


@pytest.fixture
def tested(poste: Company) -> Company:
    with organisation_scope(poste.organisation.pk):
        Connection.objects.update(tested_at=timezone.now())
    return poste


def give(company: Company, user: User) -> None:
    with organisation_scope(company.organisation.pk):
        give_break_glass(actor=OPERATOR, organisation=company.organisation, user_id=user.pk)


def enforce(company: Company) -> None:
    with organisation_scope(company.organisation.pk):
        enforce_sign_in(actor=OPERATOR, organisation=company.organisation)


def refusal(company: Company) -> str:
    with pytest.raises(Refusal) as refused:
        enforce(company)
    company.organisation.refresh_from_db()
    assert company.organisation.sign_in_enforced_at is None
    return refused.value.code


def test_it_needs_a_connection_a_test_and_a_way_in(laposte: Organisation, gaelle: User) -> None:
    company = make_company(laposte, activate=False)
    assert refusal(company) == "not_open"
    with organisation_scope(laposte.pk):
        Connection.objects.update(state=Connection.State.ACTIVE)
    assert refusal(company) == "not_tested"
    with organisation_scope(laposte.pk):
        Connection.objects.update(tested_at=timezone.now())
    assert refusal(company) == "no_way_in"
    with organisation_scope(laposte.pk):
        Connection.objects.update(closed_at=timezone.now())
    give(company, gaelle)
    assert refusal(company) == "not_open"
    with organisation_scope(laposte.pk):
        Connection.objects.update(closed_at=None, state=Connection.State.FAILING)
    assert refusal(company) == "not_open"
    with organisation_scope(laposte.pk):
        Connection.objects.update(state=Connection.State.ACTIVE)

    enforce(company)

    laposte.refresh_from_db()
    assert laposte.sign_in_enforced_at
    with organisation_scope(laposte.pk):
        assert AuditEvent.objects.filter(action="organisations:sign-in:enforce").count() == 1


def test_emergency_access_needs_an_owner_with_password_and_factor(
    tested: Company, laposte: Organisation, odile: User
) -> None:
    bare = password_member(laposte, "Nora", Membership.Role.OWNER, factor=False)
    manager = password_member(laposte, "Marc", Membership.Role.ROSTER_MANAGER)
    for user, code in ((odile, "no_second_factor"), (bare, "no_second_factor"), (manager, "not_an_owner")):
        with pytest.raises(Refusal) as refused:
            give(tested, user)
        assert refused.value.code == code


def test_a_way_in_that_lost_its_factor_is_none(tested: Company, gaelle: User) -> None:
    give(tested, gaelle)
    Authenticator.objects.filter(user=gaelle).delete()

    assert refusal(tested) == "no_way_in"


# role × way of signing in → what /o/laposte/ answers, before and after it is required
MATRIX = [
    ("owner with emergency access", "password", 200, 200),
    ("owner", "password", 200, 403),
    ("roster manager", "password", 200, 403),
    ("report viewer", "password", 200, 403),
    ("owner with emergency access", "company", 200, 200),
    ("owner", "company", 200, 200),
    ("roster manager", "company", 200, 200),
    ("report viewer", "company", 200, 200),
    ("learner", "company", 404, 404),
    ("stranger", "password", 404, 404),
    ("account manager", "password", 404, 404),
    ("account manager inside", "password", 200, 200),
]


@pytest.mark.parametrize(("who", "way", "before", "after"), MATRIX)
def test_who_comes_in_how(
    tested: Company,
    laposte: Organisation,
    airbus: Organisation,
    gaelle: User,
    amelie_login: User,
    manon: User,
    who: str,
    way: str,
    before: int,
    after: int,
) -> None:
    give(tested, gaelle)
    roles = {"owner": "owner", "roster manager": "roster_manager", "report viewer": "report_viewer"}
    if who in roles:
        user = password_member(laposte, "Paul", roles[who])
    else:
        user = {"owner with emergency access": gaelle, "learner": amelie_login, "account manager": manon}.get(
            who, manon
        )
    if who == "stranger":
        user = make_user("Zoe", email="zoe@airbus.example", password="a long enough password")
    if who == "account manager inside":
        with organisation_scope(laposte.pk):
            open_support_access(actor=user_actor(manon), organisation=laposte, user=manon, reason="Help")
    if way == "company":
        user.affiliations.get_or_create(organisation=laposte)
    browser = sign_in(user, *([laposte] if way == "company" else []))

    assert browser.get("/o/laposte/").status_code == before
    enforce(tested)
    assert browser.get("/o/laposte/").status_code == after


def test_the_page_leads_to_the_companys_door(tested: Company, laposte: Organisation, gaelle: User) -> None:
    give(tested, gaelle)
    browser = sign_in(password_member(laposte, "Paul", Membership.Role.ROSTER_MANAGER))
    enforce(tested)

    for path in ("/o/laposte/", "/o/laposte/roster/", "/o/laposte/settings/", REQUIRED):
        answer = browser.get(path)
        assert answer.status_code == 403
        assert f'href="{tested.path("login/")}"' in answer.content.decode()
    assert browser.post("/o/laposte/settings/change/", {}).status_code == 403


def test_breaking_the_glass_is_recorded_once_a_session_and_told_to_every_owner(
    tested: Company, laposte: Organisation, gaelle: User, odile: User
) -> None:
    give(tested, gaelle)
    enforce(tested)
    browser = sign_in(gaelle)
    for _turn in range(3):
        assert browser.get("/o/laposte/").status_code == 200
    assert sign_in(gaelle).get("/o/laposte/roster/").status_code == 200

    with organisation_scope(laposte.pk):
        uses = AuditEvent.objects.filter(action="people:break-glass:use")
        mails = OutgoingMail.objects.filter(name="break-glass-used").order_by("id")
        assert uses.count() == 2
        assert sorted(mails.values_list("address", flat=True)) == sorted([gaelle.username, odile.email] * 2)


def test_before_it_is_required_nobody_breaks_anything(tested: Company, laposte: Organisation, gaelle: User) -> None:
    give(tested, gaelle)
    sign_in(gaelle).get("/o/laposte/")

    with organisation_scope(laposte.pk):
        assert not AuditEvent.objects.filter(action="people:break-glass:use").exists()


def test_released_passwords_open_again(tested: Company, laposte: Organisation, gaelle: User) -> None:
    give(tested, gaelle)
    browser = sign_in(password_member(laposte, "Paul", Membership.Role.ROSTER_MANAGER))
    enforce(tested)
    with organisation_scope(laposte.pk):
        release_sign_in(actor=OPERATOR, organisation=laposte)

    assert browser.get("/o/laposte/").status_code == 200


def test_the_last_way_in_cannot_be_taken_away_while_it_is_required(
    tested: Company, laposte: Organisation, gaelle: User, odile: User
) -> None:
    give(tested, gaelle)
    enforce(tested)
    laposte.refresh_from_db()
    with organisation_scope(laposte.pk):
        attempts = (
            lambda: take_break_glass(actor=OPERATOR, organisation=laposte, user_id=gaelle.pk),
            lambda: withdraw_role(actor=OPERATOR, organisation=laposte, user_id=gaelle.pk),
            lambda: grant_role(actor=OPERATOR, organisation=laposte, user=gaelle, role=Membership.Role.REPORT_VIEWER),
        )
        for attempt in attempts:
            with pytest.raises(Refusal) as refused:
                attempt()
            assert refused.value.code == "last_way_in"
    second = password_member(laposte, "Nora", Membership.Role.OWNER)
    give(tested, second)
    with organisation_scope(laposte.pk):
        take_break_glass(actor=OPERATOR, organisation=laposte, user_id=gaelle.pk)
        assert readiness(laposte).ways_in == 1


def test_emergency_access_ends_with_the_role(tested: Company, laposte: Organisation, gaelle: User, odile: User) -> None:
    give(tested, gaelle)
    with organisation_scope(laposte.pk):
        grant_role(actor=OPERATOR, organisation=laposte, user=gaelle, role=Membership.Role.REPORT_VIEWER)
        grant_role(actor=OPERATOR, organisation=laposte, user=gaelle, role=Membership.Role.OWNER)
        assert not Membership.objects.get(user=gaelle).break_glass


def is_required(organisation: Organisation) -> bool:
    return type(organisation).objects.filter(pk=organisation.pk, sign_in_enforced_at__isnull=False).exists()


def test_an_owner_does_all_of_it_on_the_page(
    tested: Company, laposte: Organisation, gaelle: User, as_odile: Client
) -> None:
    assert as_odile.post(REQUIRED, {"act": "require"}).status_code == 302
    assert not is_required(laposte)
    as_odile.post(f"{REQUIRED}{gaelle.pk}/", {"act": "give"})
    page = as_odile.get(REQUIRED)
    assert page.context["ready"].ready
    assert [line.membership.user.name for line in page.context["ready"].locked_out] == ["Odile Garnier"]
    as_odile.post(REQUIRED, {"act": "require"})
    assert is_required(laposte)
    as_odile.post(f"{REQUIRED}{gaelle.pk}/", {"act": "take"})
    with organisation_scope(laposte.pk):
        assert Membership.objects.get(user=gaelle).break_glass
    as_odile.post(REQUIRED, {"act": "release"})
    assert not is_required(laposte)


def test_the_owner_of_another_partner_finds_nothing(tested: Company, as_oscar: Client, gaelle: User) -> None:
    assert as_oscar.get(REQUIRED).status_code == 404
    assert as_oscar.post(f"/o/airbus/sign-in/required/{gaelle.pk}/", {"act": "give"}).status_code == 302
    with organisation_scope(tested.organisation.pk):
        assert not Membership.objects.get(user=gaelle).break_glass
