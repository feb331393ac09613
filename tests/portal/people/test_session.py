"""Which doors a session opens, and when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from portal.people.models import Affiliation
from portal.people.services import create_user, deactivate_employees, grant_role
from tests.factories.people import sign_in

if TYPE_CHECKING:
    from django.test import Client
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
