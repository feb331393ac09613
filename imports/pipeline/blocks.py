"""Blocks: rows checked many at a time, column by column, which is how most of a roster's rows can be checked.

A row in which something is found, or missing, is checked by itself; what is said of it is the same either way.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imports.pipeline.cells import CellFinding, Memory, cleaner, repeats
from imports.pipeline.names import split_full_name
from imports.pipeline.validation import Checker, sort_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from imports.pipeline.cells import Cleaner, Value
    from imports.pipeline.fields import Field
    from imports.pipeline.mapping import Mapping
    from imports.pipeline.reading import Cell, Row
    from imports.pipeline.validation import CheckedRow

BLOCK_ROWS: Final = 1_000
"""So few that they stay in the processor's cache: blocks of five thousand take a tenth longer."""
_FOUND: Final = "\0found"
"""What stands in the place of a value when something was found in its cell: no cleaner returns such a text."""


@dataclass(slots=True)
class Block:
    """Plain rows, of which nothing is to be said, in columns; beside them the others, one by one.

    `attributes` are as many as the plain rows, or none at all when the file has no columns to keep.
    """

    numbers: list[int] = field(default_factory=list)
    values: dict[str, list[Value]] = field(default_factory=dict)
    sort_names: list[str] = field(default_factory=list)
    attributes: list[dict[str, str]] = field(default_factory=list)
    others: list[CheckedRow] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.numbers) + len(self.others)


def check_blocks(
    rows: Iterable[Row], mapping: Mapping, fields: Sequence[Field], *, names_required: bool = True
) -> Iterator[Block]:
    """Yield the people below the header, checked, without holding more than a block of them."""
    checker = Checker(mapping, fields, names_required=names_required)
    columns = _Columns(checker, mapping, fields, names_required=names_required)
    people = checker.people(rows)
    while taken := list(itertools.islice(people, BLOCK_ROWS)):
        yield columns.check(taken)


class _Columns:
    def __init__(self, checker: Checker, mapping: Mapping, fields: Sequence[Field], *, names_required: bool) -> None:
        self._checker = checker
        self._cleaners = [
            (field.name, mapping.columns[field.name], _quiet(field, date_1904=mapping.date_1904))
            for field in fields
            if field.name in mapping.columns
        ]
        self._needed = ("last_name", "first_name") if names_required else ()

    def check(self, people: list[Row]) -> Block:
        cells = list(zip(*(row.cells for row in people), strict=False))
        values = {name: list(map(clean, cells[index])) for name, index, clean in self._cleaners}
        doubtful = {rank for column in values.values() for rank, value in enumerate(column) if value is _FOUND}
        if "full_name" in values:
            doubtful |= _split(values)
        absent: list[Value] = [""] * len(people)
        keys = zip(*(values.get(name, absent) for name in ("employee_number", "email")), strict=True)
        doubtful |= {rank for rank, key in enumerate(keys) if not any(key)}
        for name in self._needed:
            doubtful |= {rank for rank, text in enumerate(values.get(name, absent)) if not text}
        others = [self._checker.check(*people[rank]) for rank in sorted(doubtful)]
        if others:
            plain = [rank not in doubtful for rank in range(len(people))]
            people = list(itertools.compress(people, plain))
            values = {name: list(itertools.compress(column, plain)) for name, column in values.items()}
        names = zip(*(values.get(name, absent[: len(people)]) for name in ("last_name", "first_name")), strict=True)
        return Block(
            [row.number for row in people],
            values,
            list(itertools.starmap(sort_name, names)),
            [self._checker.attributes(row.cells) for row in people] if self._checker.keeps_more else [],
            others,
        )


def _split(values: dict[str, list[Value]]) -> set[int]:
    """Put two columns in the place of "NOM Prénom", and return the rows in which the cut is not certain."""
    cut = [split_full_name(str(name or "")) for name in values.pop("full_name")]
    values["last_name"], values["first_name"] = [last for last, _, _ in cut], [first for _, first, _ in cut]
    return {rank for rank, (_, _, certain) in enumerate(cut) if not certain}


def _quiet(field: Field, *, date_1904: bool) -> Cleaner:
    """Return the cleaner of a field that says by a value, not by an exception, that something was found."""
    clean = functools.partial(_cleaned, cleaner(field, date_1904=date_1904))
    return Memory(clean).__getitem__ if repeats(field) else clean


def _cleaned(clean: Cleaner, cell: Cell) -> Value:
    try:
        return clean(cell)
    except CellFinding:
        return _FOUND
