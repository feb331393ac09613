"""The sweep finds what no message said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.core.tenancy import organisation_scope
from portal.core.worklist import organisations_with_pending_work
from portal.enrolments.models import Enrolment
from portal.progress.tasks import catch_up, catch_up_organisation
from tests.factories.progress import enrol, event, make_cohort, record

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import Employee

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def waiting(laposte: Organisation, amelie: Employee) -> None:
    enrol(laposte, make_cohort(laposte), [amelie])
    record(event("completed", "00412877"))


def test_the_sweep_catches_up(laposte: Organisation) -> None:
    assert organisations_with_pending_work() == [laposte.pk]
    catch_up()
    assert organisations_with_pending_work() == []
    with organisation_scope(laposte.pk):
        assert Enrolment.objects.get().state == "completed"


def test_the_hint_catches_up(laposte: Organisation) -> None:
    catch_up_organisation(laposte.pk)
    assert organisations_with_pending_work() == []
