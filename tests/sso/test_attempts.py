"""Attempts to sign in: a code opens its diagnosis to those who help, and the message to administrators only."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.core.tenancy import organisation_scope
from portal.people.selectors import user_actor
from portal.people.services import open_support_access
from sso.attempts import failure_groups, organisation_of_code
from sso.clicks import CLICKS, Repair
from sso.codes import new_code, tidy_code
from sso.diagnosis import _DIAGNOSES
from sso.models import MetadataVersion, SignInTrace
from sso.remedies import remedy, vendor_of
from sso.replay import digest
from sso.saml.config import fingerprint
from sso.saml.reading import LONGEST_SHOWN, readable
from sso.traces import sealed_message
from sso.vendors import VENDORS
from tests.factories.people import make_user
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from django.test import Client

    from portal.organisations.models import Organisation
    from portal.people.models import User
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db

PAGE = "/o/laposte/sign-in/attempts/"


def make_trace(company: Company, error: str = "audience_mismatch", **values: Any) -> SignInTrace:
    organisation_id = company.organisation.pk
    with organisation_scope(organisation_id):
        return SignInTrace.objects.create(
            organisation_id=organisation_id,
            connection=company.connection,
            code=new_code(organisation_id),
            error=error,
            **{"details": {"received": "https://theirs", "expected": "https://ours"} if error else {}, **values},
        )


def with_message(company: Company, message: bytes, **values: Any) -> SignInTrace:
    raw = sealed_message(base64.b64encode(message).decode())
    return make_trace(company, raw=raw, **{"raw_until": timezone.now() + timedelta(days=7), **values})


def seen(organisation: Organisation) -> list[dict[str, Any]]:
    with organisation_scope(organisation.pk):
        events = AuditEvent.objects.filter(action="sso:trace:read").order_by("id")
        return [
            {"subject": event.subject, "data": event.data, "on_behalf_of_programme": event.on_behalf_of_programme}
            for event in events
        ]


def test_a_code_opens_its_diagnosis(as_helene: Client, poste: Company) -> None:
    trace = make_trace(poste)

    found = as_helene.get(PAGE, {"code": f" {trace.code.lower()[:4]}-{trace.code.lower()[4:]} "})
    assert (found.status_code, found["Location"]) == (302, f"{PAGE}{trace.code}/")
    page = as_helene.get(found["Location"])

    assert page.status_code == 200
    assert page.context["opened"].received == ["https://theirs"]
    assert page.context["opened"].expected == ["https://ours"]
    assert poste.connection.entity_id in page.text
    assert page.text.count("<details>") == len(VENDORS)


def test_a_code_that_nobody_gave_out_says_so(as_helene: Client, poste: Company) -> None:
    answer = as_helene.get(PAGE, {"code": "WRONG222"})

    assert answer.status_code == 200
    assert "WRONG222" in answer.text
    assert as_helene.get(f"{PAGE}WRONG222/").status_code == 404


def test_the_advice_is_that_of_the_identity_provider_in_use(as_odile: Client, poste: Company) -> None:
    poste.connection.vendor = "okta"
    with organisation_scope(poste.organisation.pk):
        poste.connection.save()
    trace = make_trace(poste)

    page = as_odile.get(f"{PAGE}{trace.code}/")

    assert [way.vendor for way in page.context["opened"].remedy.ways] == ["Okta"]
    assert "<details>" not in page.text


@pytest.mark.parametrize(
    ("entity_id", "vendor"),
    [
        ("https://sts.windows.net/0b1c/", "entra"),
        ("http://fs.example.fr/adfs/services/trust", "adfs"),
        ("http://www.okta.com/exk1", "okta"),
        ("https://accounts.google.com/o/saml2?idpid=C0", "google"),
        ("https://id.example.fr/realms/staff", "keycloak"),
        ("https://idp.example.fr/idp/shibboleth", "shibboleth"),
        ("https://auth.example.fr/saml/metadata", "lemonldap"),
        ("https://idp.example.fr", ""),
    ],
)
def test_an_entity_id_betrays_its_maker(entity_id: str, vendor: str) -> None:
    assert vendor_of(entity_id) == vendor


def test_every_repair_is_described_for_every_vendor() -> None:
    assert set(CLICKS) == set(Repair)
    for ways in CLICKS.values():
        assert set(ways) == set(VENDORS)


@pytest.mark.parametrize("code", [*sorted(_DIAGNOSES), "malformed", "status_requester"])
def test_every_code_says_who_repairs_it(poste: Company, code: str) -> None:
    found = remedy(code, poste.connection)

    assert found.repairer
    if found.repairer == "it":
        assert found.ways


def test_what_is_alike_is_counted_together(as_odile: Client, poste: Company) -> None:
    traces = [make_trace(poste, name_id=digest(f"person {number}")) for number in range(17)]
    make_trace(poste, details={"received": "https://another", "expected": "https://ours"}, name_id=digest("other"))
    make_trace(poste, error="replay", name_id=digest("other"))
    first = timezone.now() - timedelta(days=2)
    with organisation_scope(poste.organisation.pk):
        SignInTrace.objects.filter(pk=traces[0].pk).update(at=first)

    alike = as_odile.get(f"{PAGE}{traces[5].code}/").context["opened"].alike

    assert (alike.attempts, alike.people, alike.since) == (17, 17, first)
    with organisation_scope(poste.organisation.pk):
        assert [(group.error, group.alike.attempts) for group in failure_groups(poste.organisation)] == [
            ("audience_mismatch", 18),
            ("replay", 1),
        ]


def test_the_list_is_narrowed_and_paged_in_a_constant_number_of_queries(as_odile: Client, poste: Company) -> None:
    make_trace(poste)
    make_trace(poste, error="", user=make_user("Amélie"))
    with CaptureQueriesContext(database) as few:
        as_odile.get(PAGE)
    for number in range(60):
        make_trace(poste, error="" if number % 2 else "replay", user=make_user(f"Somebody {number}"))
    with CaptureQueriesContext(database) as many:
        first = as_odile.get(PAGE)

    assert len(few) == len(many)
    assert len(first.context["page"].attempts) == 50
    second = as_odile.get(PAGE, {"before": first.context["page"].before})
    assert len(second.context["page"].attempts) == 12
    assert second.context["page"].before is None
    failed = as_odile.get(PAGE, {"error": "replay"}).context["page"].attempts
    assert {trace.error for trace in failed} == {"replay"}
    assert len(failed) == 30
    succeeded = as_odile.get(PAGE, {"outcome": "succeeded", "connection": str(poste.connection.public_id)})
    assert {trace.error for trace in succeeded.context["page"].attempts} == {""}


@pytest.mark.parametrize(
    "query", ["before=x", "error=%00", "outcome=maybe", "connection=1", "code=%00%00", "before=-1"]
)
def test_an_address_that_means_nothing_narrows_nothing(as_odile: Client, poste: Company, query: str) -> None:
    make_trace(poste)

    assert as_odile.get(f"{PAGE}?{query}").status_code == 200


def test_the_rotated_certificate_is_offered(as_odile: Client, poste: Company) -> None:
    fresh = kit.keys("renewed")
    received = fingerprint(fresh.certificate_pem)
    with organisation_scope(poste.organisation.pk):
        version = MetadataVersion.objects.create(
            organisation=poste.organisation,
            connection=poste.connection,
            state=MetadataVersion.State.PENDING,
            source="url",
            idp_entity_id=poste.entity_id,
            idp_sso_url=poste.connection.idp_sso_url,
            idp_sso_binding=poste.connection.idp_sso_binding,
            idp_certificates=[fresh.certificate_pem],
        )
    known = make_trace(poste, error="signature_invalid", details={"received": received, "expected": "AA:BB CC:DD"})
    stranger = make_trace(poste, error="signature_invalid", details={"received": "EE:FF", "expected": "AA:BB"})

    page = as_odile.get(f"{PAGE}{known.code}/")

    assert page.context["opened"].rotated == version
    assert page.context["opened"].expected == ["AA:BB", "CC:DD"]
    assert 'href="/o/laposte/sign-in/"' in page.text.partition("<main")[2]
    assert as_odile.get(f"{PAGE}{stranger.code}/").context["opened"].rotated is None


def test_only_administrators_read_the_message_and_it_is_recorded(
    as_odile: Client, as_helene: Client, as_victor: Client, odile: User, poste: Company
) -> None:
    trace = with_message(poste, b"<a><b>secret</b></a>")
    address = f"{PAGE}{trace.code}/message/"
    assert as_helene.get(address).status_code == 403
    assert as_victor.get(address).status_code == 403
    assert seen(poste.organisation) == []

    page = as_odile.get(address)

    assert "&lt;a&gt;\n  &lt;b&gt;secret&lt;/b&gt;" in page.text
    assert seen(poste.organisation) == [{"subject": trace.code, "data": {"raw": True}, "on_behalf_of_programme": False}]
    assert address in as_odile.get(f"{PAGE}{trace.code}/").text
    assert address not in as_helene.get(f"{PAGE}{trace.code}/").text


def test_the_file_is_never_opened_in_place(as_odile: Client, poste: Company) -> None:
    message = b"<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>"
    trace = with_message(poste, message)

    file = as_odile.get(f"{PAGE}{trace.code}/message/?file")

    assert file.content == message
    assert file["Content-Type"] == "application/octet-stream"
    assert file["Content-Disposition"] == f'attachment; filename="sign-in-{trace.code}.xml"'
    assert file["X-Content-Type-Options"] == "nosniff"
    assert "<script>alert" not in as_odile.get(f"{PAGE}{trace.code}/message/").text


@pytest.mark.parametrize("until", [None, timedelta(seconds=-1)])
def test_after_seven_days_the_message_is_gone(as_odile: Client, poste: Company, until: timedelta | None) -> None:
    trace = with_message(poste, b"<a/>", raw_until=timezone.now() + until if until else None)

    answer = as_odile.get(f"{PAGE}{trace.code}/message/")

    assert answer.status_code == 409
    assert "&lt;a" not in answer.text
    assert seen(poste.organisation) == []
    assert f"{trace.code}/message/" not in as_odile.get(f"{PAGE}{trace.code}/").text


def test_another_partners_code_does_not_exist(as_oscar: Client, poste: Company, avion: Company) -> None:
    trace = with_message(poste, b"<a/>")

    assert as_oscar.get(f"/o/airbus/sign-in/attempts/{trace.code}/").status_code == 404
    assert as_oscar.get(f"/o/airbus/sign-in/attempts/{trace.code}/message/").status_code == 404
    assert as_oscar.get("/o/airbus/sign-in/attempts/", {"code": trace.code}).status_code == 200
    assert as_oscar.get(f"{PAGE}{trace.code}/").status_code == 404


def test_an_account_manager_opens_a_code_without_knowing_whose_it_is(
    as_manon: Client, poste: Company, avion: Company
) -> None:
    amelie = make_user("Amélie Lefèvre")
    trace = make_trace(poste, user=amelie)

    found = as_manon.get("/manage/attempts/", {"code": trace.code.lower()})
    page = as_manon.get(found["Location"])

    assert page.status_code == 200
    assert "La Poste" in page.text
    assert "Amélie" not in page.text
    assert page.context["opened"].received == ["https://theirs"]
    assert seen(poste.organisation) == [{"subject": trace.code, "data": {"raw": False}, "on_behalf_of_programme": True}]
    assert seen(avion.organisation) == []
    assert "WRONG222" in as_manon.get("/manage/attempts/", {"code": "wrong222"}).text
    assert as_manon.get("/manage/attempts/WRONG222/").status_code == 404


def test_a_real_refusal_is_found_by_the_code_on_its_page(as_manon: Client, poste: Company) -> None:
    refused = poste.post("rubbish")

    page = as_manon.get("/manage/attempts/", {"code": refused.context["trace"]})

    assert page.status_code == 302


def test_support_sees_no_person_and_the_organisation_sees_support(
    as_manon: Client, manon: User, poste: Company
) -> None:
    trace = with_message(poste, b"<a/>", error="", user=make_user("Amélie Lefèvre"))
    assert as_manon.get(PAGE).status_code == 404
    with organisation_scope(poste.organisation.pk):
        open_support_access(actor=user_actor(manon), organisation=poste.organisation, user=manon, reason="Sign-in")

    assert "Amélie" not in as_manon.get(PAGE).text
    assert "Amélie" not in as_manon.get(f"{PAGE}{trace.code}/").text
    assert as_manon.get(f"{PAGE}{trace.code}/message/").status_code == 403
    assert len(seen(poste.organisation)) == 1


def test_a_search_enters_few_scopes(poste: Company, avion: Company) -> None:
    trace = make_trace(poste)
    with CaptureQueriesContext(database) as captured:
        assert organisation_of_code(trace.code) == poste.organisation
    assert len(captured) < 20
    assert organisation_of_code("") is None
    assert organisation_of_code("\x00") is None


@pytest.mark.parametrize(
    ("typed", "tidied"),
    [(" abcd-efgh ", "ABCDEFGH"), ("ab cd", "ABCD"), ("", ""), ("ÀÉ", ""), ("a" * 50, ""), ("a/b", ""), ("\x00", "")],
)
def test_codes_are_typed_in_every_way(typed: str, tidied: str) -> None:
    assert tidy_code(typed) == tidied


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00\xff",
        b"not XML",
        b'<!DOCTYPE a [<!ENTITY x "yyyy"><!ENTITY z "&x;&x;">]><a>&z;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>" * 300,
    ],
)
def test_a_hostile_message_is_shown_and_never_interpreted(message: bytes) -> None:
    text, whole = readable(message)

    assert whole
    assert "yyyyyyyy" not in text
    assert "root:" not in text
    assert "\x00" not in text


def test_a_long_message_is_cut_and_says_so() -> None:
    text, whole = readable(b"<a>" + b"x" * LONGEST_SHOWN + b"</a>")

    assert (len(text), whole) == (LONGEST_SHOWN, False)
