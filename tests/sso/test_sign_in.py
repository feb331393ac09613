"""Signing in through the real pages with real signed answers, and every way in which it must not work."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.utils import timezone

from portal.core.tenancy import organisation_scope
from portal.people.models import Affiliation, User
from sso.admission import MOST_FAILURES
from sso.models import Connection, Identity, SignInRequest, SignInTrace, UsedAssertion
from tests.sso import saml_kit as kit
from tests.sso.company import Company, make_company, request_id_in

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response
    from pytest_django import Settings

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


def last_error(company: Company) -> str:
    with organisation_scope(company.organisation.pk):
        return SignInTrace.objects.latest("id").error


def nobody_came_in(company: Company) -> bool:
    with organisation_scope(company.organisation.pk):
        return not Identity.objects.exists() and not Affiliation.objects.exists()


def refused(company: Company, response: Response, error: str, *, status: int = 400) -> None:
    """The person reads a sentence and a code; the cause stands in the trace alone."""
    assert response.status_code == status
    assert last_error(company) == error
    page = response.content.decode()
    with organisation_scope(company.organisation.pk):
        assert SignInTrace.objects.latest("id").code in page
    assert error not in page


def test_a_person_signs_in(poste: Company, visitor: Client) -> None:
    response = poste.sign_in(visitor, number="00412877", email="amelie.lefevre@laposte.example")

    assert (response.status_code, response["Location"]) == (302, "/me/")
    user = User.objects.get(pk=visitor.session["_auth_user_id"])
    assert user.username.startswith("sso:")
    assert "@" not in user.username
    assert not user.has_usable_password()
    assert (user.staff_role, user.email) == ("", "amelie.lefevre@laposte.example")
    assert user.learner is not None
    assert visitor.session["doors"] == [poste.organisation.pk]
    assert visitor.session["sso"] == {str(poste.connection.public_id): poste.organisation.pk}


def test_the_same_person_is_the_same_login_the_next_time(poste: Company, visitor: Client) -> None:
    poste.sign_in(visitor)
    poste.sign_in(Client())

    assert User.objects.count() == 1


def test_another_person_is_another_login_and_the_first_is_signed_out(poste: Company, visitor: Client) -> None:
    poste.sign_in(visitor, name_id="first")
    first = visitor.session["_auth_user_id"]
    visitor.session["kept"] = "of the first"
    poste.sign_in(visitor, name_id="second")

    assert visitor.session["_auth_user_id"] != first
    assert "kept" not in visitor.session


def test_the_session_key_changes_at_every_sign_in(poste: Company, visitor: Client) -> None:
    poste.sign_in(visitor)
    before = visitor.session.session_key
    poste.sign_in(visitor)

    assert visitor.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_the_page_asked_for_is_kept_on_our_side(poste: Company, visitor: Client) -> None:
    request_id = poste.begin(visitor, next="/me/certificates/?year=2026")
    posted = poste.post(poste.answer(request_id), relay_state="https://evil.example/")

    assert visitor.get(posted["Location"])["Location"] == "/me/certificates/?year=2026"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\x00b", "/" * 600],
)
def test_a_target_that_is_not_ours_is_forgotten(poste: Company, visitor: Client, target: str) -> None:
    request_id = poste.begin(visitor, next=target)
    posted = poste.post(poste.answer(request_id))

    assert visitor.get(posted["Location"])["Location"] == "/me/"


def test_the_request_says_nothing_of_the_person_and_little_else(poste: Company, visitor: Client) -> None:
    response = visitor.get(poste.path("login/"), {"next": "/me/secret/"})

    assert urlsplit(response["Location"]).hostname == "idp.laposte.example"
    assert "secret" not in response["Location"]
    cookie = response.cookies[settings.SIGN_IN_COOKIE_NAME]
    assert (cookie["samesite"], cookie["httponly"], cookie["path"], cookie["max-age"]) == ("Lax", True, "/", 900)
    assert cookie.value not in response["Location"]


def test_two_tabs_of_a_browser_share_its_nonce(poste: Company, visitor: Client) -> None:
    first, second = poste.begin(visitor), poste.begin(visitor)

    assert visitor.get(poste.post(poste.answer(first))["Location"]).status_code == 302
    assert visitor.get(poste.post(poste.answer(second))["Location"]).status_code == 302


def test_an_answer_posted_twice_is_taken_once(poste: Company, visitor: Client) -> None:
    answer = poste.answer(poste.begin(visitor))

    assert poste.post(answer).status_code == 303
    refused(poste, poste.post(answer), "request_used")


def test_an_assertion_is_used_once_even_for_another_request(poste: Company, visitor: Client) -> None:
    first, second = poste.begin(visitor), poste.begin(visitor)
    assert poste.post(poste.answer(first, assertion_id="_same")).status_code == 303

    refused(poste, poste.post(poste.answer(second, assertion_id="_same")), "replay")


def test_a_ticket_opens_once(poste: Company, visitor: Client) -> None:
    posted = poste.post(poste.answer(poste.begin(visitor)))
    visitor.get(posted["Location"])

    refused(poste, visitor.get(posted["Location"]), "ticket_used")


def test_a_ticket_opens_nothing_in_another_browser(poste: Company, visitor: Client) -> None:
    """An attacker's own answer, opened in a victim's browser, would sign the victim in as the attacker."""
    posted = poste.post(poste.answer(poste.begin(visitor)))
    victim = Client()
    poste.begin(victim)

    refused(poste, victim.get(posted["Location"]), "browser_mismatch")
    assert "_auth_user_id" not in victim.session
    assert visitor.get(posted["Location"]).status_code == 302


def test_a_ticket_without_any_cookie_opens_nothing(poste: Company, visitor: Client) -> None:
    posted = poste.post(poste.answer(poste.begin(visitor)))

    refused(poste, Client().get(posted["Location"]), "browser_mismatch")


@pytest.mark.parametrize("ticket", ["", "unknown", "\x00", "é" * 300])
def test_an_invented_ticket_opens_nothing(poste: Company, visitor: Client, ticket: str) -> None:
    poste.begin(visitor)

    refused(poste, visitor.get(poste.path("acs/finish/"), {"t": ticket}), "ticket_unknown")


def test_a_ticket_lasts_a_minute(poste: Company, visitor: Client) -> None:
    posted = poste.post(poste.answer(poste.begin(visitor)))
    with organisation_scope(poste.organisation.pk):
        SignInRequest.objects.update(ticket_expires_at=timezone.now())

    refused(poste, visitor.get(posted["Location"]), "ticket_expired")


def test_the_answer_waits_sealed_and_is_gone_afterwards(poste: Company, visitor: Client) -> None:
    posted = poste.post(poste.answer(poste.begin(visitor), email="amelie@laposte.example"))
    with organisation_scope(poste.organisation.pk):
        waiting = bytes(SignInRequest.objects.get().answer or b"")
    assert waiting
    assert b"amelie" not in waiting

    visitor.get(posted["Location"])
    with organisation_scope(poste.organisation.pk):
        assert SignInRequest.objects.get().answer is None


def test_a_request_lasts_fifteen_minutes(poste: Company, visitor: Client) -> None:
    answer = poste.answer(poste.begin(visitor))
    with organisation_scope(poste.organisation.pk):
        SignInRequest.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))

    refused(poste, poste.post(answer), "request_expired")
    assert nobody_came_in(poste)


def test_an_unknown_request_is_refused(poste: Company) -> None:
    refused(poste, poste.post(poste.answer("_not-ours")), "request_unknown")


def test_an_unsigned_answer_is_refused_and_uses_nothing_up(poste: Company, visitor: Client) -> None:
    request_id = poste.begin(visitor)

    refused(poste, poste.post(kit.encode(poste.message(request_id).tree())), "unsigned")
    assert poste.post(poste.answer(request_id)).status_code == 303


def test_an_answer_signed_by_somebody_else_is_refused(poste: Company, visitor: Client) -> None:
    message = poste.message(poste.begin(visitor))
    forged = kit.encode(kit.signed(message, how=kit.Signature(by=kit.keys("attacker"))))

    refused(poste, poste.post(forged), "signature_invalid")


@pytest.mark.parametrize("content", ["", "%%%", "PGE+", "x" * 300_000])
def test_rubbish_is_refused_with_a_sentence(poste: Company, content: str) -> None:
    response = poste.post(content)

    assert response.status_code == 400
    assert nobody_came_in(poste)


def test_a_post_that_is_not_a_form_is_refused(poste: Company) -> None:
    response = Client().post(poste.path("acs/"), "{}", content_type="application/json")

    refused(poste, response, "malformed")


def test_the_answer_of_one_partner_opens_nothing_at_another(poste: Company, avion: Company, visitor: Client) -> None:
    answer = poste.answer(poste.begin(visitor))

    refused(avion, avion.post(answer), "request_unknown")
    assert nobody_came_in(avion)


def test_an_identity_provider_cannot_answer_the_request_of_another_partner(
    poste: Company, avion: Company, visitor: Client
) -> None:
    """Its own key and name, everything else as the other partner's connection expects it."""
    request_id = poste.begin(visitor)
    message = poste.message(request_id, issuer=avion.entity_id, response_issuer=avion.entity_id)

    refused(poste, poste.post(kit.encode(kit.signed(message, how=kit.Signature(by=avion.keys)))), "issuer_mismatch")
    borrowed = poste.message(request_id)
    refused(poste, poste.post(kit.encode(kit.signed(borrowed, how=kit.Signature(by=avion.keys)))), "signature_invalid")


def test_two_connections_of_one_partner_do_not_share_requests(
    poste: Company, laposte: Organisation, visitor: Client
) -> None:
    other = make_company(laposte, name="branch")

    refused(other, other.post(other.answer(poste.begin(visitor))), "request_unknown")


def test_a_ticket_of_one_partner_opens_nothing_at_another(poste: Company, avion: Company, visitor: Client) -> None:
    posted = poste.post(poste.answer(poste.begin(visitor)))
    ticket = posted["Location"].rpartition("t=")[2]

    refused(avion, visitor.get(avion.path("acs/finish/"), {"t": ticket}), "ticket_unknown")


def test_an_unasked_answer_becomes_a_request_of_ours_once(poste: Company, visitor: Client) -> None:
    unasked = poste.answer("", in_response_to=None, confirmed_request=None)

    bounced = poste.post(unasked)
    assert (bounced.status_code, bounced["Location"]) == (303, f"{poste.path('login/')}?tile=1")
    assert nobody_came_in(poste)
    assert visitor.get(bounced["Location"]).status_code == 302
    refused(poste, visitor.get(bounced["Location"]), "unsolicited")


def test_a_tile_may_be_used_again_after_a_sign_in(poste: Company, visitor: Client) -> None:
    for _ in range(2):
        going = visitor.get(poste.path("login/"), {"tile": "1"})
        assert going.status_code == 302
        posted = poste.post(poste.answer(request_id_in(going["Location"])))
        assert visitor.get(posted["Location"]).status_code == 302


def test_the_identity_provider_that_says_no_is_told_apart(poste: Company, visitor: Client) -> None:
    status = "urn:oasis:names:tc:SAML:2.0:status:"
    answer = poste.answer(
        poste.begin(visitor),
        status=f"{status}Responder",
        inner_status=f"{status}AuthnFailed",
        status_message="claire.martin is locked",
    )

    refused(poste, poste.post(answer), "status_authn_failed", status=403)
    with organisation_scope(poste.organisation.pk):
        assert "claire" not in str(SignInTrace.objects.latest("id").details)


@pytest.mark.parametrize("state", ["draft", "configured", "tested"])
def test_a_connection_that_is_not_switched_on_lets_nobody_in(poste: Company, visitor: Client, state: str) -> None:
    answer = poste.answer(poste.begin(visitor))
    with organisation_scope(poste.organisation.pk):
        Connection.objects.update(state=state)

    refused(poste, visitor.get(poste.path("login/")), "connection_closed", status=403)
    refused(poste, poste.post(answer), "connection_closed", status=403)


@pytest.mark.parametrize("where", ["login/", "acs/finish/", "metadata/"])
def test_a_closed_organisation_and_an_unknown_connection_do_not_exist(
    poste: Company, visitor: Client, where: str
) -> None:
    poste.organisation.active = False
    poste.organisation.save()

    assert visitor.get(poste.path(where)).status_code == 404
    assert visitor.get(f"/sso/00000000-0000-4000-8000-000000000000/{where}").status_code == 404


@pytest.mark.parametrize("where", ["acs/", "login/", "acs/finish/", "metadata/"])
def test_the_other_method_is_not_allowed(poste: Company, visitor: Client, where: str) -> None:
    method = visitor.get if where == "acs/" else visitor.post

    assert method(poste.path(where)).status_code == 405


def test_our_metadata_is_public_and_never_expires(poste: Company, visitor: Client) -> None:
    response = visitor.get(poste.path("metadata/"))

    assert response["Content-Type"] == "application/samlmetadata+xml"
    assert poste.connection.entity_id in response.content.decode()
    assert b"validUntil" not in response.content


def test_the_post_binding_shows_a_button_that_may_post_there_alone(laposte: Organisation, visitor: Client) -> None:
    company = make_company(laposte)
    with organisation_scope(laposte.pk):
        Connection.objects.update(idp_sso_binding=kit.POST)
    response = visitor.get(company.path("login/"))

    assert response.status_code == 200
    assert "form-action 'self' https://idp.laposte.example" in response["Content-Security-Policy"]
    assert 'name="SAMLRequest"' in response.content.decode()
    assert "idp.laposte.example" not in visitor.get(company.path("metadata/"))["Content-Security-Policy"]


def test_an_address_that_posts_rubbish_is_held_back(poste: Company, visitor: Client) -> None:
    for _ in range(MOST_FAILURES):
        poste.post("")
    with organisation_scope(poste.organisation.pk):
        traces = SignInTrace.objects.count()

    assert poste.post("").status_code == 429
    assert poste.post(poste.answer(poste.begin(visitor))).status_code == 429
    with organisation_scope(poste.organisation.pk):
        assert SignInTrace.objects.count() == traces


def test_rubbish_in_the_name_of_a_test_is_held_back_too(poste: Company, as_odile: Client) -> None:
    begun = as_odile.post(f"/o/laposte/sign-in/{poste.connection.public_id}/setup/test/")
    forged = kit.encode(poste.message(request_id_in(begun.context["going"].url)).tree())
    for _ in range(MOST_FAILURES + 2):
        last = poste.post(forged)

    assert last.status_code == 429
    with organisation_scope(poste.organisation.pk):
        assert SignInTrace.objects.count() == MOST_FAILURES


def test_invented_tickets_do_not_fill_the_journal(poste: Company, visitor: Client) -> None:
    for _ in range(MOST_FAILURES + 2):
        last = visitor.get(poste.path("acs/finish/"), {"t": "invented"})

    assert last.status_code == 429
    with organisation_scope(poste.organisation.pk):
        assert SignInTrace.objects.count() == MOST_FAILURES


def test_without_the_cache_people_still_come_in(poste: Company, visitor: Client, settings: Settings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }

    assert poste.post("rubbish!").status_code == 400
    assert poste.sign_in(visitor).status_code == 302


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_twenty_identical_posts_at_once_are_one_sign_in(poste: Company, visitor: Client) -> None:
    answer = poste.answer(poste.begin(visitor))
    start = threading.Barrier(20)
    statuses: list[int] = []

    def post() -> None:
        start.wait()
        statuses.append(poste.post(answer).status_code)
        connections.close_all()

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [303] + [400] * 19
    with organisation_scope(poste.organisation.pk):
        assert UsedAssertion.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_twenty_openings_of_one_ticket_are_one_login(poste: Company, visitor: Client) -> None:
    posted = poste.post(poste.answer(poste.begin(visitor)))
    nonce = visitor.cookies[settings.SIGN_IN_COOKIE_NAME].value
    start = threading.Barrier(20)
    statuses: list[int] = []

    def open_it() -> None:
        tab = Client()
        tab.cookies[settings.SIGN_IN_COOKIE_NAME] = nonce
        start.wait()
        statuses.append(tab.get(posted["Location"]).status_code)
        connections.close_all()

    threads = [threading.Thread(target=open_it) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [302] + [400] * 19
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_two_first_sign_ins_of_one_person_at_once_make_one_login(poste: Company) -> None:
    tabs = [Client() for _ in range(8)]
    finishes = [poste.post(poste.answer(poste.begin(tab)))["Location"] for tab in tabs]
    start = threading.Barrier(len(tabs))
    statuses: list[int] = []

    def open_it(tab: Client, location: str) -> None:
        start.wait()
        statuses.append(tab.get(location).status_code)
        connections.close_all()

    threads = [threading.Thread(target=open_it, args=pair) for pair in zip(tabs, finishes, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [302] * 8
    assert User.objects.count() == 1
