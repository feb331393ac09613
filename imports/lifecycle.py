"""What every change of an import's state is made of: its lock, its plan, its move from state to state, its event."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from imports import quarantine
from imports.apply import BEFORE_ALL, create_named_cohorts
from imports.diff import Plan, make_plan, plan_digest
from imports.landing import clear_staged
from imports.models import ImportChange, RosterImport
from imports.pipeline.mapping import Mapping
from portal.audit.services import record_event
from portal.core.errors import Refusal

if TYPE_CHECKING:
    from portal.audit.actions import Action
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

State = RosterImport.State

WAITING = (State.READY, State.HELD)
"""A person is waited for."""


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


def plan(organisation: Organisation, roster_import: RosterImport) -> None:
    roster_import.planned_at = timezone.now()
    roster_import.counts = make_plan(planned(organisation, roster_import))
    roster_import.state = State.HELD if roster_import.held_whole else State.READY
    roster_import.stale, roster_import.done_rows = False, 0
    roster_import.error, roster_import.error_params = "", {}
    roster_import.save()


def decided(roster_import: RosterImport) -> str:
    """What whoever confirms has agreed to: whom, not only how many. How many are active is only the background."""
    background = ("active", "recomputed", "to_do")
    counts = {name: count for name, count in roster_import.counts.items() if name not in background}
    told = [counts, roster_import.held_sites, roster_import.held_whole, plan_digest(roster_import)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def start_applying(actor: Actor, organisation: Organisation, roster_import: RosterImport) -> None:
    """Begin to apply what is released. Whoever wanted it is recorded by the caller."""
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


def start_or_wait(actor: Actor, organisation: Organisation, roster_import: RosterImport) -> None:
    """Start to apply; while another import of the organisation is at work, wait for the sweep to try again."""
    try:
        with transaction.atomic():
            start_applying(actor, organisation, roster_import)
    except Refusal:
        roster_import.agreed = decided(roster_import)
        move(roster_import, State.PLANNING)


def start_undoing(roster_import: RosterImport) -> None:
    changes = ImportChange.objects.filter(organisation_id=roster_import.organisation_id, roster_import=roster_import)
    standing = changes.filter(undone="").aggregate(changes=Count("pk"), joined=Sum("cohort_ids__len"))
    to_do = standing["changes"] + (standing["joined"] or 0)
    roster_import.counts = {**roster_import.counts, "to_do": to_do}
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


def close(roster_import: RosterImport, state: str) -> None:
    """Close an import that will not be applied: what was read from its file is deleted, and the file."""
    files = (roster_import.quarantine, roster_import.copy)
    roster_import.state, roster_import.due_at = state, None
    roster_import.quarantine = roster_import.copy = ""
    roster_import.preview = {}
    roster_import.save()
    clear_staged(organisation_id=roster_import.organisation_id, import_id=roster_import.pk)
    for name in files:
        transaction.on_commit(partial(quarantine.discard, name))


def told(roster_import: RosterImport) -> dict[str, Any]:
    names = ("rows", "create", "update", "unchanged", "merged", "reject", "deactivate", "held")
    return {name: roster_import.counts.get(name, 0) for name in names}


def record(actor: Actor, roster_import: RosterImport, action: Action, data: dict[str, Any]) -> None:
    record_event(
        actor=actor,
        organisation_id=roster_import.organisation_id,
        action=action,
        subject=str(roster_import.pk),
        data=data,
    )
