"""Mapping: which sheet, which header row, which column feeds which field, and which columns are dropped."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.minimisation import forbidden_content, forbidden_header
from portal.core.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Mapping as Map

    from imports.pipeline.fields import Field
    from imports.pipeline.reading import Cell, Row, Workbook

GUESSED: Final = frozenset({"similar", "content"})
HEADER_SEARCH: Final = 40
_SAMPLE: Final = 240
# "Date d'entrée (JJ/MM/AAAA)": what stands in brackets explains the header, it does not name it.
_EXPLANATION: Final = re.compile(r"[(\[].*$", re.DOTALL)


@dataclass(frozen=True)
class Mapping:
    """How a sheet is read: `columns` gives the column of each field, `dropped` those that are never read."""

    sheet: str
    header_row: int
    headers: tuple[str, ...]
    columns: dict[str, int]
    dropped: tuple[int, ...] = ()
    date_1904: bool = False
    extras: tuple[int, ...] = ()
    reasons: dict[str, str] = __import__("dataclasses").field(default_factory=dict)

    @property
    def field_headers(self) -> dict[str, str]:
        """Each mapped field with its header as the file writes it."""
        return {field: self.headers[index] for field, index in self.columns.items()}

    @property
    def dropped_headers(self) -> tuple[str, ...]:
        """The headers of the columns that hold what a roster must not bring in."""
        return tuple(self.headers[index] for index in self.dropped)

    @property
    def ignored_headers(self) -> tuple[str, ...]:
        """The headers of the columns that feed no field: read, and left aside."""
        used = {*self.columns.values(), *self.dropped}
        return tuple(header for index, header in enumerate(self.headers) if header and index not in used)

    @property
    def signature(self) -> str:
        """The key under which this mapping can be remembered."""
        return header_signature(self.headers)

    def as_json(self) -> dict[str, Any]:
        """Return a form that JSON can carry."""
        return asdict(self) | {"headers": list(self.headers), "dropped": list(self.dropped)}

    @classmethod
    def from_json(cls, document: Map[str, Any]) -> Mapping:
        """Return the mapping of which `document` is the JSON form."""
        return cls(
            sheet=document["sheet"],
            header_row=document["header_row"],
            headers=tuple(document["headers"]),
            columns=dict(document["columns"]),
            dropped=tuple(document["dropped"]),
            date_1904=document["date_1904"],
        )


def header_signature(headers: Iterable[str]) -> str:
    """Return the same key for the same headers, whatever their accents, case and punctuation."""
    return hashlib.sha256("\n".join(map(fold, headers)).encode()).hexdigest()


def suggest_mapping(
    workbook: Workbook,
    fields: Sequence[Field],
    *,
    sheet: str | None = None,
    header_row=None,
    remembered: Sequence[Mapping] = (),
    names_required: bool = True,
) -> Mapping:
    """Return the mapping of the best header row of `sheet`, or of all sheets; raise when no row is a header.

    `remembered` are mappings that HR confirmed before: the same headers get the same columns, and a header
    seen there keeps its field elsewhere.
    """
    names = workbook.sheet_names if sheet is None else (sheet,)
    guesser = _Guesser(fields, remembered)
    best: Mapping | None = None
    missing: tuple[str, ...] = ("employee_number", "last_name")
    for name in names:
        sample = list(itertools.islice(workbook.rows(name), _SAMPLE))
        candidate = guesser.best_header(sample, name, date_1904=workbook.date_1904)
        if candidate is None:
            continue
        lacking = missing_fields(candidate.columns, names_required=names_required)
        if lacking:
            missing = lacking
        elif best is None or len(candidate.columns) > len(best.columns):
            best = candidate
    if best is None:
        raise UnreadableFile("no_header", missing=", ".join(missing))
    return best


def apply_choice(
    suggested: Mapping, choice: Map[str, str], fields: Sequence[Field], *, names_required: bool = True
) -> Mapping:
    """Return the mapping with HR's choice {field: header} in place of the suggested columns.

    The choice comes from a form, so nothing in it is believed: a dropped column stays dropped.
    """
    known = {field.name for field in fields}
    columns: dict[str, int] = {}
    for field, header in choice.items():
        if field not in known:
            raise UnreadableFile("unknown_field", field=field)
        columns[field] = _chosen_column(suggested, header)
    for index, uses in itertools.groupby(sorted(columns.values())):
        if len(list(uses)) > 1:
            raise UnreadableFile("same_column_twice", header=suggested.headers[index])
    if lacking := missing_fields(columns, names_required=names_required):
        raise UnreadableFile("missing_fields", missing=", ".join(lacking))
    return Mapping(
        sheet=suggested.sheet,
        header_row=suggested.header_row,
        headers=suggested.headers,
        columns=columns,
        dropped=suggested.dropped,
        date_1904=suggested.date_1904,
    )


def missing_fields(columns: Iterable[str], *, names_required: bool = True) -> tuple[str, ...]:
    """Return the fields without which no row can be a person; an employee number stands for either key."""
    present = set(columns)
    missing = []
    if not present & {"employee_number", "email"}:
        missing.append("employee_number")
    if names_required and "full_name" not in present:
        missing += [name for name in ("last_name", "first_name") if name not in present]
    return tuple(missing)


def _chosen_column(mapping: Mapping, header: str) -> int:
    wanted = fold(header)
    for index, candidate in enumerate(mapping.headers):
        if wanted and fold(candidate) == wanted:
            if index in mapping.dropped:
                raise UnreadableFile("forbidden_column", header=candidate)
            return index
    raise UnreadableFile("unknown_header", header=header)


class _Guesser:
    """Recognises headers by the fields' synonyms and by what HR confirmed before."""

    def __init__(self, fields: Sequence[Field], remembered: Sequence[Mapping]) -> None:
        self._kinds = {field.name: field.kind for field in fields}
        # The rank orders the columns that claim one field: "Nom d'usage" is preferred to "Nom".
        self._synonyms = {
            synonym: (field.name, rank) for field in fields for rank, synonym in enumerate(field.synonyms)
        }
        for mapping in remembered:
            for name, header in mapping.field_headers.items():
                if name in self._kinds:
                    self._synonyms[fold(header)] = (name, -1)
        self._remembered = {mapping.signature: mapping for mapping in remembered}

    def best_header(self, sample: Sequence[Row], sheet: str, *, date_1904: bool) -> Mapping | None:
        """Return the mapping of the first row, near the top, that names the most fields."""
        best: Mapping | None = None
        for position, row in enumerate(sample[:HEADER_SEARCH]):
            headers = _headers(row.cells)
            if not any(self._recognise(header) for header in headers):
                continue
            dropped = _dropped(headers, sample[position + 1 :])
            columns = self._columns(headers, dropped)
            if best is None or len(columns) > len(best.columns):
                best = Mapping(sheet, row.number, headers, columns, dropped, date_1904)
        return best

    def _recognise(self, header: str) -> tuple[str, int] | None:
        return self._synonyms.get(fold(header)) or self._synonyms.get(fold(_EXPLANATION.sub("", header)))

    def _columns(self, headers: tuple[str, ...], dropped: tuple[int, ...]) -> dict[str, int]:
        known = self._remembered.get(header_signature(headers))
        if known is not None and known.headers:
            return {field: index for field, index in known.columns.items() if index not in dropped}
        claims: dict[str, tuple[int, int]] = {}
        for index, header in enumerate(headers):
            recognised = self._recognise(header) if index not in dropped else None
            if recognised is None:
                continue
            name, rank = recognised
            claims[name] = min(claims.get(name, (rank, index)), (rank, index))
        if "last_name" in claims and "first_name" in claims:
            claims.pop("full_name", None)
        elif "full_name" in claims:
            claims.pop("last_name", None)
            claims.pop("first_name", None)
        return {name: claims[name][1] for name in self._kinds if name in claims}


def _headers(cells: tuple[Cell, ...]) -> tuple[str, ...]:
    texts = [" ".join(cell.split()) if isinstance(cell, str) else "" for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _dropped(headers: tuple[str, ...], below: Sequence[Row]) -> tuple[int, ...]:
    return tuple(
        index
        for index, header in enumerate(headers)
        if forbidden_header(header) or forbidden_content(row.cells[index] for row in below if index < len(row.cells))
    )
