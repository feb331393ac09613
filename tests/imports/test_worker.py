"""A real Celery worker, killed in the middle of an apply; a new one takes the import up where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imports.models import ImportChange, RosterImport
from imports.runs import prepare_import
from imports.services import confirm_import
from portal.celery import app
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from tests.factories.people import make_organisation
from tests.imports.rosters import open_roster, people
from tests.imports.workers import seen, send, sweep, wait_for, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.imports.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

HEAD_COUNT = 3_000


@pytest.fixture
def start_worker() -> Iterator[Callable[[], Worker]]:
    with workers(chunk_rows=50) as start:
        yield start


def test_a_worker_killed_in_the_middle_of_an_apply(start_worker: Callable[[], Worker]) -> None:
    organisation = make_organisation("kill", "Kill")
    rows = people(HEAD_COUNT, cohort="Vague 1")
    import_id = open_roster(organisation, rows)
    prepare_import(actor=OPERATOR, organisation=organisation, import_id=import_id)
    with organisation_scope(organisation.pk):
        confirm_import(actor=OPERATOR, organisation=organisation, import_id=import_id)

    app.control.purge()
    first = start_worker()
    send("imports.tasks.apply", organisation.pk, import_id)
    wait_for(organisation, import_id, lambda found: found.done_rows > 0)
    first.kill()
    half = seen(organisation, import_id)
    assert half.state == RosterImport.State.APPLYING
    assert 0 < half.done_rows < HEAD_COUNT

    start_worker()
    done = wait_for(organisation, import_id, lambda found: found.state == RosterImport.State.APPLIED, meanwhile=sweep)
    assert done.done_rows == HEAD_COUNT
    with organisation_scope(organisation.pk):
        numbers = cursor_rows("SELECT employee_number FROM people_employee ORDER BY employee_number")
        assert [number for (number,) in numbers] == [row[0] for row in rows]
        assert cursor_rows("SELECT count(*) FROM enrolments_enrolment") == [(HEAD_COUNT,)]
        assert ImportChange.objects.filter(cohort_ids__len=1).count() == HEAD_COUNT
