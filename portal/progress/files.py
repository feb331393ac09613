"""Events out of a file or a request's body, one at a time and numbered by line, so that memory does not grow."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, BinaryIO

from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from portal.progress.facts import Unreadable
from portal.progress.platforms.sheets import events_of_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LONGEST_LINE = 64 * 1024
_SAMPLE = 4096
_SHOWN = 2_000
_BOM = b"\xef\xbb\xbf"


def events_of_file(path: Path, *, given: Mapping[str, str] | None = None) -> Iterator[tuple[int, object]]:
    """Yield (line, event) of an NDJSON, CSV or spreadsheet file; the content decides which, never the name.

    `given` says what a table need not repeat in each row.

    Raises:
        Refusal: `unreadable_file`, `empty_file`, `unknown_format`, or why a spreadsheet cannot be read.
    """
    try:
        with path.open("rb") as stream:
            yield from _events(stream, given or {})
    except OSError:
        message = _("“%(file)s” cannot be read. Check the name and the permissions.")
        raise Refusal("unreadable_file", message % {"file": path.name}) from None


def events_of_lines(stream: BinaryIO) -> Iterator[tuple[int, object]]:
    """Yield (line, event) of NDJSON. Blank lines are passed over; a line that is no JSON stands in as unreadable."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            _skip_to_end_of_line(stream, line)
            yield number, _unreadable(line)
            continue
        line = line.removeprefix(_BOM) if number == 1 else line
        if line.strip():
            yield number, _event_of_line(line)


def _events(stream: BinaryIO, given: Mapping[str, str]) -> Iterator[tuple[int, object]]:
    sample = stream.read(_SAMPLE).removeprefix(_BOM)
    stream.seek(0)
    start = sample.lstrip()
    if not start:
        raise Refusal("empty_file", _("The file is empty: there is no event in it."))
    if start.startswith(b"{"):
        yield from events_of_lines(stream)
        return
    header = start.split(b"\n", 1)[0].strip(b"\r").decode("utf-8", "replace")
    delimiter = next((sign for sign in ",;\t" if "event_id" in _names(header, sign)), None)
    if delimiter is None:
        yield from events_of_sheet(stream, given=given)
        return
    yield from _events_of_csv(stream, delimiter)


def _events_of_csv(stream: BinaryIO, delimiter: str) -> Iterator[tuple[int, object]]:
    # A wrong byte becomes a sign that no field may hold: its record is refused, the others are not.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        names: list[str] = []
        while (cells := _record(reader)) is not None:
            if isinstance(cells, Unreadable):
                yield reader.line_num, cells
            elif not any(cells):
                continue
            elif names:
                yield reader.line_num, dict(zip(names, cells, strict=False))
            else:
                names = [name.strip() for name in cells]
    finally:
        text.detach()


def _record(reader: Iterator[list[str]]) -> list[str] | Unreadable | None:
    try:
        return next(reader, None)
    except csv.Error:
        return Unreadable("unreadable_line")


def _names(header: str, delimiter: str) -> list[str]:
    return [name.strip().strip('"') for name in header.split(delimiter)]


def _event_of_line(line: bytes) -> object:
    try:
        # Decoded here: left to itself, json would guess the encoding of every line anew.
        return json.loads(line.decode())
    except (ValueError, RecursionError):
        return _unreadable(line)


def _unreadable(line: bytes) -> Unreadable:
    return Unreadable("unreadable_line", line[:_SHOWN].decode("utf-8", "replace").strip())


def _skip_to_end_of_line(stream: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(LONGEST_LINE)
