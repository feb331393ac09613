"""An error that nobody foresaw closes its import, quotes nobody, and does not come again for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

import psycopg
import pytest
from django.db import OperationalError
from django.utils import timezone

from imports import runs, tasks
from imports.models import RosterImport
from imports.services import confirm_import, undo_import
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from tests.imports.rosters import apply_roster, employees, open_roster, people, prepare_roster, reread

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

    from portal.organisations.models import Organisation

SECRET = "marguerite@laposte.example"
BROKEN = [
    ValueError(SECRET),
    psycopg.DataError(f"invalid input\nCONTEXT: COPY landing_row, line 1: {SECRET}"),
    MemoryError(),
]


def breaking(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception, *, after: int = 0) -> None:
    """Let a part of the work fail, at once or after it went well a few times."""
    real, calls = getattr(runs, name), iter(range(after))

    def part(*given: object, **named: object) -> object:
        return fail() if next(calls, None) is None else real(*given, **named)

    def fail() -> NoReturn:
        raise error

    monkeypatch.setattr(runs, name, part)


def confirmed(organisation: Organisation, count: int) -> int:
    found = prepare_roster(organisation, people(count))
    with organisation_scope(organisation.pk):
        confirm_import(actor=OPERATOR, organisation=organisation, import_id=found.pk)
    return found.pk


def silent_since(organisation: Organisation, import_id: int, seconds: int) -> None:
    with organisation_scope(organisation.pk):
        past = timezone.now() - timedelta(seconds=seconds)
        RosterImport.objects.filter(pk=import_id).update(heartbeat_at=past)


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_a_reading_that_breaks_fails_with_a_sentence(
    laposte: Organisation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    import_id = open_roster(laposte, people(1))
    breaking(monkeypatch, "Reading", error)

    tasks.prepare.run(laposte.pk, import_id)

    found = reread(laposte, import_id)
    assert (found.state, found.error, found.error_params) == ("failed", "internal", {"number": str(import_id)})
    assert type(error).__name__ in caplog.text
    assert SECRET not in caplog.text


def test_an_apply_that_breaks_keeps_what_it_did_and_can_be_undone(
    laposte: Organisation, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    import_id = confirmed(laposte, 4)
    settings.IMPORT_CHUNK_ROWS = 2
    breaking(monkeypatch, "apply_chunk", ValueError(SECRET), after=1)

    tasks.apply.run(laposte.pk, import_id)

    found = reread(laposte, import_id)
    assert (found.state, found.error, len(employees(laposte))) == ("failed", "stopped", 2)
    with organisation_scope(laposte.pk):
        undo_import(actor=OPERATOR, organisation=laposte, import_id=import_id)
    tasks.undo.run(laposte.pk, import_id)
    assert (reread(laposte, import_id).state, employees(laposte)) == ("undone", [])


def test_an_undo_that_breaks_can_be_begun_again(laposte: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = apply_roster(laposte, people(2)).pk
    with organisation_scope(laposte.pk):
        undo_import(actor=OPERATOR, organisation=laposte, import_id=import_id)
    with monkeypatch.context() as once:
        breaking(once, "undo_chunk", ValueError(SECRET))
        tasks.undo.run(laposte.pk, import_id)
    assert (reread(laposte, import_id).state, len(employees(laposte))) == ("failed", 2)

    with organisation_scope(laposte.pk):
        undo_import(actor=OPERATOR, organisation=laposte, import_id=import_id)
    tasks.undo.run(laposte.pk, import_id)

    assert (reread(laposte, import_id).state, employees(laposte)) == ("undone", [])


@pytest.mark.parametrize("error", [OperationalError(SECRET), psycopg.OperationalError(SECRET)])
def test_a_database_that_goes_away_is_waited_for_but_not_for_ever(
    laposte: Organisation,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    import_id = confirmed(laposte, 1)
    breaking(monkeypatch, "apply_chunk", error)

    silent_since(laposte, import_id, settings.IMPORT_UNREAD_SECONDS - 60)
    tasks.apply.run(laposte.pk, import_id)
    assert reread(laposte, import_id).state == "applying"

    silent_since(laposte, import_id, settings.IMPORT_UNREAD_SECONDS + 60)
    tasks.apply.run(laposte.pk, import_id)
    assert (reread(laposte, import_id).state, reread(laposte, import_id).error) == ("failed", "stopped")
    assert SECRET not in caplog.text


def test_an_import_that_is_ready_is_not_closed_by_what_comes_after(
    laposte: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = prepare_roster(laposte, people(1))
    breaking(monkeypatch, "begin_preparing", ValueError(SECRET))

    tasks.prepare.run(laposte.pk, found.pk)

    assert reread(laposte, found.pk).state == "ready"


def test_an_import_that_does_not_exist_ends_quietly(laposte: Organisation, caplog: pytest.LogCaptureFixture) -> None:
    tasks.apply.run(laposte.pk, 10**12)
    tasks.apply.run(10**12, 1)

    assert "Traceback" not in caplog.text
