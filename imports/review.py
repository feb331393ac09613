"""What the pages of an import show: its tiles, its rows in people's terms, and what it entails."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.paginator import Paginator
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import npgettext

from imports.messages import field_label, row_message
from imports.models import RosterImport, SitePlan
from imports.pipeline.mapping import Mapping
from imports.row_lines import Pair, ReviewRow, shown_pair, shown_row
from imports.selectors import (
    EVERYONE,
    LISTS,
    Narrowing,
    issues_of_rows,
    issues_total,
    people_by_id,
    review_rows,
    sites_concerned,
    worst_issues,
)
from portal.core.templatetags.ui import number

if TYPE_CHECKING:
    from datetime import datetime

    from django.core.paginator import Page

    from imports.models import RowIssue

State = RosterImport.State

ISSUES = "issues"
SITES = "sites"
TWINS = "twins"
SEARCH = "search"
_SITES = 50
CSV = "csv"
"""Such a file is one sheet, which has no name."""
_FORGOTTEN = ("unchanged", "merged")
"""Lists that an applied import has no longer: those people's rows were deleted."""
_SEVERAL = 2
"""A list is called by its plural, however short it is."""


@dataclass(frozen=True, slots=True)
class Tile:
    value: int
    label: str
    url: str = ""
    current: bool = False
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    term: str
    value: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The list that is open: its rows, pairs, issues or sites, what narrows it, and where its next page begins."""

    name: str
    title: str
    rows: list[ReviewRow] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    sites: Page[SitePlan] | None = None
    after: str = ""
    by: Narrowing = EVERYONE

    @property
    def narrowed(self) -> str:
        """Which part of the list this is, in words."""
        if self.by.left is not None:
            if not self.by.left:
                return _("Only moves away by people without a site")
            return _("Only moves away from %(site)s") % {"site": self.by.left}
        if self.by.site is not None:
            if not self.by.site:
                return _("Only people without a site")
            return _("Only people of %(site)s") % {"site": self.by.site}
        return ""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """An import in the history: by whom and which way it came, what it changes, and until when its copy is kept."""

    roster_import: RosterImport
    channel: str
    changes: list[str]
    kept_until: datetime | None


def tiles(roster_import: RosterImport, current: str, sites: dict[str, int]) -> list[Tile]:
    """What the import comes to; each number opens its list."""
    counts, address = roster_import.counts, reverse("import_detail", args=_address(roster_import))
    found = {
        "arrivals": counts["create"],
        "departures": counts["deactivate"],
        "moves": counts["moves"],
        "renamed": counts.get("renamed", 0),
        "changes": counts["update"],
        TWINS: counts.get("twins", 0),
        "unchanged": counts["unchanged"],
        "merged": counts["merged"],
        "rejected": counts["reject"],
        "corrected": counts.get("corrected", 0),
        "held": counts["held"],
        SITES: sites["sites"],
        ISSUES: issues_total(roster_import),
    }
    tones = {"held": "warn", TWINS: "warn", "rejected": "bad"}
    always = ("arrivals", "changes", "departures", "unchanged")
    return [
        Tile(
            value=count,
            label=_label(name, count),
            url=f"{address}?list={_opened(roster_import, name)}#list"
            if count and not _forgotten(roster_import, name)
            else "",
            current=name == current,
            tone=tones.get(name, "") if count else "",
        )
        for name, count in found.items()
        if count or name in always
    ]


def open_list(roster_import: RosterImport, wanted: str, after: str, by: Narrowing, page: str = "") -> Listing:
    """The list that was asked for, else the first that has something to say; a search goes through all of them."""
    if by.text:
        return _row_list(roster_import, SEARCH, _("Found in the file"), after, by)
    name = wanted if wanted in (*LISTS, ISSUES, SITES) else _first_list(roster_import)
    title = _label(name, _SEVERAL)
    title = title[:1].upper() + title[1:]
    if name == ISSUES:
        return Listing(name, title, issues=[_shown_issue(issue) for issue in worst_issues(roster_import)])
    if name == SITES:
        return Listing(name, title, sites=Paginator(sites_concerned(roster_import), _SITES).get_page(page))
    return _row_list(roster_import, name, title, after, by)


def _row_list(roster_import: RosterImport, name: str, title: str, after: str, by: Narrowing) -> Listing:
    page = review_rows(roster_import, name, after, by)
    if name == TWINS:
        people = people_by_id(roster_import.organisation, [row.twin_id for row in page.rows if row.twin_id])
        pairs = [shown_pair(roster_import, row, people.get(row.twin_id or 0)) for row in page.rows]
        return Listing(name, title, pairs=pairs, after=page.after, by=by)
    issues = issues_of_rows(roster_import, [row.number for row in page.rows if row.number > 0])
    rows = [shown_row(roster_import, row, issues.get(row.number, [])) for row in page.rows]
    return Listing(name, title, rows=rows, after=page.after, by=by)


def history_line(roster_import: RosterImport) -> HistoryLine:
    counts = roster_import.counts
    changes = {"arrivals": "create", "changes": "update", "departures": "deactivate", "rejected": "reject"}
    return HistoryLine(
        roster_import,
        channel={
            RosterImport.Channel.PAGE: _("by this page"),
            RosterImport.Channel.COMMAND: _("by the command"),
            RosterImport.Channel.API: _("by the API"),
        }[RosterImport.Channel(roster_import.channel)],
        changes=[
            f"{number(counts[name])} {_label(label, counts[name])}"
            for label, name in changes.items()
            if counts.get(name)
        ],
        kept_until=roster_import.created_at + timedelta(days=settings.IMPORT_COPY_DAYS) if roster_import.copy else None,
    )


def reading_facts(roster_import: RosterImport) -> dict[str, list[Fact]]:
    """How the file was read: in short, and which column feeds which field, in the order of the file."""
    mapping = Mapping.from_json(roster_import.mapping)
    feeds = {index: field_label(name) for name, index in mapping.columns.items()}
    kept = dict.fromkeys(mapping.extras, _("additional information"))
    columns = [
        Fact(header, feeds.get(index) or kept.get(index) or _("not used"))
        for index, header in enumerate(mapping.headers)
        if header and index not in mapping.dropped
    ]
    sheet = [] if roster_import.copy_format == CSV else [Fact(_("Sheet"), mapping.sheet)]
    facts = [
        *sheet,
        Fact(_("Headers in row"), number(mapping.header_row)),
        Fact(_("Columns used"), number(len(feeds) + len(kept))),
    ]
    return {"facts": facts, "columns": columns}


def dropped_headers(roster_import: RosterImport) -> list[str]:
    return list(Mapping.from_json(roster_import.mapping).dropped_headers)


def effects(roster_import: RosterImport) -> list[Fact]:
    """What the import entails for the cohorts."""
    counts = roster_import.counts
    facts = [
        Fact(
            _("Cohort %(name)s") % {"name": cohort["name"]}
            if cohort["exists"]
            else _("New cohort %(name)s") % {"name": cohort["name"]},
            f"+ {number(cohort['people'])}",
        )
        for cohort in counts["cohorts"]
    ]
    if counts.get("mails"):
        facts.append(Fact(_("People who would be invited by e-mail"), number(counts["mails"])))
    if counts["without_email"]:
        facts.append(Fact(_("Arrivals without e-mail"), number(counts["without_email"])))
    return facts


def undo_facts(roster_import: RosterImport) -> list[Fact]:
    """What the undo came to, each kind of result in words."""
    words = {
        "restored": _("As before again"),
        "partly": _("Partly as before: something changed since"),
        "kept": _("Left alone: something changed since"),
        "removed": _("Removed from the roster"),
        "inactive": _("Made inactive: they had already signed in or begun"),
        "enrolments_removed": _("Enrolments taken back"),
        "enrolments_kept": _("Enrolments kept: something happened in them"),
    }
    results: dict[str, int] = roster_import.counts.get("undo") or {}
    return [Fact(word, number(results[name])) for name, word in words.items() if results.get(name)]


def changed_people(roster_import: RosterImport) -> int:
    """How many people the import changes, or has changed: those who come, who change, and who are absent."""
    counts = roster_import.counts
    changed = sum(counts.get(name, 0) for name in ("create", "update", "absent"))
    return int(changed - counts["held"] if roster_import.state == State.APPLIED else changed)


def _address(roster_import: RosterImport) -> list[str | int]:
    return [roster_import.organisation.slug, roster_import.pk]


def _label(name: str, count: int) -> str:
    """The words that follow a number: 1 row to correct, 2 rows to correct."""
    labels = {
        "arrivals": npgettext("changes", "arrival", "arrivals", count),
        "changes": npgettext("changes", "change", "changes", count),
        "departures": npgettext("changes", "departure", "departures", count),
        "moves": npgettext("changes", "change of site", "changes of site", count),
        "unchanged": npgettext("changes", "unchanged", "unchanged", count),
        "renamed": npgettext("changes", "renamed", "renamed", count),
        TWINS: npgettext("changes", "likely the same person", "likely the same people", count),
        "corrected": npgettext("changes", "corrected row", "corrected rows", count),
        SITES: npgettext("changes", "site concerned", "sites concerned", count),
        "merged": npgettext("changes", "repeated row", "repeated rows", count),
        "rejected": npgettext("changes", "row to correct", "rows to correct", count),
        "held": npgettext("changes", "held", "held", count),
        ISSUES: npgettext("changes", "remark", "remarks", count),
    }
    return labels[name]


def _first_list(roster_import: RosterImport) -> str:
    counts = roster_import.counts
    if roster_import.held_whole and counts["deactivate"]:
        return "departures"
    order = (("arrivals", "create"), ("changes", "update"), ("departures", "deactivate"), ("rejected", "reject"))
    return next((name for name, count in order if counts[count]), ISSUES)


def _opened(roster_import: RosterImport, name: str) -> str:
    """The list behind a number. When everything is held nothing is marked: who would leave is the reason."""
    return "departures" if name == "held" and roster_import.held_whole else name


def _forgotten(roster_import: RosterImport, name: str) -> bool:
    closed = roster_import.state in (State.APPLIED, State.UNDOING, State.UNDONE)
    return name in _FORGOTTEN and closed and not roster_import.counts["held"]


def _shown_issue(issue: RowIssue) -> dict[str, Any]:
    words = {"error": (_("to correct"), "bad"), "warning": (_("to check"), "warn")}
    word, tone = words.get(issue.severity, (_("for information"), "neutral"))
    return {
        "number": issue.number,
        "column": issue.column,
        "message": row_message(issue.code, issue.params),
        "word": word,
        "tone": tone,
    }
