"""Asking again before something sensitive: by the company (ForceAuthn) or by the second factor, for ten minutes."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.utils import timezone
from lxml import etree

from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.people.confirmation import CONFIRMED, CONFIRMED_SECONDS
from portal.people.models import Affiliation, Membership
from portal.people.services import grant_role
from sso.models import Connection, Identity, SignInTrace
from tests.factories.people import make_user, sign_in
from tests.sso.company import Company, request_id_in
from tests.sso.test_pages import renewed_metadata, upload

if TYPE_CHECKING:
    from portal.people.models import User

pytestmark = pytest.mark.django_db

CONFIRM = "/o/laposte/sign-in/confirm/"
PASSWORD = "a long enough password"
SUBJECT = "odile-42"


@pytest.fixture
def odile_of_poste(poste: Company, odile: User) -> User:
    with organisation_scope(poste.organisation.pk):
        Identity.objects.create(
            organisation=poste.organisation,
            connection=poste.connection,
            subject=SUBJECT,
            user=odile,
            last_seen_at=timezone.now(),
        )
    return odile


@pytest.fixture
def browser(poste: Company, odile_of_poste: User) -> Client:
    """Odile's, who came by her company and was not asked again."""
    return sign_in(odile_of_poste, poste.organisation, confirmed=False)


def page_of(company: Company) -> str:
    return f"/o/laposte/sign-in/{company.connection.public_id}/"


def asked(browser: Client, page: str) -> str:
    """Open the page that asks again and return the request that it carries away."""
    answer = browser.get(CONFIRM, {"next": page})
    assert answer.status_code == 200, answer.content.decode()
    return str(answer.context["going"].url)


def answered(company: Company, browser: Client, url: str, **values: Any) -> Any:
    posted = company.post(company.answer(request_id_in(url), **{"name_id": SUBJECT, **values}))
    return browser.get(posted["Location"]) if posted.status_code == 303 else posted


def is_confirmed(browser: Client) -> bool:
    return CONFIRMED in browser.session


def test_a_sensitive_act_asks_first_and_nothing_is_done(poste: Company, browser: Client) -> None:
    page = page_of(poste)

    answer = browser.post(f"{page}move/", {"act": "close"})

    assert answer.status_code == 302
    assert answer["Location"] == f"{CONFIRM}?next={page.replace('/', '%2F')}"
    with organisation_scope(poste.organisation.pk):
        assert Connection.objects.get().closed_at is None


def test_the_request_forces_a_new_authentication_and_comes_back_to_the_page(poste: Company, browser: Client) -> None:
    page = page_of(poste)
    url = asked(browser, page)
    (encoded,) = parse_qs(urlsplit(url).query)["SAMLRequest"]
    request = etree.fromstring(zlib.decompress(base64.b64decode(encoded), wbits=-15))
    assert request.get("ForceAuthn") == "true"

    answer = answered(poste, browser, url)

    assert (answer.status_code, answer["Location"]) == (302, page)
    assert is_confirmed(browser)
    browser.post(f"{page}move/", {"act": "close"})
    with organisation_scope(poste.organisation.pk):
        assert Connection.objects.get().closed_at


def test_after_ten_minutes_it_is_asked_again(poste: Company, browser: Client) -> None:
    page = page_of(poste)
    answered(poste, browser, asked(browser, page))
    for age, asks in ((CONFIRMED_SECONDS - 30, False), (CONFIRMED_SECONDS + 1, True), (-60, True)):
        session = browser.session
        session[CONFIRMED] = {str(poste.organisation.pk): timezone.now().timestamp() - age}
        session.save()
        answer = browser.post(f"{page}move/", {"act": "lead"})
        assert answer["Location"].startswith(CONFIRM) is asks


def test_an_authentication_of_six_minutes_ago_is_no_answer(poste: Company, browser: Client) -> None:
    refused = answered(poste, browser, asked(browser, page_of(poste)), issued=-360)

    assert refused.status_code == 400
    assert not is_confirmed(browser)
    with organisation_scope(poste.organisation.pk):
        assert SignInTrace.objects.get().error == "authn_too_old"


def test_an_authentication_of_four_minutes_ago_is(poste: Company, browser: Client) -> None:
    assert answered(poste, browser, asked(browser, page_of(poste)), issued=-240).status_code == 302


def test_somebody_elses_answer_confirms_nobody(poste: Company, browser: Client) -> None:
    refused = answered(poste, browser, asked(browser, page_of(poste)), name_id="helene-7")

    assert refused.status_code == 400
    assert not is_confirmed(browser)
    with organisation_scope(poste.organisation.pk):
        assert SignInTrace.objects.exclude(error="").get().error == "another_person"


def test_the_answer_counts_in_the_browser_that_asked(poste: Company, browser: Client, odile_of_poste: User) -> None:
    other = sign_in(odile_of_poste, poste.organisation, confirmed=False)

    refused = answered(poste, other, asked(browser, page_of(poste)))

    assert refused.status_code == 400
    assert not is_confirmed(other)


def test_the_ticket_of_a_confirmation_signs_nobody_in(poste: Company, browser: Client) -> None:
    posted = poste.post(poste.answer(request_id_in(asked(browser, page_of(poste))), name_id=SUBJECT))
    ticket = posted["Location"].rpartition("t=")[2]

    assert browser.get(poste.path("acs/finish/"), {"t": ticket}).status_code == 400


def test_the_ticket_of_a_sign_in_confirms_nobody(poste: Company, browser: Client) -> None:
    posted = poste.post(poste.answer(poste.begin(browser), name_id=SUBJECT))
    ticket = posted["Location"].rpartition("t=")[2]

    assert browser.get(f"{page_of(poste)}confirmed/", {"t": ticket}).status_code == 400
    assert not is_confirmed(browser)


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example/", "/o/airbus/", "/o/laposte/\nx", ""])
def test_it_leads_back_into_this_organisation_alone(poste: Company, browser: Client, page: str) -> None:
    answer = answered(poste, browser, asked(browser, page))

    assert answer["Location"] == "/o/laposte/sign-in/"


def test_a_suspended_account_cannot_be_asked(poste: Company, browser: Client) -> None:
    with organisation_scope(poste.organisation.pk):
        Identity.objects.update(suspended_at=timezone.now())

    assert browser.get(CONFIRM).status_code == 409


def test_every_sensitive_act_asks(poste: Company, browser: Client, odile: User) -> None:
    page = page_of(poste)
    acts = [
        *(f"{page}{what}/" for what in ("metadata", "activate", "follow", "keys", "move", "versions/1")),
        "/o/laposte/sign-in/required/",
        f"/o/laposte/sign-in/required/{odile.pk}/",
        # Whoever holds a link is not asked: what it may switch on is asked for when it is made.
        "/o/laposte/sign-in/links/new/",
    ]
    for act in acts:
        answer = browser.post(act)
        assert answer.status_code == 302, act
        assert answer["Location"].startswith(CONFIRM), act
    assert browser.post(f"{page}metadata/", upload(renewed_metadata(poste, poste.keys)))["Location"].startswith(CONFIRM)


def test_loosening_a_safeguard_asks_and_tightening_does_not(browser: Client, poste: Company) -> None:
    values = {"support_contact": "", "departure_percent": 10, "departure_floor": 3, "small_group": 10}
    where = "/o/laposte/settings/change/"
    for looser in ({"departure_percent": 11}, {"departure_floor": 4}, {"small_group": 9}):
        assert browser.post(where, {**values, **looser})["Location"].startswith(CONFIRM)
    tighter = {"departure_percent": 9, "departure_floor": 2, "small_group": 11, "support_contact": "aide"}
    assert browser.post(where, {**values, **tighter})["Location"] == "/o/laposte/settings/"
    poste.organisation.refresh_from_db()
    assert (poste.organisation.departure_percent, poste.organisation.small_group) == (9, 11)


def test_what_one_company_confirmed_says_nothing_to_another(
    poste: Company, avion: Company, odile_of_poste: User
) -> None:
    airbus = avion.organisation
    Affiliation.objects.create(user=odile_of_poste, organisation=airbus)
    with organisation_scope(airbus.pk):
        grant_role(actor=OPERATOR, organisation=airbus, user=odile_of_poste, role=Membership.Role.REPORT_VIEWER)
        Identity.objects.create(
            organisation=airbus,
            connection=avion.connection,
            subject=SUBJECT,
            user=odile_of_poste,
            last_seen_at=timezone.now(),
        )
    browser = sign_in(odile_of_poste, poste.organisation, airbus, confirmed=False)
    asks = browser.get("/o/airbus/sign-in/confirm/", {"next": "/o/airbus/"})
    assert answered(avion, browser, asks.context["going"].url)["Location"] == "/o/airbus/"

    answer = browser.post(f"{page_of(poste)}move/", {"act": "close"})

    assert answer["Location"].startswith(CONFIRM)
    with organisation_scope(poste.organisation.pk):
        assert Connection.objects.get().closed_at is None


# --- The second factor ------------------------------------------------------------------------------------------


@pytest.fixture
def gaelle(poste: Company) -> User:
    """An owner with a password and a second factor."""
    user = make_user("Gaëlle", email="gaelle@laposte.example", password=PASSWORD)
    with organisation_scope(poste.organisation.pk):
        grant_role(actor=OPERATOR, organisation=poste.organisation, user=user, role=Membership.Role.OWNER)
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    return user


def code_of(user: User) -> str:
    return str(RecoveryCodes(Authenticator.objects.get(user=user, type="recovery_codes")).get_unused_codes()[0])


def signed_in(user: User) -> Client:
    browser = Client()
    browser.post("/account/login/", {"login": user.username, "password": PASSWORD})
    assert browser.post("/account/2fa/authenticate/", {"code": code_of(user)}).status_code == 302
    return browser


def age_proofs(browser: Client) -> None:
    session = browser.session
    methods = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**each, "at": each["at"] - 3600} for each in methods]
    session.save()


def test_a_second_factor_given_just_now_is_not_asked_for_twice(gaelle: User, poste: Company) -> None:
    browser = signed_in(gaelle)

    assert browser.get(CONFIRM, {"next": page_of(poste)})["Location"] == page_of(poste)
    assert is_confirmed(browser)


def test_an_older_one_is_asked_for_by_its_own_page(gaelle: User, poste: Company) -> None:
    browser = signed_in(gaelle)
    age_proofs(browser)

    asks = browser.get(CONFIRM, {"next": page_of(poste)})
    assert asks["Location"].startswith("/account/2fa/reauthenticate/?next=")
    wrong = browser.post(asks["Location"], {"code": "00000000"})
    assert wrong.status_code == 200
    assert browser.get(CONFIRM, {"next": page_of(poste)})["Location"].startswith("/account/2fa/")

    back = browser.post(asks["Location"], {"code": code_of(gaelle)})
    assert back["Location"].startswith(CONFIRM)
    assert browser.get(back["Location"])["Location"] == page_of(poste)
    assert browser.post(f"{page_of(poste)}move/", {"act": "close"})["Location"] == page_of(poste)


def test_the_password_alone_is_no_second_factor(gaelle: User, poste: Company) -> None:
    browser = signed_in(gaelle)
    age_proofs(browser)
    browser.post("/account/reauthenticate/", {"password": PASSWORD})

    assert browser.get(CONFIRM, {"next": page_of(poste)})["Location"].startswith("/account/2fa/reauthenticate/")
    assert not is_confirmed(browser)
