"""A La Poste that has begun: a cohort, people at every step, and the counts made of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.core.text import fold
from portal.enrolments.models import Enrolment
from portal.people.models import Employee
from portal.progress.rollups import refresh
from portal.progress.services import catch_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation


def begin(organisation: Organisation, people: int, *, cohort_name: str = "Vague 1") -> Cohort:
    """Enrol this many new people: all invited, half of them started, a quarter of them certified."""
    now = timezone.now()
    with organisation_scope(organisation.pk):
        cohort = create_cohort(
            actor=OPERATOR,
            organisation=organisation,
            name=cohort_name,
            ends_on=timezone.localdate() + timedelta(days=30),
        )
        first = Employee.objects.count()
        employees = Employee.objects.bulk_create(
            Employee(
                organisation=organisation,
                employee_number=f"{first + number:08d}",
                first_name="Zoé",
                last_name=f"Martin {first + number:04d}",
                sort_name=fold(f"Martin {first + number:04d} Zoé"),
                site="Nantes" if number % 2 else "Lyon",
            )
            for number in range(people)
        )
        Enrolment.objects.bulk_create(
            Enrolment(
                organisation=organisation,
                cohort=cohort,
                employee=employee,
                enrolled_at=now,
                invited_at=now,
                started_at=now if number % 2 == 0 else None,
                completed_at=now if number % 4 == 0 else None,
                certified_at=now if number % 4 == 0 else None,
                state="certified" if number % 4 == 0 else "active" if number % 2 == 0 else "invited",
                progress=100 if number % 4 == 0 else 40 if number % 2 == 0 else 0,
            )
            for number, employee in enumerate(employees)
        )
    # The times are given here, not by facts: only what is counted of them is wanted.
    with organisation_scope(organisation.pk):
        refresh(organisation)
    catch_up(actor=OPERATOR, organisation=organisation)
    return cohort


@pytest.fixture
def vague(laposte: Organisation) -> Cohort:
    return begin(laposte, 8)


@pytest.fixture
def queries() -> Callable[[Client, str], int]:
    """Count the queries of a page that answers."""

    def count(client: Client, path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    return count
