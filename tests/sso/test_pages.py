"""HR's pages: connecting, testing and switching on the company sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from portal.core.tenancy import organisation_scope
from portal.people.models import User
from portal.people.selectors import user_actor
from portal.people.services import open_support_access
from portal.people.session import open_every_door
from sso.models import Connection, Identity, SignInTrace
from tests.sso import saml_kit as kit
from tests.sso.company import Company, make_company, request_id_in

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db

PAGE = "/o/laposte/sign-in/"


def state_of(company: Company) -> str:
    with organisation_scope(company.organisation.pk):
        return Connection.objects.get(pk=company.connection.pk).state


def upload(content: bytes) -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile("metadata.xml", content)}


def test_the_whole_way_from_test_to_switched_on(as_odile: Client, laposte: Organisation) -> None:
    company = make_company(laposte, activate=False)
    where = f"{PAGE}{company.connection.public_id}/"
    assert as_odile.post(f"{where}activate/").status_code == 302
    assert state_of(company) == "configured"

    leaving = as_odile.post(f"{where}test/")
    assert leaving.status_code == 200
    url = leaving.context["going"].url
    answer = company.answer(request_id_in(url), number="00412877", email="a@laposte.example")
    posted = company.post(answer)
    assert posted["Location"].startswith(f"{company.path('tested/')}?t=")
    result = as_odile.get(posted["Location"], follow=True)

    assert result.redirect_chain[-1][0] == f"{where}setup/test/"
    assert "00412877" in result.text
    assert state_of(company) == "tested"
    assert not User.objects.filter(email="a@laposte.example").exists()
    with organisation_scope(laposte.pk):
        assert not Identity.objects.exists()
    again = as_odile.get(posted["Location"], follow=True)
    assert [message.level_tag for message in again.context["messages"]] == ["error"]

    as_odile.post(f"{where}activate/")
    assert state_of(company) == "active"
    assert company.sign_in(Client()).status_code == 302


def test_a_failed_test_comes_back_to_the_page_with_its_reason(as_odile: Client, laposte: Organisation) -> None:
    company = make_company(laposte, activate=False)
    leaving = as_odile.post(f"{PAGE}{company.connection.public_id}/test/")
    request_id = request_id_in(leaving.context["going"].url)

    posted = company.post(company.answer(request_id, audiences=(("https://other.example",),)))

    assert posted.status_code == 303
    assert posted["Location"].startswith(f"{company.path('tested/')}?trace=")
    page = as_odile.get(posted["Location"], follow=True).text
    assert page.count("https://other.example") == 1
    assert state_of(company) == "configured"


def test_the_ticket_of_a_test_signs_nobody_in(as_odile: Client, laposte: Organisation) -> None:
    company = make_company(laposte)
    leaving = as_odile.post(f"{PAGE}{company.connection.public_id}/test/")
    posted = company.post(company.answer(request_id_in(leaving.context["going"].url)))
    ticket = posted["Location"].rpartition("t=")[2]

    assert as_odile.get(company.path("acs/finish/"), {"t": ticket}).status_code == 400


def test_a_failed_sign_in_is_explained_under_its_code(as_odile: Client, poste: Company) -> None:
    poste.post(poste.answer("_old", audiences=(("https://other.example",),)))
    with organisation_scope(poste.organisation.pk):
        trace = SignInTrace.objects.get()

    page = as_odile.get(PAGE).content.decode()
    assert trace.code in page
    assert "_old" in page


def test_new_certificates_are_taken_on_the_page(as_odile: Client, poste: Company) -> None:
    fresh = kit.keys("renewed")
    document = renewed_metadata(poste, poste.keys, fresh)
    as_odile.post(f"{PAGE}{poste.connection.public_id}/metadata/", upload(document))

    renewed = Company(poste.organisation, poste.connection, fresh)
    assert renewed.sign_in(Client()).status_code == 302
    as_odile.post(f"{PAGE}{poste.connection.public_id}/metadata/", upload(renewed_metadata(poste, fresh)))
    assert renewed.sign_in(Client()).status_code == 302
    assert poste.post(poste.answer(poste.begin(Client()))).status_code == 400


def test_what_could_be_another_lets_nobody_in_before_a_test(as_odile: Client, poste: Company) -> None:
    stranger = kit.keys("stranger")
    as_odile.post(f"{PAGE}{poste.connection.public_id}/metadata/", upload(renewed_metadata(poste, stranger)))

    assert Client().get(poste.path("login/")).status_code in {400, 403}
    with organisation_scope(poste.organisation.pk):
        assert Connection.objects.get(pk=poste.connection.pk).state == Connection.State.CONFIGURED


def renewed_metadata(company: Company, *keys: kit.Keys) -> bytes:
    certificates = tuple(key.certificate_pem for key in keys)
    sso_url = company.connection.idp_sso_url
    return kit.metadata(entity_id=company.entity_id, sso_url=sso_url, certificates=certificates).encode()


def test_another_identity_providers_metadata_replaces_nothing(as_odile: Client, poste: Company) -> None:
    as_odile.post(f"{PAGE}{poste.connection.public_id}/metadata/", upload(kit.metadata().encode()))

    assert poste.sign_in(Client()).status_code == 302


def test_only_those_who_may_see_the_pages(
    as_odile: Client, as_helene: Client, as_victor: Client, as_oscar: Client, as_manon: Client, poste: Company
) -> None:
    statuses = [each.get(PAGE).status_code for each in (as_odile, as_helene, as_victor, as_oscar, as_manon)]
    assert statuses == [200, 403, 403, 404, 404]
    desk = [
        each.get("/o/laposte/matches/").status_code for each in (as_odile, as_helene, as_victor, as_oscar, as_manon)
    ]
    assert desk == [200, 200, 403, 404, 404]
    assert Client().get(PAGE).status_code == 302


def test_support_reads_the_diagnosis_and_changes_nothing(as_manon: Client, manon: User, poste: Company) -> None:
    poste.post("rubbish")
    with organisation_scope(poste.organisation.pk):
        open_support_access(
            actor=user_actor(manon), organisation=poste.organisation, user=manon, reason="Sign-in fails"
        )
        code = SignInTrace.objects.get().code

    page = as_manon.get(PAGE).content.decode()

    assert code in page
    assert 'action="/o/laposte/sign-in/attempts/"' in page
    asked = as_manon.get("/o/laposte/sign-in/attempts/", {"code": code.lower()})
    assert asked["Location"] == f"/o/laposte/sign-in/attempts/{code}/"
    main = page.partition("<main")[2].partition("</main")[0]
    assert not any(deed in main for deed in ('test/"', 'activate/"', 'type="file"'))
    assert as_manon.get(f"{PAGE}new/").status_code == 403
    assert as_manon.post(f"{PAGE}{poste.connection.public_id}/activate/").status_code == 403


def test_the_connection_of_another_partner_does_not_exist(as_oscar: Client, poste: Company, avion: Company) -> None:
    theirs = f"/o/airbus/sign-in/{poste.connection.public_id}/"
    assert [as_oscar.post(f"{theirs}{what}/").status_code for what in ("test", "activate", "metadata")] == [404] * 3
    assert as_oscar.get(f"{theirs}tested/").status_code == 404


def test_a_code_typed_on_the_page_leads_to_its_attempt_and_an_unknown_one_says_so(
    as_odile: Client, poste: Company
) -> None:
    poste.post("rubbish")
    with organisation_scope(poste.organisation.pk):
        code = SignInTrace.objects.get().code
    form = as_odile.get(PAGE).text.partition('id="failures"')[2].partition("</form>")[0]
    assert f'action="{PAGE}attempts/"' in form
    assert 'name="code"' in form

    assert as_odile.get(f"{PAGE}attempts/", {"code": code.lower()})["Location"] == f"{PAGE}attempts/{code}/"
    assert as_odile.get(f"{PAGE}attempts/", {"code": "QQQQ"}).context["unknown"] == "QQQQ"


def test_support_finds_the_page_in_the_navigation(as_manon: Client, manon: User, poste: Company) -> None:
    with organisation_scope(poste.organisation.pk):
        open_support_access(
            actor=user_actor(manon), organisation=poste.organisation, user=manon, reason="Sign-in fails"
        )

    navigation = as_manon.get("/o/laposte/").context["navigation"]

    assert PAGE in [item.url for item in navigation]


def test_an_owner_with_a_password_finds_the_second_factor(as_odile: Client, poste: Company) -> None:
    session = as_odile.session
    open_every_door(session)
    session.save()

    page = as_odile.get(f"{PAGE}required/").text

    # In both menus, and beside the condition that asks for it.
    assert page.count('href="/account/2fa/"') == 3


def test_who_came_by_the_company_is_led_to_no_password(poste: Company) -> None:
    browser = Client()
    poste.sign_in(browser, number="007")

    assert 'href="/account/2fa/"' not in browser.get("/me/").text
