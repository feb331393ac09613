"""Cohorts and reports over the API: GET /api/v1/organisations/…."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.audit.actions import Action
from portal.audit.models import AuditEvent
from portal.core.tenancy import organisation_scope
from tests.factories.progress import caught_up, enrol, event, make_cohort, make_people, record
from tests.portal.api.conftest import holder

if TYPE_CHECKING:
    from django.test import Client

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation

LIST = "/api/v1/organisations/laposte/cohorts/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort(laposte: Organisation) -> Cohort:
    cohort = make_cohort(laposte)
    enrol(laposte, cohort, [*make_people(laposte, 12, site="Lyon"), *make_people(laposte, 3, site="Nantes")])
    record(event("certified", "Lyon-0001"))
    caught_up(laposte)
    return cohort


def report_url(cohort_id: int) -> str:
    return f"{LIST}{cohort_id}/report/"


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_cohorts_are_listed_with_their_totals(laposte_system: Client, cohort: Cohort) -> None:
    body = laposte_system.get(LIST).json()
    assert body["as_of"]
    assert body["cohorts"] == [
        {
            "id": cohort.pk,
            "name": "Vague 1",
            "programme": "objectif-ia",
            "starts_on": None,
            "ends_on": None,
            "roster": 15,
            "enrolled": 15,
            "invited": 0,
            "started": 1,
            "completed": 1,
            "certified": 1,
        }
    ]


def test_the_report_hides_small_groups(laposte_system: Client, cohort: Cohort) -> None:
    body = laposte_system.get(report_url(cohort.pk)).json()
    assert (body["enrolled"], body["certified"]) == (15, 1)
    # Three people of Nantes would be what is left of the total: Lyon is hidden with them.
    assert [(line["site"], line["enrolled"], line["suppressed"]) for line in body["by_site"]] == [
        ("Lyon", None, True),
        ("Nantes", None, True),
    ]


def test_reading_a_report_is_recorded(laposte_system: Client, laposte: Organisation, cohort: Cohort) -> None:
    laposte_system.get(report_url(cohort.pk))
    with organisation_scope(laposte.pk):
        assert AuditEvent.objects.get(action=Action.REPORT_EXPORTED).actor_kind == "token"


def test_another_organisation_does_not_exist(airbus: Organisation, cohort: Cohort) -> None:
    airbus_system = holder("Airbus", "organisation:airbus")
    for url in (LIST, report_url(cohort.pk), "/api/v1/organisations/nowhere/cohorts/"):
        assert code(airbus_system.get(url)) == (404, "not_found")
    elsewhere = f"/api/v1/organisations/airbus/cohorts/{cohort.pk}/report/"
    assert code(airbus_system.get(elsewhere)) == (404, "unknown_cohort")


def test_a_token_without_organisation_reads_none(platform: Client, cohort: Cohort) -> None:
    assert code(platform.get(LIST)) == (404, "not_found")


def test_nobody_is_refused(client: Client, as_helene: Client, cohort: Cohort) -> None:
    for visitor in (client, as_helene):
        assert code(visitor.get(LIST)) == (401, "not_authenticated")
        assert code(visitor.get(report_url(cohort.pk))) == (401, "not_authenticated")


def test_they_reject_post(laposte_system: Client, cohort: Cohort) -> None:
    assert laposte_system.post(LIST).status_code == 405
    assert laposte_system.post(report_url(cohort.pk)).status_code == 405


def test_the_number_of_queries_does_not_grow(laposte_system: Client, laposte: Organisation, cohort: Cohort) -> None:
    def queries() -> list[int]:
        numbers = []
        for url in (LIST, report_url(cohort.pk)):
            with CaptureQueriesContext(connection) as captured:
                laposte_system.get(url)
            numbers.append(len(captured))
        return numbers

    laposte_system.get(report_url(cohort.pk))
    before = queries()
    for number in range(2, 5):
        enrol(laposte, make_cohort(laposte, f"Vague {number}"), make_people(laposte, 2, site=f"Site {number}"))
    caught_up(laposte)
    assert queries() == before
