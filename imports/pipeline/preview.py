"""Preview: a file as HR sees it before it is taken in (a stand-in until the reading of sheets is merged)."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imports.pipeline.cells import as_text
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.mapping import Mapping, suggest_mapping
from imports.pipeline.minimisation import forbidden_content, forbidden_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.pipeline.fields import Field
    from imports.pipeline.reading import Workbook

_ROWS = 12
_SAMPLES = 3


@dataclass(frozen=True)
class Preview:
    """The sheets, the first rows of one, and what each of its columns would feed."""

    sheets: list[dict[str, Any]]
    sheet: str
    width: int
    mapping: dict[str, Any] | None
    refusal: str = ""
    params: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def preview(
    workbook: Workbook,
    fields: Sequence[Field],
    *,
    sheet: str | None = None,
    header_row: int | None = None,
    remembered: Sequence[Mapping] = (),
    names_required: bool = True,
) -> Preview:
    """Look at a sheet."""
    sheets = [{"name": name, "hidden": False, "rows": None} for name in workbook.sheet_names]
    mapping, refusal, params = None, "", {}
    try:
        found = suggest_mapping(workbook, fields, sheet=sheet, remembered=remembered, names_required=names_required)
        if header_row in (None, found.header_row):
            mapping = found
        else:
            refusal, params = "missing_fields", {"missing": "employee_number, last_name"}
    except UnreadableFile as refused:
        refusal, params = refused.code, refused.params
    name = mapping.sheet if mapping else sheet or workbook.sheet_names[0]
    rows = [(row.number, [as_text(cell) for cell in row.cells]) for row in itertools.islice(workbook.rows(name), 60)]
    top = header_row or (mapping.header_row if mapping else 1)
    headers = next((cells for number, cells in rows if number == top), [])
    below = [cells for number, cells in rows if number > top]
    feeds = {index: name for name, index in mapping.columns.items()} if mapping else {}
    columns = []
    for index, header in enumerate(headers):
        values = [cells[index] for cells in below if index < len(cells) and cells[index]]
        forbidden = forbidden_header(header) or forbidden_content(values) or ""
        fed = feeds.get(index, "")
        columns.append({
            "index": index, "letter": chr(65 + index % 26), "header": header,
            "samples": [] if forbidden else values[:_SAMPLES],
            "field": "" if forbidden else fed, "reason": "synonym" if fed else "", "forbidden": forbidden,
        })  # fmt: skip
    shown = [{"number": number, "cells": cells} for number, cells in rows if number <= top + _ROWS][-(_ROWS + 4) :]
    document = mapping.as_json() if mapping else None
    return Preview(sheets, name, len(columns), document, refusal, params, shown, columns)
