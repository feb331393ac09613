"""Mapping: which sheet, which header row, which column feeds which field, and which columns are dropped."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from imports.pipeline.issues import UnreadableFile, shown
from imports.pipeline.recognition import Reason, Recogniser, header_signature, headers_of
from portal.core.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Mapping as Map

    from imports.pipeline.fields import Field
    from imports.pipeline.reading import Row, Workbook
    from imports.pipeline.recognition import Columns
    from imports.pipeline.sheets import Sheet

__all__ = ["Draft", "Mapping", "apply_choice", "draft_mapping", "header_signature", "missing_fields", "suggest_mapping"]

HEADER_SEARCH: Final = 40
# Comparing letters is slow: only where no header is known is it done for the first rows of a sheet.
_SIMILAR_SEARCH: Final = 12
_SAMPLE: Final = 240

Note = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class Mapping:
    """How a sheet is read: `columns` gives the column of each field, `dropped` those that are never read.

    Columns are known by their index: a file may give the same header to two of them.
    """

    sheet: str
    header_row: int
    headers: tuple[str, ...]
    columns: dict[str, int]
    dropped: tuple[int, ...] = ()
    date_1904: bool = False
    reasons: dict[str, str] = field(default_factory=dict)
    """Why each column feeds its field: a `Reason`."""
    extras: tuple[int, ...] = ()
    """Columns that feed no field and that HR keeps as attributes of the person."""
    dropped_kinds: tuple[str, ...] = ()
    """What each dropped column holds: nir, birth, salary, address, phone or bank."""
    notes: tuple[Note, ...] = ()
    """What is to be said of the file: a code and what completes its sentence."""

    @property
    def field_headers(self) -> dict[str, str]:
        """Each mapped field with its header as the file writes it."""
        return {name: self.headers[index] for name, index in self.columns.items()}

    @property
    def dropped_headers(self) -> tuple[str, ...]:
        """The headers of the columns that hold what a roster must not bring in."""
        return tuple(self.headers[index] for index in self.dropped)

    @property
    def ignored_headers(self) -> tuple[str, ...]:
        """The headers of the columns that feed no field: read, and left aside."""
        used = {*self.columns.values(), *self.dropped, *self.extras}
        return tuple(header for index, header in enumerate(self.headers) if header and index not in used)

    @property
    def signature(self) -> str:
        """The key under which this mapping can be remembered."""
        return header_signature(self.headers)

    def as_json(self) -> dict[str, Any]:
        """Return a form that JSON can carry."""
        return asdict(self) | {
            "headers": list(self.headers),
            "dropped": list(self.dropped),
            "extras": list(self.extras),
            "dropped_kinds": list(self.dropped_kinds),
            "notes": [[code, dict(params)] for code, params in self.notes],
        }

    @classmethod
    def from_json(cls, document: Map[str, Any]) -> Mapping:
        """Return the mapping of which `document` is the JSON form, written by this version or an older one."""
        return cls(
            sheet=document["sheet"],
            header_row=document["header_row"],
            headers=tuple(document["headers"]),
            columns=dict(document["columns"]),
            dropped=tuple(document.get("dropped", ())),
            date_1904=document.get("date_1904", False),
            reasons=dict(document.get("reasons", {})),
            extras=tuple(document.get("extras", ())),
            dropped_kinds=tuple(document.get("dropped_kinds", ())),
            notes=tuple((code, dict(params)) for code, params in document.get("notes", ())),
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """The best mapping that a file allows, and what it still lacks before a row can be a person."""

    mapping: Mapping | None
    missing: tuple[str, ...]


def suggest_mapping(
    workbook: Workbook,
    fields: Sequence[Field],
    *,
    sheet: str | None = None,
    header_row: int | None = None,
    remembered: Sequence[Mapping] = (),
    names_required: bool = True,
) -> Mapping:
    """Return the mapping of the best header row of `sheet`, or of all sheets; raise when no row is a header.

    `remembered` are mappings that HR confirmed before: the same headers get the same columns, and a header
    seen there keeps its field elsewhere. `header_row` is the row that HR chose: no other is looked at.
    """
    draft = draft_mapping(
        workbook, fields, sheet=sheet, header_row=header_row, remembered=remembered, names_required=names_required
    )
    if draft.mapping is None or draft.missing:
        code = "no_header" if header_row is None or draft.mapping is None else "missing_fields"
        raise UnreadableFile(code, missing=", ".join(draft.missing))
    return draft.mapping


def draft_mapping(
    workbook: Workbook,
    fields: Sequence[Field],
    *,
    sheet: str | None = None,
    header_row: int | None = None,
    remembered: Sequence[Mapping] = (),
    names_required: bool = True,
    today: dt.date | None = None,
) -> Draft:
    """Return the mapping that can be suggested, complete or not, so that HR can complete it."""
    recogniser = Recogniser(fields, remembered, today or dt.datetime.now(dt.UTC).date())
    found = [
        _Candidate(each, candidate, missing_fields(candidate.columns, names_required=names_required), columns)
        for each in workbook.sheets
        if sheet is None or each.name == sheet
        for candidate, columns in _best_header(workbook, each, recogniser, header_row, names_required=names_required)
    ]
    if sheet is not None and sheet not in workbook.sheet_names:
        raise UnreadableFile("unknown_sheet", sheet=sheet)
    if not found:
        return Draft(None, ("employee_number", "last_name"))
    best = max(found, key=lambda candidate: candidate.rank(workbook))
    others = [each.sheet.name for each in found if each is not best and not each.missing]
    notes = tuple(_notes(workbook, best, others))
    return Draft(replace(best.mapping, notes=notes), best.missing)


def apply_choice(
    suggested: Mapping,
    choice: Map[str, int],
    fields: Sequence[Field],
    *,
    extras: Iterable[int] = (),
    names_required: bool = True,
) -> Mapping:
    """Return the mapping with HR's choice {field: column} in place of the suggested columns.

    The choice comes from a form, so nothing in it is believed: a dropped column stays dropped.
    """
    known = {each.name for each in fields}
    if unknown := next((name for name in choice if name not in known), None):
        raise UnreadableFile("unknown_field", field=shown(unknown))
    kept = tuple(sorted(set(extras)))
    for index in (*choice.values(), *kept):
        _check_column(suggested, index)
    uses = Counter((*choice.values(), *kept))
    if twice := [index for index, times in uses.items() if times > 1]:
        raise UnreadableFile("same_column_twice", header=suggested.headers[twice[0]] or column_letters(twice[0]))
    if lacking := missing_fields(choice, names_required=names_required):
        raise UnreadableFile("missing_fields", missing=", ".join(lacking))
    return replace(suggested, columns=dict(choice), reasons=dict.fromkeys(choice, Reason.CHOSEN.value), extras=kept)


def missing_fields(columns: Iterable[str], *, names_required: bool = True) -> tuple[str, ...]:
    """Return the fields without which no row can be a person; an employee number stands for either key."""
    present = set(columns)
    missing = []
    if not present & {"employee_number", "email"}:
        missing.append("employee_number")
    if names_required and "full_name" not in present:
        missing += [name for name in ("last_name", "first_name") if name not in present]
    return tuple(missing)


def column_letters(index: int) -> str:
    """Return a column as spreadsheets name it: 0 is A, 26 is AA."""
    letters = ""
    while index >= 0:
        letters = chr(ord("A") + index % 26) + letters
        index = index // 26 - 1
    return letters


def _check_column(mapping: Mapping, index: int) -> None:
    if type(index) is not int or not 0 <= index < len(mapping.headers):
        raise UnreadableFile("unknown_header", header=column_letters(index) if type(index) is int else shown(index))
    if index in mapping.dropped:
        raise UnreadableFile("forbidden_column", header=mapping.headers[index] or column_letters(index))


_EXAMPLES: Final = frozenset({"exemple", "exemples", "example", "examples"})
"""Sheets of people who do not exist, as in our own template."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The best header row of one sheet."""

    sheet: Sheet
    mapping: Mapping
    missing: tuple[str, ...]
    columns: Columns

    def rank(self, workbook: Workbook) -> tuple[bool, bool, bool, int, int]:
        """A complete mapping, a sheet that is no example and in sight, the most fields, the most rows."""
        rows = workbook.facts(self.sheet.name).rows if len(workbook.sheets) > 1 else 0
        in_earnest = fold(self.sheet.name) not in _EXAMPLES
        return (not self.missing, in_earnest, not self.sheet.hidden, len(self.mapping.columns), rows)


def _best_header(
    workbook: Workbook, sheet: Sheet, recogniser: Recogniser, header_row: int | None, *, names_required: bool
) -> Iterator[tuple[Mapping, Columns]]:
    """Yield the mapping of the first row, near the top, that names the most fields; nothing when none names any."""
    sample = _sample(workbook.rows(sheet.name), header_row)
    positions = [rank for rank, row in enumerate(sample) if header_row is None or row.number == header_row]
    positions = positions[:HEADER_SEARCH]
    best = _most_telling(sample, positions, recogniser, forced=header_row is not None, similar=False)
    if best is None or missing_fields(best[1].fed, names_required=names_required):
        # Headers that are all misspelt are found by their letters.
        near = _most_telling(sample, positions[:_SIMILAR_SEARCH], recogniser, forced=True, similar=True)
        best = near if near is not None and (near[1].fed or header_row is not None) else best
    elif best is not None:
        best = _most_telling(sample, [best[0]], recogniser, forced=True, similar=True)
    if best is None:
        return
    position, columns = best
    dropped = tuple(sorted(columns.forbidden))
    yield (
        Mapping(
            sheet=sheet.name,
            header_row=sample[position].number,
            headers=columns.headers,
            columns=columns.fed,
            dropped=dropped,
            date_1904=workbook.date_1904,
            reasons=columns.reasons,
            extras=columns.extras,
            dropped_kinds=tuple(columns.forbidden[index] for index in dropped),
        ),
        columns,
    )


def _sample(rows: Iterator[Row], header_row: int | None) -> list[Row]:
    """Return the first rows that hold something, from just above the row that HR chose."""
    first = 0 if header_row is None else header_row - 1
    filled = (row for row in rows if row.number >= first and any(cell not in {"", None} for cell in row.cells))
    return list(itertools.islice(filled, _SAMPLE))


def _most_telling(
    sample: Sequence[Row], positions: Sequence[int], recogniser: Recogniser, *, forced: bool, similar: bool
) -> tuple[int, Columns] | None:
    best: tuple[int, Columns] | None = None
    for position in positions:
        row = sample[position]
        headers = headers_of(row.cells)
        if not forced and not recogniser.names_any(headers):
            continue
        above = sample[position - 1] if position and sample[position - 1].number == row.number - 1 else None
        columns = recogniser.columns(headers, above, sample[position + 1 :], similar=similar)
        if best is None or len(columns.fed) > len(best[1].fed):
            best = (position, columns)
    return best


def _notes(workbook: Workbook, best: _Candidate, others: Sequence[str]) -> Iterator[Note]:
    """Yield what HR should know of how the file was read."""
    mapping, facts = best.mapping, workbook.facts(best.sheet.name)
    if best.sheet.hidden:
        yield "hidden_sheet", {"sheet": best.sheet.name}
    if others:
        yield "other_sheets", {"names": ", ".join(others)}
    if any(best.columns.groups):
        yield "two_line_header", {"row": str(mapping.header_row - 1)}
    times = Counter(fold(header) for header in mapping.headers if header)
    told = {fold(header): header for header in reversed(mapping.headers)}
    for header in (told[folded] for folded, count in times.items() if count > 1):
        yield "duplicate_header", {"header": header}
    if facts.hidden_rows:
        yield "hidden_rows", {"count": str(facts.hidden_rows)}
    if hidden := [mapping.headers[index] for index in sorted(facts.hidden_columns) if index < len(mapping.headers)]:
        yield "hidden_columns", {"headers": ", ".join(filter(None, hidden)) or str(len(hidden))}
    if merged := sum(span.last_row > mapping.header_row for span in facts.spans):
        yield "merged_cells", {"count": str(merged)}
