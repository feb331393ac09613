"""The long works of an import: prepare, plan, apply, undo. Each can be killed at any moment and taken up again.

They open the organisation's scope chunk by chunk, so they are called outside of any. When it is not their turn, or
the import is past their state, they do nothing.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from imports import quarantine
from imports.apply import apply_chunk
from imports.lifecycle import locked_import, planned
from imports.models import RosterImport
from imports.pipeline.issues import UnreadableFile
from imports.reading import UNCLEAR, NoLongerWanted, Reading
from imports.stages import (
    begin_preparing,
    fail_import,
    finish_applying,
    finish_undoing,
    note_unclear,
    refuse_corrections,
    replan,
)
from imports.turn import turn
from imports.undo import undo_chunk
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

log = logging.getLogger(__name__)

State = RosterImport.State

AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""The database did not answer, or not now: the same work may succeed later."""


def prepare_import(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Read the file, make the plan and stage its rows; a file that cannot be read fails the import with a reason.

    All of it is one transaction: killed at any moment it leaves nothing, and begins again.
    """
    with _closed_if_broken(actor, organisation, import_id, "internal"), turn(import_id) as mine:
        if not mine:
            return
        with organisation_scope(organisation.pk):
            roster_import = begin_preparing(organisation=organisation, import_id=import_id)
        if roster_import is None:
            return
        attempt = Reading(actor, organisation, roster_import)
        try:
            attempt.read()
            _apply_to_the_end(actor, organisation, import_id)
        except UnreadableFile as refused:
            _refuse(attempt, refused)
        except quarantine.QuarantineLost:
            _fail(actor, organisation, import_id, "upload_again", {})
        except NoLongerWanted:
            return


def run_plan(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Make the plan anew, with what was corrected and decided since; apply it when it was confirmed and is the same."""
    with _closed_if_broken(actor, organisation, import_id, "internal"), turn(import_id) as mine:
        if mine:
            with organisation_scope(organisation.pk):
                replan(actor=actor, organisation=organisation, import_id=import_id)
            _apply_to_the_end(actor, organisation, import_id)


def run_apply(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Apply what is confirmed, to the end."""
    with _closed_if_broken(actor, organisation, import_id, "stopped"), turn(import_id) as mine:
        if mine:
            _apply_to_the_end(actor, organisation, import_id)


def run_undo(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Take back what the import changed, to the end."""
    with _closed_if_broken(actor, organisation, import_id, "stopped"), turn(import_id) as mine:
        while mine and _undo_next(actor, organisation, import_id):
            pass


@contextmanager
def _closed_if_broken(actor: Actor, organisation: Organisation, import_id: int, code: str) -> Iterator[None]:
    """Close the import on an error that nobody foresaw: it would come again at each attempt, for ever.

    The error's text may quote a person's row, so only its kind reaches the log. When the database is away the caller
    hears of it, and the work is taken up later; not when it already made no progress for as long as uploads wait.
    """
    number = {"number": str(import_id)}
    try:
        yield
    except AWAY:
        if _is_stuck(organisation, import_id):
            _fail(actor, organisation, import_id, code, number)
        raise
    except Exception as error:  # noqa: BLE001  Whatever it is, its text must not travel on.
        log.error("Import %s stopped: %s.", import_id, type(error.__cause__ or error).__name__)  # noqa: TRY400
        _fail(actor, organisation, import_id, code, number)


def _is_stuck(organisation: Organisation, import_id: int) -> bool:
    """Whether writing has not advanced; an upload that is not read is closed by its own date."""
    long_ago = timezone.now() - timedelta(seconds=settings.IMPORT_UNREAD_SECONDS)
    with organisation_scope(organisation.pk):
        writing = RosterImport.objects.filter(pk=import_id, state__in=(State.APPLYING, State.UNDOING))
        return writing.filter(heartbeat_at__lt=long_ago).exists()


def _refuse(attempt: Reading, refused: UnreadableFile) -> None:
    """Close the import of a file that is refused, unless HR can point at what was not recognised in it."""
    organisation, import_id = attempt.organisation, attempt.roster_import.pk
    if attempt.roster_import.merging:
        _leave_as_it_was(attempt.organisation, import_id, refused)
        return
    if refused.code in UNCLEAR:
        with organisation_scope(organisation.pk):
            if note_unclear(
                organisation=organisation,
                import_id=import_id,
                code=refused.code,
                params=refused.params,
                preview=attempt.preview,
            ):
                return
    _fail(attempt.actor, organisation, import_id, refused.code, refused.params)


def _leave_as_it_was(organisation: Organisation, import_id: int, refused: UnreadableFile) -> None:
    with organisation_scope(organisation.pk):
        refuse_corrections(organisation=organisation, import_id=import_id, code=refused.code, params=refused.params)


def _apply_to_the_end(actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Apply chunk by chunk what is being applied; an import that is not is left alone."""
    try:
        while _apply_next(actor, organisation, import_id):
            pass
    except Refusal as refused:
        _fail(actor, organisation, import_id, refused.code, {})


def _apply_next(actor: Actor, organisation: Organisation, import_id: int) -> bool:
    with organisation_scope(organisation.pk):
        roster_import = locked_import(organisation, import_id)
        if roster_import.state != State.APPLYING:
            return False
        if apply_chunk(actor=actor, plan=planned(organisation, roster_import)):
            return True
        finish_applying(actor=actor, roster_import=roster_import)
        return False


def _undo_next(actor: Actor, organisation: Organisation, import_id: int) -> bool:
    with organisation_scope(organisation.pk):
        roster_import = locked_import(organisation, import_id)
        if roster_import.state != State.UNDOING:
            return False
        taken_back = undo_chunk(actor=actor, organisation=organisation, import_id=import_id)
        if not taken_back:
            finish_undoing(actor=actor, roster_import=roster_import)
            return False
        roster_import.done_rows += taken_back
        roster_import.heartbeat_at = timezone.now()
        roster_import.save(update_fields=["done_rows", "heartbeat_at"])
        return True


def _fail(actor: Actor, organisation: Organisation, import_id: int, code: str, params: dict[str, str]) -> None:
    with organisation_scope(organisation.pk):
        fail_import(actor=actor, organisation=organisation, import_id=import_id, code=code, params=params)
