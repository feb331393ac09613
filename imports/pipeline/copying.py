"""Checked rows as lines of PostgreSQL's COPY: the only form in which they leave the process that reads the file."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Final, cast

from imports.pipeline.issues import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imports.pipeline.blocks import Block
    from imports.pipeline.cells import Value
    from imports.pipeline.mapping import Mapping
    from imports.pipeline.validation import CheckedRow

RANKS: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
"""The order in which issues are shown: the worst first."""

_NULL: Final = "\\N"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": ""})


def fields_read(mapping: Mapping, order: Sequence[str]) -> tuple[str, ...]:
    """Return the fields of `order` that the file has: one "NOM Prénom" column gives two."""
    present = set(mapping.columns)
    if "full_name" in present:
        present |= {"last_name", "first_name"}
    return tuple(name for name in order if name in present)


def block_lines(block: Block, fields: Sequence[str], *, room: int) -> bytes:
    """Return number, rejected, name to sort by (cut at `room` characters), attributes, then the fields of each row."""
    attributes = [_json(kept) if kept else "{}" for kept in block.attributes] or itertools.repeat("{}")
    columns = (
        map(str, block.numbers),
        itertools.repeat("f", len(block.numbers)),
        [name[:room] for name in block.sort_names],
        attributes,
        *(_column_shown(block.values.get(name, ())) for name in fields),
    )
    plain = [f"{line}\n" for line in map("\t".join, zip(*columns, strict=False))]
    return "".join([*plain, *(_row_line(row, fields, room) for row in block.others)]).encode()


def issue_lines(rows: Iterable[CheckedRow], *, room: int) -> bytes:
    """Return number, column (cut at `room` characters), code, severity, rank and params of each issue."""
    return "".join(
        "\t".join((
            str(row.number),
            _escaped(issue.column[:room]),
            issue.code.value,
            issue.severity.value,
            str(RANKS[issue.severity]),
            _json({"field": issue.field, "value": issue.value, **issue.params}),
        ))
        + "\n"
        for row in rows
        for issue in row.issues
    ).encode()  # fmt: skip


def _row_line(row: CheckedRow, fields: Sequence[str], room: int) -> str:
    values = row.values
    line = "\t".join([_shown(values[name]) for name in fields])
    rejected = "t" if row.issues and row.rejected else "f"
    attributes = _json(row.attributes) if row.attributes else "{}"
    return f"{row.number}\t{rejected}\t{row.sort_name[:room]}\t{attributes}\t{line}\n"


def _column_shown(values: Sequence[Value]) -> Iterable[str]:
    """The values of a column; when none of its texts has anything to escape, they are as they are."""
    texts = cast("Sequence[str]", values)
    try:
        whole = "".join(texts)
    except TypeError:
        # A column of dates.
        return map(_shown, values)
    return texts if whole.isprintable() and "\\" not in whole else map(_shown, values)


def _shown(value: Value) -> str:
    """A value of a cell; most have nothing to escape, and are spared the search sign by sign."""
    if value.__class__ is str:
        return value if value.isprintable() and "\\" not in value else _escaped(value)
    return _NULL if value is None else str(value)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _json(document: dict[str, str]) -> str:
    # A sign that JSON would write as six is no sign that the database takes in JSON.
    return _escaped(json.dumps(document, ensure_ascii=False).replace("\\u0000", ""))
