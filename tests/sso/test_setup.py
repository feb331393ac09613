"""Setting a connection up, page by page: by a link and by an owner, with every wrong turn."""

from __future__ import annotations

import base64
import html
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from portal.audit.selectors import audit_lines
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.models import SetupLink
from portal.organisations.setup_links import create_setup_link, revoke_setup_link
from portal.people.models import Affiliation, User
from sso.connecting import activate_connection, read_metadata
from sso.diagnosis import code_words
from sso.drafts import confirm_metadata, propose_metadata
from sso.guides import GUIDES
from sso.models import Connection, Identity, MetadataVersion, SignInRequest, SignInTrace
from sso.vendors import VENDORS
from tests.factories.people import make_employee
from tests.sso import saml_kit as kit
from tests.sso.company import Company, make_company, request_id_in

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db

OIDC = "http://schemas.microsoft.com/identity/claims/objectidentifier"


@dataclass
class Wizard:
    """Somebody who sets up: a browser, where it is, and the identity provider at the other side."""

    organisation: Organisation
    base: str
    browser: Client = field(default_factory=Client)
    keys: kit.Keys = field(default_factory=lambda: kit.keys("their idp"))
    entity_id: str = "https://idp.theirs.example/metadata"

    def get(self, step: str = "", **query: str) -> Response:
        return self.browser.get(f"{self.base}{step}/" if step else self.base, query)

    def post(self, step: str, data: dict[str, Any] | None = None) -> Response:
        return self.browser.post(f"{self.base}{step}/", data or {})

    @property
    def connection(self) -> Connection:
        with organisation_scope(self.organisation.pk):
            known = Connection.objects.select_related("organisation")
            if self.base.startswith("/setup/"):
                return known.get(setup_link__isnull=False)
            return known.get(public_id=self.base.split("/")[4])

    @property
    def state(self) -> str:
        return self.connection.state

    @property
    def company(self) -> Company:
        return Company(self.organisation, self.connection, self.keys)

    def document(self, **values: Any) -> str:
        known = {"entity_id": self.entity_id, "certificates": (self.keys.certificate_pem,), **values}
        return kit.metadata(sso_url="https://idp.theirs.example/sso", **known)

    def give(self, content: str | bytes) -> Response:
        raw = content.encode() if isinstance(content, str) else content
        return self.post("metadata", {"file": SimpleUploadedFile("metadata.xml", raw)})

    def confirm(self) -> Response:
        return self.post("check", {"version": str(self.get("check").context["version"].pk)})

    def choose(self, vendor: str = "other") -> Wizard:
        self.post("provider", {"vendor": vendor})
        return self

    def configured(self, vendor: str = "other") -> Wizard:
        self.choose(vendor)
        self.give(self.document())
        self.confirm()
        assert self.state == "configured"
        return self

    def leave(self) -> str:
        """Begin a test and return the id of the request that the browser carries away."""
        return request_id_in(self.post("test").context["going"].url)

    def test(self, **said: Any) -> Response:
        """Make a test sign-in, and return the page at which it ends."""
        posted = self.company.post(self.company.answer(self.leave(), **said))
        assert posted.status_code == 303
        return self.browser.get(posted["Location"], follow=True)


@pytest.fixture
def link(laposte: Organisation) -> tuple[SetupLink, str]:
    with organisation_scope(laposte.pk):
        return create_setup_link(actor=OPERATOR, organisation=laposte, recipient="DSI")


@pytest.fixture
def it(laposte: Organisation, link: tuple[SetupLink, str]) -> Wizard:
    """Whoever holds a link of La Poste's."""
    return Wizard(laposte, f"/setup/{link[1]}/")


@pytest.fixture
def owner(as_odile: Client, laposte: Organisation) -> Wizard:
    answer = as_odile.post("/o/laposte/sign-in/new/", {"vendor": "other"})
    return Wizard(laposte, answer["Location"].removesuffix("values/"), as_odile)


def words(response: Response) -> str:
    return html.unescape(response.text)


# --- The link ---------------------------------------------------------------------------------------------------


def test_from_the_link_to_active(it: Wizard, laposte: Organisation, link: tuple[SetupLink, str]) -> None:
    start = it.get()
    assert start.status_code == 200
    assert start.context["next_url"] == f"{it.base}provider/"

    assert it.post("provider", {"vendor": "keycloak"})["Location"] == f"{it.base}values/"
    draft = it.connection
    assert (draft.state, draft.idp_entity_id, draft.vendor) == ("draft", "", "keycloak")
    assert draft.setup_link_id == link[0].pk
    values = words(it.get("values"))
    assert draft.entity_id in values
    assert draft.entity_id.replace("/metadata/", "/acs/") in values
    assert Client().get(f"/sso/{draft.public_id}/metadata/").status_code == 200

    assert it.give(it.document())["Location"] == f"{it.base}check/"
    assert it.state == "draft"
    read = words(it.get("check"))
    assert it.entity_id in read
    assert "CN=their idp" in read
    assert it.confirm()["Location"] == f"{it.base}attributes/"
    assert it.post("attributes", {"preset": "automatic"})["Location"] == f"{it.base}test/"

    people = User.objects.count()
    tested = it.test(number="007", email="it@laposte.example")
    assert tested.redirect_chain[-1][0] == f"{it.base}test/"
    assert tested.context["result"].passed
    assert (it.state, User.objects.count()) == ("tested", people)

    assert it.get("activate").status_code == 200
    done = it.post("activate")
    assert (done.status_code, it.state) == (200, "active")
    assert f"/sso/{draft.public_id}/login/" in done.text
    assert it.get().status_code == it.post("activate").status_code == 410

    assert it.company.sign_in(Client(), number="007").status_code == 302
    with organisation_scope(laposte.pk):
        said = {line.action: line.actor for line in audit_lines(laposte)}
    for action in ("create", "activate", "test"):
        assert "DSI" in str(said[f"sso:connection:{action}"])
    assert {"sso:metadata:propose", "sso:metadata:accept"} <= said.keys()


def test_opening_a_link_makes_nothing_but_a_note(it: Wizard, link: tuple[SetupLink, str]) -> None:
    it.get()
    with organisation_scope(it.organisation.pk):
        assert not Connection.objects.exists()
        assert SetupLink.objects.get().opened_at is not None


def test_a_link_has_one_connection(it: Wizard) -> None:
    it.choose("okta").choose("google")
    with organisation_scope(it.organisation.pk):
        assert Connection.objects.get().vendor == "google"


@pytest.mark.parametrize("end", ["expired", "revoked", "done", "closed", "active"])
def test_a_closed_link_opens_nothing(it: Wizard, link: tuple[SetupLink, str], end: str) -> None:
    it.configured()
    with organisation_scope(it.organisation.pk):
        if end == "expired":
            SetupLink.objects.update(expires_at=timezone.now())
        elif end == "revoked":
            revoke_setup_link(actor=OPERATOR, organisation=it.organisation, link_id=link[0].pk)
        elif end == "done":
            SetupLink.objects.update(completed_at=timezone.now())
        elif end == "closed":
            Connection.objects.update(closed_at=timezone.now())
        else:
            activate_connection(actor=OPERATOR, organisation=it.organisation, connection=it.connection, untested=True)
    for step in ("", "provider", "values", "metadata", "check", "attributes", "test", "tested", "activate"):
        answer = it.get(step)
        assert answer.status_code == 410, step
        assert "La Poste" not in answer.text
    for step in ("provider", "metadata", "test", "activate"):
        assert it.post(step, {"vendor": "okta"}).status_code == 410


def test_switched_on_by_an_owner_the_link_has_done_its_work(it: Wizard, as_odile: Client) -> None:
    it.configured().test(number="007")
    as_odile.post(f"/o/laposte/sign-in/{it.connection.public_id}/activate/")
    with organisation_scope(it.organisation.pk):
        assert SetupLink.objects.get().completed_at is not None
    assert it.get().status_code == 410


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "é" * 20, "../manage", "a" * 2000])
def test_a_wrong_token_gets_one_page_for_all(it: Wizard, token: str) -> None:
    wrong = Client().get(f"/setup/{token}/")
    assert wrong.status_code == 404
    assert "La Poste" not in wrong.text


def test_an_organisation_that_left_has_no_links(it: Wizard) -> None:
    it.organisation.active = False
    it.organisation.save()
    assert it.get().status_code == 404


def test_a_link_is_told_to_nobody(it: Wizard, caplog: pytest.LogCaptureFixture) -> None:
    token = it.base.split("/")[2]
    with caplog.at_level(logging.DEBUG):
        answers = [it.get(), it.choose("entra").get("values"), it.get("nothing"), it.configured().get("test")]
    for answer in answers:
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer.status_code == 404 or "no-store" in answer["Cache-Control"]
        assert "http://" not in answer.text.replace("http://localhost:8000", "").replace("http://www.w3.org", "")
    assert token not in caplog.text.replace(f"GET /setup/{token}", "")
    leaving = it.post("test")
    assert token not in leaving.context["going"].url
    with organisation_scope(it.organisation.pk):
        rows = [str(list(model.objects.values())) for model in (SetupLink, Connection, SignInRequest)]
    assert not any(token in row for row in rows)


def test_a_link_holder_is_nobody_elsewhere(it: Wizard) -> None:
    it.configured().test(number="007")
    connection = it.connection.public_id
    for page in ("/o/laposte/", "/o/laposte/sign-in/", f"/o/laposte/sign-in/{connection}/setup/", "/me/", "/manage/"):
        answer = it.browser.get(page)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/account/login/")
    assert it.browser.get("/api/v1/me/").status_code == 401
    assert "portal" not in {name for name in it.browser.cookies if "session" in name}
    assert it.get("domains").status_code == 404


def test_a_link_reaches_its_own_connection_only(it: Wizard, laposte: Organisation, airbus: Organisation) -> None:
    it.configured()
    other, theirs = make_company(laposte, activate=False), make_company(airbus, activate=False)
    mine = it.connection
    shown = words(it.get("values"))
    assert mine.entity_id in shown
    for stranger in (other, theirs):
        assert str(stranger.connection.public_id) not in shown
    # The answer of a test of another connection is no answer here.
    with organisation_scope(laposte.pk):
        request = SignInRequest.objects.create(
            organisation=laposte, connection=other.connection, request_id="_x", browser=b"x" * 32,
            expires_at=timezone.now() + timedelta(minutes=5), purpose="test",
        )  # fmt: skip
    assert request.pk
    posted = other.post(other.answer("_x"))
    ticket = posted["Location"].rpartition("t=")[2]
    it.get("tested", t=ticket)
    with organisation_scope(laposte.pk):
        assert set(Connection.objects.values_list("state", flat=True)) == {"configured"}


def test_a_trace_of_another_connection_is_not_shown(it: Wizard, poste: Company) -> None:
    poste.post(poste.answer("_old", audiences=(("https://other.example",),)))
    with organisation_scope(it.organisation.pk):
        code = SignInTrace.objects.latest("pk").code
    it.configured()
    assert it.get("test", trace=code).context["asked"] is None


def test_a_link_learns_nothing_of_the_roster(it: Wizard, owner: Wizard) -> None:
    make_employee(it.organisation, "007", last_name="Secrète")
    assert "Secrète" not in it.configured().test(number="007").text
    owner.entity_id = "https://idp.second.example/metadata"
    assert "Secrète" in owner.configured().test(number="007").text


# --- The steps --------------------------------------------------------------------------------------------------


def test_one_goes_on_where_one_stopped(it: Wizard) -> None:
    where = [it.get().context["next_url"]]
    it.choose()
    where.append(it.get().context["next_url"])
    it.give(it.document())
    where.append(it.get().context["next_url"])
    it.confirm()
    where.append(it.get().context["next_url"])
    it.test(number="007")
    where.append(it.get().context["next_url"])
    assert [url.removeprefix(it.base).strip("/") for url in where] == [
        "provider", "values", "check", "test", "activate",
    ]  # fmt: skip


@pytest.mark.parametrize("step", ["values", "metadata", "check", "attributes", "test", "tested", "activate"])
def test_before_a_product_is_chosen_every_step_leads_to_it(it: Wizard, step: str) -> None:
    assert it.get(step)["Location"] == f"{it.base}provider/"
    assert it.post(step)["Location"] == f"{it.base}provider/"


@pytest.mark.parametrize("step", ["attributes", "test", "tested", "activate", "check"])
def test_before_metadata_was_confirmed_every_later_step_leads_to_it(it: Wizard, step: str) -> None:
    it.choose()
    assert it.get(step)["Location"] == f"{it.base}metadata/"
    assert it.state == "draft"


def test_nothing_is_switched_on_before_a_test(it: Wizard) -> None:
    it.configured()
    assert it.get("activate")["Location"] == f"{it.base}test/"
    assert it.post("activate")["Location"] == f"{it.base}test/"
    assert it.state == "configured"


def test_a_step_that_is_none_does_not_exist(it: Wizard) -> None:
    it.configured()
    assert it.get("nothing").status_code == 404
    assert it.browser.put(f"{it.base}values/").status_code == 405


@pytest.mark.parametrize("given", [{}, {"vendor": ""}, {"vendor": "netscape"}])
def test_a_product_must_be_one_of_the_list(it: Wizard, given: dict[str, str]) -> None:
    answer = it.post("provider", given)
    assert answer.status_code == 422
    assert "errorlist" in answer.text


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_product_has_its_steps_and_pictures(it: Wizard, vendor: str, language: str) -> None:
    it.browser = Client(headers={"accept-language": language})
    it.choose(vendor)
    for step in ("values", "metadata"):
        page = it.get(step)
        assert page.status_code == 200
        assert page.text.count('<svg class="picture"') == 1
        assert 'role="img" aria-label="' in page.text
    assert str(GUIDES[vendor].paste[0])


@pytest.mark.parametrize(
    "content", [b"", b"<html>sign in</html>", b"%PDF-1.7", b"\xff\xfe\x00", b"<a/>", b"{}", b"x" * (1024 * 1024 + 1)]
)
def test_a_file_that_is_no_metadata_is_explained_beside_its_field(it: Wizard, content: bytes) -> None:
    answer = it.choose().give(content)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["file"]
    assert it.state == "draft"


@pytest.mark.parametrize(
    "url",
    ["ftp://idp.example/x", "https://user@idp.example/", "nonsense", "https://10.0.0.1/m", "http://127.0.0.1:9/m"],
)
def test_an_address_that_cannot_be_read_is_explained_beside_its_field(it: Wizard, url: str) -> None:
    answer = it.choose().post("metadata", {"url": url})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["url"]


def three_fields(**given: str) -> dict[str, str]:
    known = {
        "entity_id": "https://idp.theirs.example/metadata",
        "sso_url": "https://idp.theirs.example/sso",
        "certificate": kit.keys("their idp").certificate_pem,
    }
    return {**known, **given}


@pytest.mark.parametrize(
    ("given", "field_name"),
    [
        (three_fields(entity_id=""), "entity_id"),
        (three_fields(sso_url=""), "sso_url"),
        (three_fields(certificate=""), "certificate"),
        (three_fields(sso_url="http://idp.theirs.example/sso"), "sso_url"),
        (three_fields(sso_url="javascript:alert(1)"), "sso_url"),
        (three_fields(certificate="nonsense"), "certificate"),
        (three_fields(certificate=kit.keys("weak", 1024).certificate_pem), "certificate"),
        (three_fields(entity_id="x" * 2000), "entity_id"),
    ],
)
def test_a_wrong_field_is_explained_beside_it(it: Wizard, given: dict[str, str], field_name: str) -> None:
    answer = it.choose().post("metadata", given)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field_name]


def test_three_fields_are_enough(it: Wizard) -> None:
    assert it.choose().post("metadata", three_fields())["Location"] == f"{it.base}check/"
    it.confirm()
    assert it.test(number="007").context["result"].passed


@pytest.mark.parametrize("given", [{}, {"url": "https://idp.example/m", **three_fields()}])
def test_metadata_is_given_in_one_way(it: Wizard, given: dict[str, str]) -> None:
    answer = it.choose().post("metadata", given)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["__all__"])


def test_what_is_wrong_with_a_certificate_is_said_before_it_counts(it: Wizard) -> None:
    # The kit's certificates expired long ago: trust is by key, so this is a warning.
    it.choose().give(it.document())
    reading = it.get("check").context["reading"]
    assert len(reading.certificates[0].warnings) == 1
    assert reading.certificates[0].fingerprint in words(it.get("check"))


def test_a_certificate_that_was_issued_with_sha1_is_pointed_out(it: Wizard) -> None:
    # No library signs one any more: its name of the algorithm is exchanged, in both places.
    der = base64.b64decode(kit.bare(it.keys.certificate_pem))
    rsa_with = bytes.fromhex("06092a864886f70d0101")
    assert der.count(rsa_with + b"\x0b") == 2
    old = base64.b64encode(der.replace(rsa_with + b"\x0b", rsa_with + b"\x05")).decode()
    framed = f"-----BEGIN CERTIFICATE-----\n{old}\n-----END CERTIFICATE-----\n"
    it.choose().give(it.document(certificates=(framed,)))
    (certificate,) = it.get("check").context["reading"].certificates
    assert any("SHA-1" in warning for warning in certificate.warnings)


def test_only_what_was_looked_at_is_confirmed(it: Wizard) -> None:
    it.choose().give(it.document())
    seen = it.get("check").context["version"].pk
    it.give(it.document(entity_id="https://idp.other.example/metadata"))

    assert it.post("check", {"version": str(seen)})["Location"] == it.base
    assert it.state == "draft"
    for wrong in ("", "x", "0", "9" * 30):
        it.post("check", {"version": wrong})
    assert it.state == "draft"
    it.confirm()
    assert it.connection.idp_entity_id == "https://idp.other.example/metadata"


def test_an_address_for_sign_outs_is_taken_with_the_way_to_it(it: Wizard) -> None:
    there = "https://idp.theirs.example/out"
    service = f'<md:SingleLogoutService Binding="{kit.POST}" Location="{there}" ResponseLocation="{there}/answer"/>'
    it.choose().give(it.document(slo=service))
    it.confirm()

    known = it.connection
    assert (known.idp_slo_url, known.idp_slo_binding) == (there, kit.POST)
    assert known.idp_slo_response_url == f"{there}/answer"


def test_new_metadata_asks_for_a_new_test(it: Wizard) -> None:
    it.configured().test(number="007")
    under_way = it.leave()
    late = it.company.answer(under_way, number="007")
    assert it.state == "tested"

    it.keys = kit.keys("another")
    it.give(it.document())
    assert it.state == "tested"
    it.confirm()

    assert it.state == "configured"
    assert it.get("test").context["result"] is None
    assert it.company.post(late).status_code in {303, 400}
    assert it.state == "configured"
    with organisation_scope(it.organisation.pk):
        states = sorted(MetadataVersion.objects.values_list("state", flat=True))
    assert states == ["in_use", "past"]


def test_a_test_that_was_answered_before_the_change_proves_nothing(it: Wizard) -> None:
    it.configured()
    posted = it.company.post(it.company.answer(it.leave(), number="007"))
    it.give(it.document())
    it.confirm()
    it.browser.get(posted["Location"], follow=True)
    assert it.state == "configured"


def test_a_test_that_was_answered_before_a_replacement_proves_nothing(poste: Company, as_odile: Client) -> None:
    other = kit.keys("another idp")
    base = f"/o/laposte/sign-in/{poste.connection.public_id}/"
    begun = as_odile.post(f"{base}setup/test/")
    posted = poste.post(poste.answer(request_id_in(begun.context["going"].url)))
    assert posted.status_code == 303
    document = kit.metadata(
        entity_id=poste.entity_id,
        sso_url=poste.connection.idp_sso_url,
        certificates=(other.certificate_pem,),
    )
    as_odile.post(f"{base}metadata/", {"text": document})

    as_odile.get(posted["Location"], follow=True)

    with organisation_scope(poste.organisation.pk):
        assert Connection.objects.get().state == "configured"


def test_what_was_replaced_meanwhile_is_not_switched_on(it: Wizard) -> None:
    it.configured().test(number="007")
    looked_at = it.connection
    assert looked_at.state == "tested"
    it.give(it.document(certificates=(kit.keys("another").certificate_pem,)))
    it.confirm()

    with organisation_scope(it.organisation.pk), pytest.raises(Refusal) as refused:
        activate_connection(actor=OPERATOR, organisation=it.organisation, connection=looked_at)

    assert refused.value.code == "not_tested"
    assert it.state == "configured"


def test_an_address_that_nobody_confirmed_is_not_followed(it: Wizard) -> None:
    it.configured().test(number="007")
    other = "https://elsewhere.example/metadata"
    with organisation_scope(it.organisation.pk):
        version = propose_metadata(
            actor=OPERATOR,
            organisation=it.organisation,
            connection=it.connection,
            idp=read_metadata(it.document().encode()),
            source=other,
        )
        assert it.connection.metadata_url == ""
        confirm_metadata(actor=OPERATOR, organisation=it.organisation, connection=it.connection, version_id=version.pk)

    known = it.connection
    assert (known.metadata_url, known.due_at is not None) == (other, True)


def test_what_a_link_left_unconfirmed_ends_with_the_set_up(it: Wizard, as_odile: Client) -> None:
    it.configured().test(number="007")
    it.give(it.document(certificates=(it.keys.certificate_pem, kit.keys("one more").certificate_pem)))
    as_odile.post(f"/o/laposte/sign-in/{it.connection.public_id}/activate/")
    assert it.state == "active"

    page = as_odile.get(f"/o/laposte/sign-in/{it.connection.public_id}/")

    assert page.context["life"].waiting == []


def test_one_identity_provider_is_connected_once_in_an_organisation(it: Wizard, poste: Company) -> None:
    answer = it.choose().give(it.document(entity_id=poste.entity_id))
    assert answer.status_code == 422
    assert poste.entity_id in words(answer)


def test_of_two_set_ups_with_one_identity_provider_the_first_has_it(it: Wizard, owner: Wizard) -> None:
    it.choose().give(it.document())
    owner.give(owner.document())
    it.confirm()

    refused = owner.browser.post(f"{owner.base}check/", {"version": owner.get("check").context["version"].pk})

    assert refused["Location"] == owner.base
    assert (it.state, owner.state) == ("configured", "draft")


def test_addresses_that_are_too_long_are_refused_in_words(it: Wizard) -> None:
    address = f"https://idp.theirs.example/{'x' * 2000}"
    document = kit.metadata(entity_id=it.entity_id, sso_url=address)
    assert it.choose().give(document).status_code == 422


def test_a_form_of_another_site_does_nothing(it: Wizard) -> None:
    it.browser = Client(enforce_csrf_checks=True)
    assert it.post("provider", {"vendor": "okta"}).status_code == 403


def test_of_another_organisations_connections_nothing_is_said(it: Wizard, avion: Company) -> None:
    it.entity_id = avion.entity_id
    page = it.configured().get("check")
    assert page.status_code == 302
    assert "Airbus" not in it.get("attributes").text
    assert it.test(number="007").context["result"].passed


# --- The test and the attributes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"name_id_format": f"{kit.FORMAT}transient"}, "nameid_transient"),
        ({"name_id_format": f"{kit.FORMAT_1_1}emailAddress", "name_id": "it@laposte.example"}, "nameid_email"),
        ({"name_id": None}, "nameid_missing"),
        ({"name_id": "it@laposte.example", "email": "it@laposte.example"}, "nameid_email"),
    ],
)
def test_a_test_that_names_nobody_fails_with_what_to_do(it: Wizard, said: dict[str, Any], code: str) -> None:
    page = it.configured().test(**said)

    result = page.context["result"]
    assert not result.passed
    failed = [check for check in result.checks if check.required and not check.passed]
    assert len(failed) == 1
    assert all(str(line) in words(page) for line in GUIDES["other"].identity)
    assert it.state == "configured"
    assert it.get("activate")["Location"] == f"{it.base}test/"
    what, advice = code_words(code)
    assert failed[0].advice == f"{what} {advice}"


def test_what_is_only_advisable_fails_nothing(it: Wizard) -> None:
    page = it.configured().test()
    result = page.context["result"]
    assert result.passed
    assert [check.passed for check in result.checks] == [True, True, False, False, False]
    assert all(check.advice for check in result.checks[2:])


def test_an_address_outside_the_verified_domains_says_so(it: Wizard) -> None:
    page = it.configured().test(email="it@elsewhere.example")
    line = page.context["result"].checks[3]
    assert (line.passed, line.seen) == (False, "it@elsewhere.example")


def test_a_test_that_fails_in_the_exchange_comes_back_with_its_diagnosis(it: Wizard) -> None:
    page = it.configured().test(audiences=(("https://other.example",),))
    assert page.redirect_chain[-1][0].startswith(f"{it.base}test/?trace=")
    assert page.context["asked"].received == "https://other.example"
    assert "https://other.example" in page.text
    assert it.state == "configured"


def test_what_came_is_shown_to_whoever_sets_up_and_mended(it: Wizard) -> None:
    it.configured()
    sent = (("uid", ("u-1", "u-1")), ("badge", ("B 7",)), ("groups", ("a", "b")), ("prénom", ("Inès",)))
    it.test(name_id_format=f"{kit.FORMAT}transient", attributes=sent)
    assert it.state == "configured"
    page = it.get("attributes")
    assert "B 7" in words(page)
    assert {line["name"] for line in page.context["received"]} >= {"badge", "groups", "prénom"}

    fields = {"preset": "custom", "subject": "badge", "first_name": "nothing, prénom", "last_name": "groups"}
    assert it.post("attributes", {**fields, "look": "1"})["Location"] == f"{it.base}attributes/"
    preview = it.get("attributes").context["preview"]
    assert [line.value for line in preview] == ["B 7", "", "", "Inès", "", ""]
    assert [bool(line.wrong) for line in preview] == [False, False, False, False, True, False]
    assert it.state == "configured"

    fields["last_name"] = ""
    it.post("attributes", fields)
    assert it.test(name_id_format=f"{kit.FORMAT}transient", attributes=sent).context["result"].passed
    assert it.connection.attribute_mapping["subject"] == ["badge"]


@pytest.mark.parametrize(
    "subject", ["mail", "badge, mail", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"]
)
def test_an_address_is_never_chosen_as_identity(it: Wizard, subject: str) -> None:
    answer = it.configured().post("attributes", {"preset": "custom", "subject": subject})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["subject"]


def test_the_test_freezes_what_identifies_people(it: Wizard) -> None:
    it.configured().test(name_id="u-77", name_id_format=f"{kit.FORMAT_1_1}unspecified", number="7")
    assert it.connection.attribute_mapping == {"subject": ["NameID"]}
    it.post("activate")

    it.company.sign_in(Client(), name_id="u-77", name_id_format=f"{kit.FORMAT_1_1}unspecified")
    # An attribute that appears later does not win silently: the person stays who they are.
    it.company.sign_in(
        Client(), name_id="u-77", name_id_format=f"{kit.FORMAT_1_1}unspecified", attributes=((OIDC, ("guid",)),)
    )
    with organisation_scope(it.organisation.pk):
        assert [identity.subject for identity in Identity.objects.all()] == ["u-77"]


def test_a_test_that_names_nobody_undoes_the_one_before(it: Wizard) -> None:
    it.configured().test(number="007")
    assert it.state == "tested"
    address = "lea@laposte.example"

    failed = it.test(name_id=address, name_id_format=kit.PERSISTENT, email=address)

    assert failed.context["result"].error.code == "nameid_email"
    assert it.state == "configured"
    it.post("activate")
    assert it.state == "configured"
    with organisation_scope(it.organisation.pk):
        assert [trace.error for trace in SignInTrace.objects.order_by("id")] == ["", "nameid_email"]


def test_another_identifier_asks_for_a_new_test(it: Wizard) -> None:
    it.configured().test(number="007")
    it.post("attributes", {"preset": "custom", "subject": "badge"})
    assert it.state == "configured"


def test_a_product_brings_its_names(it: Wizard) -> None:
    it.configured("entra")
    failed = it.test(number="007")
    assert not failed.context["result"].passed
    assert it.test(attributes=((OIDC, ("guid-1",)),)).context["result"].passed
    assert it.connection.attribute_mapping["subject"] == [OIDC]


def test_what_a_test_brought_is_forgotten(it: Wizard) -> None:
    it.configured().test(number="SECRET-7")
    with organisation_scope(it.organisation.pk):
        kept = SignInRequest.objects.get(answer__isnull=False)
        assert b"SECRET-7" not in bytes(kept.answer or b"")
        assert kept.expires_at <= timezone.now() + timedelta(hours=1)
        SignInRequest.objects.update(expires_at=timezone.now())
    assert "SECRET-7" not in it.get("attributes").text
    assert "SECRET-7" not in it.get("test").text
    assert it.state == "tested"


def test_the_answer_belongs_to_the_browser_that_asked(it: Wizard) -> None:
    it.configured()
    posted = it.company.post(it.company.answer(it.leave(), number="007"))
    ticket = posted["Location"].rpartition("t=")[2]
    # Somebody else who holds the same link, in another browser.
    other = Wizard(it.organisation, it.base)
    other.get("tested", t=ticket)
    assert it.state == "configured"
    it.browser.get(posted["Location"], follow=True)
    assert it.state == "tested"


@pytest.mark.parametrize("ticket", ["", "x", "\x00", "a" * 500])
def test_a_wrong_ticket_changes_nothing(it: Wizard, ticket: str) -> None:
    assert it.configured().get("tested", t=ticket)["Location"] == f"{it.base}test/"
    assert it.state == "configured"


# --- The owner --------------------------------------------------------------------------------------------------


def test_an_owner_goes_the_same_way(owner: Wizard, as_odile: Client) -> None:
    assert owner.state == "draft"
    owner.configured()
    assert owner.post("attributes", {"preset": "automatic"})["Location"] == f"{owner.base}domains/"
    assert "laposte.example" in owner.get("domains").text
    page = owner.test(number="007", email="a@laposte.example")
    assert page.redirect_chain[-1][0] == f"{owner.base}test/"
    assert len(page.context["result"].checks) == 6
    assert owner.post("activate").status_code == 200
    assert owner.state == "active"
    assert owner.company.sign_in(Client(), number="007").status_code == 302


def test_an_owner_continues_what_the_link_began(it: Wizard, as_odile: Client) -> None:
    it.configured()
    page = as_odile.get("/o/laposte/sign-in/")
    setup = f"/o/laposte/sign-in/{it.connection.public_id}/setup/"
    assert setup in page.text
    owner = Wizard(it.organisation, setup, as_odile)
    owner.test(number="007")
    owner.post("activate")
    assert owner.state == "active"
    assert it.get().status_code == 410


def test_an_empty_draft_is_taken_up_again(owner: Wizard, as_odile: Client) -> None:
    as_odile.post("/o/laposte/sign-in/new/", {"vendor": "okta"})
    with organisation_scope(owner.organisation.pk):
        assert Connection.objects.get().vendor == "okta"


def test_what_has_been_in_use_is_not_set_up_anew(poste: Company, as_odile: Client) -> None:
    used = Wizard(poste.organisation, f"/o/laposte/sign-in/{poste.connection.public_id}/setup/", as_odile, poste.keys)
    for step in ("", "provider", "metadata", "check", "attributes"):
        assert used.get(step)["Location"] == "/o/laposte/sign-in/"
    used.post("attributes", {"preset": "custom", "subject": "badge"})
    assert used.connection.attribute_mapping == {}
    # It can be tested at any time, and that changes nothing.
    assert used.test(number="007").context["result"].passed
    assert (used.state, used.connection.attribute_mapping) == ("active", {})


def test_a_draft_lets_nobody_in_and_breaks_no_page(it: Wizard, as_odile: Client) -> None:
    it.choose()
    connection = it.connection
    assert Client().get(f"/sso/{connection.public_id}/login/").status_code == 403
    assert as_odile.post(f"/o/laposte/sign-in/{connection.public_id}/test/").status_code == 302
    assert as_odile.get("/o/laposte/sign-in/").status_code == 200
    assert as_odile.get("/o/laposte/").status_code == 200


def test_owners_make_list_and_withdraw_links(as_odile: Client, laposte: Organisation, airbus: Organisation) -> None:
    made = as_odile.post("/o/laposte/sign-in/links/new/", {"recipient": "DSI Sud"})
    url = made.context["url"]
    assert url.startswith("http://localhost:8000/setup/")
    path = url.removeprefix("http://localhost:8000")
    listed = as_odile.get("/o/laposte/sign-in/")
    assert "DSI Sud" in listed.text
    assert path not in listed.text
    assert Client().get(path).status_code == 200
    with organisation_scope(laposte.pk):
        link = SetupLink.objects.get()
    with organisation_scope(airbus.pk):
        theirs, _token = create_setup_link(actor=OPERATOR, organisation=airbus)
    assert as_odile.post(f"/o/laposte/sign-in/links/{theirs.pk}/revoke/").status_code == 404

    as_odile.post(f"/o/laposte/sign-in/links/{link.pk}/revoke/")

    assert Client().get(path).status_code == 410
    assert as_odile.post("/o/laposte/sign-in/links/new/", {"recipient": "x" * 300}).status_code == 422


def test_the_set_up_creates_nobody(it: Wizard) -> None:
    before = (User.objects.count(), Affiliation.objects.count())
    it.configured().test(number="007", email="it@laposte.example")
    assert (User.objects.count(), Affiliation.objects.count()) == before
    with organisation_scope(it.organisation.pk):
        assert not Identity.objects.exists()


def test_what_the_test_refuses_admits_nobody_either(it: Wizard) -> None:
    it.configured().test(number="007")
    it.post("activate")
    browser = Client()

    answer = it.company.post(it.company.answer(it.company.begin(browser), name_id="it@laposte.example"))

    assert answer.status_code == 400
    with organisation_scope(it.organisation.pk):
        assert SignInTrace.objects.latest("id").error == "nameid_email"
        assert not Identity.objects.exists()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"audiences": (("https://other.example",),)}, "audience_mismatch"),
        ({"name_id": "it@laposte.example"}, "nameid_email"),
    ],
)
def test_a_failed_test_takes_back_what_an_earlier_one_had_shown(it: Wizard, said: dict[str, Any], error: str) -> None:
    it.configured().test(number="007")
    assert it.state == "tested"

    page = it.test(**said)

    assert not page.context["passed"]
    assert f'href="{it.base}activate/"' not in page.text.partition('class="actions"')[2]
    assert (it.state, it.connection.tested_at) == ("configured", None)
    assert it.get("activate")["Location"] == f"{it.base}test/"
    with pytest.raises(Refusal) as refused, organisation_scope(it.organisation.pk):
        activate_connection(actor=OPERATOR, organisation=it.organisation, connection=it.connection)
    assert refused.value.code == "not_tested"
    with organisation_scope(it.organisation.pk):
        assert SignInTrace.objects.latest("id").error == error
    assert it.test(number="007").context["passed"]


def test_an_answer_posted_again_takes_nothing_back(it: Wizard) -> None:
    answer = it.configured().company.answer(it.leave(), number="007")
    it.browser.get(it.company.post(answer)["Location"], follow=True)
    assert it.state == "tested"

    assert it.company.post(answer).status_code == 303

    assert it.state == "tested"


def test_a_failed_test_of_what_is_switched_on_changes_nothing(it: Wizard, as_odile: Client) -> None:
    it.configured().test(number="007")
    it.post("activate")
    owner = Wizard(it.organisation, f"/o/laposte/sign-in/{it.connection.public_id}/setup/", as_odile, it.keys)

    page = owner.test(name_id="it@laposte.example")

    assert not page.context["passed"]
    assert (owner.state, owner.connection.tested_at is None) == ("active", False)


def test_a_private_key_is_called_one_and_never_sent_back(it: Wizard) -> None:
    fields = {"entity_id": it.entity_id, "sso_url": "https://idp.theirs.example/sso"}
    answer = it.choose().post("metadata", {**fields, "certificate": it.keys.private_pem})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["certificate"]
    assert it.keys.private_pem.splitlines()[1] not in words(answer)
    assert it.entity_id in answer.text
