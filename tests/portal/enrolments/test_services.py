from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portal.cohorts.services import COHORT_CHANGED, create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.core.worklist import pending_work
from portal.enrolments.models import Enrolment
from portal.enrolments.services import (
    ENROLMENT_CHANGED,
    activate_enrolments,
    create_enrolment_intake,
    create_step_intake,
    enrol_employees,
    record_steps,
    unenrol_employees,
)
from tests.factories.people import make_employee

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation
    from portal.people.models import Employee

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _inside(laposte: Organisation) -> Iterator[None]:
    with organisation_scope(laposte.pk):
        yield


@pytest.fixture
def cohort(laposte: Organisation) -> Cohort:
    return create_cohort(actor=OPERATOR, organisation=laposte, name="Vague 1")


def fill(cohort: Cohort, *employees: Employee) -> None:
    create_enrolment_intake()
    for employee in employees:
        cursor_rows("INSERT INTO enrolment_intake VALUES (%s, %s)", [employee.pk, cohort.pk])


def enrol(cohort: Cohort, *employees: Employee) -> int:
    fill(cohort, *employees)
    return enrol_employees(actor=OPERATOR, organisation=cohort.organisation)


def steps(employee: Employee, cohort: Cohort, **facts: Any) -> int:
    create_step_intake()
    names = ["first_fact_at", "started_at", "completed_at", "certified_at"]
    cursor_rows(
        "INSERT INTO step_intake VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [employee.pk, cohort.programme_id, *(facts.get(name) for name in names), facts.get("url", ""), 100],
    )
    return record_steps(actor=OPERATOR, organisation=cohort.organisation)


def test_a_pair_is_enrolled_once_however_often_it_is_given(amelie: Employee, cohort: Cohort) -> None:
    assert enrol(cohort, amelie, amelie) == 1
    assert enrol(cohort, amelie) == 0
    noted = [(work.topic, work.subject_id) for work in pending_work(organisation_id=amelie.organisation_id)]
    assert noted == [(COHORT_CHANGED, cohort.pk), (ENROLMENT_CHANGED, amelie.pk)]


def test_whoever_withdrew_stays_withdrawn(amelie: Employee, cohort: Cohort) -> None:
    enrol(cohort, amelie)
    Enrolment.objects.update(state=Enrolment.State.WITHDRAWN, withdrawn_at="2026-11-01T00:00Z")
    assert enrol(cohort, amelie) == 0
    assert activate_enrolments(actor=OPERATOR, organisation=cohort.organisation, employee_id=amelie.pk) == 0
    steps(amelie, cohort, first_fact_at="2026-11-02T00:00Z", certified_at="2026-11-02T00:00Z")
    assert Enrolment.objects.get().state == Enrolment.State.WITHDRAWN


def test_a_first_sign_in_activates_once(amelie: Employee, cohort: Cohort) -> None:
    enrol(cohort, amelie)
    assert activate_enrolments(actor=OPERATOR, organisation=cohort.organisation, employee_id=amelie.pk) == 1
    assert activate_enrolments(actor=OPERATOR, organisation=cohort.organisation, employee_id=amelie.pk) == 0
    assert Enrolment.objects.get().state == Enrolment.State.ACTIVE


def test_a_revocation_steps_back_and_repeating_changes_nothing(amelie: Employee, cohort: Cohort) -> None:
    enrol(cohort, amelie)
    began, ended = "2026-11-02T08:00Z", "2026-11-03T08:00Z"
    certified = {
        "first_fact_at": began,
        "started_at": began,
        "completed_at": ended,
        "certified_at": ended,
        "url": "https://c",
    }
    assert steps(amelie, cohort, **certified) == 1
    assert steps(amelie, cohort, **certified) == 0
    assert Enrolment.objects.get().state == Enrolment.State.CERTIFIED
    assert steps(amelie, cohort, first_fact_at=began, started_at=began) == 1
    enrolment = Enrolment.objects.get()
    assert (enrolment.state, enrolment.completed_at, enrolment.certificate_url) == (Enrolment.State.ACTIVE, None, "")


def test_facts_count_in_every_cohort_of_the_programme(laposte: Organisation, amelie: Employee, cohort: Cohort) -> None:
    again = create_cohort(actor=OPERATOR, organisation=laposte, name="Vague 2")
    enrol(cohort, amelie)
    enrol(again, amelie)
    assert steps(amelie, cohort, first_fact_at="2026-11-02T08:00Z", completed_at="2026-11-02T08:00Z") == 2


def test_only_enrolments_without_history_are_taken_back(
    laposte: Organisation, amelie: Employee, cohort: Cohort
) -> None:
    other = make_employee(laposte, "7", last_name="Durand")
    enrol(cohort, amelie, other)
    activate_enrolments(actor=OPERATOR, organisation=laposte, employee_id=amelie.pk)
    fill(cohort, amelie, other)
    assert unenrol_employees(actor=OPERATOR, organisation=laposte) == [(other.pk, cohort.pk)]
    assert Enrolment.objects.get().employee_id == amelie.pk
