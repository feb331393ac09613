"""Counts: the day of each step in the organisation's calendar, leavers in, withdrawn people out."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope, platform_scope
from portal.enrolments.models import Enrolment
from portal.people.models import Employee
from portal.people.services import deactivate_employees
from portal.progress.models import CohortRollup, CohortSummary, RosterRollup
from portal.progress.rollups import Comparison
from portal.progress.selectors import Figures, cohort_figures, cohort_totals
from portal.progress.services import rebuild
from tests.factories.progress import caught_up, enrol, event, make_cohort, make_people, record

if TYPE_CHECKING:
    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort(laposte: Organisation) -> Cohort:
    """Four people of Lyon and three of Nantes; two of Lyon started, one of them is certified."""
    cohort = make_cohort(laposte)
    lyon, nantes = make_people(laposte, 4, site="Lyon"), make_people(laposte, 3, site="Nantes")
    enrol(laposte, cohort, [*lyon, *nantes])
    record(
        event("started", "Lyon-0000"),
        # 23:30 in Greenwich is already the next day in Paris.
        event("started", "Lyon-0001", occurred_at="2026-11-03T23:30:00Z"),
        event("certified", "Lyon-0001", occurred_at="2026-11-05T08:00:00Z"),
    )
    caught_up(laposte)
    return cohort


def figures(organisation: Organisation, cohort: Cohort) -> tuple[Figures, dict[str, Figures]]:
    with organisation_scope(organisation.pk):
        found = cohort_figures(organisation, cohort.pk)
    return found.totals, found.by_site


def test_totals_are_sums_over_days_and_sites(laposte: Organisation, cohort: Cohort) -> None:
    totals, by_site = figures(laposte, cohort)
    assert totals == Figures(roster=7, enrolled=7, active=2, started=2, completed=1, certified=1)
    assert by_site == {
        "Lyon": Figures(roster=4, enrolled=4, active=2, started=2, completed=1, certified=1),
        "Nantes": Figures(roster=3, enrolled=3),
    }
    with organisation_scope(laposte.pk):
        assert cohort_totals(laposte) == {cohort.pk: totals}


def test_a_day_is_the_organisations_own(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        started = CohortRollup.objects.filter(started__gt=0).order_by("day").values_list("day", flat=True)
        assert list(started) == [date(2026, 11, 2), date(2026, 11, 4)]


def test_leavers_stay_in_the_cohort_and_leave_the_roster(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        gone = Employee.objects.get(employee_number="Lyon-0001")
        deactivate_employees(actor=OPERATOR, organisation=laposte, employee_ids=[gone.pk])
    caught_up(laposte)
    assert figures(laposte, cohort)[0] == Figures(roster=6, enrolled=7, active=2, started=2, completed=1, certified=1)


def test_withdrawn_people_do_not_count(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        gone = Enrolment.objects.get(employee__employee_number="Lyon-0001")
        Enrolment.objects.filter(pk=gone.pk).update(state="withdrawn", withdrawn_at=gone.enrolled_at)
    assert rebuild(actor=OPERATOR, organisation=laposte).different > 0
    assert figures(laposte, cohort)[0] == Figures(roster=7, enrolled=6, active=1, started=1)


def test_a_site_that_empties_disappears(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        Employee.objects.filter(site="Nantes").update(site="Rennes")
    rebuild(actor=OPERATOR, organisation=laposte)
    assert set(figures(laposte, cohort)[1]) == {"Lyon", "Rennes"}
    with organisation_scope(laposte.pk):
        assert set(RosterRollup.objects.values_list("site", flat=True)) == {"Lyon", "Rennes"}


def test_nothing_is_written_when_nothing_changed(laposte: Organisation, cohort: Cohort) -> None:
    def versions() -> list[tuple[int, ...]]:
        with organisation_scope(laposte.pk):
            return cursor_rows("SELECT id, xmin::text::bigint FROM progress_cohortrollup ORDER BY id")

    before = versions()
    assert rebuild(actor=OPERATOR, organisation=laposte).different == 0
    assert versions() == before


def test_checking_counts_differences_and_writes_nothing(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        CohortRollup.objects.update(enrolled=99)
    checked = rebuild(actor=OPERATOR, organisation=laposte, keep=False)
    assert checked.different > 0
    assert rebuild(actor=OPERATOR, organisation=laposte, keep=False) == checked
    assert rebuild(actor=OPERATOR, organisation=laposte) == checked
    assert rebuild(actor=OPERATOR, organisation=laposte) == Comparison(checked.checked, 0)
    assert figures(laposte, cohort)[0].enrolled == 7


def test_steps_that_were_lost_are_found_again(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        Enrolment.objects.update(started_at=None, completed_at=None, certified_at=None, state="enrolled")
    assert rebuild(actor=OPERATOR, organisation=laposte).different > 0
    assert figures(laposte, cohort)[0].certified == 1


def test_an_empty_cohort_has_a_summary(laposte: Organisation) -> None:
    cohort = make_cohort(laposte, "Vague vide")
    caught_up(laposte)
    with organisation_scope(laposte.pk):
        assert cohort_totals(laposte) == {cohort.pk: Figures()}


def test_the_programme_sees_counts_of_all(laposte: Organisation, cohort: Cohort, airbus: Organisation) -> None:
    with organisation_scope(airbus.pk):
        assert not CohortSummary.objects.exists()
    with platform_scope():
        assert CohortSummary.objects.get().certified == 1
