"""Cohorts with people in them, and the events that the learning platform sends about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.core.worklist import note_work
from portal.enrolments.models import Enrolment, Invitation
from portal.enrolments.services import carry_deliveries, create_enrolment_intake, enrol_employees
from portal.people.services import ROSTER_CHANGED
from portal.progress.services import catch_up, record_completions
from portal.waves.models import Wave
from tests.factories.people import make_employee

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation
    from portal.people.models import Employee
    from portal.progress.tally import Recorded

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

_ids = count(1)


def make_cohort(organisation: Organisation, name: str = "Vague 1") -> Cohort:
    with organisation_scope(organisation.pk):
        return create_cohort(actor=OPERATOR, organisation=organisation, name=name)


def make_people(organisation: Organisation, number: int, *, site: str, prefix: str = "") -> list[Employee]:
    """Make employees numbered after their site."""
    return [
        make_employee(organisation, f"{prefix or site}-{index:04d}", site=site, last_name=f"Nom{index}")
        for index in range(number)
    ]


def enrol(organisation: Organisation, cohort: Cohort, employees: Iterable[Employee]) -> None:
    """Enrol people whose arrival on the roster has been noted, as an import does."""
    with organisation_scope(organisation.pk):
        note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)
        create_enrolment_intake()
        for employee in employees:
            cursor_rows("INSERT INTO enrolment_intake VALUES (%s, %s)", [employee.pk, cohort.pk])
        enrol_employees(actor=OPERATOR, organisation=organisation)


def make_wave(organisation: Organisation, cohort: Cohort, name: str = "Première vague") -> Wave:
    """Make a wave as a row, without a plan."""
    with organisation_scope(organisation.pk):
        return Wave.objects.create(
            organisation=organisation, cohort=cohort, name=name, starts_at=START, created_by="Hélène Marchand"
        )


def invite(organisation: Organisation, wave: Wave, employee: Employee, state: str = "sent", number: int = 0) -> None:
    """Write down an invitation as the waves do when its mail has this state."""
    told = {"sent_at": START, "answered_at": START + timedelta(minutes=5)}
    times = {
        "planned": {},
        "withdrawn": {},
        "sent": {"sent_at": START},
        "failed": {"answered_at": told["answered_at"]},
    }.get(state, told)
    with organisation_scope(organisation.pk):
        enrolment = Enrolment.objects.get(cohort_id=wave.cohort_id, employee=employee)
        Invitation.objects.create(
            organisation=organisation,
            enrolment=enrolment,
            wave_id=wave.pk,
            number=number,
            state=state,
            due_at=START,
            **times,
        )
        carry_deliveries(actor=OPERATOR, organisation=organisation, enrolment_ids=[enrolment.pk])


def event(kind: str = "started", number: str = "", *, day: int = 0, **fields: Any) -> dict[str, Any]:
    """One event of the platform for La Poste unless said otherwise, `day` days after the start."""
    made = {
        "event_id": f"oc-{next(_ids):07d}",
        "organisation": "laposte",
        "programme": "objectif-ia",
        "event": kind,
        "occurred_at": (START + timedelta(days=day)).isoformat(),
        **fields,
    }
    if number:
        made["employee_number"] = number
    return made


def record(*events: object, **options: Any) -> Recorded:
    return record_completions(actor=OPERATOR, events=enumerate(events, 1), **options)


def caught_up(organisation: Organisation) -> None:
    catch_up(actor=OPERATOR, organisation=organisation)
