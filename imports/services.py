"""What people and systems ask of an import: bring it, confirm it, approve it, cancel it, undo it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import PurePath
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from imports import progress, quarantine
from imports.lifecycle import (
    WAITING,
    close,
    decided,
    locked_import,
    move,
    record,
    start_applying,
    start_undoing,
    told,
)
from imports.models import ImportChange, RosterImport, StagedRow
from portal.audit.actions import Action
from portal.core.actor import ActorKind
from portal.core.errors import Refusal
from portal.people.selectors import roster

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

State = RosterImport.State

_CANCELLABLE = (State.UPLOADED, State.PREPARING, State.UNCLEAR, State.PLANNING, *WAITING)


class Confirmation(StrEnum):
    """Whether the work began, or the plan must be made again first: it goes on only if that comes to the same."""

    STARTED = "started"
    PLANNING = "planning"


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
    record(actor, roster_import, Action.IMPORT_OPENED, {"mode": mode, "bytes": stored.size})
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
    close(opened, State.SUPERSEDED)
    return known, False


def _is_same_file(known: RosterImport, other: RosterImport) -> bool:
    def told(roster_import: RosterImport) -> tuple[object, ...]:
        names = (roster_import.mode, roster_import.cohort_name, roster_import.wanted_sheet)
        return bytes(roster_import.file_digest), *names

    return told(known) == told(other)


@transaction.atomic
def confirm_import(
    *, actor: Actor, organisation: Organisation, import_id: int, seen: str | None = None
) -> Confirmation:
    """Start to apply what was shown, without what is held.

    `seen` is the `plan_token` of the page on which somebody confirms. The roster may have changed since: then the plan
    is made again first, and it goes on only if it comes to the same.

    Raises:
        Refusal: `needs_approval`, `not_ready`, `plan_stale`, `plan_changed`, `another_import_at_work`.
    """
    roster_import = locked_import(organisation, import_id)
    if roster_import.state == State.HELD:
        message = _("So many people would leave that a second person must approve this import.")
        raise Refusal("needs_approval", message)
    if roster_import.state != State.READY:
        raise Refusal("not_ready", _("This import is not waiting to be applied."))
    _refuse_unseen(roster_import, seen)
    roster_import.release = RosterImport.Release.FREE
    return _go_on(actor, organisation, roster_import, Action.IMPORT_CONFIRMED)


@transaction.atomic
def approve_held(*, actor: Actor, organisation: Organisation, import_id: int, seen: str | None = None) -> Confirmation:
    """Let go what was held, as a second person, and start to apply everything that is not applied yet.

    Whoever brought the file or changed since what it would do is not a second person.

    Raises:
        Refusal: `same_person`, `nothing_held`, `plan_stale`, `plan_changed`, `plan_outdated`, `another_import_at_work`.
    """
    roster_import = locked_import(organisation, import_id)
    if not roster_import.counts.get("held") or roster_import.state not in (*WAITING, State.APPLIED):
        raise Refusal("nothing_held", _("Nothing is held in this import."))
    if actor.kind is ActorKind.USER and had_a_hand_in(roster_import, actor.user_id):
        message = _("You uploaded this file or corrected it: someone else must approve what is held.")
        raise Refusal("same_person", message)
    _refuse_unseen(roster_import, seen)
    roster_import.approved_by = actor.pseudonym
    if roster_import.state != State.APPLIED:
        roster_import.release = RosterImport.Release.ALL
        return _go_on(actor, organisation, roster_import, Action.IMPORT_APPROVED)
    if _other_import_since(roster_import) or _held_people_changed_since(roster_import):
        message = _("The roster has changed since this was planned. Upload the file again.")
        raise Refusal("plan_outdated", message)
    roster_import.release = RosterImport.Release.HELD
    start_applying(actor, organisation, roster_import)
    record(actor, roster_import, Action.IMPORT_APPROVED, told(roster_import))
    return Confirmation.STARTED


def had_a_hand_in(roster_import: RosterImport, user_id: int | None) -> bool:
    """Whether somebody brought the file, or changed since what it would do."""
    return user_id is not None and user_id in {roster_import.uploaded_by_id, *roster_import.touched_by}


def plan_token(roster_import: RosterImport) -> str:
    """What a page that shows the plan sends back with its buttons: a plan made since is another one."""
    return roster_import.planned_at.isoformat() if roster_import.planned_at else ""


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
def cancel_import(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Drop an import with everything that was read from its file; one that is being applied is stopped and taken back.

    Raises:
        Refusal: `too_late`.
    """
    roster_import = locked_import(organisation, import_id)
    if roster_import.state == State.APPLYING:
        start_undoing(roster_import)
        record(actor, roster_import, Action.IMPORT_CANCELLED, {"while": "applying"})
        return
    if roster_import.state not in _CANCELLABLE:
        raise Refusal("too_late", _("This import has been applied or closed: it can no longer be cancelled."))
    progress.give_up(roster_import.pk)
    close(roster_import, State.CANCELLED)
    record(actor, roster_import, Action.IMPORT_CANCELLED, {})


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
    start_undoing(roster_import)
    record(actor, roster_import, Action.IMPORT_UNDO_ASKED, {})


def _refuse_unseen(roster_import: RosterImport, seen: str | None) -> None:
    if roster_import.stale:
        message = _("Some rows were corrected since: compare the file with the roster again, then apply it.")
        raise Refusal("plan_stale", message)
    if seen is not None and seen != plan_token(roster_import):
        message = _("What this import would do has changed since your page was opened. Look at it again.")
        raise Refusal("plan_changed", message)


def _go_on(actor: Actor, organisation: Organisation, roster_import: RosterImport, action: Action) -> Confirmation:
    """Start, or have the plan made again first; either way the person's word is recorded as theirs, now."""
    if _roster_changed_since(roster_import):
        roster_import.agreed = decided(roster_import)
        move(roster_import, State.PLANNING)
        began = Confirmation.PLANNING
    else:
        start_applying(actor, organisation, roster_import)
        began = Confirmation.STARTED
    record(actor, roster_import, action, told(roster_import))
    return began


def _roster_changed_since(roster_import: RosterImport) -> bool:
    """People who were deleted leave no date behind, but only an undo deletes people."""
    people = roster(roster_import.organisation).filter(changed_at__gt=roster_import.planned_at)
    return people.exists() or _other_import_since(roster_import)


def _other_import_since(roster_import: RosterImport) -> bool:
    others = RosterImport.objects.filter(organisation_id=roster_import.organisation_id).exclude(pk=roster_import.pk)
    stopped_on_its_way = Q(state=State.FAILED, heartbeat_at__gt=roster_import.planned_at, cursor_action__gt="")
    since = Q(applied_at__gt=roster_import.planned_at) | Q(undone_at__gt=roster_import.planned_at)
    return others.filter(since | stopped_on_its_way).exists()


def _held_people_changed_since(roster_import: RosterImport) -> bool:
    """Whether somebody whom what is held would change was changed by hand since the plan was made."""
    changed = roster(roster_import.organisation).filter(changed_at__gt=roster_import.planned_at)
    held = StagedRow.objects.filter(
        organisation_id=roster_import.organisation_id, roster_import=roster_import, held=True, employee_id__isnull=False
    )
    return held.filter(employee_id__in=changed.values("pk")).exists()


def _shown_name(file_name: str) -> str:
    """The last part of a path that a browser may send, without what cannot be shown or stored."""
    last = PurePath(file_name.replace("\\", "/")).name
    return "".join(sign for sign in last if sign.isprintable())[:255]
