"""The long works of an import: prepare, apply, undo. Each can be killed at any moment and taken up where it stopped.

They open the organisation's scope chunk by chunk, so they are called outside of any. When it is not their turn, or
the import is past their state, they do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from imports import quarantine
from imports.apply import apply_chunk
from imports.models import RosterImport
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.mapping import Mapping, suggest_mapping
from imports.pipeline.reading import open_workbook
from imports.pipeline.validation import check_rows
from imports.services import (
    begin_preparing,
    fail_import,
    finish_applying,
    finish_preparing,
    finish_undoing,
    locked_import,
    planned,
)
from imports.staging import FIELDS, NoLongerWanted, stage_rows
from imports.turn import turn
from imports.undo import undo_chunk
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

State = RosterImport.State


def prepare_import(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Read the file, stage its rows and make the plan; a file that cannot be read fails the import with a reason."""
    with turn(import_id) as mine:
        if not mine:
            return
        with organisation_scope(organisation.pk):
            roster_import = begin_preparing(organisation=organisation, import_id=import_id)
        if roster_import is None:
            return
        try:
            mapping = _read(organisation, roster_import)
            with organisation_scope(organisation.pk):
                finish_preparing(actor=actor, organisation=organisation, import_id=import_id, mapping=mapping)
        except UnreadableFile as refused:
            _fail(actor, organisation, import_id, refused.code, refused.params)
        except quarantine.QuarantineLost:
            _fail(actor, organisation, import_id, "upload_again", {})
        except NoLongerWanted:
            return


def run_apply(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Apply what is confirmed, to the end."""
    with turn(import_id) as mine:
        try:
            while mine and _apply_next(actor, organisation, import_id):
                pass
        except Refusal as refused:
            _fail(actor, organisation, import_id, refused.code, {})


def run_undo(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Take back what the import changed, to the end."""
    with turn(import_id) as mine:
        while mine and _undo_next(actor, organisation, import_id):
            pass


def _read(organisation: Organisation, roster_import: RosterImport) -> Mapping:
    with (
        quarantine.let_out(roster_import.quarantine, bytes(roster_import.file_digest)) as file,
        open_workbook(file) as workbook,
    ):
        mapping = suggest_mapping(
            workbook,
            FIELDS,
            sheet=roster_import.wanted_sheet or None,
            names_required=organisation.names_required,
        )
        rows = check_rows(workbook.rows(mapping.sheet), mapping, FIELDS, names_required=organisation.names_required)
        stage_rows(roster_import=roster_import, mapping=mapping, rows=rows)
    return mapping


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
