"""The stages of an import as its worker reports them: read, unclear, planned again, applied, failed, undone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from imports import quarantine
from imports.landing import create_landing, land_staged
from imports.lifecycle import (
    WAITING,
    close,
    decided,
    locked_import,
    plan,
    record,
    start_or_wait,
    told,
)
from imports.models import RosterImport
from imports.pipeline.recognition import Reason
from imports.remembering import is_remembered, remember_mapping
from imports.undo import undo_results
from portal.audit.actions import Action
from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    from imports.pipeline.mapping import Mapping
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

State = RosterImport.State

_UNFINISHED = (
    State.UPLOADED, State.PREPARING, State.UNCLEAR, State.PLANNING, State.APPLYING, State.UNDOING,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeptCopy:
    """The redacted copy of a file: where it is, what it is, and what the roster's sheet is called in it."""

    stored: quarantine.Quarantined
    format: str
    sheet: str


@transaction.atomic
def begin_preparing(*, organisation: Organisation, import_id: int) -> RosterImport | None:
    """Take the upload, or the preparation that was interrupted, from the beginning; None when it is past that."""
    found = RosterImport.objects.filter(
        organisation_id=organisation.pk, pk=import_id, state__in=(State.UPLOADED, State.PREPARING)
    )
    now = timezone.now()
    if not found.update(state=State.PREPARING, heartbeat_at=now, work_began_at=now, done_rows=0):
        return None
    return RosterImport.objects.get(pk=import_id)


@transaction.atomic
def finish_preparing(
    *, actor: Actor, organisation: Organisation, import_id: int, mapping: Mapping, preview: dict[str, Any]
) -> RosterImport | None:
    """Make the plan of what has landed, and show it. None when the import was cancelled meanwhile.

    Columns that HR confirmed before, and those that nobody will be asked about, need no second look.
    """
    roster_import = locked_import(organisation, import_id)
    if roster_import.state != State.PREPARING:
        return None
    alone = _nobody_is_waited_for(roster_import, mapping)
    if not roster_import.merging:
        roster_import.mapping, roster_import.preview = mapping.as_json(), preview
        if roster_import.choice:
            remember_mapping(actor=actor, organisation=organisation, mapping=mapping)
        if roster_import.channel != RosterImport.Channel.PAGE or is_remembered(organisation, mapping):
            roster_import.looked_at = timezone.now()
    merged, roster_import.merging = roster_import.merging, False
    roster_import.due_at = None
    plan(organisation, roster_import)
    if not merged:
        _supersede_same_file(organisation, roster_import)
    record(actor, roster_import, Action.IMPORT_PREPARED, {**told(roster_import), "state": roster_import.state})
    if alone and roster_import.state == State.READY:
        record(actor, roster_import, Action.IMPORT_CONFIRMED, {**told(roster_import), "unattended": True})
        start_or_wait(actor, organisation, roster_import)
    return roster_import


@transaction.atomic
def replace_by_copy(*, roster_import: RosterImport, copy: KeptCopy | None) -> None:
    """Let go of what was read, the file as it came or an older copy: what is kept is the copy made by this reading.

    Another sheet or row of headers may show columns that must not stay: an older copy still holds them. When no copy
    could be made, none is kept.
    """
    _discard_later(roster_import.copy)
    roster_import.copy, roster_import.copy_digest, roster_import.copy_format = "", None, ""
    if copy is not None:
        roster_import.copy, roster_import.copy_digest = copy.stored.name, copy.stored.digest
        roster_import.copy_format = copy.format
        roster_import.mapping = {**roster_import.mapping, "sheet": copy.sheet}
    forget_file(roster_import=roster_import)


@transaction.atomic
def forget_file(*, roster_import: RosterImport) -> None:
    """Let go of a file as it came, once it has been read."""
    _discard_later(roster_import.quarantine)
    roster_import.quarantine = ""
    roster_import.save()


def _discard_later(name: str) -> None:
    """Delete a stored file once what no longer names it is safe."""
    transaction.on_commit(partial(quarantine.discard, name))


@transaction.atomic
def refuse_corrections(*, organisation: Organisation, import_id: int, code: str, params: dict[str, str]) -> None:
    """Say that a workbook of corrected rows could not be read; the import waits as it did before it came."""
    roster_import = locked_import(organisation, import_id)
    if roster_import.state != State.PREPARING or not roster_import.merging:
        return
    roster_import.merging, roster_import.due_at = False, None
    roster_import.state = State.HELD if roster_import.held_whole else State.READY
    roster_import.error, roster_import.error_params = code, params
    forget_file(roster_import=roster_import)


@transaction.atomic
def note_unclear(
    *, organisation: Organisation, import_id: int, code: str, params: dict[str, str], preview: dict[str, Any]
) -> bool:
    """Wait for HR to point at the sheet and the headers, when the upload came by a page; say whether it does."""
    roster_import = locked_import(organisation, import_id)
    if roster_import.state != State.PREPARING or roster_import.channel != RosterImport.Channel.PAGE:
        return False
    roster_import.state, roster_import.error, roster_import.error_params = State.UNCLEAR, code, params
    roster_import.preview = preview
    roster_import.save()
    return True


@transaction.atomic
def replan(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Make the plan anew, and go on applying when somebody confirmed it and it comes to the same."""
    roster_import = locked_import(organisation, import_id)
    if roster_import.state != State.PLANNING:
        return
    agreed, roster_import.agreed = roster_import.agreed, ""
    create_landing()
    land_staged(roster_import)
    plan(organisation, roster_import)
    if agreed and agreed == decided(roster_import):
        start_or_wait(actor, organisation, roster_import)
    elif agreed:
        roster_import.release, roster_import.approved_by = RosterImport.Release.FREE, None
        roster_import.counts = {**roster_import.counts, "recomputed": True}
        roster_import.save(update_fields=["release", "approved_by", "counts"])


@transaction.atomic
def finish_applying(*, actor: Actor, roster_import: RosterImport) -> None:
    """Close an apply: one event for all that it changed. It is flushed, and every chunk before it."""
    cursor_rows("SET LOCAL synchronous_commit = on")
    roster_import.state = State.APPLIED
    roster_import.applied_at = timezone.now()
    if roster_import.release != RosterImport.Release.FREE:
        roster_import.counts = {**roster_import.counts, "held": 0}
        roster_import.held_whole, roster_import.held_sites = False, []
    roster_import.save()
    record(actor, roster_import, Action.IMPORT_APPLIED, told(roster_import))


@transaction.atomic
def fail_import(*, actor: Actor, organisation: Organisation, import_id: int, code: str, params: dict[str, Any]) -> None:
    """Close an import whose work cannot go on. When a part was applied, it can still be undone.

    Corrections that cannot be read close nothing: the import waits as it did before they came.
    """
    roster_import = locked_import(organisation, import_id)
    if roster_import.state not in _UNFINISHED:
        return
    if roster_import.state == State.PREPARING and roster_import.merging:
        refuse_corrections(organisation=organisation, import_id=import_id, code=code, params=params)
        return
    roster_import.error = code
    roster_import.error_params = params
    close(roster_import, State.FAILED)
    record(actor, roster_import, Action.IMPORT_FAILED, {"code": code})


@transaction.atomic
def finish_undoing(*, actor: Actor, roster_import: RosterImport) -> None:
    """Close an undo, with one event for all that it took back; what was still held is not wanted any more."""
    results = undo_results(organisation_id=roster_import.organisation_id, import_id=roster_import.pk)
    roster_import.undone_at = timezone.now()
    roster_import.counts = {**roster_import.counts, "held": 0, "undo": results}
    roster_import.held_whole, roster_import.held_sites = False, []
    roster_import.state = State.UNDONE
    roster_import.save()
    record(actor, roster_import, Action.IMPORT_UNDONE, results)


def _nobody_is_waited_for(roster_import: RosterImport, mapping: Mapping) -> bool:
    """Whether the file came unattended, no column of it was only guessed, and no person has had a word in it since."""
    guessed = {Reason.SIMILAR, Reason.CONTENT} & set(mapping.reasons.values())
    first = not (roster_import.merging or roster_import.choice or roster_import.touched_by or roster_import.planned_at)
    return roster_import.channel == RosterImport.Channel.API and first and not guessed


def _supersede_same_file(organisation: Organisation, roster_import: RosterImport) -> None:
    """The same file uploaded again replaces the older copy that waits.

    Other imports that wait are left alone: they may speak of other people, and whoever confirms one gets its plan
    made anew against the roster as it is then.
    """
    older = RosterImport.objects.select_for_update().filter(
        organisation_id=organisation.pk,
        pk__lt=roster_import.pk,
        state__in=WAITING,
        file_digest=roster_import.file_digest,
        mode=roster_import.mode,
        cohort_name=roster_import.cohort_name,
        wanted_sheet=roster_import.wanted_sheet,
    )
    for copy in older:
        close(copy, State.SUPERSEDED)
