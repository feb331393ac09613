"""The nightly comparison: what differs is recorded, shown where people look, and left for somebody to see why."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from portal.audit.actions import Action
from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.core.worklist import pending_work
from portal.dashboards import monitor
from portal.enrolments.models import Enrolment
from portal.enrolments.services import activate_enrolments
from portal.people.models import Employee
from portal.progress import rollups
from portal.progress.models import CohortRollup, CohortSite, CohortSummary, CompletionEvent, CountCheck
from portal.progress.services import rebuild
from portal.progress.tasks import check_counts
from tests.factories.progress import caught_up, enrol, event, invite, make_cohort, make_people, make_wave, record

if TYPE_CHECKING:
    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort(laposte: Organisation) -> Cohort:
    cohort = make_cohort(laposte)
    lyon = make_people(laposte, 3, site="Lyon")
    enrol(laposte, cohort, [*lyon, *make_people(laposte, 2, site="Nantes")])
    invite(laposte, make_wave(laposte, cohort), lyon[0], "delivered")
    record(event("started", "Lyon-0001", occurred_at=(timezone.now() - timedelta(days=13)).isoformat()))
    caught_up(laposte)
    return cohort


def test_counts_that_agree_are_noted(laposte: Organisation, airbus: Organisation, cohort: Cohort) -> None:
    check_counts()
    for organisation in (laposte, airbus):
        with organisation_scope(organisation.pk):
            assert CountCheck.objects.get().different == 0
            assert not AuditEvent.objects.filter(action=Action.ROLLUPS_DIFFER).exists()


def test_counts_that_differ_are_said_and_left(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        CohortSite.objects.filter(site="Lyon").update(started=2)
    check_counts()
    check_counts()
    with organisation_scope(laposte.pk):
        assert CohortSite.objects.get(site="Lyon").started == 2
        assert CountCheck.objects.get().different > 0
        assert AuditEvent.objects.filter(action=Action.ROLLUPS_DIFFER).count() == 2
    (line,) = monitor.organisation_lines([laposte])
    assert any("diffèrent" in alert.text for alert in monitor.alerts([line]))
    rebuild(actor=OPERATOR, organisation=laposte)
    with organisation_scope(laposte.pk):
        assert CohortSite.objects.get(site="Lyon").started == 1
        assert CountCheck.objects.get().different == 0


def test_time_alone_is_no_difference_and_is_counted(
    laposte: Organisation, cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    with organisation_scope(laposte.pk):
        assert CohortSummary.objects.get().losses["learning"] == 1
    # As if some days had gone by.
    monkeypatch.setattr(rollups, "QUIET", timedelta(days=10))
    check_counts()
    with organisation_scope(laposte.pk):
        assert CountCheck.objects.get().different == 0
        losses = CohortSummary.objects.get().losses
    assert (losses["stopped"], "learning" in losses) == (1, False)


@pytest.mark.parametrize(
    "lost",
    [
        {"invited_at": None, "delivered_at": None, "state": "enrolled"},
        {"delivered_at": None},
    ],
)
def test_deliveries_are_rebuilt_from_the_invitations(
    laposte: Organisation, cohort: Cohort, lost: dict[str, str | None]
) -> None:
    with organisation_scope(laposte.pk):
        before = Enrolment.objects.filter(invited_at__isnull=False).values().get()
        Enrolment.objects.filter(pk=before["id"]).update(**lost)
    assert rebuild(actor=OPERATOR, organisation=laposte, keep=False).different > 0
    rebuild(actor=OPERATOR, organisation=laposte)
    with organisation_scope(laposte.pk):
        assert Enrolment.objects.filter(invited_at__isnull=False).values().get() == before


def test_steps_without_facts_do_not_stay(laposte: Organisation, cohort: Cohort) -> None:
    """As when a fact turns out to be about somebody else."""
    with organisation_scope(laposte.pk):
        other = Employee.objects.get(employee_number="Nantes-0000")
        CompletionEvent.objects.update(employee=other)
    rebuild(actor=OPERATOR, organisation=laposte)
    with organisation_scope(laposte.pk):
        former = Enrolment.objects.get(employee__employee_number="Lyon-0001")
        assert (former.state, former.started_at, former.activated_at) == ("enrolled", None, None)
        assert Enrolment.objects.get(employee=other).activated_by == "fact"


def test_a_sign_in_stays_when_its_facts_go(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        person = Employee.objects.get(employee_number="Nantes-0001")
        activate_enrolments(actor=OPERATOR, organisation=laposte, employee_id=person.pk)
    record(event("started", "Nantes-0001", occurred_at=timezone.now().isoformat()))
    caught_up(laposte)
    with organisation_scope(laposte.pk):
        CompletionEvent.objects.filter(employee=person).update(employee=None)
    rebuild(actor=OPERATOR, organisation=laposte)
    with organisation_scope(laposte.pk):
        left = Enrolment.objects.get(employee=person)
    assert (left.state, left.activated_by, left.started_at) == ("active", "sign-in", None)


def test_one_sign_in_recounts_its_site_alone(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        CohortRollup.objects.filter(site="Lyon").update(enrolled=99)
        person = Employee.objects.get(employee_number="Nantes-0001")
        activate_enrolments(actor=OPERATOR, organisation=laposte, employee_id=person.pk)
    caught_up(laposte)
    with organisation_scope(laposte.pk):
        assert not pending_work(organisation_id=laposte.pk)
        assert CohortSite.objects.get(site="Nantes").active == 1
        assert CohortSummary.objects.get().active == 2
        # Lyon was not looked at: its wrong count is still there for the comparison to find.
        assert CohortRollup.objects.filter(site="Lyon", enrolled=99).exists()
    assert rebuild(actor=OPERATOR, organisation=laposte, keep=False).different > 0


def test_a_fact_that_changes_no_step_says_that_somebody_goes_on(laposte: Organisation, cohort: Cohort) -> None:
    ago, now = timezone.now() - timedelta(days=30), timezone.now()
    record(event("started", "Lyon-0002", occurred_at=ago.isoformat()))
    caught_up(laposte)
    with organisation_scope(laposte.pk):
        assert CohortSummary.objects.get().losses["stopped"] == 1
    record(event("progressed", "Lyon-0002", occurred_at=now.isoformat(), progress=0))
    caught_up(laposte)
    with organisation_scope(laposte.pk):
        losses = CohortSummary.objects.get().losses
    assert (losses["learning"], "stopped" in losses) == (2, False)
