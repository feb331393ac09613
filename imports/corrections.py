"""Correcting an import before it is applied: its columns, its rows, its sites, who is whom, and whose edits count."""

from __future__ import annotations

from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from imports import quarantine
from imports.landing import FOUND_BY_PLAN, VALUES, room, storable
from imports.lifecycle import WAITING, locked_import, move, record
from imports.models import RosterImport, RowIssue, StagedRow
from imports.pipeline.copying import RANKS, fields_read
from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.mapping import Mapping
from imports.pipeline.validation import check_texts
from imports.remembering import remember_mapping, remember_sites
from portal.audit.actions import Action
from portal.core.errors import Refusal
from portal.people.intake import DATE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as Map

    from imports.pipeline.issues import Issue
    from imports.pipeline.validation import CheckedRow
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

State = RosterImport.State
Twin = StagedRow.Twin


@transaction.atomic
def accept_reading(*, actor: Actor, organisation: Organisation, import_id: int) -> None:
    """Say that the file was read as it should be; its columns are remembered.

    Raises:
        Refusal: `not_ready`.
    """
    roster_import = _waiting(organisation, import_id)
    roster_import.looked_at = timezone.now()
    roster_import.save(update_fields=["looked_at"])
    remember_mapping(actor=actor, organisation=organisation, mapping=Mapping.from_json(roster_import.mapping))
    record(actor, roster_import, Action.IMPORT_READING_ACCEPTED, {})


@transaction.atomic
def choose_reading(
    *,
    actor: Actor,
    organisation: Organisation,
    import_id: int,
    sheet: str,
    header_row: int | None,
    columns: Map[str, int],
    extras: Iterable[int] = (),
) -> None:
    """Have the file read again, by the sheet, the row of headers and the columns {field: index} that HR says.

    What was corrected row by row is read anew as well. Without columns, they are guessed from the row of headers.

    Raises:
        Refusal: `not_ready`, `upload_again`: nothing is left of the file.
    """
    roster_import = _waiting(organisation, import_id, (*WAITING, State.UNCLEAR))
    if not (roster_import.quarantine or roster_import.copy):
        raise Refusal("upload_again", _("This file is no longer kept: upload it again."))
    roster_import.wanted_sheet, roster_import.wanted_header_row = sheet[:255], header_row
    roster_import.choice = {"columns": dict(columns), "extras": list(extras)} if columns else {}
    roster_import.looked_at = timezone.now() if columns else None
    roster_import.error, roster_import.error_params = "", {}
    _touch(actor, roster_import)
    move(roster_import, State.PREPARING)
    record(actor, roster_import, Action.IMPORT_READING_CHOSEN, {"columns": sorted(columns)})


def checked_row(organisation: Organisation, *, number: int, texts: Map[str, str]) -> CheckedRow:
    """Check what was typed for a row {field: text}, by the rules of the file; nothing is written."""
    fields = [storable(field) for field in ROSTER_FIELDS if field.name in VALUES and field.name in texts]
    return check_texts(texts, fields, number=number, names_required=organisation.names_required)


@transaction.atomic
def correct_row(
    *, actor: Actor, organisation: Organisation, import_id: int, number: int, texts: Map[str, str]
) -> list[Issue]:
    """Replace a row of the file by what was typed {field: text}, and return what is wrong with it: then nothing was.

    The plan is not made again at once: HR corrects several rows, then has all of them compared.

    Raises:
        Refusal: `not_ready`, `unknown_row`.
    """
    roster_import = _waiting(organisation, import_id)
    row = _rows(roster_import).select_for_update().filter(number=number).exclude(number__lte=0).first()
    if row is None:
        raise Refusal("unknown_row", _("There is no such row in this import."))
    known = fields_read(Mapping.from_json(roster_import.mapping), VALUES)
    checked = checked_row(organisation, number=number, texts={name: texts.get(name, "") for name in known})
    if checked.rejected:
        return [issue for issue in checked.issues if RANKS[issue.severity] == 0]
    for name, value in checked.values.items():
        setattr(row, name, value if name in DATE_FIELDS else value or "")
    row.sort_name = checked.sort_name[: room(StagedRow, "sort_name")]
    row.corrected = True
    row.save()
    found_by_plan = [code.value for code in FOUND_BY_PLAN]
    issues = RowIssue.objects.filter(organisation_id=organisation.pk, roster_import=roster_import, number=number)
    issues.exclude(code__in=found_by_plan).delete()
    _touch(actor, roster_import)
    roster_import.stale = True
    roster_import.save(update_fields=["stale", "touched_by"])
    record(actor, roster_import, Action.IMPORT_ROW_CORRECTED, {"row": number})
    return []


@transaction.atomic
def note_taken(*, actor: Actor, roster_import: RosterImport, what: str) -> None:
    """Record that somebody took a file of the import away: it holds people."""
    record(actor, roster_import, Action.IMPORT_FILE_TAKEN, {"what": what})


@transaction.atomic
def say_twins(*, actor: Actor, organisation: Organisation, import_id: int, said: Map[int, str]) -> None:
    """Say of rows {number: same or other} whether they are the person of the roster who was proposed.

    Raises:
        Refusal: `not_ready`.
    """
    roster_import = _waiting(organisation, import_id)
    for word in (Twin.SAME, Twin.OTHER):
        numbers = [number for number, answer in said.items() if answer == word]
        _rows(roster_import).filter(number__in=numbers, twin_id__isnull=False).update(twin_said=word)
    _touch(actor, roster_import)
    move(roster_import, State.PLANNING)
    record(actor, roster_import, Action.IMPORT_TWINS_SAID, {"answers": len(said)})


@transaction.atomic
def name_sites(*, actor: Actor, organisation: Organisation, import_id: int, names: Map[str, str]) -> None:
    """Say what sites are called {as the file writes it: its name}; it is remembered for the next files.

    Raises:
        Refusal: `not_ready`.
    """
    roster_import = _waiting(organisation, import_id)
    most = room(StagedRow, "site")
    told = {written: name.strip()[:most] for written, name in names.items() if name.strip()}
    remember_sites(organisation=organisation, names=told)
    # At once: one after the other, a name given to a site would be taken for another way of writing the next.
    renamed = Case(*(When(site=written, then=Value(name)) for written, name in told.items()))
    _rows(roster_import).filter(number__gt=0, site__in=list(told)).update(site=renamed)
    _touch(actor, roster_import)
    move(roster_import, State.PLANNING)
    record(actor, roster_import, Action.IMPORT_SITES_NAMED, {"sites": len(told)})


@transaction.atomic
def take_whose_edits(*, actor: Actor, organisation: Organisation, import_id: int, override: bool) -> None:
    """Say whether the file's values replace what was edited by hand; without that, the hand's stay.

    Raises:
        Refusal: `not_ready`.
    """
    roster_import = _waiting(organisation, import_id)
    roster_import.override_edits = override
    _touch(actor, roster_import)
    move(roster_import, State.PLANNING)
    record(actor, roster_import, Action.IMPORT_EDITS_CHOSEN, {"file": override})


@transaction.atomic
def bring_corrections(*, actor: Actor, organisation: Organisation, import_id: int, file: IO[bytes]) -> None:
    """Take a workbook of corrected rows, which are merged into the import.

    Raises:
        Refusal: `not_ready`, `too_large`.
    """
    roster_import = _waiting(organisation, import_id)
    try:
        stored = quarantine.shut_away(file, limit=settings.IMPORT_MAX_BYTES)
    except quarantine.TooLarge:
        raise Refusal("too_large", _("This file is too large: bring only the rows that were to correct.")) from None
    roster_import.quarantine, roster_import.merged_digest = stored.name, stored.digest
    roster_import.merging = True
    roster_import.due_at = timezone.now() + timedelta(seconds=settings.IMPORT_UNREAD_SECONDS)
    _touch(actor, roster_import)
    move(roster_import, State.PREPARING)
    record(actor, roster_import, Action.IMPORT_CORRECTIONS_BROUGHT, {"bytes": stored.size})


def _touch(actor: Actor, roster_import: RosterImport) -> None:
    """Note who changed what the import would do: the second person who approves it is somebody else."""
    if actor.user_id is not None:
        roster_import.touched_by = sorted({*roster_import.touched_by, actor.user_id})


def correctable_texts(roster_import: RosterImport, row: StagedRow, issues: Iterable[RowIssue]) -> dict[str, str]:
    """What a row says, field by field, to be typed over: a cell that was wrong shows what the file has."""
    wrong: dict[str, Any] = {issue.params.get("field"): issue.params.get("value", "") for issue in issues}
    known = fields_read(Mapping.from_json(roster_import.mapping), VALUES)
    return {name: _text(getattr(row, name)) or str(wrong.get(name) or "") for name in known}


def _text(value: object) -> str:
    return value.strftime("%d/%m/%Y") if hasattr(value, "strftime") else str(value or "")


def _waiting(organisation: Organisation, import_id: int, states: Iterable[str] = WAITING) -> RosterImport:
    roster_import = locked_import(organisation, import_id)
    if roster_import.state not in states:
        raise Refusal("not_ready", _("This import is not waiting for corrections any more."))
    return roster_import


def _rows(roster_import: RosterImport) -> Any:  # noqa: ANN401
    return StagedRow.objects.filter(organisation_id=roster_import.organisation_id, roster_import_id=roster_import.pk)
