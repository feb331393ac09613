"""A cohort of La Poste whose people can be written to, and a mailbox that keeps what leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.enrolments.services import create_enrolment_intake, enrol_employees
from tests.factories.people import make_employee

if TYPE_CHECKING:
    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation


@pytest.fixture
def cohort(laposte: Organisation) -> Cohort:
    """Five people: three in Lyon, one in Brest, and one who has no address."""
    with organisation_scope(laposte.pk):
        made = create_cohort(actor=OPERATOR, organisation=laposte, name="Vague 1")
        people = [
            make_employee(laposte, str(number), email=f"p{number}@laposte.example", site="Lyon") for number in (1, 2, 3)
        ]
        people.append(make_employee(laposte, "4", email="p4@laposte.example", site="Brest", language="en"))
        people.append(make_employee(laposte, "5", site="Brest"))
        create_enrolment_intake()
        for person in people:
            cursor_rows("INSERT INTO enrolment_intake VALUES (%s, %s)", [person.pk, made.pk])
        enrol_employees(actor=OPERATOR, organisation=laposte)
    return made
