"""What reading says of a sheet, row by row, whichever way each was checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.pipeline.blocks import check_blocks
from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.validation import CheckedRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imports.pipeline.blocks import Block
    from imports.pipeline.mapping import Mapping
    from imports.pipeline.reading import Row


def checked_rows(rows: Iterable[Row], mapping: Mapping, *, names_required: bool = True) -> list[CheckedRow]:
    """Return every row in the order of the file."""
    blocks = check_blocks(rows, mapping, ROSTER_FIELDS, names_required=names_required)
    found = [row for block in blocks for row in (*plain_rows(block), *block.others)]
    return sorted(found, key=lambda row: row.number)


def plain_rows(block: Block) -> list[CheckedRow]:
    """Return the rows of a block of which nothing is to be said."""
    return [
        CheckedRow(
            number,
            {name: column[rank] for name, column in block.values.items()},
            block.sort_names[rank],
            [],
            block.attributes[rank] if block.attributes else {},
        )
        for rank, number in enumerate(block.numbers)
    ]
