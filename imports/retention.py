"""How long an import is kept: its copy and rows for the retention period, rows that change nobody for a day."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from imports import quarantine
from imports.landing import clear_staged
from imports.models import ImportChange, RosterImport, StagedRow
from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.actor import SYSTEM

State = RosterImport.State
_OVER = (State.APPLIED, State.UNDONE, State.FAILED, State.CANCELLED, State.SUPERSEDED, State.READY, State.HELD)
_UNTOUCHED = (StagedRow.Action.UNCHANGED, StagedRow.Action.MERGED)
_A_DAY = timedelta(days=1)


@transaction.atomic
def forget_imports(*, organisation_id: int) -> int:
    """Purge the imports whose period is over, in the scope of their organisation; return how many were.

    The counts stay, and who did what; the file, the rows and what they replaced go, and can no longer be undone.
    """
    now = timezone.now()
    imports = RosterImport.objects.filter(organisation_id=organisation_id)
    recent = imports.filter(state=State.APPLIED, applied_at__lt=now - _A_DAY, purged_at__isnull=True)
    StagedRow.objects.filter(
        organisation_id=organisation_id, roster_import__in=recent.exclude(counts__held__gt=0), action__in=_UNTOUCHED
    ).delete()
    old = imports.filter(
        state__in=_OVER, purged_at__isnull=True, created_at__lt=now - timedelta(days=settings.IMPORT_COPY_DAYS)
    )
    purged = list(old.select_for_update())
    for roster_import in purged:
        _purge(roster_import)
    named = set(imports.exclude(copy="").values_list("copy", flat=True))
    quarantine.discard_copies(organisation_id=organisation_id, named=named)
    return len(purged)


def _purge(roster_import: RosterImport) -> None:
    organisation_id, import_id = roster_import.organisation_id, roster_import.pk
    clear_staged(organisation_id=organisation_id, import_id=import_id)
    ImportChange.objects.filter(organisation_id=organisation_id, roster_import_id=import_id).delete()
    copy, roster_import.copy = roster_import.copy, ""
    if roster_import.state in (State.READY, State.HELD):
        roster_import.state = State.CANCELLED
    # Of a file without headers, those that were pointed at are somebody's row.
    if roster_import.mapping:
        roster_import.mapping = {**roster_import.mapping, "headers": [], "columns": {}, "dropped": [], "extras": []}
    roster_import.error_params, roster_import.choice = {}, {}
    roster_import.preview, roster_import.purged_at = {}, timezone.now()
    roster_import.save()
    record_event(
        actor=SYSTEM, organisation_id=organisation_id, action=Action.IMPORT_PURGED, subject=str(import_id), data={}
    )
    transaction.on_commit(lambda: quarantine.discard(copy))
