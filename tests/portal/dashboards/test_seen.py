"""What my employer sees, and who looked: the exact values, this organisation's alone, a year back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from portal.audit.actions import Action
from portal.audit.models import AuditEvent
from portal.audit.services import record_event
from portal.core.actor import Actor, ActorKind
from portal.core.tenancy import organisation_scope
from portal.dashboards import seen
from portal.people.models import Affiliation, Employee
from portal.people.selectors import user_actor
from tests.factories.people import make_employee, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from portal.organisations.models import Organisation
    from portal.people.models import User

pytestmark = pytest.mark.django_db

HELENE = Actor(ActorKind.USER, "901", "Hélène Marchand")


def note(organisation: Organisation, action: Action, subject: object = "", **data: object) -> None:
    with organisation_scope(organisation.pk):
        record_event(
            actor=HELENE, organisation_id=organisation.pk, action=action, subject=str(subject), data=dict(data)
        )


def looks(client: Client, query: str = "") -> list[str]:
    return [
        look.line.action for each in client.get(f"/me/privacy/{query}").context["situations"] for look in each.looks
    ]


def test_who_opened_my_page_and_who_exported(as_amelie: Client, laposte: Organisation, amelie: Employee) -> None:
    note(laposte, Action.EMPLOYEE_SEEN, amelie.pk)
    note(laposte, Action.REPORT_EXPORTED, 3, format="xlsx")
    note(laposte, Action.SUPPORT_OPENED, reason="help")
    note(laposte, Action.EMPLOYEE_SEEN, make_employee(laposte, "00999").pk)
    note(laposte, Action.IMPORT_APPLIED, 1)

    assert looks(as_amelie) == [Action.SUPPORT_OPENED, Action.REPORT_EXPORTED, Action.EMPLOYEE_SEEN]
    assert "Hélène Marchand" in as_amelie.get("/me/privacy/").text


def test_hr_that_opens_the_page_leaves_a_trace_and_oneself_none(
    as_helene: Client, as_amelie: Client, laposte: Organisation, amelie: Employee, helene: User
) -> None:
    as_helene.get(f"/o/laposte/roster/{amelie.pk}/")
    own = make_employee(laposte, "00777", first_name="Hélène", last_name="Marchand")
    Affiliation.objects.filter(user=helene).update(employee=own)
    as_helene.get(f"/o/laposte/roster/{own.pk}/")

    assert looks(as_amelie) == [Action.EMPLOYEE_SEEN]
    with organisation_scope(laposte.pk):
        assert AuditEvent.objects.filter(action=Action.EMPLOYEE_SEEN).count() == 1


def test_another_employer_s_looks_and_values_stay_there(
    amelie_login: User, laposte: Organisation, airbus: Organisation, amelie: Employee
) -> None:
    there = make_employee(airbus, "A-77", site="Toulouse")
    Affiliation.objects.create(user=amelie_login, organisation=airbus, employee=there)
    note(airbus, Action.EMPLOYEE_SEEN, amelie.pk)
    note(airbus, Action.REPORT_EXPORTED, 1)

    assert looks(sign_in(amelie_login, laposte)) == []
    both = sign_in(amelie_login, laposte, airbus).get("/me/privacy/").context["situations"]
    # The number of another organisation's employee is nobody's here, also when it is the same.
    assert [[look.line.action for look in each.looks] for each in both] == [
        [Action.REPORT_EXPORTED, *([Action.EMPLOYEE_SEEN] if there.pk == amelie.pk else [])],
        [],
    ]


def test_what_one_does_oneself_is_no_look(
    as_amelie: Client, amelie_login: User, laposte: Organisation, amelie: Employee
) -> None:
    with organisation_scope(laposte.pk):
        record_event(
            actor=user_actor(amelie_login),
            organisation_id=laposte.pk,
            action=Action.EMPLOYEE_LINKED,
            subject=str(amelie.pk),
            data={"user": amelie_login.pk},
        )
    note(laposte, Action.EMPLOYEE_UNLINKED, amelie.pk)

    assert looks(as_amelie) == [Action.EMPLOYEE_UNLINKED]


def test_it_goes_twelve_months_back(
    as_amelie: Client, laposte: Organisation, amelie: Employee, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recorded is not the application's to change: the reader's year is shortened instead."""
    note(laposte, Action.EMPLOYEE_SEEN, amelie.pk)
    assert len(looks(as_amelie)) == 1
    assert timedelta(days=365) == seen.KEPT_FOR
    monkeypatch.setattr(seen, "KEPT_FOR", timedelta(0))

    assert looks(as_amelie) == []


def test_it_is_read_page_by_page_at_constant_cost(
    as_amelie: Client, laposte: Organisation, amelie: Employee, queries: Callable[[Client, str], int]
) -> None:
    note(laposte, Action.EMPLOYEE_SEEN, amelie.pk)
    as_amelie.get("/me/privacy/")
    few = queries(as_amelie, "/me/privacy/")
    for number in range(seen.LOOKS + 4):
        note(laposte, Action.EMPLOYEE_SEEN if number % 2 else Action.REPORT_EXPORTED, amelie.pk)

    (here,) = as_amelie.get("/me/privacy/").context["situations"]
    assert len(here.looks) == seen.LOOKS
    assert len(looks(as_amelie, f"?of=laposte&before={here.older}")) == 5
    assert queries(as_amelie, "/me/privacy/") == few


@pytest.mark.parametrize("query", ["?before=x", "?of=laposte&before=" + "9" * 40, "?of=airbus&before=3", "?of=%00"])
def test_what_is_no_place_in_the_list_begins_it_anew(
    as_amelie: Client, laposte: Organisation, amelie: Employee, query: str
) -> None:
    note(laposte, Action.EMPLOYEE_SEEN, amelie.pk)

    assert looks(as_amelie, query) == [Action.EMPLOYEE_SEEN]


def test_every_value_that_hr_keeps_is_shown(as_amelie: Client, laposte: Organisation, amelie: Employee) -> None:
    with organisation_scope(laposte.pk):
        Employee.objects.filter(pk=amelie.pk).update(
            attributes={"Grade": "ACC 2"}, manager_email="chef@laposte.example"
        )

    text = as_amelie.get("/me/privacy/").text

    for value in ("00412877", "PDC Lyon Est", "Grade", "ACC 2", "chef@laposte.example"):
        assert value in text
