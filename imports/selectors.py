"""What is read of imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from imports.models import ImportChange, RosterImport, RowIssue, SitePlan, StagedRow
from portal.core.tenancy import platform_scope
from portal.core.text import fold
from portal.people.models import Employee

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from portal.organisations.models import Organisation

MAX_ISSUES = 1_000
PAGE = 50
_AFTER_EVERY_LETTER = "\U0010ffff"

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


_WORK = Q(action__in=(Action.CREATE, Action.UPDATE, Action.DEPART))
"""What waits when everything is held: then no row is marked."""


@dataclass(frozen=True, slots=True)
class UnfinishedWork:
    """As much of an import as the programme may see."""

    import_id: int
    organisation_id: int
    state: str
    due_at: datetime | None
    heartbeat_at: datetime | None


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What narrows a list: a site, the site that people move away from, or what somebody typed to find a person."""

    site: str | None = None
    left: str | None = None
    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.text) or self.site is not None or self.left is not None


EVERYONE = Narrowing()


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


def review_rows(roster_import: RosterImport, name: str, after: str = "", by: Narrowing = EVERYONE) -> RowPage:
    """One page of a list of the review. `after` comes from an address, so a strange one is the beginning.

    Whoever looks for a person does not know in which list they are, so a search goes through all of them.
    """
    rows = _rows(roster_import).filter(_matching(by.text) if by.text else _in_list(roster_import, name))
    if by.site is not None:
        rows = rows.filter(site=by.site)
    if by.left is not None:
        rows = rows.filter(before__site=by.left)
    if after.removeprefix("-").isdecimal() and len(after) < 10:
        rows = rows.filter(number__gt=int(after))
    found = list(rows.order_by("number")[: PAGE + 1])
    page = found[:PAGE]
    return RowPage(page, str(page[-1].number) if len(found) > PAGE else "")


def _in_list(roster_import: RosterImport, name: str) -> Q:
    return _WORK if name == "held" and roster_import.held_whole else LISTS[name]


def _matching(text: str) -> Q:
    """Exactly this e-mail or number, or a name that begins with the words: equalities and ranges, so indexes count."""
    text = text.strip()
    if "@" in text:
        return Q(email=text.lower())
    begins = fold(text)
    if not begins:
        return Q(pk__in=[])
    return Q(employee_number=text) | Q(sort_name__gte=begins, sort_name__lt=begins + _AFTER_EVERY_LETTER)


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


def row_numbered(roster_import: RosterImport, number: int) -> StagedRow | None:
    return _rows(roster_import).filter(number=number, number__gt=0).first()


def next_to_correct(roster_import: RosterImport, after: int = 0) -> int | None:
    """The next row that nobody has corrected yet, from the beginning again after the last; None when all are."""
    waiting = _rows(roster_import).filter(action=Action.REJECT, corrected=False).order_by("number")
    numbers = waiting.values_list("number", flat=True)
    return numbers.filter(number__gt=after).first() or numbers.first()


def left_to_correct(roster_import: RosterImport) -> int:
    corrected = _rows(roster_import).filter(action=Action.REJECT, corrected=True).count()
    return int(roster_import.counts.get("reject", 0)) - corrected


def corrected_rows(roster_import: RosterImport) -> int:
    return _rows(roster_import).filter(corrected=True).count()


def people_by_id(organisation: Organisation, ids: Iterable[int]) -> dict[int, Employee]:
    return Employee.objects.filter(organisation_id=organisation.pk).in_bulk(list(ids))


# A site that people come to and nobody works at is new, or is written in another way.
_CONCERNED = Q(arrivals__gt=0) | Q(departures__gt=0) | Q(moves_in__gt=0) | Q(moves_out__gt=0)
_UNKNOWN = (Q(arrivals__gt=0) | Q(moves_in__gt=0)) & Q(active=0) & ~Q(site="")


def sites_concerned(roster_import: RosterImport) -> QuerySet[SitePlan]:
    """The sites where something happens, those that are held first."""
    return _sites(roster_import).filter(_CONCERNED).order_by("-held", "site")


def unknown_sites(roster_import: RosterImport) -> QuerySet[SitePlan]:
    return _sites(roster_import).filter(_UNKNOWN).order_by("site")


def known_sites(roster_import: RosterImport, limit: int) -> list[str]:
    """The sites where people work, the largest first."""
    sites = _sites(roster_import).filter(active__gt=0).exclude(site="").order_by("-active", "site")
    return list(sites.values_list("site", flat=True)[:limit])


def site_totals(roster_import: RosterImport) -> dict[str, int]:
    """How many sites are concerned, and how many of them the roster does not know."""
    counted = {"sites": Count("pk", filter=_CONCERNED), "unknown": Count("pk", filter=_UNKNOWN)}
    return dict(_sites(roster_import).aggregate(**counted))


def last_applied(organisation: Organisation) -> RosterImport | None:
    """The import that the roster is as fresh as."""
    applied = history(organisation).filter(state=State.APPLIED, applied_at__isnull=False)
    return applied.order_by("-applied_at").first()


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


def _rows(roster_import: RosterImport) -> QuerySet[StagedRow]:
    return StagedRow.objects.filter(organisation_id=roster_import.organisation_id, roster_import_id=roster_import.pk)


def _sites(roster_import: RosterImport) -> QuerySet[SitePlan]:
    return SitePlan.objects.filter(organisation_id=roster_import.organisation_id, roster_import_id=roster_import.pk)
