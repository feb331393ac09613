"""Writing imports: each change of state, by compare-and-set, with its event."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from imports import progress, quarantine
from imports.apply import BEFORE_ALL, create_named_cohorts
from imports.diff import Plan, make_plan, plan_digest
from imports.landing import clear_staged, create_landing, land_staged
from imports.models import ImportChange, RosterImport
from imports.pipeline.mapping import Mapping
from imports.pipeline.recognition import Reason
from imports.remembering import is_remembered
from imports.undo import undo_results
from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.actor import ActorKind
from portal.core.errors import Refusal
from portal.people.selectors import roster

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

State = RosterImport.State

WAITING = (State.READY, State.HELD)
_CANCELLABLE = (State.UPLOADED, State.PREPARING, State.UNCLEAR, State.PLANNING, *WAITING)
_UNFINISHED = (
    State.UPLOADED, State.PREPARING, State.UNCLEAR, State.PLANNING, State.APPLYING, State.UNDOING,
)  # fmt: skip


class Confirmation(StrEnum):
    """Whether the work began, or the plan must be made again first: it goes on only if that comes to the same."""

    STARTED = "started"
    PLANNING = "planning"


@dataclass(frozen=True, slots=True)
class KeptCopy:
    """The redacted copy of a file: where it is, what it is, and what the roster's sheet is called in it."""

    stored: quarantine.Quarantined
    format: str
    sheet: str


@transaction.atomic
def open_import(
    *,
    actor: Actor,
    organisation: Organisation,
    file: IO[bytes],
    file_name: str,
    mode: str = RosterImport.Mode.DELTA,
    cohort_name: str = "",
    sheet: str = "",
    channel: str = RosterImport.Channel.COMMAND,
) -> RosterImport:
    """Shut the uploaded file away until a worker reads it.

    Raises:
        Refusal: `too_large`, `empty_file`, `invalid_name`.
    """
    cohort_name = " ".join(cohort_name.split())
    if len(cohort_name) > 150:
        raise Refusal("invalid_name", _("Give the cohort a name of 150 characters at most."))
    try:
        stored = quarantine.shut_away(file, limit=settings.IMPORT_MAX_BYTES)
    except quarantine.TooLarge:
        message = _("This file is larger than %(limit)s MB. Remove pictures and other sheets, or save it as CSV.")
        raise Refusal("too_large", message % {"limit": settings.IMPORT_MAX_BYTES // 1024**2}) from None
    if not stored.size:
        quarantine.discard(stored.name)
        raise Refusal("empty_file", _("This file is empty. Save it once more from your spreadsheet, then upload it."))
    now = timezone.now()
    roster_import = RosterImport.objects.create(
        organisation=organisation,
        channel=channel,
        mode=mode,
        uploaded_by_id=actor.user_id,
        file_name=_shown_name(file_name),
        file_size=stored.size,
        file_digest=stored.digest,
        quarantine=stored.name,
        wanted_sheet=sheet[:255],
        cohort_name=cohort_name,
        due_at=now + timedelta(seconds=settings.IMPORT_UNREAD_SECONDS),
        heartbeat_at=now,
    )
    _record(actor, roster_import, Action.IMPORT_OPENED, {"mode": mode, "bytes": stored.size})
    return roster_import


@transaction.atomic
def open_unattended(
    *,
    actor: Actor,
    organisation: Organisation,
    file: IO[bytes],
    file_name: str,
    mode: str,
    cohort_name: str = "",
    sheet: str = "",
) -> tuple[RosterImport, bool]:
    """Take a file that another system brings, and say whether it is new.

    The content of the latest import again, to the same end, is that import: a nightly job may be repeated. An import
    that failed, or was cancelled or undone, is no answer to a file that comes again.

    Raises:
        Refusal: those of `open_import`.
    """
    latest = RosterImport.objects.filter(organisation_id=organisation.pk).exclude(
        state__in=(State.FAILED, State.CANCELLED, State.SUPERSEDED)
    )
    known = latest.order_by("-pk").first()
    opened = open_import(
        actor=actor,
        organisation=organisation,
        file=file,
        file_name=file_name,
        mode=mode,
        cohort_name=cohort_name,
        sheet=sheet,
        channel=RosterImport.Channel.API,
    )
    if known is None or known.state in (State.UNDOING, State.UNDONE) or not _is_same_file(known, opened):
        return opened, True
    _close(opened, State.SUPERSEDED)
    return known, False


def _is_same_file(known: RosterImport, other: RosterImport) -> bool:
    def told(roster_import: RosterImport) -> tuple[object, ...]:
        names = (roster_import.mode, roster_import.cohort_name, roster_import.wanted_sheet)
        return bytes(roster_import.file_digest), *names

    return told(known) == told(other)


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
    if not roster_import.merging:
        roster_import.mapping, roster_import.preview = mapping.as_json(), preview
        if roster_import.channel != RosterImport.Channel.PAGE or is_remembered(organisation, mapping):
            roster_import.looked_at = timezone.now()
    roster_import.merging = False
    roster_import.due_at = None
    _plan(organisation, roster_import)
    _supersede_same_file(organisation, roster_import)
    _record(actor, roster_import, Action.IMPORT_PREPARED, {**_told(roster_import), "state": roster_import.state})
    if _goes_on_alone(roster_import, mapping):
        _start_or_wait(actor, organisation, roster_import, Action.IMPORT_CONFIRMED)
    return roster_import


@transaction.atomic
def replace_by_copy(*, roster_import: RosterImport, copy: KeptCopy | None) -> None:
    """Let go of the file as it came: what is kept is its redacted copy, when one could be made."""
    quarantined, roster_import.quarantine = roster_import.quarantine, ""
    if copy is not None:
        roster_import.copy, roster_import.copy_digest = copy.stored.name, copy.stored.digest
        roster_import.copy_format = copy.format
        roster_import.mapping = {**roster_import.mapping, "sheet": copy.sheet}
    roster_import.save()
    transaction.on_commit(lambda: quarantine.discard(quarantined))


@transaction.atomic
def refuse_corrections(*, organisation: Organisation, import_id: int, code: str, params: dict[str, str]) -> None:
    """Say that a workbook of corrected rows could not be read; the import waits as it did before it came."""
    roster_import = locked_import(organisation, import_id)
    if roster_import.state != State.PREPARING or not roster_import.merging:
        return
    quarantined, roster_import.quarantine = roster_import.quarantine, ""
    roster_import.merging, roster_import.due_at = False, None
    roster_import.state = State.HELD if roster_import.held_whole else State.READY
    roster_import.error, roster_import.error_params = code, params
    roster_import.save()
    transaction.on_commit(lambda: quarantine.discard(quarantined))


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
    if roster_import.due_at:
        roster_import.due_at = timezone.now() + timedelta(seconds=settings.IMPORT_UNREAD_SECONDS)
    roster_import.save()
    return True


@transaction.atomic
def confirm_import(*, actor: Actor, organisation: Organisation, import_id: int) -> Confirmation:
    """Start to apply what was shown, without what is held.

    The roster may have changed since: then the plan is made again first, and it goes on only if it comes to the same.

    Raises:
        Refusal: `needs_approval`, `not_ready`, `plan_stale`, `another_import_at_work`.
    """
    roster_import = locked_import(organisation, import_id)
    if roster_import.state == State.HELD:
        message = _("So many people would leave that a second person must approve this import.")
        raise Refusal("needs_approval", message)
    if roster_import.state != State.READY:
        raise Refusal("not_ready", _("This import is not waiting to be applied."))
    _refuse_stale(roster_import)
    roster_import.release = RosterImport.Release.FREE
    return _go_on(actor, organisation, roster_import, Action.IMPORT_CONFIRMED)


@transaction.atomic
def approve_held(*, actor: Actor, organisation: Organisation, import_id: int) -> Confirmation:
    """Let go what was held, as a second person, and start to apply everything that is not applied yet.

    Raises:
        Refusal: `same_person`, `nothing_held`, `plan_stale`, `plan_outdated`, `another_import_at_work`.
    """
    roster_import = locked_import(organisation, import_id)
    if not roster_import.counts.get("held") or roster_import.state not in (*WAITING, State.APPLIED):
        raise Refusal("nothing_held", _("Nothing is held in this import."))
    if actor.kind is ActorKind.USER and actor.user_id == roster_import.uploaded_by_id:
        message = _("You uploaded this file: someone else must approve what is held.")
        raise Refusal("same_person", message)
    _refuse_stale(roster_import)
    roster_import.approved_by = actor.pseudonym
    if roster_import.state != State.APPLIED:
        roster_import.release = RosterImport.Release.ALL
        return _go_on(actor, organisation, roster_import, Action.IMPORT_APPROVED)
    if _other_import_since(roster_import):
        message = _("Another import has changed the roster since this was planned. Upload the file again.")
        raise Refusal("plan_outdated", message)
    roster_import.release = RosterImport.Release.HELD
    _start_applying(actor, organisation, roster_import, Action.IMPORT_APPROVED)
    return Confirmation.STARTED


@transaction.atomic
def plan_again(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Ask for the plan to be made anew, with what was corrected and decided since.

    Raises:
        Refusal: `not_ready`.
    """
    del actor
    roster_import = locked_import(organisation, import_id)
    if roster_import.state not in WAITING:
        raise Refusal("not_ready", _("This import is not waiting to be applied."))
    move(roster_import, State.PLANNING)


@transaction.atomic
def replan(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Make the plan anew, and go on applying when somebody confirmed it and it comes to the same."""
    roster_import = locked_import(organisation, import_id)
    if roster_import.state != State.PLANNING:
        return
    agreed, roster_import.agreed = roster_import.agreed, ""
    create_landing()
    land_staged(roster_import)
    _plan(organisation, roster_import)
    if agreed and agreed == _decided(roster_import):
        approved = roster_import.release == RosterImport.Release.ALL
        action = Action.IMPORT_APPROVED if approved else Action.IMPORT_CONFIRMED
        _start_or_wait(actor, organisation, roster_import, action)
    elif agreed:
        roster_import.release = RosterImport.Release.FREE
        roster_import.counts = {**roster_import.counts, "recomputed": True}
        roster_import.save(update_fields=["release", "counts"])


@transaction.atomic
def finish_applying(*, actor: Actor, roster_import: RosterImport) -> None:
    """Close an apply: one event for all that it changed."""
    roster_import.state = State.APPLIED
    roster_import.applied_at = timezone.now()
    if roster_import.release != RosterImport.Release.FREE:
        roster_import.counts = {**roster_import.counts, "held": 0}
        roster_import.held_whole, roster_import.held_sites = False, []
    roster_import.save()
    _record(actor, roster_import, Action.IMPORT_APPLIED, _told(roster_import))


@transaction.atomic
def cancel_import(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Drop an import with everything that was read from its file; one that is being applied is stopped and taken back.

    Raises:
        Refusal: `too_late`.
    """
    roster_import = locked_import(organisation, import_id)
    if roster_import.state == State.APPLYING:
        _start_undoing(roster_import)
        _record(actor, roster_import, Action.IMPORT_CANCELLED, {"while": "applying"})
        return
    if roster_import.state not in _CANCELLABLE:
        raise Refusal("too_late", _("This import has been applied or closed: it can no longer be cancelled."))
    progress.give_up(roster_import.pk)
    _close(roster_import, State.CANCELLED)
    _record(actor, roster_import, Action.IMPORT_CANCELLED, {})


@transaction.atomic
def fail_import(*, actor: Actor, organisation: Organisation, import_id: int, code: str, params: dict[str, Any]) -> None:
    """Close an import whose work cannot go on. When a part was applied, it can still be undone."""
    roster_import = locked_import(organisation, import_id)
    if roster_import.state not in _UNFINISHED:
        return
    roster_import.error = code
    roster_import.error_params = params
    _close(roster_import, State.FAILED)
    _record(actor, roster_import, Action.IMPORT_FAILED, {"code": code})


@transaction.atomic
def undo_import(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Start to take back what the import changed.

    Raises:
        Refusal: `nothing_to_undo`, `another_import_at_work`.
    """
    roster_import = locked_import(organisation, import_id)
    changes = ImportChange.objects.filter(organisation_id=organisation.pk, roster_import=roster_import)
    may = roster_import.state == State.APPLIED or (roster_import.state == State.FAILED and changes.exists())
    if not may:
        raise Refusal("nothing_to_undo", _("This import has changed nothing that could be undone."))
    _start_undoing(roster_import)
    del actor  # The event is written once, when the undo is done.


@transaction.atomic
def finish_undoing(*, actor: Actor, roster_import: RosterImport) -> None:
    """Close an undo, with one event for all that it took back; what was still held is not wanted any more."""
    results = undo_results(organisation_id=roster_import.organisation_id, import_id=roster_import.pk)
    roster_import.undone_at = timezone.now()
    roster_import.counts = {**roster_import.counts, "held": 0, "undo": results}
    roster_import.held_whole, roster_import.held_sites = False, []
    roster_import.state = State.UNDONE
    roster_import.save()
    _record(actor, roster_import, Action.IMPORT_UNDONE, results)


def locked_import(organisation: Organisation, import_id: int) -> RosterImport:
    """Return the import, locked until the transaction ends.

    Raises:
        Refusal: `unknown_import`.
    """
    found = RosterImport.objects.select_for_update().filter(organisation_id=organisation.pk, pk=import_id).first()
    if found is None:
        raise Refusal("unknown_import", _("There is no such import."))
    return found


def planned(organisation: Organisation, roster_import: RosterImport) -> Plan:
    """The plan's terms. The day is that of the plan: midnight between the review and the apply changes nothing."""
    moment = roster_import.planned_at or timezone.now()
    return Plan(
        roster_import=roster_import,
        organisation=organisation,
        mapping=Mapping.from_json(roster_import.mapping),
        today=moment.astimezone(ZoneInfo(organisation.time_zone)).date(),
    )


def _plan(organisation: Organisation, roster_import: RosterImport) -> None:
    roster_import.planned_at = timezone.now()
    roster_import.counts = make_plan(planned(organisation, roster_import))
    roster_import.state = State.HELD if roster_import.held_whole else State.READY
    roster_import.stale, roster_import.done_rows = False, 0
    roster_import.error, roster_import.error_params = "", {}
    roster_import.save()


def _goes_on_alone(roster_import: RosterImport, mapping: Mapping) -> bool:
    """Whether nobody is waited for: the file came unattended, is not held, and no column of it was only guessed."""
    guessed = {Reason.SIMILAR, Reason.CONTENT} & set(mapping.reasons.values())
    alone = roster_import.channel == RosterImport.Channel.API and roster_import.state == State.READY
    return alone and not guessed


def _refuse_stale(roster_import: RosterImport) -> None:
    if roster_import.stale:
        message = _("Some rows were corrected since: compare the file with the roster again, then apply it.")
        raise Refusal("plan_stale", message)


def _go_on(actor: Actor, organisation: Organisation, roster_import: RosterImport, action: Action) -> Confirmation:
    if _roster_changed_since(roster_import):
        roster_import.agreed = _decided(roster_import)
        move(roster_import, State.PLANNING)
        return Confirmation.PLANNING
    _start_applying(actor, organisation, roster_import, action)
    return Confirmation.STARTED


def _decided(roster_import: RosterImport) -> str:
    """What whoever confirms has agreed to: whom, not only how many. How many are active is only the background."""
    background = ("active", "recomputed", "to_do")
    counts = {name: count for name, count in roster_import.counts.items() if name not in background}
    told = [counts, roster_import.held_sites, roster_import.held_whole, plan_digest(roster_import)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def _roster_changed_since(roster_import: RosterImport) -> bool:
    """People who were deleted leave no date behind, but only an undo deletes people."""
    people = roster(roster_import.organisation).filter(changed_at__gt=roster_import.planned_at)
    return people.exists() or _other_import_since(roster_import)


def _other_import_since(roster_import: RosterImport) -> bool:
    others = RosterImport.objects.filter(organisation_id=roster_import.organisation_id).exclude(pk=roster_import.pk)
    since = Q(applied_at__gt=roster_import.planned_at) | Q(undone_at__gt=roster_import.planned_at)
    return others.filter(since).exists()


def _start_applying(actor: Actor, organisation: Organisation, roster_import: RosterImport, action: Action) -> None:
    counts = roster_import.counts
    create_named_cohorts(actor=actor, plan=planned(organisation, roster_import))
    to_do = {
        RosterImport.Release.FREE: counts["work"] - counts["held"],
        RosterImport.Release.HELD: counts["held"],
        RosterImport.Release.ALL: counts["work"],
    }[RosterImport.Release(roster_import.release)]
    roster_import.counts = {**counts, "to_do": to_do, "recomputed": False}
    roster_import.cursor_action, roster_import.cursor_number = "", BEFORE_ALL
    move(roster_import, State.APPLYING)
    _record(actor, roster_import, action, _told(roster_import))


def _start_or_wait(actor: Actor, organisation: Organisation, roster_import: RosterImport, action: Action) -> None:
    """Start to apply; while another import of the organisation is at work, wait for the sweep to try again."""
    try:
        with transaction.atomic():
            _start_applying(actor, organisation, roster_import, action)
    except Refusal:
        roster_import.agreed = _decided(roster_import)
        move(roster_import, State.PLANNING)


def _start_undoing(roster_import: RosterImport) -> None:
    changes = ImportChange.objects.filter(organisation_id=roster_import.organisation_id, roster_import=roster_import)
    roster_import.counts = {**roster_import.counts, "to_do": changes.filter(undone="").count()}
    move(roster_import, State.UNDOING)


def move(roster_import: RosterImport, state: str) -> None:
    """Move to a state in which somebody works: only one import of an organisation writes people at a time."""
    roster_import.state = state
    roster_import.done_rows = 0
    roster_import.heartbeat_at = roster_import.work_began_at = timezone.now()
    try:
        with transaction.atomic():
            roster_import.save()
    except IntegrityError:
        message = _("Another import of this organisation is being applied or undone. Try again when it is done.")
        raise Refusal("another_import_at_work", message) from None


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
        _close(copy, State.SUPERSEDED)


def _close(roster_import: RosterImport, state: str) -> None:
    """Close an import that will not be applied: what was read from its file is deleted, and the file."""
    files = (roster_import.quarantine, roster_import.copy)
    roster_import.state, roster_import.due_at = state, None
    roster_import.quarantine = roster_import.copy = ""
    roster_import.preview = {}
    roster_import.save()
    clear_staged(organisation_id=roster_import.organisation_id, import_id=roster_import.pk)
    for name in files:
        transaction.on_commit(partial(quarantine.discard, name))


def _shown_name(file_name: str) -> str:
    """The last part of a path that a browser may send, without what cannot be shown or stored."""
    last = PurePath(file_name.replace("\\", "/")).name
    return "".join(sign for sign in last if sign.isprintable())[:255]


def _told(roster_import: RosterImport) -> dict[str, Any]:
    names = ("rows", "create", "update", "unchanged", "merged", "reject", "deactivate", "held")
    return {name: roster_import.counts.get(name, 0) for name in names}


def _record(actor: Actor, roster_import: RosterImport, action: Action, data: dict[str, Any]) -> None:
    record_event(
        actor=actor,
        organisation_id=roster_import.organisation_id,
        action=action,
        subject=str(roster_import.pk),
        data=data,
    )
