"""Celery shells, and the sweep that finds what the broker or a worker lost."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from imports import quarantine, runs
from imports.models import RosterImport
from imports.retention import forget_imports
from imports.selectors import unfinished_imports
from imports.stages import fail_import
from portal.core.actor import SYSTEM
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from celery import Task

log = logging.getLogger(__name__)

State = RosterImport.State


@shared_task
def prepare(organisation_id: int, import_id: int) -> None:
    _work(runs.prepare_import, organisation_id, import_id)


@shared_task
def plan(organisation_id: int, import_id: int) -> None:
    _work(runs.run_plan, organisation_id, import_id)


@shared_task
def apply(organisation_id: int, import_id: int) -> None:
    _work(runs.run_apply, organisation_id, import_id)


@shared_task
def undo(organisation_id: int, import_id: int) -> None:
    _work(runs.run_undo, organisation_id, import_id)


@shared_task
def resume_imports() -> None:
    """Take up what fell silent, and close the uploads that nobody read in time."""
    now = timezone.now()
    silent = now - timedelta(seconds=settings.IMPORT_SILENCE_SECONDS)
    for work in unfinished_imports():
        if work.due_at and work.due_at < now:
            _give_up(work.organisation_id, work.import_id)
        elif work.state == State.UNCLEAR:
            continue
        elif work.heartbeat_at is None or work.heartbeat_at < silent:
            task_for(work.state).delay(work.organisation_id, work.import_id)
    quarantine.discard_forgotten()


@shared_task
def forget_old_imports() -> None:
    """Purge what has been kept long enough, one organisation at a time."""
    for organisation_id in Organisation.objects.order_by("pk").values_list("pk", flat=True):
        with organisation_scope(organisation_id):
            forget_imports(organisation_id=organisation_id)


def task_for(state: str) -> Task[..., None]:
    """Return what takes up an import in this state."""
    tasks = {State.PLANNING: plan, State.APPLYING: apply, State.UNDOING: undo}
    return tasks.get(State(state), prepare)


def _give_up(organisation_id: int, import_id: int) -> None:
    organisation = Organisation.objects.get(pk=organisation_id)
    with organisation_scope(organisation_id):
        fail_import(actor=SYSTEM, organisation=organisation, import_id=import_id, code="upload_again", params={})


def _work(run: Callable[..., None], organisation_id: int, import_id: int) -> None:
    """Run, and let the sweep try again when the database went away.

    The run closes its import on any other error. Should even that fail, only the kind of the error reaches the log:
    its text may quote a person's row.
    """
    try:
        organisation = Organisation.objects.get(pk=organisation_id)
        run(actor=SYSTEM, organisation=organisation, import_id=import_id)
    except runs.AWAY:
        log.warning("The database went away during import %s; the sweep will take it up.", import_id)
    except Exception as error:  # noqa: BLE001  Whatever it is, its text must not travel on.
        log.error("Import %s could not be closed: %s.", import_id, type(error.__cause__ or error).__name__)  # noqa: TRY400
