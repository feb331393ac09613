"""Which doors a session opens, and when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from portal.people.models import Affiliation
from portal.people.services import create_user, deactivate_employees, grant_role
from tests.factories.people import make_employee, sign_in

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

    from portal.people.models import Employee, User

pytestmark = pytest.mark.django_db


def test_a_company_sign_in_opens_that_companys_door_only(
    laposte: Organisation, airbus: Organisation, helene: User
) -> None:
    Affiliation.objects.create(user=helene, organisation=airbus)
    with organisation_scope(airbus.pk):
        grant_role(actor=OPERATOR, organisation=airbus, user=helene, role="owner")
    browser = sign_in(helene, laposte)
    assert browser.get("/o/laposte/settings/").status_code == 403
    assert browser.get("/o/airbus/settings/").status_code == 404


def test_a_deactivated_employee_is_out_at_the_next_request(
    laposte: Organisation, amelie: Employee, as_amelie: Client
) -> None:
    assert as_amelie.get("/me/").status_code == 200
    with organisation_scope(laposte.pk):
        deactivate_employees(actor=OPERATOR, organisation=laposte, employee_ids=[amelie.pk])
    answer = as_amelie.get("/me/")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert "_auth_user_id" not in as_amelie.session


def test_a_closed_organisation_lets_nobody_stay(laposte: Organisation, as_helene: Client) -> None:
    Organisation.objects.filter(pk=laposte.pk).update(active=False)
    assert as_helene.get("/me/").status_code == 302


def test_a_password_alone_goes_nowhere_but_to_the_second_factor(laposte: Organisation, settings: Settings) -> None:
    owner = create_user(
        actor=OPERATOR, email="odile@laposte.example", role="owner", organisation=laposte, password="a long password"
    )
    browser = sign_in(owner)
    answer = browser.get("/o/laposte/settings/")
    assert (answer.status_code, answer["Location"]) == (302, "/account/2fa/")
    settings.STAFF_SECOND_FACTOR = False
    assert browser.get("/o/laposte/settings/").status_code == 200


def test_what_a_person_sets_does_not_outlive_what_the_company_decides(
    laposte: Organisation, amelie: Employee, as_amelie: Client, amelie_login: User
) -> None:
    for page in ("password/set/", "password/change/", "email/", "2fa/", "2fa/webauthn/add/", "2fa/totp/activate/"):
        assert as_amelie.get(f"/account/{page}").status_code == 404, page
        assert as_amelie.post(f"/account/{page}", {"password1": "x" * 20, "password2": "x" * 20}).status_code == 404
    assert as_amelie.get("/account/logout/").status_code == 200
    amelie_login.set_password("set by some other way")
    amelie_login.save()
    answer = Client().post("/account/login/", {"login": amelie_login.username, "password": "set by some other way"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert "_auth_user_id" not in answer.wsgi_request.session


def test_nobody_signs_up_or_adds_an_address(as_odile: Client) -> None:
    for browser in (Client(), as_odile):
        for page in ("signup/", "email/", "password/set/"):
            assert browser.get(f"/account/{page}").status_code == 404


def test_a_deactivated_member_is_out_whatever_the_session(laposte: Organisation, helene: User) -> None:
    employee = make_employee(laposte, "7")
    Affiliation.objects.filter(user=helene).update(employee=employee)
    by_password = sign_in(helene)
    assert by_password.get("/o/laposte/roster/").status_code == 200
    with organisation_scope(laposte.pk):
        deactivate_employees(actor=OPERATOR, organisation=laposte, employee_ids=[employee.pk])
    assert by_password.get("/o/laposte/roster/").status_code == 404


def test_only_the_last_owner_outlives_the_roster(laposte: Organisation, odile: User, helene: User) -> None:
    employee = make_employee(laposte, "7")
    Affiliation.objects.filter(user=odile).update(employee=employee)
    with organisation_scope(laposte.pk):
        deactivate_employees(actor=OPERATOR, organisation=laposte, employee_ids=[employee.pk])
    assert sign_in(odile, laposte).get("/o/laposte/settings/").status_code == 200
    with organisation_scope(laposte.pk):
        grant_role(actor=OPERATOR, organisation=laposte, user=helene, role="owner")
    assert sign_in(odile, laposte).get("/o/laposte/settings/").status_code == 302


def test_pages_of_people_are_kept_nowhere(as_helene: Client) -> None:
    assert "no-store" in as_helene.get("/o/laposte/roster/")["Cache-Control"]
