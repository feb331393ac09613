"""The roster: found by name, number and address, page after page, and a person's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.people.models import Employee
from portal.people.selectors import user_actor
from portal.people.services import open_support_access
from portal.progress.services import record_completions
from tests.factories.people import make_employee
from tests.portal.dashboards.conftest import begin

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation
    from portal.people.models import User

pytestmark = pytest.mark.django_db(databases=["default"])


def names(client: Client, **search: str) -> list[str]:
    answer = client.post("/o/laposte/roster/", search)
    assert answer.status_code == 200
    return [employee.last_name for employee in answer.context["page"].employees]


@pytest.mark.parametrize(
    "text",
    ["lefev", "LEFÈVRE amélie", "Amélie Lefèvre", "00412877", "amelie.lefevre", "Amelie.Lefevre@laposte.example"],
)
def test_a_person_is_found(as_helene: Client, amelie: Employee, vague: Cohort, text: str) -> None:
    assert names(as_helene, q=text) == ["Lefèvre"]


@pytest.mark.parametrize("text", ["melie", "412877", "lefevre@laposte.example", "!?"])
def test_nobody_is_found_by_a_part_from_the_middle(as_helene: Client, amelie: Employee, text: str) -> None:
    assert names(as_helene, q=text) == []


def test_the_filters_count(as_helene: Client, laposte: Organisation, vague: Cohort) -> None:
    make_employee(laposte, "9", last_name="Parti", site="Nantes", active=False)

    lyon = as_helene.get("/o/laposte/roster/", {"site": "Lyon"})
    gone = as_helene.get("/o/laposte/roster/", {"state": "inactive"})

    assert {employee.site for employee in lyon.context["page"].employees} == {"Lyon"}
    assert lyon.context["site_size"] == 4
    assert [employee.last_name for employee in gone.context["page"].employees] == ["Parti"]


def test_pages_follow_each_other_without_gap_or_repeat(as_helene: Client, laposte: Organisation) -> None:
    begin(laposte, 120)
    with organisation_scope(laposte.pk):
        Employee.objects.filter(employee_number__lt="00000060").update(sort_name="martin zoe")
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = as_helene.get("/o/laposte/roster/", {"after": str(after)} if after else {}).context["page"]
        seen += [employee.pk for employee in page.employees]
        after = page.after

    assert len(seen) == len(set(seen)) == 120


def test_names_stay_out_of_addresses(as_helene: Client, laposte: Organisation) -> None:
    begin(laposte, 60)
    answer = as_helene.get("/o/laposte/roster/")

    assert f"after={answer.context['page'].after}" in answer.text
    assert 'method="post"' in answer.text


@pytest.mark.parametrize("query", ["after=x", "after=99999999999999999999", "after=²", "state=none", "site=None"])
def test_a_wrong_address_is_no_failure(as_helene: Client, vague: Cohort, query: str) -> None:
    assert as_helene.get(f"/o/laposte/roster/?{query}").status_code == 200


def test_the_queries_do_not_grow_with_the_people(
    as_helene: Client, laposte: Organisation, queries: Callable[[Client, str], int]
) -> None:
    begin(laposte, 4)
    few = queries(as_helene, "/o/laposte/roster/")
    begin(laposte, 60, cohort_name="Vague 2")

    assert queries(as_helene, "/o/laposte/roster/") == few <= 20


def test_the_roster_is_not_for_viewers_nor_for_others(as_victor: Client, as_oscar: Client, amelie: Employee) -> None:
    for path in ("/o/laposte/roster/", f"/o/laposte/roster/{amelie.pk}/"):
        assert as_victor.get(path).status_code == 403
        assert as_oscar.get(path).status_code == 404


def test_another_organisation_s_person_does_not_exist(as_oscar: Client, amelie: Employee) -> None:
    assert as_oscar.get(f"/o/airbus/roster/{amelie.pk}/").status_code == 404
    assert as_oscar.post(f"/o/airbus/roster/{amelie.pk}/", {"last_name": "X"}).status_code == 404


def test_the_story_is_told_newest_first(
    as_helene: Client, laposte: Organisation, vague: Cohort, queries: Callable[[Client, str], int]
) -> None:
    with organisation_scope(laposte.pk):
        person = Employee.objects.get(employee_number="00000001")
    path = f"/o/laposte/roster/{person.pk}/"
    before = queries(as_helene, path)
    facts = [
        {
            "event_id": f"e{number}",
            "organisation": "laposte",
            "programme": "objectif-ia",
            "event": event,
            "occurred_at": f"2026-10-0{number}T08:00:00Z",
            "employee_number": "00000001",
            "progress": 10 * number,
        }
        for number, event in enumerate(("started", "progressed", "completed", "certified", "revoked"), start=1)
    ]
    record_completions(actor=OPERATOR, events=list(enumerate(facts, start=1)))

    story = as_helene.get(path).context["story"]

    assert [happening.at for happening in story] == sorted((each.at for each in story), reverse=True)
    assert sum(each.detail == "Objectif IA" for each in story) == 5
    assert queries(as_helene, path) == before


@pytest.fixture
def record(amelie: Employee) -> dict[str, str]:
    return {
        "last_name": amelie.last_name,
        "first_name": amelie.first_name,
        "employee_number": amelie.employee_number,
        "email": amelie.email,
        "site": amelie.site,
        "active": "on",
    }


def test_an_edit_is_kept_from_files(
    as_helene: Client, laposte: Organisation, amelie: Employee, record: dict[str, str]
) -> None:
    path = f"/o/laposte/roster/{amelie.pk}/"

    assert as_helene.post(path, {**record, "site": "Siège"}).status_code == 302

    with organisation_scope(laposte.pk):
        amelie.refresh_from_db()
    assert (amelie.site, amelie.edited, amelie.active) == ("Siège", ["site"], True)
    assert as_helene.get(path).context["kept"]


def test_deactivating_ends_the_person_s_session(
    as_helene: Client, as_amelie: Client, amelie: Employee, record: dict[str, str]
) -> None:
    assert as_amelie.get("/me/").status_code == 200
    del record["active"]

    as_helene.post(f"/o/laposte/roster/{amelie.pk}/", record)

    assert as_amelie.get("/me/")["Location"] == "/"


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "", "employee_number": ""},
        {"email": "not an address"},
        {"left_on": "2001-01-01"},
        {"employee_number": "taken"},
    ],
)
def test_a_wrong_edit_is_told_and_changes_nothing(
    as_helene: Client, laposte: Organisation, amelie: Employee, record: dict[str, str], wrong: dict[str, str]
) -> None:
    make_employee(laposte, "taken")

    answer = as_helene.post(f"/o/laposte/roster/{amelie.pk}/", {**record, "site": "Siège", **wrong})

    assert answer.status_code == 422
    assert answer.context["form"].errors
    with organisation_scope(laposte.pk):
        amelie.refresh_from_db()
    assert amelie.site == "PDC Lyon Est"


def test_support_reads_a_person_and_the_organisation_sees_it(
    as_manon: Client, manon: User, laposte: Organisation, amelie: Employee, record: dict[str, str]
) -> None:
    path = f"/o/laposte/roster/{amelie.pk}/"
    assert as_manon.get(path).status_code == 404
    with organisation_scope(laposte.pk):
        actor = user_actor(manon, on_behalf_of_programme=True)
        open_support_access(actor=actor, organisation=laposte, user=manon, reason="Ticket 12")

    assert as_manon.get(path).status_code == 200
    assert as_manon.post(path, record).status_code == 403
    with organisation_scope(laposte.pk):
        seen = AuditEvent.objects.filter(action="people:employee:see", subject=str(amelie.pk))
        assert [event.on_behalf_of_programme for event in seen] == [True]
