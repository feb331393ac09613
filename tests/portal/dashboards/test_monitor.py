"""What account managers see: counts and alerts of every organisation, and nobody's name."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from imports.models import RosterImport
from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from portal.people.models import LearnerReference
from portal.people.services import create_user
from portal.progress.services import record_completions
from tests.factories.people import make_organisation
from tests.portal.dashboards.conftest import begin

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from portal.cohorts.models import Cohort

pytestmark = pytest.mark.django_db(databases=["default"])

PAGES = (
    "/manage/",
    "/manage/organisations/",
    "/manage/organisations/laposte/",
    "/manage/programme/",
    "/manage/reconciliation/",
    "/manage/audit/",
)


def upload(organisation: Organisation, state: str, *, hours_ago: int = 0) -> None:
    with organisation_scope(organisation.pk):
        RosterImport.objects.create(
            organisation=organisation,
            state=state,
            file_name="effectif.csv",
            file_size=1,
            file_digest=b"digest",
            heartbeat_at=timezone.now() - timedelta(hours=hours_ago),
        )


@pytest.mark.parametrize("path", PAGES)
def test_the_programme_s_pages_exist_for_account_managers_only(
    as_manon: Client, as_odile: Client, as_amelie: Client, path: str
) -> None:
    assert as_manon.get(path).status_code == 200
    assert as_odile.get(path).status_code == 404
    assert as_amelie.get(path).status_code == 404
    assert as_manon.put(path).status_code == 405


@pytest.mark.parametrize("path", PAGES)
def test_nobody_s_name_is_shown(as_manon: Client, as_amelie: Client, vague: Cohort, path: str) -> None:
    text = as_manon.get(path).text

    assert "Martin" not in text
    assert "Lefèvre" not in text


@pytest.mark.parametrize("path", PAGES[:3])
def test_the_queries_do_not_grow_with_the_organisations(
    as_manon: Client, laposte: Organisation, queries: Callable[[Client, str], int], path: str
) -> None:
    begin(laposte, 4)
    few = queries(as_manon, path)
    for number in range(6):
        begin(make_organisation(f"partner-{number}", f"Partner {number}"), 3)
    begin(laposte, 20, cohort_name="Vague 2")

    assert queries(as_manon, path) == few <= 30


def test_the_counts_are_those_of_every_organisation(as_manon: Client, vague: Cohort, airbus: Organisation) -> None:
    begin(airbus, 4)

    answer = as_manon.get("/manage/")

    assert [tile["value"] for tile in answer.context["tiles"]] == [2, 12, 12, 3]
    assert {summary.organisation.slug for summary in answer.context["cohorts"]} == {"laposte", "airbus"}


def test_what_is_missing_is_said(as_manon: Client, vague: Cohort, airbus: Organisation) -> None:
    lines = as_manon.get("/manage/organisations/").context["lines"]

    assert [line.organisation.slug for line in lines] == ["airbus", "laposte"]
    assert all(line.missing for line in lines)
    assert not lines[0].enrolled
    assert lines[1].enrolled == 8


def test_alerts_come_the_most_urgent_first(as_manon: Client, laposte: Organisation, airbus: Organisation) -> None:
    upload(laposte, "held")
    upload(airbus, "applying", hours_ago=2)
    upload(laposte, "applied", hours_ago=24 * 60)
    Organisation.objects.filter(pk=airbus.pk).update(created_at=timezone.now() - timedelta(days=90))

    answer = as_manon.get("/manage/")

    found = [(alert.organisation.slug, alert.tone) for alert in answer.context["alerts"]]
    assert found == [("airbus", "bad"), ("laposte", "warn"), ("laposte", "warn"), ("airbus", "warn")]
    assert answer.context["alerted"] == 2


def test_people_are_counted_once(as_manon: Client) -> None:
    kept = LearnerReference.objects.create(first_certified_on=date(2026, 9, 30))
    LearnerReference.objects.create(first_certified_on=date(2026, 9, 1), merged_into=kept)
    LearnerReference.objects.create(first_certified_on=date(2026, 10, 1))
    LearnerReference.objects.create()

    answer = as_manon.get("/manage/programme/")

    assert answer.context["certified"] == 2
    assert [people for _month, people in answer.context["months"]] == [1, 1]


def test_a_fact_without_an_organisation_is_listed_without_its_person(as_manon: Client) -> None:
    fact = {
        "event_id": "evt-77",
        "organisation": "nobody-knows",
        "programme": "objectif-ia",
        "event": "certified",
        "occurred_at": "2026-10-01T08:00:00Z",
        "email": "secret.person@somewhere.example",
    }
    record_completions(actor=OPERATOR, events=[(1, fact)])

    answer = as_manon.get("/manage/reconciliation/")

    assert answer.context["total"] == 1
    assert "nobody-knows" in answer.text
    assert "secret.person" not in answer.text


def test_support_is_opened_for_a_reason(as_manon: Client, laposte: Organisation) -> None:
    assert as_manon.get("/o/laposte/").status_code == 404
    assert as_manon.post("/manage/organisations/laposte/", {"reason": " "}).status_code == 200
    assert as_manon.get("/o/laposte/").status_code == 404

    answer = as_manon.post("/manage/organisations/laposte/", {"reason": "Ticket 12"})

    assert answer["Location"] == "/o/laposte/"
    assert as_manon.get("/o/laposte/").status_code == 200
    assert as_manon.get("/manage/organisations/laposte/").context["inside"] is not None
    with organisation_scope(laposte.pk):
        opened = AuditEvent.objects.get(action="people:support:open")
    assert (opened.on_behalf_of_programme, opened.data["reason"]) == (True, "Ticket 12")


def test_an_unknown_organisation_does_not_exist(as_manon: Client) -> None:
    assert as_manon.get("/manage/organisations/nobody/").status_code == 404
    assert as_manon.post("/manage/organisations/nobody/", {"reason": "x"}).status_code == 404


def test_the_programme_s_audit_names_its_own_people(as_manon: Client) -> None:
    create_user(actor=OPERATOR, email="second@programme.example", role="account_manager")

    (told,) = as_manon.get("/manage/audit/").context["lines"]

    assert told["line"].actor
    assert told["sentence"]
