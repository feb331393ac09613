"""An organisation's home: its numbers, its next step, and what waits for somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from imports.models import RosterImport
from portal.core.tenancy import organisation_scope
from tests.portal.dashboards.conftest import begin

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db(databases=["default"])


def test_the_numbers_are_those_of_the_cohort(as_victor: Client, vague: Cohort) -> None:
    answer = as_victor.get("/o/laposte/")

    assert "2 personnes certifiées sur 8 inscrites." in answer.text
    counted = answer.context["counted"]
    assert (counted.roster, counted.enrolled, counted.figures.invited) == (8, 8, 8)
    assert (counted.started, counted.figures.completed, counted.certified) == (4, 2, 2)
    assert [line.cohort.name for line in answer.context["cohorts"]] == ["Vague 1"]


def test_an_empty_organisation_is_led_by_the_hand(as_odile: Client) -> None:
    answer = as_odile.get("/o/laposte/")

    assert [step.state for step in answer.context["steps"]] == ["current", "todo", "todo", "todo", "todo"]
    assert answer.context["next"].url == "/o/laposte/sign-in/"


def test_who_may_not_do_the_next_step_is_shown_no_button(as_victor: Client) -> None:
    answer = as_victor.get("/o/laposte/")

    assert answer.context["steps"]
    assert answer.context["next"] is None
    assert "/o/laposte/sign-in/" not in answer.text


def applied_import(organisation: Organisation) -> int:
    with organisation_scope(organisation.pk):
        return RosterImport.objects.get(state="applied").pk


def test_what_waits_is_listed_the_most_urgent_first(as_helene: Client, laposte: Organisation) -> None:
    long_ago = timezone.now() - timedelta(days=43)
    with organisation_scope(laposte.pk):
        for state, applied_at in (("ready", None), ("held", None), ("applied", long_ago)):
            RosterImport.objects.create(
                organisation=laposte,
                state=state,
                file_name="effectif.csv",
                file_size=1,
                file_digest=b"digest",
                applied_at=applied_at,
            )

    tasks = as_helene.get("/o/laposte/").context["tasks"]

    latest = applied_import(laposte)
    assert [task.url for task in tasks][-2:] == ["/o/laposte/matches/", f"/o/laposte/imports/new/?like={latest}"]
    assert len(tasks) == 4
    assert "43" in tasks[-1].term


def test_the_queries_do_not_grow_with_the_people(
    as_helene: Client, laposte: Organisation, queries: Callable[[Client, str], int]
) -> None:
    begin(laposte, 4)
    few = queries(as_helene, "/o/laposte/")
    begin(laposte, 60, cohort_name="Vague 2")

    assert queries(as_helene, "/o/laposte/") == few <= 25


def test_another_organisation_s_home_does_not_exist(as_oscar: Client, as_amelie: Client, laposte: Organisation) -> None:
    assert as_oscar.get("/o/laposte/").status_code == 404
    assert as_amelie.get("/o/laposte/").status_code == 404
    assert as_oscar.post("/o/laposte/").status_code == 405
