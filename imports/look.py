"""What "we read it like this" shows: sheets, first rows, and what each column feeds, out of the preview of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from imports.messages import FIELDS, field_label, file_message, forbidden_label, note_message, reason_label
from imports.models import RosterImport
from imports.pipeline.mapping import Mapping, missing_fields

if TYPE_CHECKING:
    from collections.abc import Mapping as Map

    from django.http import QueryDict

    from portal.organisations.models import Organisation

State = RosterImport.State

MASK = "•••"
_TOLD = 4
"""Cells that tell a row of headers from another."""
EXTRA = "extra"
NO_ROLE = "active"
"""Known of people, fed by no column."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How HR says that the file is read: the column of each field, and the columns kept beside them."""

    sheet: str
    header_row: int | None
    columns: dict[str, int]
    extras: list[int]


class Contradiction(Exception):  # noqa: N818  It names what HR is told.
    """The columns cannot be chosen like this; the sentence says why."""


def look(preview: dict[str, Any], roster_import: RosterImport, chosen: Choice | None = None) -> dict[str, Any]:
    """What the page shows of a preview, with the columns that were chosen in place of those that were recognised."""
    mapping = preview.get("mapping") or {}
    columns = preview.get("columns") or []
    extras = set(chosen.extras if chosen else mapping.get("extras") or ())
    return {
        "sheets": [_sheet(sheet, preview["sheet"]) for sheet in preview.get("sheets", ())],
        "sheet": preview.get("sheet", ""),
        "header_row": chosen.header_row if chosen else mapping.get("header_row") or "",
        "rows": _rows(preview, columns),
        "headers": columns,
        "columns": [
            _column(column, None if chosen is None else chosen.columns, column["index"] in extras)
            for column in columns
            if not column.get("forbidden")
        ],
        "forbidden": [
            {"header": column["header"] or column["letter"], "why": forbidden_label(str(column["forbidden"]))}
            for column in columns
            if column.get("forbidden")
        ],
        "choices": _choices(),
        "notes": [note_message(code, params) for code, params in mapping.get("notes") or ()],
        "refusal": _refusal(roster_import, preview),
        "width": max(preview.get("width") or 0, len(columns)),
        "recognised": sum(1 for column in columns if column.get("field") and not column.get("forbidden")),
    }


def choice_of(posted: QueryDict, organisation: Organisation) -> Choice:
    """Return what was chosen in the form.

    Raises:
        Contradiction: two columns for one field, or none for one that is needed.
    """
    columns: dict[str, int] = {}
    extras = []
    for name, value in posted.items():
        kind, _dash, digits = name.partition("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 6):
            continue
        if kind == "column" and value == EXTRA:
            extras.append(int(digits))
        elif kind == "column" and value in FIELDS and value != NO_ROLE:
            if value in columns:
                raise Contradiction(file_message("same_field_twice", {"field": field_label(str(value))}))
            columns[str(value)] = int(digits)
    if lacking := missing_fields(columns, names_required=organisation.names_required):
        raise Contradiction(file_message("missing_fields", {"missing": ", ".join(lacking)}))
    return Choice(
        str(posted.get("sheet", "")).replace("\0", ""), whole(posted.get("header_row")), columns, sorted(extras)
    )


def rough_choice_of(posted: QueryDict) -> Choice:
    """What stood in a form that contradicts itself, to be shown again."""
    fed = {name: str(value) for name, value in posted.items() if name.startswith("column-") and value}
    columns: dict[str, int] = {}
    for name, value in fed.items():
        if value == EXTRA:
            continue
        columns.setdefault(value, whole(name.removeprefix("column-")) or 0)
    extras = [whole(name.removeprefix("column-")) or 0 for name, value in fed.items() if value == EXTRA]
    return Choice(str(posted.get("sheet", "")).replace("\0", ""), whole(posted.get("header_row")), columns, extras)


def is_as_read(roster_import: RosterImport, choice: Choice) -> bool:
    """Whether the choice is how the file was read already."""
    if roster_import.state not in (State.READY, State.HELD) or not roster_import.mapping:
        return False
    mapping = Mapping.from_json(roster_import.mapping)
    return (
        choice.sheet == mapping.sheet
        and choice.header_row == mapping.header_row
        and choice.columns == mapping.columns
        and choice.extras == sorted(mapping.extras)
    )


def whole(text: str | list[object] | None) -> int | None:
    """A number out of an address or a form; anything strange is none."""
    written = str(text or "")
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 8 else None


def _choices() -> list[tuple[str, str]]:
    fields = [(name, _capital(field_label(name))) for name in FIELDS if name != NO_ROLE]
    return [("", _("Not used")), (EXTRA, _("Additional information, kept as it is")), *fields]


def _sheet(sheet: Map[str, Any], current: str) -> dict[str, Any]:
    label = sheet["name"]
    if sheet.get("hidden"):
        label = _("%(sheet)s (hidden in the workbook)") % {"sheet": label}
    return {"name": sheet["name"], "label": label, "current": sheet["name"] == current}


def _rows(preview: dict[str, Any], columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first rows as they were read; what must not come in is not even shown."""
    masked = {column["index"] for column in columns if column.get("forbidden")}
    headers = {column["index"]: column["header"] or column["letter"] for column in columns}
    top = (preview.get("mapping") or {}).get("header_row")
    rows = []
    for row in preview.get("rows") or ():
        number = row["number"]
        below = top is None or number > top
        cells = [
            {"text": MASK if below and index in masked and cell else cell, "header": headers.get(index, "")}
            for index, cell in enumerate(row["cells"])
        ]
        cells += [{"text": "", "header": ""}] * (len(columns) - len(cells))
        words = [str(cell) for cell in row["cells"] if cell][:_TOLD]
        rows.append({"number": number, "cells": cells, "is_header": number == top, "words": " · ".join(words)})
    return rows


def _column(column: dict[str, Any], chosen: dict[str, int] | None, kept: bool) -> dict[str, Any]:  # noqa: FBT001
    field, reason = column.get("field") or "", column.get("reason") or ""
    if chosen is not None:
        said = next((name for name, index in chosen.items() if index == column["index"]), "")
        field, reason = said, reason if said == field else "chosen"
    if not field and kept:
        field = EXTRA
    return {
        **column,
        "label": column["header"] or _("Column %(letter)s") % {"letter": column["letter"]},
        "field": field,
        "why": reason_label(reason, field) if field else "",
        "samples": [str(sample) for sample in column.get("samples") or ()],
    }


def _refusal(roster_import: RosterImport, preview: dict[str, Any]) -> str:
    if preview.get("refusal"):
        return file_message(preview["refusal"], preview.get("params") or {})
    if roster_import.state == State.UNCLEAR and roster_import.error:
        return file_message(roster_import.error, roster_import.error_params)
    return ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
