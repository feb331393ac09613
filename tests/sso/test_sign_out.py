"""Signing out from either side: only what the message names ends, and only when it is the identity provider's own."""

from __future__ import annotations

import base64
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from lxml import etree

from portal.audit.models import AuditEvent
from portal.core.tenancy import organisation_scope
from portal.people.models import Affiliation, Employee, Membership, User
from sso.models import Identity, SignInRequest, SignInSession, SignInTrace
from sso.tasks import end_sessions_of_leavers, forget_sign_ins
from tests.factories.people import make_employee
from tests.sso import saml_kit as kit
from tests.sso.company import Company, make_company, post_form

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db

STATUS = "urn:oasis:names:tc:SAML:2.0:status:"


@pytest.fixture
def firm(laposte: Organisation) -> Company:
    """A partner whose identity provider signs out, too."""
    return make_company(laposte, slo_bindings=(kit.REDIRECT, kit.POST))


@pytest.fixture
def other(airbus: Organisation) -> Company:
    return make_company(airbus, slo_bindings=(kit.REDIRECT,))


def signed_in(browser: Client) -> bool:
    return browser.get("/me/").status_code == 200


def last_error(company: Company) -> str:
    with organisation_scope(company.organisation.pk):
        return SignInTrace.objects.latest("id").error


def sessions(company: Company) -> int:
    with organisation_scope(company.organisation.pk):
        return SignInSession.objects.count()


def events(company: Company, action: str) -> int:
    with organisation_scope(company.organisation.pk):
        return AuditEvent.objects.filter(action=action).count()


def message_in(url: str, name: str) -> etree._Element:
    (encoded,) = parse_qs(urlsplit(url).query)[name]
    return etree.fromstring(zlib.decompress(base64.b64decode(encoded), wbits=-15))


def meta_target(response: Response) -> str:
    """Return where the page goes on to by itself."""
    document = etree.HTML(response.content.decode())
    refresh = document.find(".//meta[@http-equiv='refresh']")
    assert refresh is not None
    return str(refresh.get("content")).partition("url=")[2]


class TestFromTheIdentityProvider:
    def test_the_session_ends_without_any_cookie_of_ours(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)
        assert signed_in(visitor)

        response = firm.sign_out(relay_state="their state")

        assert response.status_code == 302
        assert response["Location"].startswith("https://idp.laposte.example/slo/return?")
        answer = message_in(response["Location"], "SAMLResponse")
        assert answer.get("InResponseTo", "").startswith("_l")
        assert [each.get("Value") for each in answer.findall(".//samlp:StatusCode", kit.NS)] == [kit.SUCCESS]
        assert parse_qs(urlsplit(response["Location"]).query)["RelayState"] == ["their state"]
        assert not signed_in(visitor)
        assert Session.objects.count() == 0
        assert sessions(firm) == 0
        assert events(firm, "sso:person:sign-out") == 1

    def test_a_long_state_is_not_given_back(self, firm: Company) -> None:
        response = firm.sign_out(relay_state="é" * 41)

        assert "RelayState" not in response["Location"]

    def test_by_post_too(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)
        message = kit.reread(kit.sign(firm.sign_out_message().tree(), kit.Signature(by=firm.keys)))

        response = post_form(Client(), firm.path("sls/"), {"SAMLRequest": kit.encode(message), "RelayState": "x"})

        assert response.status_code == 302
        assert not signed_in(visitor)

    def test_one_that_takes_answers_by_post_only_gets_a_form_that_stands_in_its_page(
        self, laposte: Organisation, visitor: Client
    ) -> None:
        firm = make_company(laposte, slo_bindings=(kit.POST,))
        firm.sign_in(visitor)

        response = firm.sign_out()

        assert response.status_code == 200
        assert 'name="SAMLResponse"' in response.content.decode()
        policy = response["Content-Security-Policy"]
        assert "frame-ancestors https://idp.laposte.example" in policy
        assert "form-action 'self' https://idp.laposte.example" in policy
        assert "X-Frame-Options" not in response
        assert not signed_in(visitor)

    def test_an_identity_provider_without_an_address_for_it_is_still_obeyed(
        self, poste: Company, visitor: Client
    ) -> None:
        poste.sign_in(visitor)

        assert poste.sign_out().status_code == 200
        assert not signed_in(visitor)

    @pytest.mark.parametrize(
        ("values", "error"),
        [
            ({"issuer": None}, "issuer_mismatch"),
            ({"destination": "https://portal.example/"}, "destination_mismatch"),
            ({"issued": -400}, "expired"),
            ({"until": -100}, "expired"),
        ],
    )
    def test_what_is_refused_ends_nothing(
        self, firm: Company, visitor: Client, values: dict[str, Any], error: str
    ) -> None:
        firm.sign_in(visitor)

        response = firm.sign_out(**values)

        assert (response.status_code, last_error(firm)) == (400, error)
        assert signed_in(visitor)

    def test_an_unsigned_one_ends_nothing(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)
        query = kit.redirect_query(firm.sign_out_message().tree(), by=firm.keys).partition("&SigAlg")[0]

        response = Client().get(f"{firm.path('sls/')}?{query}")

        assert (response.status_code, last_error(firm)) == (400, "unsigned")
        assert signed_in(visitor)

    def test_the_same_one_twice_is_taken_once(self, firm: Company, visitor: Client) -> None:
        query = kit.redirect_query(firm.sign_out_message().tree(), by=firm.keys)
        assert Client().get(f"{firm.path('sls/')}?{query}").status_code == 302
        firm.sign_in(visitor)

        assert Client().get(f"{firm.path('sls/')}?{query}").status_code == 400
        assert last_error(firm) == "replay"
        assert signed_in(visitor)

    @pytest.mark.parametrize("values", [{"name_id": "somebody else"}, {"session_indexes": ("_another",)}])
    def test_another_name_or_session_ends_nothing(self, firm: Company, visitor: Client, values: dict[str, Any]) -> None:
        firm.sign_in(visitor)

        assert firm.sign_out(**values).status_code == 302
        assert last_error(firm) == "logout_no_session"
        assert signed_in(visitor)

    def test_without_an_index_every_session_of_the_person_ends(self, firm: Company) -> None:
        browsers = [Client(), Client()]
        for browser in browsers:
            firm.sign_in(browser)
        stranger = Client()
        firm.sign_in(stranger, name_id="somebody-else")

        firm.sign_out(session_indexes=())

        assert [signed_in(browser) for browser in (*browsers, stranger)] == [False, False, True]

    def test_an_encrypted_name_is_read(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)

        firm.sign_out(name_xml=kit.encrypted_name("person-42", kit.keys("portal")))

        assert not signed_in(visitor)

    def test_it_speaks_for_its_own_connection_only(self, firm: Company, other: Company) -> None:
        """The same name at two partners is two people: each is signed out by their own."""
        at_firm, at_other = Client(), Client()
        firm.sign_in(at_firm)
        other.sign_in(at_other)

        query = kit.redirect_query(firm.sign_out_message().tree(), by=firm.keys)
        assert Client().get(f"{other.path('sls/')}?{query}").status_code == 400
        assert last_error(other) == "issuer_mismatch"
        firm.sign_out()

        assert (signed_in(at_firm), signed_in(at_other)) == (False, True)

    def test_two_doors_of_one_browser_close_one_by_one(self, firm: Company, other: Company, visitor: Client) -> None:
        """Two identities joined in one account: one company's sign-out leaves the other's door open."""
        firm.sign_in(visitor)
        user = User.objects.get()
        join(other, user)
        other.sign_in(visitor)
        assert visitor.session["doors"] == sorted([firm.organisation.pk, other.organisation.pk])

        firm.sign_out()

        assert visitor.session["doors"] == [other.organisation.pk]
        assert signed_in(visitor)
        other.sign_out()
        assert not signed_in(visitor)

    def test_a_second_sign_in_of_the_same_browser_is_found_by_its_new_key(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)
        firm.sign_in(visitor)
        assert sessions(firm) == 1

        firm.sign_out()

        assert not signed_in(visitor)

    @pytest.mark.parametrize("fields", [{}, {"SAMLRequest": "x" * 300_000}, {"SAMLRequest": "%%%"}])
    def test_rubbish_is_answered_with_a_sentence(self, firm: Company, fields: dict[str, str]) -> None:
        assert post_form(Client(), firm.path("sls/"), fields).status_code == 400

    @pytest.mark.parametrize("query", ["", "SAMLRequest=%25", "SAMLRequest=a&SAMLRequest=a", "RelayState=x", "%00=%00"])
    def test_a_query_of_rubbish_as_well(self, firm: Company, query: str) -> None:
        assert Client().get(f"{firm.path('sls/')}?{query}").status_code == 400

    def test_another_method_is_none(self, firm: Company) -> None:
        assert Client().put(firm.path("sls/")).status_code == 405

    def test_the_trace_keeps_the_message_sealed(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)
        firm.sign_out()

        with organisation_scope(firm.organisation.pk):
            trace = SignInTrace.objects.latest("id")
        assert (trace.purpose, trace.error, trace.user) == ("logout", "", User.objects.get())
        assert b"person-42" not in bytes(trace.raw or b"")


def join(company: Company, user: User) -> None:
    """Let this partner's identity of the same name lead to a login that exists."""
    company.sign_in(Client())
    with organisation_scope(company.organisation.pk):
        Identity.objects.update(user=user)
        Affiliation.objects.get_or_create(user=user, organisation=company.organisation)
        SignInSession.objects.all().delete()


class TestFromThePortal:
    def test_our_session_ends_and_theirs_is_asked_to(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)

        response = visitor.post("/account/logout/")

        assert response.status_code == 200
        assert not signed_in(visitor)
        assert sessions(firm) == 0
        target = meta_target(response)
        assert target.startswith("https://idp.laposte.example/slo?SAMLRequest=")
        assert "Signature=" in target
        request = message_in(target, "SAMLRequest")
        assert request.findtext("saml:NameID", namespaces=kit.NS) == "person-42"
        assert request.findtext("samlp:SessionIndex", namespaces=kit.NS) == "_session-1"

    def answered(self, firm: Company, browser: Client, **values: Any) -> Response:
        firm.sign_in(browser)
        request = message_in(meta_target(browser.post("/account/logout/")), "SAMLRequest")
        message = firm.sign_out_message(**{"kind": "LogoutResponse", "in_response_to": request.get("ID"), **values})
        self.query = kit.redirect_query(message.tree(), name="SAMLResponse", by=firm.keys)
        return browser.get(f"{firm.path('sls/')}?{self.query}")

    def test_its_answer_is_taken_once(self, firm: Company, visitor: Client) -> None:
        page = self.answered(firm, visitor)

        assert page.status_code == 200
        assert "vous a déconnecté aussi" in page.content.decode()
        again = visitor.get(f"{firm.path('sls/')}?{self.query}")
        assert last_error(firm) == "request_used"
        assert "Vous êtes déconnecté du portail" in again.content.decode()

    @pytest.mark.parametrize(
        ("values", "error"),
        [
            ({"inner_status": f"{STATUS}PartialLogout"}, "logout_partial"),
            ({"status": f"{STATUS}Responder"}, "logout_partial"),
            ({"in_response_to": "_not-ours"}, "request_unknown"),
            ({"in_response_to": None}, "request_unknown"),
            ({"issuer": "https://other.example"}, "issuer_mismatch"),
            ({"destination": None}, "destination_mismatch"),
            ({"issued": -1000}, "expired"),
        ],
    )
    def test_any_failure_still_says_that_one_is_signed_out_here(
        self, firm: Company, visitor: Client, values: dict[str, Any], error: str
    ) -> None:
        page = self.answered(firm, visitor, **values)

        assert (page.status_code, last_error(firm)) == (200, error)
        words = page.content.decode()
        assert "Vous êtes déconnecté du portail" in words
        assert "Fermez votre navigateur" in words

    def test_a_late_answer(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)
        request = message_in(meta_target(visitor.post("/account/logout/")), "SAMLRequest")
        with organisation_scope(firm.organisation.pk):
            SignInRequest.objects.update(expires_at=timezone.now())
        message = firm.sign_out_message(kind="LogoutResponse", in_response_to=request.get("ID"))

        visitor.get(f"{firm.path('sls/')}?{kit.redirect_query(message.tree(), name='SAMLResponse', by=firm.keys)}")

        assert last_error(firm) == "request_expired"

    def test_a_request_to_sign_out_is_answered_by_no_sign_in(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)
        request = message_in(meta_target(visitor.post("/account/logout/")), "SAMLRequest")

        assert firm.post(firm.answer(request.get("ID", ""))).status_code == 400
        assert last_error(firm) == "request_unknown"

    def test_without_an_address_there_it_ends_here(self, poste: Company, visitor: Client) -> None:
        poste.sign_in(visitor)

        page = visitor.post("/account/logout/")

        assert "Vous êtes déconnecté du portail" in page.content.decode()
        assert not signed_in(visitor)

    def test_with_two_companies_each_has_its_button(self, firm: Company, other: Company, visitor: Client) -> None:
        firm.sign_in(visitor)
        join(other, User.objects.get())
        other.sign_in(visitor)

        page = visitor.post("/account/logout/").content.decode()

        assert "https://idp.laposte.example/slo?" in page
        assert "https://idp.airbus.example/slo?" in page
        assert "http-equiv" not in page
        assert sessions(firm) == sessions(other) == 0

    def test_looking_at_the_page_ends_nothing(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)

        assert visitor.get("/account/logout/").status_code == 200
        assert signed_in(visitor)

    def test_an_account_with_a_password_signs_out_as_before(self, as_odile: Client) -> None:
        response = as_odile.post("/account/logout/")

        assert (response.status_code, response["Location"]) == (302, "/")

    def test_another_site_signs_nobody_out(self, firm: Company) -> None:
        strict = Client(enforce_csrf_checks=True)
        firm.sign_in(strict)

        assert strict.post("/account/logout/").status_code == 403
        assert signed_in(strict)


class TestDeparture:
    def test_a_leaver_is_out_at_once_and_their_sessions_are_removed(self, firm: Company, visitor: Client) -> None:
        make_employee(firm.organisation, "00412877")
        firm.sign_in(visitor, number="00412877")
        stays = Client()
        firm.sign_in(stays, name_id="stays")
        with organisation_scope(firm.organisation.pk):
            Employee.objects.update(active=False)

        assert not signed_in(visitor)
        firm.organisation.refresh_from_db()
        end_sessions_of_leavers()

        assert sessions(firm) == 1
        assert Session.objects.count() == 1
        assert signed_in(stays)

    def test_the_last_owner_keeps_the_session(self, firm: Company, visitor: Client) -> None:
        make_employee(firm.organisation, "00412877")
        firm.sign_in(visitor, number="00412877")
        with organisation_scope(firm.organisation.pk):
            Membership.objects.create(
                organisation=firm.organisation, user=User.objects.get(), role=Membership.Role.OWNER
            )
            Employee.objects.update(active=False)

        end_sessions_of_leavers()

        assert sessions(firm) == 1

    def test_what_has_expired_is_forgotten(self, firm: Company, visitor: Client) -> None:
        firm.sign_in(visitor)
        with organisation_scope(firm.organisation.pk):
            SignInSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        forget_sign_ins()

        assert sessions(firm) == 0


def test_a_session_lasts_no_longer_than_the_one_at_the_identity_provider(firm: Company, visitor: Client) -> None:
    firm.sign_in(visitor, session_until=1800)

    assert 1700 < visitor.session.get_expiry_age() <= 1800
    with organisation_scope(firm.organisation.pk):
        assert SignInSession.objects.get().expires_at < timezone.now() + timedelta(seconds=1801)


def test_our_metadata_says_where_to_sign_out(firm: Company, visitor: Client) -> None:
    document = etree.fromstring(visitor.get(firm.path("metadata/")).content)
    services = document.findall(".//md:SingleLogoutService", kit.NS)

    assert [service.get("Binding") for service in services] == [kit.REDIRECT, kit.POST]
    assert {service.get("Location") for service in services} == {f"http://localhost:8000{firm.path('sls/')}"}
