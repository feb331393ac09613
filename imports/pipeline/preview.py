"""Preview: what the page "we read it like this" shows of a file before anything of it is stored.

It is made to be stored and shown, so it holds few cells, cut short, and none of what a roster must not bring in.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from imports.pipeline.cells import as_text
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.mapping import Mapping, column_letters, draft_mapping
from imports.pipeline.minimisation import (
    MASK,
    forbidden_content,
    forbidden_header,
    looks_like_addresses,
    looks_like_birth,
    masked,
)

if TYPE_CHECKING:
    from collections.abc import Mapping as Map
    from collections.abc import Sequence

    from imports.pipeline.fields import Field
    from imports.pipeline.mapping import Draft
    from imports.pipeline.reading import Workbook
    from imports.pipeline.sheets import Cell, Row

_ROWS: Final = 16
_ABOVE: Final = 6
_SAMPLE: Final = 120
_SAMPLES: Final = 3
_LONGEST: Final = 60
MOST_COLUMNS: Final = 500


@dataclass(frozen=True, slots=True)
class PreviewSheet:
    """A sheet that HR can point at."""

    name: str
    hidden: bool
    rows: int


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as it is shown; what must not be seen is masked."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """A column, what it feeds and why, or what it holds that must not come in."""

    index: int
    letter: str
    header: str
    samples: tuple[str, ...] = ()
    field: str = ""
    reason: str = ""
    forbidden: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """How a file is read; `refusal` says why it cannot be imported like this, and `mapping` may then be incomplete.

    `width` is the number of columns of the file; no more than MOST_COLUMNS of them are shown.
    """

    sheets: tuple[PreviewSheet, ...]
    sheet: str
    width: int
    mapping: Mapping | None
    refusal: str = ""
    params: dict[str, str] = field(default_factory=dict)
    rows: tuple[PreviewRow, ...] = ()
    columns: tuple[PreviewColumn, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return a form that JSON can carry."""
        return {
            "sheets": [asdict(sheet) for sheet in self.sheets],
            "sheet": self.sheet,
            "width": self.width,
            "mapping": None if self.mapping is None else self.mapping.as_json(),
            "refusal": self.refusal,
            "params": dict(self.params),
            "rows": [{"number": row.number, "cells": list(row.cells)} for row in self.rows],
            "columns": [asdict(column) | {"samples": list(column.samples)} for column in self.columns],
        }

    @classmethod
    def from_json(cls, document: Map[str, Any]) -> Preview:
        """Return the preview of which `document` is the JSON form."""
        mapping = document["mapping"]
        return cls(
            sheets=tuple(PreviewSheet(**sheet) for sheet in document["sheets"]),
            sheet=document["sheet"],
            width=document["width"],
            mapping=None if mapping is None else Mapping.from_json(mapping),
            refusal=document["refusal"],
            params=dict(document["params"]),
            rows=tuple(PreviewRow(row["number"], tuple(row["cells"])) for row in document["rows"]),
            columns=tuple(
                PreviewColumn(**column | {"samples": tuple(column["samples"])}) for column in document["columns"]
            ),
        )


def preview(
    workbook: Workbook,
    fields: Sequence[Field],
    *,
    sheet: str | None = None,
    header_row: int | None = None,
    remembered: Sequence[Mapping] = (),
    names_required: bool = True,
    today: dt.date | None = None,
) -> Preview:
    """Return what can be shown of a file; where no header is recognised, HR can still point at one."""
    today = today or dt.datetime.now(dt.UTC).date()
    draft = draft_mapping(
        workbook,
        fields,
        sheet=sheet,
        header_row=header_row,
        remembered=remembered,
        names_required=names_required,
        today=today,
    )
    mapping = draft.mapping
    chosen = mapping.sheet if mapping else sheet or _first_in_sight(workbook)
    sample = _sample(workbook, chosen, mapping)
    width = max(map(_width, sample), default=0)
    forbidden = _forbidden(mapping, sample, min(width, MOST_COLUMNS), today)
    refusal = _refusal(draft, header_row)
    return Preview(
        sheets=tuple(PreviewSheet(each.name, each.hidden, workbook.height(each.name)) for each in workbook.sheets),
        sheet=chosen,
        width=width,
        mapping=mapping,
        refusal=refusal,
        params={"missing": ", ".join(draft.missing)} if refusal else {},
        rows=tuple(_shown_row(row, forbidden) for row in sample[:_ROWS]),
        columns=tuple(_columns(mapping, sample, forbidden, min(width, MOST_COLUMNS))),
    )


def _refusal(draft: Draft, header_row: int | None) -> str:
    if draft.mapping is not None and not draft.missing:
        return ""
    return "no_header" if draft.mapping is None or header_row is None else "missing_fields"


@dataclass(frozen=True, slots=True)
class _Forbidden:
    """What a column holds that must not be seen, below the row that says so."""

    kind: str
    below: int


def _first_in_sight(workbook: Workbook) -> str:
    names = [sheet.name for sheet in workbook.sheets if not sheet.hidden]
    if not names and not workbook.sheet_names:
        raise UnreadableFile("damaged")
    return (names or list(workbook.sheet_names))[0]


def _sample(workbook: Workbook, sheet: str, mapping: Mapping | None) -> list[Row]:
    """Return rows that hold something, from a little above the header."""
    filled = (row for row in workbook.rows(sheet) if any(cell not in {"", None} for cell in row.cells))
    if mapping is None:
        return list(itertools.islice(filled, _SAMPLE))
    above: list[Row] = []
    for row in filled:
        if row.number >= mapping.header_row:
            return [*above[-_ABOVE:], row, *itertools.islice(filled, _SAMPLE)]
        above = [*above[-_ABOVE:], row]
    return above


def _width(row: Row) -> int:
    return next((index + 1 for index in range(len(row.cells) - 1, -1, -1) if row.cells[index] not in {"", None}), 0)


def _forbidden(mapping: Mapping | None, sample: Sequence[Row], width: int, today: dt.date) -> dict[int, _Forbidden]:
    """Return the columns to mask: those that the mapping drops, and those it does not know that look like them."""
    header_row = mapping.header_row if mapping else 0
    found: dict[int, _Forbidden] = {}
    known = set(mapping.columns.values()) if mapping else set()
    for index in range(width):
        cells = [row.cells[index] for row in sample if row.number > header_row and index < len(row.cells)]
        if index in known:
            continue
        if kind := forbidden_content(cells):
            found[index] = _Forbidden(kind, header_row)
        elif looks_like_birth(cells if mapping else cells[_ABOVE:], today):
            found[index] = _Forbidden("birth", header_row)
        elif looks_like_addresses("", cells):
            found[index] = _Forbidden("address", header_row)
        elif announced := _announced(sample[:_ROWS], index):
            found[index] = announced
    if mapping:
        found |= {
            index: _Forbidden(kind, header_row)
            for index, kind in zip(mapping.dropped, mapping.dropped_kinds, strict=False)
        }
    return found


def _announced(rows: Sequence[Row], index: int) -> _Forbidden | None:
    """Look for a header of something forbidden where another row, or none, was taken for the header."""
    for row in rows:
        cell = row.cells[index] if index < len(row.cells) else ""
        if isinstance(cell, str) and (kind := forbidden_header(cell[:_LONGEST])):
            return _Forbidden(kind, row.number)
    return None


def _shown_row(row: Row, forbidden: dict[int, _Forbidden]) -> PreviewRow:
    cells = row.cells[: min(_width(row), MOST_COLUMNS)]
    return PreviewRow(
        row.number, tuple(_shown(cell, row.number, forbidden.get(index)) for index, cell in enumerate(cells))
    )


def _shown(cell: Cell, number: int, forbidden: _Forbidden | None) -> str:
    text = _text(cell)
    if forbidden is not None and number > forbidden.below:
        return MASK if text else ""
    text = masked(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _text(cell: Cell) -> str:
    """Return a cell as a French spreadsheet shows it."""
    if isinstance(cell, dt.datetime):
        return f"{cell:%d/%m/%Y}" if cell.time() == dt.time.min else f"{cell:%d/%m/%Y %H:%M}"
    return f"{cell:%d/%m/%Y}" if isinstance(cell, dt.date) else as_text(cell)


def _columns(
    mapping: Mapping | None, sample: Sequence[Row], forbidden: dict[int, _Forbidden], width: int
) -> list[PreviewColumn]:
    headers = mapping.headers if mapping else ()
    fed = {index: name for name, index in mapping.columns.items()} if mapping else {}
    below = [row for row in sample if mapping is None or row.number > mapping.header_row]
    return [
        PreviewColumn(
            index=index,
            letter=column_letters(index),
            header=headers[index] if index < len(headers) else "",
            samples=_samples(below, index, forbidden.get(index)),
            field=fed.get(index, ""),
            reason=mapping.reasons.get(fed.get(index, ""), "") if mapping else "",
            forbidden=forbidden[index].kind if index in forbidden else "",
        )
        for index in range(max(width, min(len(headers), MOST_COLUMNS)))
    ]


def _samples(rows: Sequence[Row], index: int, forbidden: _Forbidden | None) -> tuple[str, ...]:
    """Return the first different values of a column."""
    values = (_shown(row.cells[index], row.number, forbidden) for row in rows if index < len(row.cells))
    return tuple(itertools.islice(dict.fromkeys(value for value in values if value), _SAMPLES))
