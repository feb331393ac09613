"""What is read of imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from imports.models import ImportChange, RosterImport, RowIssue, StagedRow
from portal.core.tenancy import platform_scope

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from portal.organisations.models import Organisation

MAX_ISSUES = 1_000
PAGE = 50

State = RosterImport.State
Action = StagedRow.Action

_UNFINISHED = (State.UPLOADED, State.PREPARING, State.UNCLEAR, State.PLANNING, State.APPLYING, State.UNDOING)
# Each list of the review: what its tile counts.
LISTS: dict[str, Q] = {
    "arrivals": Q(action=Action.CREATE),
    "changes": Q(action=Action.UPDATE),
    "departures": Q(leaves=True),
    "moves": Q(moves_site=True),
    "renamed": Q(renamed=True),
    "twins": Q(twin_id__isnull=False),
    "unchanged": Q(action=Action.UNCHANGED),
    "merged": Q(action=Action.MERGED),
    "rejected": Q(action=Action.REJECT),
    "corrected": Q(corrected=True),
    "held": Q(held=True),
}


@dataclass(frozen=True, slots=True)
class UnfinishedWork:
    """As much of an import as the programme may see."""

    import_id: int
    organisation_id: int
    state: str
    due_at: datetime | None
    heartbeat_at: datetime | None


@dataclass(frozen=True, slots=True)
class RowPage:
    """Rows in the file's order, and the place after which the next page begins ("" at the end)."""

    rows: list[StagedRow]
    after: str


def history(organisation: Organisation) -> QuerySet[RosterImport]:
    """The imports, the newest first."""
    imports = RosterImport.objects.filter(organisation_id=organisation.pk)
    return imports.select_related("uploaded_by").order_by("-id")


def import_numbered(organisation: Organisation, import_id: int) -> RosterImport | None:
    return history(organisation).filter(pk=import_id).first()


def review_rows(roster_import: RosterImport, name: str, after: str = "") -> RowPage:
    """One page of a list of the review. `after` comes from an address, so a strange one is the beginning."""
    rows = StagedRow.objects.filter(
        LISTS[name], organisation_id=roster_import.organisation_id, roster_import_id=roster_import.pk
    )
    if after.removeprefix("-").isdecimal() and len(after) < 10:
        rows = rows.filter(number__gt=int(after))
    found = list(rows.order_by("number")[: PAGE + 1])
    page = found[:PAGE]
    return RowPage(page, str(page[-1].number) if len(found) > PAGE else "")


def worst_issues(roster_import: RosterImport, limit: int = MAX_ISSUES) -> list[RowIssue]:
    """Errors first, then by row."""
    return list(_issues(roster_import).order_by("rank", "number", "pk")[:limit])


def issues_total(roster_import: RosterImport) -> int:
    return _issues(roster_import).count()


def issues_of_rows(roster_import: RosterImport, numbers: list[int]) -> dict[int, list[RowIssue]]:
    found: dict[int, list[RowIssue]] = {}
    for issue in _issues(roster_import).filter(number__in=numbers).order_by("rank", "pk"):
        found.setdefault(issue.number, []).append(issue)
    return found


def has_changes(roster_import: RosterImport) -> bool:
    """Whether something that it changed still stands: then it can be undone."""
    changes = ImportChange.objects.filter(organisation_id=roster_import.organisation_id, roster_import=roster_import)
    return changes.filter(undone="").exists()


def unfinished_imports() -> list[UnfinishedWork]:
    """The imports of every organisation that somebody works on, or should."""
    columns = ("pk", "organisation_id", "state", "due_at", "heartbeat_at")
    with platform_scope():
        waiting = RosterImport.objects.filter(state__in=_UNFINISHED).order_by("pk")
        return [UnfinishedWork(*row) for row in waiting.values_list(*columns)]


def organisation_of_import(import_id: int) -> int | None:
    """Whose import this is, for a command that has only its number."""
    with platform_scope():
        return RosterImport.objects.filter(pk=import_id).values_list("organisation_id", flat=True).first()


def _issues(roster_import: RosterImport) -> QuerySet[RowIssue]:
    return RowIssue.objects.filter(organisation_id=roster_import.organisation_id, roster_import_id=roster_import.pk)
