"""The sweep: what the broker or a worker lost is found; what nobody read in time is closed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from imports import tasks
from imports.models import RosterImport
from imports.services import confirm_import, undo_import
from imports.turn import turn
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from tests.imports.rosters import apply_roster, employees, open_roster, people, prepare_roster, reread

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

    from portal.organisations.models import Organisation


@pytest.fixture(autouse=True)
def _work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the sweep enqueues is done here: no broker and no worker in these tests."""
    for task in (tasks.prepare, tasks.apply, tasks.undo):
        monkeypatch.setattr(task, "delay", task.run)


def fall_silent(organisation: Organisation, import_id: int, settings: Settings) -> None:
    past = timezone.now() - timedelta(seconds=settings.IMPORT_SILENCE_SECONDS + 1)
    with organisation_scope(organisation.pk):
        RosterImport.objects.filter(pk=import_id).update(heartbeat_at=past)


def test_an_upload_whose_message_was_lost_is_prepared(laposte: Organisation, settings: Settings) -> None:
    import_id = open_roster(laposte, people(1))
    tasks.resume_imports()
    assert reread(laposte, import_id).state == "uploaded"

    fall_silent(laposte, import_id, settings)
    tasks.resume_imports()

    assert reread(laposte, import_id).state == "ready"


def test_an_apply_and_an_undo_are_taken_up(laposte: Organisation, settings: Settings) -> None:
    found = prepare_roster(laposte, people(2))
    with organisation_scope(laposte.pk):
        confirm_import(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    fall_silent(laposte, found.pk, settings)
    tasks.resume_imports()
    assert (reread(laposte, found.pk).state, len(employees(laposte))) == ("applied", 2)

    with organisation_scope(laposte.pk):
        undo_import(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    fall_silent(laposte, found.pk, settings)
    tasks.resume_imports()
    assert (reread(laposte, found.pk).state, employees(laposte)) == ("undone", [])


def test_what_nobody_read_in_time_is_closed(laposte: Organisation) -> None:
    import_id = open_roster(laposte, people(1))
    with organisation_scope(laposte.pk):
        RosterImport.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    tasks.resume_imports()

    found = reread(laposte, import_id)
    assert (found.state, found.error) == ("failed", "upload_again")


def test_finished_imports_are_left_alone(laposte: Organisation, settings: Settings) -> None:
    done = apply_roster(laposte, people(1))
    fall_silent(laposte, done.pk, settings)
    before = reread(laposte, done.pk).heartbeat_at

    tasks.resume_imports()

    assert reread(laposte, done.pk).heartbeat_at == before


def test_a_message_that_comes_twice_does_nothing(laposte: Organisation) -> None:
    done = apply_roster(laposte, people(1))

    for task in (tasks.prepare, tasks.apply, tasks.undo):
        task.run(laposte.pk, done.pk)

    assert (reread(laposte, done.pk).state, len(employees(laposte))) == ("applied", 1)


@pytest.mark.django_db
def test_a_turn_can_be_taken_again_once_it_is_over() -> None:
    with turn(7) as first:
        assert first
    with turn(7) as second:
        assert second
