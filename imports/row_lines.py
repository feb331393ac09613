"""A row of an import in people's terms: who it is, what changes from what, what is wrong, who it may be."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from imports.messages import field_label, row_message
from imports.models import RosterImport, StagedRow
from portal.core.templatetags.ui import day

if TYPE_CHECKING:
    from imports.models import RowIssue
    from portal.people.models import Employee

State = RosterImport.State
Action = StagedRow.Action

_COMPARED = ("employee_number", "email", "last_name", "first_name", "site", "department", "hired_on")


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
    corrected: bool = False
    arrival: bool = False
    url: str = ""
    differences: list[Difference] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pair:
    """A row and the person of the roster who is likely the same, side by side."""

    number: int
    name: str
    why: str
    said: str
    lines: list[Difference]
    employee_url: str


def shown_row(roster_import: RosterImport, row: StagedRow, issues: list[RowIssue]) -> ReviewRow:
    word, tone = _status(row)
    return ReviewRow(
        number=max(row.number, 0),
        name=name_of(row),
        key=row.employee_number or row.email,
        word=word,
        tone=tone,
        held=row.held,
        corrected=row.corrected,
        arrival=row.action == Action.CREATE,
        url=_correction_url(roster_import, row),
        differences=_differences(roster_import, row),
        messages=[row_message(issue.code, issue.params) for issue in issues],
    )


def _status(row: StagedRow) -> tuple[str, str]:
    if row.action == Action.DEPART or (row.departs and row.action in (Action.UPDATE, Action.CREATE)):
        return _("departure"), "warn"
    if row.renamed and not row.moves_site:
        return _("renamed"), "info"
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


def shown_pair(roster_import: RosterImport, row: StagedRow, twin: Employee | None) -> Pair:
    """Every field of the two, so that whoever says yes or no sees what differs."""
    known = [(name, _written(getattr(twin, name, "")), _written(getattr(row, name))) for name in _COMPARED]
    address = [roster_import.organisation.slug, row.twin_id]
    return Pair(
        number=row.number,
        name=name_of(row),
        why=_twin_reason(row.twin_why),
        said=row.twin_said,
        lines=[Difference(field_label(name), before, after) for name, before, after in known if before or after],
        employee_url=reverse("employee", args=address),
    )


def name_of(row: StagedRow) -> str:
    return f"{row.first_name} {row.last_name}".strip() or row.employee_number or row.email or _("Row without a name")


def _correction_url(roster_import: RosterImport, row: StagedRow) -> str:
    """Where a row of the file can be typed over, while nothing is written."""
    if roster_import.state not in (State.READY, State.HELD) or row.action != Action.REJECT:
        return ""
    return reverse("import_row", args=[roster_import.organisation.slug, roster_import.pk, row.number])


def _twin_reason(why: str) -> str:
    return {
        "email": _("The same e-mail address, another employee number"),
        "hired": _("The same name and the same hiring date"),
        "site": _("The same name at the same site, and nobody else in the file"),
    }.get(why, "")
