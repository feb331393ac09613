"""What the pages of corrections show: the fields of a row to be typed over, and the sites that nobody knows yet."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imports.corrections import checked_row, correctable_texts
from imports.forms import RowForm, place_of
from imports.landing import VALUES
from imports.messages import row_message
from imports.pipeline.copying import RANKS, fields_read
from imports.pipeline.mapping import Mapping
from imports.selectors import issues_of_rows, known_sites
from portal.core.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Mapping as Map

    from imports.models import RosterImport, RowIssue, SitePlan, StagedRow
    from portal.organisations.models import Organisation

_KNOWN_SITES = 5_000
"""The largest sites that a new name is compared with: the rest is left to whoever types."""
_PROPOSALS = 3
_LIKENESS = 0.72


@dataclass(frozen=True, slots=True)
class UnknownSite:
    plan: SitePlan
    people: int
    close: list[str]


def row_fields(roster_import: RosterImport) -> tuple[str, ...]:
    return fields_read(Mapping.from_json(roster_import.mapping), VALUES)


def row_form(roster_import: RosterImport, row: StagedRow, data: Map[str, str] | None = None) -> RowForm:
    """The form of a row, with what the file says and what is wrong with it, or with what was typed."""
    names = row_fields(roster_import)
    if data is not None:
        return RowForm(names, data)
    issues = issues_of_rows(roster_import, [row.number]).get(row.number, [])
    texts = correctable_texts(roster_import, row, issues)
    form = RowForm(names, texts)
    form.is_valid()
    for issue in issues:
        form.add_error(_place(issue, roster_import, names), row_message(issue.code, issue.params))
    return form


def errors_of_field(organisation: Organisation, form: RowForm, *, number: int, name: str) -> list[str]:
    """What is wrong with one field as it was typed, by the rules of the file; nothing is written."""
    checked = checked_row(organisation, number=number, texts=form.texts)
    return [
        row_message(issue.code, {"value": issue.value, **issue.params})
        for issue in checked.issues
        if RANKS[issue.severity] == 0 and place_of(issue.field, form.fields) == name
    ]


def with_proposals(roster_import: RosterImport, sites: Iterable[SitePlan]) -> list[UnknownSite]:
    """Sites of the file that nobody works at, each with the known ones that are written alike."""
    known = {fold(site): site for site in reversed(known_sites(roster_import, _KNOWN_SITES))}
    return [
        UnknownSite(
            plan,
            plan.arrivals + plan.moves_in,
            [known[name] for name in difflib.get_close_matches(fold(plan.site), known, _PROPOSALS, _LIKENESS)],
        )
        for plan in sites
    ]


def _place(issue: RowIssue, roster_import: RosterImport, names: Sequence[str]) -> str | None:
    """The plan names the column of the file, the reading the field."""
    field = issue.params.get("field")
    if field is None:
        headers = Mapping.from_json(roster_import.mapping).field_headers
        field = next((name for name, header in headers.items() if header == issue.column), "")
    return place_of(field, names)
