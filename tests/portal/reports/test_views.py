"""The pages about cohorts: works, other tenant 404, wrong role 403, bad id 404, wrong method 405, constant queries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.audit.actions import Action
from portal.audit.models import AuditEvent
from portal.cohorts.models import Cohort
from portal.core.tenancy import organisation_scope
from tests.factories.progress import caught_up, enrol, event, make_cohort, make_people, record

if TYPE_CHECKING:
    from django.test import Client

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort(laposte: Organisation) -> Cohort:
    cohort = make_cohort(laposte)
    enrol(laposte, cohort, [*make_people(laposte, 12, site="Lyon"), *make_people(laposte, 3, site="Nantes")])
    record(event("certified", "Lyon-0001"))
    caught_up(laposte)
    return cohort


def url(name: str, *args: object) -> str:
    return reverse(name, args=["laposte", *args])


def pages(cohort: Cohort) -> list[str]:
    return [
        url("cohorts"),
        url("cohort", cohort.pk),
        url("reports"),
        *(url("cohort_report_file", cohort.pk, kind) for kind in ("csv", "xlsx", "json")),
    ]


def words(content: bytes) -> str:
    """The page, its runs of white space as single spaces."""
    return " ".join(content.decode().split())


def test_the_title_is_the_answer(as_helene: Client, cohort: Cohort) -> None:
    as_helene.cookies["django_language"] = "en"
    page = words(as_helene.get(url("cohort", cohort.pk)).content)
    assert "<h1> 1 person certified of 15 enrolled. </h1>" in page
    assert "not shown: small group" in page
    assert "Nantes" in page
    assert "<h1> 1 person certified of 15 enrolled. </h1>" in words(as_helene.get(url("cohorts")).content)


def test_pages_are_open_to_those_who_read_reports(as_victor: Client, as_helene: Client, cohort: Cohort) -> None:
    for page in pages(cohort):
        assert as_victor.get(page).status_code == 200, page
        assert as_helene.get(page).status_code == 200, page


def test_for_others_they_do_not_exist(as_oscar: Client, as_amelie: Client, as_manon: Client, cohort: Cohort) -> None:
    for page in [*pages(cohort), url("cohort_new")]:
        assert as_oscar.get(page).status_code == 404, page
        assert as_amelie.get(page).status_code == 404, page
        assert as_manon.get(page).status_code == 404, page


def test_another_organisations_cohort_does_not_exist(
    as_helene: Client, laposte: Organisation, airbus: Organisation
) -> None:
    elsewhere = make_cohort(airbus)
    for page in (url("cohort", elsewhere.pk), url("cohort_report_file", elsewhere.pk, "csv"), url("cohort", 10**18)):
        assert as_helene.get(page).status_code == 404, page


def test_an_unknown_format_does_not_exist(as_helene: Client, cohort: Cohort) -> None:
    assert as_helene.get(url("cohort_report_file", cohort.pk, "exe")).status_code == 404


def test_pages_reject_post(as_helene: Client, cohort: Cohort) -> None:
    for page in pages(cohort):
        assert as_helene.post(page).status_code == 405, page


def test_a_download_is_a_recorded_file(as_victor: Client, laposte: Organisation, cohort: Cohort) -> None:
    response = as_victor.get(url("cohort_report_file", cohort.pk, "json"))
    assert json.loads(response.content)["certified"] == 1
    assert response["Content-Disposition"].startswith('attachment; filename="laposte-vague-1-')
    assert response["Cache-Control"] == "no-store, private"
    with organisation_scope(laposte.pk):
        exported = AuditEvent.objects.get(action=Action.REPORT_EXPORTED)
    assert (exported.subject, exported.data) == (str(cohort.pk), {"format": "json"})


def test_empty_pages_say_what_to_do(as_helene: Client, laposte: Organisation) -> None:
    as_helene.cookies["django_language"] = "en"
    assert "There is no cohort yet." in as_helene.get(url("cohorts")).content.decode()
    assert "There is nothing to report yet." in as_helene.get(url("reports")).content.decode()
    empty = make_cohort(laposte)
    assert "Nobody is enrolled in this cohort yet." in as_helene.get(url("cohort", empty.pk)).content.decode()
    # It is on the list before anything was counted.
    assert "Vague 1" in as_helene.get(url("cohorts")).content.decode()


def test_a_cohort_is_created(as_helene: Client, laposte: Organisation) -> None:
    form = as_helene.get(url("cohort_new"))
    assert form.status_code == 200
    response = as_helene.post(
        url("cohort_new"), {"name": " Vague  3 ", "programme": "objectif-ia", "starts_on": "2026-12-01", "ends_on": ""}
    )
    with organisation_scope(laposte.pk):
        created = Cohort.objects.get()
    assert created.name == "Vague 3"
    assert response.headers["Location"] == url("cohort", created.pk)


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"starts_on": "2026-12-02"}, {"programme": "unheard-of"}, {"starts_on": "soon"}]
)
def test_a_wrong_cohort_is_explained(as_helene: Client, laposte: Organisation, changes: dict[str, str]) -> None:
    sent = {"name": "Vague 3", "programme": "objectif-ia", "starts_on": "", "ends_on": "2026-12-01", **changes}
    response = as_helene.post(url("cohort_new"), sent)
    assert response.status_code == 200
    assert response.context["form"].errors
    with organisation_scope(laposte.pk):
        assert not Cohort.objects.exists()


def test_who_only_reads_cannot_create(as_victor: Client, laposte: Organisation) -> None:
    assert as_victor.get(url("cohort_new")).status_code == 403
    assert url("cohort_new") not in as_victor.get(url("cohorts")).content.decode()


def test_the_number_of_queries_does_not_grow(as_helene: Client, laposte: Organisation, cohort: Cohort) -> None:
    watched = pages(cohort)

    def queries() -> list[int]:
        numbers = []
        for page in watched:
            with CaptureQueriesContext(connection) as captured:
                as_helene.get(page)
            numbers.append(len(captured))
        return numbers

    before = queries()
    for number in range(2, 5):
        enrol(laposte, make_cohort(laposte, f"Vague {number}"), make_people(laposte, 11, site=f"Site {number}"))
    more = make_people(laposte, 11, site="Rennes")
    enrol(laposte, cohort, more)
    record(*[event("started", person.employee_number) for person in more])
    caught_up(laposte)
    assert queries() == before
