"""A platform's file as events: workbooks and delimited text, read in the process that reads rosters."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from imports.messages import file_message
from imports.pipeline.child import reading
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.reader import Kind, Request
from portal.core.errors import Refusal
from portal.progress.platforms.columns import columns_of, event_of_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NO_TABLE = frozenset({"not_a_spreadsheet", "unsupported_format", "html_table"})
_HEADER_WITHIN = 20
"""A header stands under a title at most: further down there is none."""


def events_of_sheet(file: IO[bytes], *, given: Mapping[str, str]) -> Iterator[tuple[int, object]]:
    """Yield (row, event) of the file's first sheet, rows numbered as the spreadsheet shows them.

    Raises:
        Refusal: `unknown_format` without a header that names a step, a date and a person; or why it cannot be read.
    """
    request = Request(
        file=file.fileno(),
        order=(),
        lengths={},
        room=(0, 0),
        memory=settings.IMPORT_READER_BYTES,
        seconds=settings.IMPORT_READER_SECONDS,
        plain=True,
    )
    columns: dict[str, int] | None = None
    try:
        for seen, (row, cells) in enumerate(_rows(request), 1):
            if columns is not None:
                yield row, event_of_row(cells, columns, given)
            elif (columns := columns_of(cells)) is None and seen >= _HEADER_WITHIN:
                break
    except UnreadableFile as refused:
        code = "unknown_format" if refused.code in _NO_TABLE else refused.code
        raise Refusal(code, file_message(refused.code, refused.params)) from None
    if columns is None:
        message = _(
            "This is neither NDJSON nor a table whose header names a step, a date and a person. Nothing was recorded."
        )
        raise Refusal("unknown_format", message)


def _rows(request: Request) -> Iterator[tuple[int, list[str]]]:
    with reading(request) as frames:
        for frame in frames:
            if frame.kind is Kind.READ:
                return
            yield from json.loads(frame.payload[4:])
    raise UnreadableFile("damaged")
