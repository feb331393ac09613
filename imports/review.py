"""What the pages of an import show: its tiles, its rows in people's terms, and what it entails."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import npgettext, pgettext

from imports.messages import field_label, row_message
from imports.models import RosterImport, StagedRow
from imports.pipeline.mapping import Mapping
from imports.selectors import LISTS, issues_of_rows, issues_total, review_rows, worst_issues
from portal.core.templatetags.ui import day, number

if TYPE_CHECKING:
    from imports.models import RowIssue

State = RosterImport.State
Action = StagedRow.Action

ISSUES = "issues"
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
class Difference:
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ReviewRow:
    number: int
    name: str
    key: str
    word: str
    tone: str
    held: bool
    differences: list[Difference] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Listing:
    """The list that is open: its rows or its issues, and where its next page begins."""

    name: str
    title: str
    rows: list[ReviewRow] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    after: str = ""


def tiles(roster_import: RosterImport, current: str) -> list[Tile]:
    counts, address = roster_import.counts, reverse("import_detail", args=_address(roster_import))
    found = {
        "arrivals": counts["create"],
        "changes": counts["update"],
        "departures": counts["deactivate"],
        "moves": counts["moves"],
        "unchanged": counts["unchanged"],
        "merged": counts["merged"],
        "rejected": counts["reject"],
        "held": counts["held"],
        ISSUES: issues_total(roster_import),
    }
    tones = {"held": "warn", "rejected": "bad"}
    always = ("arrivals", "changes", "departures", "unchanged")
    return [
        Tile(
            value=count,
            label=_label(name, count),
            url=f"{address}?list={name}" if count and not _forgotten(roster_import, name) else "",
            current=name == current,
            tone=tones.get(name, "") if count else "",
        )
        for name, count in found.items()
        if count or name in always
    ]


def open_list(roster_import: RosterImport, wanted: str, after: str) -> Listing:
    """The list that was asked for, else the first that has something to say."""
    name = wanted if wanted in LISTS or wanted == ISSUES else _first_list(roster_import)
    title = _label(name, _SEVERAL).capitalize()
    if name == ISSUES:
        return Listing(name, title, issues=[_shown_issue(issue) for issue in worst_issues(roster_import)])
    page = review_rows(roster_import, name, after)
    issues = issues_of_rows(roster_import, [row.number for row in page.rows if row.number])
    rows = [_shown_row(roster_import, row, issues.get(row.number, [])) for row in page.rows]
    return Listing(name, title, rows=rows, after=page.after)


def reading_facts(roster_import: RosterImport) -> list[Fact]:
    """How the file was read: sheet, header row, and which column feeds which field."""
    mapping = Mapping.from_json(roster_import.mapping)
    facts = [Fact(_("Sheet"), mapping.sheet), Fact(_("Headers in row"), str(number(mapping.header_row)))]
    used = [Fact(header, field_label(name)) for name, header in mapping.field_headers.items()]
    return facts + used + [Fact(header, _("not used")) for header in mapping.ignored_headers]


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
        "merged": npgettext("changes", "repeated row", "repeated rows", count),
        "rejected": npgettext("changes", "row to correct", "rows to correct", count),
        "held": npgettext("changes", "held", "held", count),
        ISSUES: npgettext("changes", "remark", "remarks", count),
    }
    return labels[name]


def _first_list(roster_import: RosterImport) -> str:
    counts = roster_import.counts
    order = (("arrivals", "create"), ("changes", "update"), ("departures", "deactivate"), ("rejected", "reject"))
    return next((name for name, count in order if counts[count]), ISSUES)


def _forgotten(roster_import: RosterImport, name: str) -> bool:
    closed = roster_import.state in (State.APPLIED, State.UNDOING, State.UNDONE)
    return name in _FORGOTTEN and closed and not roster_import.counts["held"]


def _shown_row(roster_import: RosterImport, row: StagedRow, issues: list[RowIssue]) -> ReviewRow:
    word, tone = _status(row)
    return ReviewRow(
        number=row.number,
        name=f"{row.first_name} {row.last_name}".strip() or row.employee_number or row.email,
        key=row.employee_number or row.email,
        word=word,
        tone=tone,
        held=row.held,
        differences=_differences(roster_import, row),
        messages=[row_message(issue.code, issue.params) for issue in issues],
    )


def _status(row: StagedRow) -> tuple[str, str]:
    if row.action == Action.DEPART or (row.departs and row.action in (Action.UPDATE, Action.CREATE)):
        return _("departure"), "warn"
    if row.moves_site:
        return _("changes site"), "info"
    return {
        Action.CREATE: (_("arrival"), "good"),
        Action.UPDATE: (_("change"), "info"),
        Action.MERGED: (_("repeated"), "neutral"),
        Action.REJECT: (_("to correct"), "bad"),
    }.get(Action(row.action), (_("unchanged"), "neutral"))


def _differences(roster_import: RosterImport, row: StagedRow) -> list[Difference]:
    if row.action == Action.DEPART:
        return [Difference(field_label("active"), _activity(active=True), _activity(active=False))]
    joined = row.cohort or roster_import.cohort_name
    if row.action == Action.CREATE:
        shown = {name: _written(getattr(row, name)) for name in ("site", "department", "hired_on")}
        shown["cohort"] = joined
        return [Difference(field_label(name), "", value) for name, value in shown.items() if value]
    before = row.before or {}
    after = {"active": _activity(active=not row.departs), "cohort": joined}
    return [
        Difference(
            field_label(name),
            _written(before.get(name)),
            after.get(name) or _written(getattr(row, name, None)),
        )
        for name in row.changed
    ]


def _written(value: object) -> str:
    """A value as a person reads it; dates of before come as ISO text."""
    if isinstance(value, bool):
        return _activity(active=value)
    if isinstance(value, dt.date):
        return day(value)
    text = str(value or "")
    if len(text) == 10 and text[4:8:3] == "--" and text.replace("-", "").isdecimal():
        return day(dt.date.fromisoformat(text))
    return text


def _activity(*, active: bool) -> str:
    return pgettext("person", "active") if active else pgettext("person", "inactive")


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
