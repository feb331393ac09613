"""The settings of an organisation: roles, thresholds, visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.audit.models import AuditEvent
from portal.core.tenancy import organisation_scope
from portal.people.models import Affiliation, Membership
from portal.people.selectors import user_actor
from portal.people.services import open_support_access
from tests.factories.people import make_employee, make_learner, make_member, make_user, sign_in

if TYPE_CHECKING:
    from django.test import Client

    from portal.organisations.models import Organisation
    from portal.people.models import User

pytestmark = pytest.mark.django_db(databases=["default"])

SETTINGS = "/o/laposte/settings/"
VALUES = {"support_contact": "aide@laposte.example", "departure_percent": 20, "departure_floor": 5, "small_group": 12}


def roles(organisation: Organisation) -> dict[str, str]:
    with organisation_scope(organisation.pk):
        return dict(Membership.objects.values_list("user__name", "role"))


def test_only_owners_come_in(as_odile: Client, as_helene: Client, as_oscar: Client) -> None:
    assert as_odile.get(SETTINGS).status_code == 200
    for path in (SETTINGS, f"{SETTINGS}change/", f"{SETTINGS}roles/", f"{SETTINGS}roles/1/withdraw/"):
        assert as_helene.post(path).status_code == 403
        assert as_oscar.post(path).status_code == 404
    assert as_odile.get(f"{SETTINGS}roles/").status_code == 405


@pytest.mark.parametrize("text", ["Lefèvre", "00412877", "amelie.lefevre@laposte.example"])
def test_an_employee_who_signed_in_is_found(as_odile: Client, amelie_login: User, text: str) -> None:
    found = as_odile.post(SETTINGS, {"q": text}).context["found"]

    assert [affiliation.user for affiliation in found] == [amelie_login]


@pytest.mark.parametrize("text", ["kim@laposte.example", "Kim"])
def test_somebody_not_recognised_yet_is_found(as_odile: Client, laposte: Organisation, text: str) -> None:
    kim = make_user("Kim Nouveau", email="kim@laposte.example")
    Affiliation.objects.create(user=kim, organisation=laposte)

    assert [each.user for each in as_odile.post(SETTINGS, {"q": text}).context["found"]] == [kim]


def test_nobody_of_elsewhere_is_found(as_odile: Client, airbus: Organisation) -> None:
    make_learner(airbus, make_employee(airbus, "A-1", last_name="Faure"), "Jean Faure")
    make_employee(airbus, "A-2", last_name="Lefèvre")

    assert as_odile.post(SETTINGS, {"q": "Faure"}).context["found"] == []
    assert as_odile.post(SETTINGS, {"q": "Lefèvre"}).context["found"] == []


def test_a_role_is_given_and_holds_at_once(as_odile: Client, as_amelie: Client, amelie_login: User) -> None:
    assert as_amelie.get("/o/laposte/").status_code == 404

    as_odile.post(f"{SETTINGS}roles/", {"user": amelie_login.pk, "role": "report_viewer"})

    assert as_amelie.get("/o/laposte/").status_code == 200


def test_nobody_unknown_here_gets_a_role(as_odile: Client, laposte: Organisation, oscar: User, manon: User) -> None:
    before = roles(laposte)
    for user in (oscar, manon):
        answer = as_odile.post(f"{SETTINGS}roles/", {"user": user.pk, "role": "owner"})
        assert answer.status_code == 404
    assert as_odile.post(f"{SETTINGS}roles/", {"user": "x", "role": "owner"}).status_code == 404
    assert roles(laposte) == before


def test_a_role_that_does_not_exist_is_not_given(as_odile: Client, laposte: Organisation, helene: User) -> None:
    assert as_odile.post(f"{SETTINGS}roles/", {"user": helene.pk, "role": "account_manager"}).status_code == 404
    assert roles(laposte)["Hélène Marchand"] == "roster_manager"


def test_a_role_is_withdrawn_and_ends_at_once(as_odile: Client, as_helene: Client, helene: User) -> None:
    assert as_helene.get("/o/laposte/").status_code == 200

    as_odile.post(f"{SETTINGS}roles/{helene.pk}/withdraw/")

    assert as_helene.get("/o/laposte/").status_code == 404


def test_the_last_owner_stays(as_odile: Client, odile: User, laposte: Organisation) -> None:
    for path, data in (
        (f"{SETTINGS}roles/{odile.pk}/withdraw/", {}),
        (f"{SETTINGS}roles/", {"user": odile.pk, "role": "report_viewer"}),
    ):
        answer = as_odile.post(path, data, follow=True)
        assert answer.status_code == 200
        assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    assert roles(laposte)["Odile Garnier"] == "owner"


def test_an_owner_goes_out_by_another_owner_only(as_odile: Client, odile: User, laposte: Organisation) -> None:
    paul = make_member(laposte, "Paul Second", Membership.Role.OWNER)

    as_odile.post(f"{SETTINGS}roles/{odile.pk}/withdraw/")
    assert as_odile.get(SETTINGS).status_code == 200
    sign_in(paul, laposte).post(f"{SETTINGS}roles/{odile.pk}/withdraw/")
    assert as_odile.get(SETTINGS).status_code == 404


def test_settings_are_changed_and_audited_without_the_contact(as_odile: Client, laposte: Organisation) -> None:
    assert as_odile.post(f"{SETTINGS}change/", VALUES).status_code == 302
    as_odile.post(f"{SETTINGS}change/", VALUES)

    laposte.refresh_from_db()
    assert {name: getattr(laposte, name) for name in VALUES} == VALUES
    with organisation_scope(laposte.pk):
        (event,) = AuditEvent.objects.filter(action="organisations:settings:change")
    assert event.data["numbers"] == {"departure_percent": [10, 20], "departure_floor": [3, 5], "small_group": [10, 12]}
    assert "aide@" not in str(event.data)


@pytest.mark.parametrize("wrong", [{"departure_percent": 100}, {"departure_floor": 0}, {"small_group": 1}])
def test_the_safeguards_cannot_be_switched_off(as_odile: Client, laposte: Organisation, wrong: dict[str, int]) -> None:
    answer = as_odile.post(f"{SETTINGS}change/", {**VALUES, **wrong})

    assert answer.status_code == 422
    laposte.refresh_from_db()
    assert (laposte.departure_percent, laposte.departure_floor, laposte.small_group) == (10, 3, 10)


def test_visits_of_the_programme_are_listed(as_odile: Client, manon: User, laposte: Organisation) -> None:
    with organisation_scope(laposte.pk):
        actor = user_actor(manon, on_behalf_of_programme=True)
        open_support_access(actor=actor, organisation=laposte, user=manon, reason="Ticket 12")

    text = as_odile.get(SETTINGS).text
    assert "Manon Petit" in text
    assert "Ticket 12" in text


def test_the_queries_do_not_grow_with_the_members(as_odile: Client, laposte: Organisation) -> None:
    counts = []
    for number in (1, 5):
        for each in range(number):
            make_member(laposte, f"Membre {number} {each}", Membership.Role.REPORT_VIEWER)
        with CaptureQueriesContext(connection) as captured:
            assert as_odile.get(SETTINGS).status_code == 200
        counts.append(len(captured))

    assert counts[0] == counts[1] <= 18
