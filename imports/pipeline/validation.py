"""Validation: rows become checked people, one at a time; totals and titles of the sheet are left out."""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imports.pipeline.cells import CellFinding, as_text, clean_text, cleaner
from imports.pipeline.issues import Issue, IssueCode, Severity, shown
from imports.pipeline.mapping import Mapping
from imports.pipeline.names import split_full_name
from imports.pipeline.reading import Row
from portal.core.text import fold

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Mapping as Map

    from imports.pipeline.cells import Cleaner, Value
    from imports.pipeline.fields import Field
    from imports.pipeline.reading import Cell

_TOTAL: Final = re.compile(
    r"\W*(?:(?:sous|grand|sub)[\s-]*)?total(?:is|aux|s)?\b|\W*(?:nombre|nb|somme|moyenne|effectif\s+total|count|sum)\b",
    re.IGNORECASE,
)
MAX_ATTRIBUTE: Final = 500
"""Characters of a column of the organisation's own; a longer text is no attribute of a person but a document."""
_NUMBER: Final = re.compile(r"[\d\s.,%€-]+")
_fold: Final = functools.lru_cache(maxsize=1 << 16)(fold)
_is_label: Final = functools.lru_cache(maxsize=1 << 16)(_TOTAL.match)


@dataclass(slots=True)
class CheckedRow:
    """One person of the file: an empty text is "", an empty date None, an absent column no key at all.

    `attributes` are the organisation's own columns that HR wants kept, each under its header.
    """

    number: int
    values: dict[str, str | dt.date | None]
    sort_name: str
    issues: list[Issue]
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def rejected(self) -> bool:
        """Whether an error keeps this row out."""
        return any(issue.severity is Severity.ERROR for issue in self.issues)


class Checker:
    """What is known of the columns before the first row, so that each row costs as little as it can."""

    def __init__(self, mapping: Mapping, fields: Sequence[Field], *, names_required: bool) -> None:
        self._names_required = names_required
        self._headers = mapping.field_headers
        self._mapped = mapping.columns
        self._columns: list[tuple[str, int, Cleaner]] = [
            (field.name, mapping.columns[field.name], cleaner(field, date_1904=mapping.date_1904))
            for field in fields
            if field.name in mapping.columns
        ]
        self._extras = _extra_names(mapping)
        self._header_row = mapping.header_row
        self._width = max((*mapping.columns.values(), *mapping.extras), default=-1) + 1
        key = next((name for name in ("employee_number", "email") if name in mapping.columns), None)
        name = next((name for name in ("last_name", "full_name") if name in mapping.columns), key)
        self._key = -1 if key is None else mapping.columns[key]
        self._name = -1 if name is None else mapping.columns[name]
        self._key_header = "" if key is None else self._headers[key]
        self._has_full_name = "full_name" in mapping.columns

    @property
    def keeps_more(self) -> bool:
        """Whether there are columns of the organisation's own to keep."""
        return bool(self._extras)

    def people(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows of people below the header, each as long as the mapping asks for."""
        for row in rows:
            if row.number > self._header_row:
                short = self._width - len(row.cells)
                whole = row if short <= 0 else Row(row.number, row.cells + ("",) * short)
                if self._is_person(whole.cells):
                    yield whole

    def _is_person(self, cells: tuple[Cell, ...]) -> bool:
        """Tell people from furniture; a row with a key and a name that is no label is decided at once."""
        key, name = cells[self._key], cells[self._name]
        named = isinstance(name, str) and name[:1].isalpha() and not _is_label(name)
        if named and key and key != self._key_header:
            return True
        filled = [(index, text) for index, cell in enumerate(cells) if (text := as_text(cell))]
        if not any(index in self._mapped.values() for index, _ in filled):
            return False
        return not (self._is_title(filled) or _is_total(filled) or self._is_header(cells))

    def _is_title(self, filled: list[tuple[int, str]]) -> bool:
        """Whether one lone cell is a label: alone, only what looks like a key can still be a person."""
        if len(filled) != 1:
            return False
        index, text = filled[0]
        if index == self._mapped.get("email"):
            return "@" not in text
        return index != self._mapped.get("employee_number") or " " in text or not any(map(str.isdigit, text))

    def _is_header(self, cells: tuple[Cell, ...]) -> bool:
        """Whether the header is repeated, as at the top of each printed page."""
        return all(fold(as_text(cells[index])) == fold(self._headers[field]) for field, index in self._mapped.items())

    def check(self, number: int, cells: tuple[Cell, ...]) -> CheckedRow:
        issues: list[Issue] = []
        try:
            values = {name: clean(cells[index]) for name, index, clean in self._columns}
        except CellFinding:
            values = self._values_and_issues(cells, issues)
        if self._has_full_name:
            self._split_name(values, issues)
        self._check_required(values, issues)
        name = sort_name(values.get("last_name"), values.get("first_name"))
        return CheckedRow(number, values, name, issues, self.attributes(cells) if self._extras else {})

    def attributes(self, cells: tuple[Cell, ...]) -> dict[str, str]:
        texts = ((name, as_text(cells[index])) for name, index in self._extras)
        return {name: text[:MAX_ATTRIBUTE] for name, text in texts if text}

    def _values_and_issues(self, cells: tuple[Cell, ...], issues: list[Issue]) -> dict[str, str | dt.date | None]:
        """Clean the cells one by one; most rows have no finding and are spared this."""
        values: dict[str, str | dt.date | None] = {}
        for name, index, clean in self._columns:
            try:
                values[name] = clean(cells[index])
            except CellFinding as finding:
                values[name] = finding.keep
                issues.append(self._issue(finding.code, finding.severity, name, cells[index], finding.params))
        return values

    def _split_name(self, values: dict[str, str | dt.date | None], issues: list[Issue]) -> None:
        full_name = values.pop("full_name")
        last, first, certain = split_full_name(str(full_name or ""))
        values["last_name"], values["first_name"] = last, first
        if not certain:
            params = {"last_name": shown(last), "first_name": shown(first)}
            issues.append(self._issue(IssueCode.AMBIGUOUS_NAME, Severity.WARNING, "full_name", str(full_name), params))

    def _check_required(self, values: dict[str, str | dt.date | None], issues: list[Issue]) -> None:
        """Say once what is missing: a cell that was found wrong is not missing as well."""
        if values.get("last_name") and values.get("first_name") and values.get("employee_number"):
            return
        wrong = {issue.field for issue in issues}
        if not (values.get("employee_number") or values.get("email") or wrong & {"employee_number", "email"}):
            issues.append(self._issue(IssueCode.MISSING_KEY, Severity.ERROR, self._key_field()))
        if not self._names_required or ("full_name" in wrong and not values.get("last_name")):
            return
        for name, code in (
            ("last_name", IssueCode.MISSING_LAST_NAME),
            ("first_name", IssueCode.MISSING_FIRST_NAME),
        ):
            if not values.get(name) and name not in wrong:
                issues.append(self._issue(code, Severity.ERROR, "full_name" if self._has_full_name else name))

    def _key_field(self) -> str:
        return "employee_number" if "employee_number" in self._headers else "email"

    def _issue(
        self,
        code: IssueCode,
        severity: Severity,
        field: str,
        cell: Cell = "",
        params: dict[str, str] | None = None,
    ) -> Issue:
        value = shown(clean_text(cell) if isinstance(cell, str) else as_text(cell))
        return Issue(code, severity, self._headers.get(field, ""), field, value, params or {})


def sort_name(last_name: Value, first_name: Value) -> str:
    """Return the name by which a person is found in a list."""
    return f"{_fold(last_name or '')} {_fold(first_name or '')}".strip()


def _extra_names(mapping: Mapping) -> list[tuple[str, int]]:
    """The kept columns, each under its header; one that repeats another's header is told apart by its rank."""
    seen: Counter[str] = Counter()
    names = []
    for index in mapping.extras:
        header = mapping.headers[index]
        seen[header] += 1
        names.append((header if seen[header] == 1 else f"{header} ({seen[header]})", index))
    return names


def check_texts(
    texts: Map[str, str], fields: Sequence[Field], *, number: int, names_required: bool = True
) -> CheckedRow:
    """Check one row typed by hand, {field: text}, by the same rules as a row of a file."""
    known = [field.name for field in fields if field.name in texts]
    mapping = Mapping("", 0, tuple(known), {name: index for index, name in enumerate(known)})
    checker = Checker(mapping, fields, names_required=names_required)
    return checker.check(number, tuple(texts[name] for name in known))


def _is_total(filled: list[tuple[int, str]]) -> bool:
    """Whether a row is a label ("Total", "Nombre de salariés :") with nothing but numbers beside it."""
    words = [(rank, text) for rank, (_, text) in enumerate(filled) if not _NUMBER.fullmatch(text)]
    if len(words) != 1:
        return False
    rank, label = words[0]
    # "Total" after a number may be a person of that name whose first name is missing.
    return bool(_TOTAL.match(label)) and (rank == 0 or " " in label)
