"""A printed code, from HR's paper to the learner's page: used once, by a real passkey, for one employee alone."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.enrolments.models import Enrolment
from portal.organisations.models import Door
from portal.people.codes import bearer_of, print_codes, read_code, revoke_code, use_code
from portal.people.models import AccessCode, Affiliation, Employee, Membership, User
from portal.people.services import grant_role
from portal.waves.code_limits import MOST_FAILURES, MOST_TRIES
from tests.factories.people import make_employee, make_learner, sign_in
from tests.portal.waves.authenticator import VERIFIED, Device

if TYPE_CHECKING:
    from pytest_django.fixtures import DjangoAssertNumQueries

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation
    from portal.people.codes import Slip

pytestmark = pytest.mark.django_db

CODE, PASSKEY, SIGN_IN, ME = "/code/", "/code/passkey/", "/code/sign-in/", "/me/"


def printed(organisation: Organisation, site: str = "Brest", **choices: Any) -> list[Slip]:
    with organisation_scope(organisation.pk):
        return print_codes(actor=OPERATOR, organisation=organisation, site=site, **{"without_address": True, **choices})


@pytest.fixture
def slip(laposte: Organisation, cohort: Cohort) -> Slip:
    """The slip of the one person in Brest who has no address."""
    (slip,) = printed(laposte)
    return slip


def type_code(code: str, client: Client | None = None) -> Client:
    client = client or Client()
    assert client.post(CODE, {"code": code})["Location"] == PASSKEY
    return client


def asked(client: Client) -> dict[str, Any]:
    options = client.get(PASSKEY).context["js_data"]["creation_options"]
    return dict(json.loads(json.dumps(options, default=dict)))


def come_in(code: str, device: Device, client: Client | None = None) -> Client:
    client = type_code(code, client)
    answer = client.post(PASSKEY, {"credential": device.make(asked(client))})
    assert answer["Location"] == ME, answer.content.decode()
    return client


def come_back(device: Device) -> tuple[Client, str]:
    client = Client()
    options = client.get(SIGN_IN).json()["request_options"]
    return client, client.post(SIGN_IN, {"credential": device.sign(options)})["Location"]


def events(organisation: Organisation) -> list[str]:
    with organisation_scope(organisation.pk):
        found = AuditEvent.objects.filter(action__regex="people:(code|passkey)").order_by("pk")
        return list(found.values_list("action", flat=True))


def test_from_the_slip_to_the_course_and_back_with_the_passkey(laposte: Organisation, slip: Slip) -> None:
    device = Device()
    client = come_in(slip.code.lower().replace("-", " "), device)
    assert client.get(ME).status_code == 200
    with organisation_scope(laposte.pk):
        code = AccessCode.objects.get()
        user = User.objects.get(username__startswith="code:")
        assert code.user_id == user.pk
        assert user.username.startswith("code:")
        assert not user.has_usable_password()
        assert Affiliation.objects.get(user=user).employee_id == code.employee_id
        assert Enrolment.objects.get(employee=code.employee_id).state == "active"
        assert Employee.objects.get(pk=code.employee_id).learner_id == user.learner_id
        assert not Membership.objects.filter(user=user).exists()
    client, where = come_back(device)
    assert where == ME
    assert client.get(ME).status_code == 200
    assert client.session["doors"] == [laposte.pk]
    assert events(laposte) == ["people:code:print", "people:code:use", "people:passkey:sign-in"]


def test_it_opens_no_page_of_staff_nor_of_accounts(laposte: Organisation, slip: Slip) -> None:
    client = come_in(slip.code, Device())
    for address in (
        *(
            "/o/laposte/",
            "/o/laposte/roster/",
            "/o/laposte/cohorts/codes/",
            "/manage/",
            "/account/2fa/",
            "/account/email/",
        ),
        *("/account/password/change/", "/account/2fa/webauthn/add/", "/account/password/set/"),
    ):
        assert client.get(address).status_code == 404, address


def test_the_staff_sign_in_sends_it_back_to_its_own_door(laposte: Organisation, slip: Slip) -> None:
    device = Device()
    come_in(slip.code, device)
    client = Client()
    address = reverse("mfa_login_webauthn")
    options = client.get(address, headers={"accept": "application/json"}).json()["request_options"]
    answer = client.post(address, {"credential": device.sign(options)})
    assert answer["Location"] == CODE
    assert "_auth_user_id" not in client.session


def test_a_staff_passkey_opens_nothing_here(laposte: Organisation, slip: Slip) -> None:
    device = Device()
    come_in(slip.code, device)
    User.objects.filter(username__startswith="code:").update(username="odile@laposte.example")
    client, where = come_back(device)
    assert where == CODE
    assert "_auth_user_id" not in client.session


def test_a_code_is_used_once(laposte: Organisation, slip: Slip) -> None:
    first, second = type_code(slip.code), type_code(slip.code)
    options = asked(second)
    come_in(slip.code, Device(), first)
    late = second.post(PASSKEY, {"credential": Device().make(options)})
    assert late["Location"] == CODE
    assert Client().post(CODE, {"code": slip.code}).status_code == 422
    assert Authenticator.objects.count() == 1
    with organisation_scope(laposte.pk):
        code = AccessCode.objects.get()
        with pytest.raises(Refusal) as refusal:
            use_code(organisation=laposte, code_id=code.pk, user_id=code.user_id or 0, credential={})
    assert refusal.value.code == "code_spent"


def _expire(organisation: Organisation) -> None:
    AccessCode.objects.update(expires_at=timezone.now() - timedelta(minutes=1))


def _revoke(organisation: Organisation) -> None:
    revoke_code(actor=OPERATOR, organisation=organisation, code_id=AccessCode.objects.get().pk)


def _leave(organisation: Organisation) -> None:
    Employee.objects.update(active=False)


def _link(organisation: Organisation) -> None:
    make_learner(organisation, Employee.objects.get(email="", site="Brest"), "Amélie")


def _close(organisation: Organisation) -> None:
    type(organisation).objects.filter(pk=organisation.pk).update(active=False)


@pytest.mark.parametrize("what", [_expire, _revoke, _leave, _link, _close])
def test_every_code_that_opens_nothing_gets_the_same_answer(laposte: Organisation, slip: Slip, what: Any) -> None:
    """Also when it happens between the code and the passkey."""
    typed = type_code(slip.code)
    options = asked(typed)
    with organisation_scope(laposte.pk):
        what(laposte)
    assert typed.post(PASSKEY, {"credential": Device().make(options)})["Location"] == CODE
    unknown = Client().post(CODE, {"code": "2345-6789-BCDF"})
    answer = Client().post(CODE, {"code": slip.code})
    assert answer.status_code == unknown.status_code == 422
    assert answer.context["form"].errors == unknown.context["form"].errors
    assert not Authenticator.objects.exists()


def test_nothing_readable_is_kept(laposte: Organisation, slip: Slip) -> None:
    with organisation_scope(laposte.pk):
        code, door = AccessCode.objects.get(), Door.objects.get(kind="code")
        kept = [
            bytes(code.digest),
            bytes(door.digest),
            *(json.dumps(e.data).encode() for e in AuditEvent.objects.all()),
        ]
    plain = read_code(slip.code)
    assert len(plain) == 12
    assert not any(plain.encode() in each for each in kept)
    client = type_code(slip.code)
    assert plain not in json.dumps(dict(client.session))


def test_a_new_print_replaces_the_slip_that_was_lost(laposte: Organisation, slip: Slip) -> None:
    (again,) = printed(laposte)
    assert bearer_of(slip.code) is None
    assert bearer_of(again.code) is not None


def test_a_lost_telephone_is_the_same_person_with_another_code(laposte: Organisation, slip: Slip) -> None:
    lost, found = Device(), Device()
    client = come_in(slip.code, lost)
    with pytest.raises(Refusal) as refusal:
        printed(laposte)
    assert refusal.value.code == "nobody_to_print_for"
    with organisation_scope(laposte.pk):
        code = AccessCode.objects.get()
        revoke_code(actor=OPERATOR, organisation=laposte, code_id=code.pk)
        revoke_code(actor=OPERATOR, organisation=laposte, code_id=code.pk)
    assert client.get(ME)["Location"].startswith("/account/login/")
    assert come_back(lost)[1] == CODE
    (again,) = printed(laposte)
    come_in(again.code, found)
    assert come_back(found)[1] == ME
    assert come_back(lost)[1] == CODE
    assert User.objects.filter(username__startswith="code:").count() == 1
    assert events(laposte).count("people:code:revoke") == 1


def test_whoever_leaves_is_out_at_once(laposte: Organisation, slip: Slip) -> None:
    device = Device()
    client = come_in(slip.code, device)
    with organisation_scope(laposte.pk):
        Employee.objects.update(active=False)
    assert client.get(ME)["Location"] == "/"
    assert come_back(device)[1] == CODE


def test_it_never_gets_a_role(laposte: Organisation, slip: Slip) -> None:
    come_in(slip.code, Device())
    user = User.objects.get(username__startswith="code:")
    with organisation_scope(laposte.pk), pytest.raises(Refusal) as refusal:
        grant_role(actor=OPERATOR, organisation=laposte, user=user, role=Membership.Role.REPORT_VIEWER)
    assert refusal.value.code == "learner_only"


def test_whoever_is_signed_in_here_is_signed_out_first(laposte: Organisation, slip: Slip, odile: User) -> None:
    client = come_in(slip.code, Device(), sign_in(odile, laposte))
    assert client.get("/o/laposte/").status_code == 404


@pytest.mark.parametrize(
    "credential",
    ["", "null", "{}", "[]", '{"type": "public-key"}', '{"id": 1, "rawId": "x", "response": {}}', "not JSON"],
)
def test_what_no_device_answers_makes_no_passkey(laposte: Organisation, slip: Slip, credential: str) -> None:
    client = type_code(slip.code)
    client.get(PASSKEY)
    assert client.post(PASSKEY, {"credential": credential}).status_code == 422
    client.get(SIGN_IN)
    assert client.post(SIGN_IN, {"credential": credential})["Location"] == CODE
    assert not Authenticator.objects.exists()
    come_in(slip.code, Device(), client)


def test_a_passkey_needs_the_finger_and_our_question(laposte: Organisation, slip: Slip) -> None:
    client = type_code(slip.code)
    unverified = Device().make(asked(client), flags=VERIFIED & ~0x04)
    assert client.post(PASSKEY, {"credential": unverified}).status_code == 422
    replayed = Device().make(asked(client), challenge="AAAA")
    assert client.post(PASSKEY, {"credential": replayed}).status_code == 422
    assert not Authenticator.objects.exists()


def test_codes_cannot_be_tried_without_end(laposte: Organisation, slip: Slip) -> None:
    client = Client()
    tries = [client.post(CODE, {"code": f"2222-2222-{n:04}"}).status_code for n in range(MOST_FAILURES + 1)]
    assert tries == [422] * MOST_FAILURES + [429]
    assert client.post(CODE, {"code": slip.code}).status_code == 429
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post(CODE, {"code": slip.code}).status_code == 302


def test_one_code_cannot_be_tried_from_everywhere(laposte: Organisation) -> None:
    tries = [
        Client(REMOTE_ADDR=f"192.0.2.{n}").post(CODE, {"code": "BCDF-GHJK-MNPQ"}).status_code
        for n in range(MOST_TRIES + 1)
    ]
    assert tries == [422] * MOST_TRIES + [429]


def test_without_a_code_there_is_no_passkey(laposte: Organisation) -> None:
    assert Client().get(PASSKEY)["Location"] == CODE
    assert Client().post(PASSKEY, {"credential": "{}"})["Location"] == CODE


def test_codes_of_another_organisation_are_not_there(laposte: Organisation, slip: Slip, as_oscar: Client) -> None:
    with organisation_scope(laposte.pk):
        code = AccessCode.objects.get()
    assert as_oscar.post(reverse("code_revoke", args=["airbus", code.pk])).status_code == 404
    assert "Lefèvre" not in as_oscar.get(reverse("codes", args=["airbus"])).content.decode()
    assert as_oscar.post(reverse("codes_print", args=["airbus"]), {"site": "Brest"}).status_code == 422
    assert bearer_of(slip.code) is not None


def test_hr_prints_follows_and_withdraws(as_helene: Client, laposte: Organisation, cohort: Cohort) -> None:
    answer = as_helene.post(reverse("codes_print", args=["laposte"]), {"site": "Brest"})
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Cache-Control"] == "private, no-store" or "no-store" in answer["Cache-Control"]
    assert answer.content.startswith(b"%PDF-")
    page = as_helene.get(reverse("codes", args=["laposte"])).content.decode()
    assert "pas encore utilisé" in page
    with organisation_scope(laposte.pk):
        code = AccessCode.objects.get()
    found = as_helene.post(reverse("codes", args=["laposte"]), {"q": "Lefèvre"})
    assert [line["code"].pk for line in found.context["lines"]] == [code.pk]
    assert as_helene.post(reverse("codes", args=["laposte"]), {"q": "Nobody"}).context["lines"] == []
    gone = as_helene.post(reverse("code_revoke", args=["laposte", code.pk]), follow=True).content.decode()
    assert "retiré" in gone
    nobody = as_helene.post(reverse("codes_print", args=["laposte"]), {"site": "Lyon"})
    assert nobody.status_code == 422
    assert as_helene.post(reverse("codes_print", args=["laposte"]), {"site": "Nowhere"}).status_code == 422


def test_hr_is_asked_again_before_codes_are_printed(helene: User, laposte: Organisation, cohort: Cohort) -> None:
    client = sign_in(helene, laposte, confirmed=False)
    answer = client.post(reverse("codes_print", args=["laposte"]), {"site": "Brest"})
    assert answer.status_code == 302
    with organisation_scope(laposte.pk):
        assert not AccessCode.objects.exists()


def test_the_list_costs_the_same_whatever_it_holds(
    as_helene: Client, laposte: Organisation, cohort: Cohort, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    address = reverse("codes", args=["laposte"])
    printed(laposte)
    as_helene.get(address)
    with django_assert_num_queries(14) as few:
        as_helene.get(address)
    for number in range(6, 12):
        make_employee(laposte, str(number), site="Brest")
    printed(laposte)
    with django_assert_num_queries(len(few)):
        as_helene.get(address)


def test_sheets_are_printed_for_each_site(as_helene: Client, cohort: Cohort) -> None:
    answer = as_helene.get(reverse("wave_sheets", args=["laposte", cohort.pk]))
    assert answer.content.startswith(b"%PDF-")
    # Brest and Lyon: the pages of an uncompressed page tree.
    assert b"/Count 2" in answer.content
