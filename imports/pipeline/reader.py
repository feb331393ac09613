"""The reader: a program that reads one untrusted file in a process of its own, and answers in frames.

A damaged or hostile file can make a parser ask for more memory than there is, abort, or never end: nothing of that can
be caught, so it happens here. The process has limits, no environment, no secret, no connection, no file but the ones it
was handed, and as root it first becomes nobody; under another account it keeps that account's rights to what lies on
the machine. Its caller is `imports.pipeline.child`.
"""

from __future__ import annotations

import codecs
import dataclasses
import faulthandler
import itertools
import json
import os
import resource
import sys
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

from imports.pipeline.blocks import check_blocks
from imports.pipeline.cells import as_text
from imports.pipeline.copying import block_lines, fields_read, issue_lines
from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.mapping import Mapping, apply_choice
from imports.pipeline.preview import preview
from imports.pipeline.reading import open_workbook
from imports.pipeline.redaction import Emptied, redact

if TYPE_CHECKING:
    from collections.abc import Mapping as Map

    from imports.pipeline.fields import Field
    from imports.pipeline.preview import Preview
    from imports.pipeline.reading import Workbook

NOBODY: Final = 65534
OUT_OF_MEMORY: Final = 3
"""How the process ends when it has used its memory up; any other end but 0 is the parser's or a fault of ours."""
ENCODINGS: Final = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac-roman", "cp437", "latin-1", "idna")
_LARGEST_FILE: Final = 4 << 30


class Kind(bytes, Enum):
    """What a frame says; each is this sign, the length of its payload in four bytes, and the payload."""

    MAPPING = b"m"
    ROWS = b"r"
    ISSUES = b"i"
    READ = b"z"
    COPY = b"c"
    PREVIEW = b"p"
    REFUSED = b"e"


@dataclass(frozen=True)
class Request:
    """What is to be read, and how.

    `file` and `copy` are descriptors; without `copy` no redacted copy is made, a `glance` is a preview only,
    and `plain` rows are the texts of the first sheet's cells, whatever they mean.
    `lengths` are the most characters that each field takes; `order` is the order of the fields in a line of rows,
    `room` the most characters of a name to sort by and of a column's header. Memory is in bytes, time in seconds of
    processor.
    """

    file: int
    order: tuple[str, ...]
    lengths: dict[str, int]
    room: tuple[int, int]
    memory: int
    seconds: int
    copy: int | None = None
    glance: bool = False
    plain: bool = False
    sheet: str | None = None
    header_row: int | None = None
    choice: dict[str, Any] = dataclasses.field(default_factory=dict)
    remembered: tuple[dict[str, Any], ...] = ()
    names_required: bool = True

    def as_json(self) -> bytes:
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def from_json(cls, document: bytes) -> Self:
        return cls(**json.loads(document))

    @property
    def fields(self) -> tuple[Field, ...]:
        """The roster's fields, none longer than where it will be stored: what does not fit is an issue of its row."""
        return tuple(
            dataclasses.replace(field, max_length=min(field.max_length, self.lengths.get(field.name, field.max_length)))
            for field in ROSTER_FIELDS
        )


def main() -> None:
    """Read what standard input asks for, and leave without any farewell: nothing is there to be tidied."""
    request = Request.from_json(sys.stdin.buffer.read())
    confine(request)
    answer = sys.stdout.buffer
    try:
        _answer(request, answer)
        answer.flush()
    except UnreadableFile as refused:
        send(answer, Kind.REFUSED, _document({"code": refused.code, "params": refused.params}))
        answer.flush()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except BrokenPipeError:
        os._exit(0)
    os._exit(0)


def confine(request: Request) -> None:
    """Give up what the reading of a file does not need. A parser that aborts must not tell pieces of the file."""
    faulthandler.disable()
    for encoding in ENCODINGS:
        # Nobody may not be able to load them later, from where the program is installed.
        codecs.lookup(encoding)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    for kind, most in (
        (resource.RLIMIT_AS, request.memory),
        (resource.RLIMIT_CPU, request.seconds),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def send(answer: BinaryIO, kind: Kind, payload: bytes = b"") -> None:
    answer.write(kind.value + len(payload).to_bytes(4, "big") + payload)


def _answer(request: Request, answer: BinaryIO) -> None:
    with os.fdopen(request.file, "rb", closefd=False) as file, open_workbook(file) as workbook:
        if request.plain:
            _send_plain(workbook, answer)
            return
        seen = _look(request, workbook)
        send(answer, Kind.PREVIEW, _document(seen.as_json()))
        answer.flush()
        if request.glance:
            return
        mapping = _mapping(request, seen)
        send(answer, Kind.MAPPING, _document(mapping.as_json()))
        _send_rows(request, workbook, mapping, answer)
        send(answer, Kind.READ)
        answer.flush()
    if request.copy is not None:
        with os.fdopen(request.file, "rb", closefd=False) as file, os.fdopen(request.copy, "wb") as copy:
            file.seek(0)
            written = redact(
                file, copy, emptied={mapping.sheet: Emptied(mapping.header_row, frozenset(mapping.dropped))}
            )
        send(
            answer,
            Kind.COPY,
            _document({"format": written.format.value, "sheet": written.renamed.get(mapping.sheet, mapping.sheet)}),
        )


def _look(request: Request, workbook: Workbook) -> Preview:
    return preview(
        workbook,
        request.fields,
        sheet=request.sheet,
        header_row=request.header_row,
        remembered=[Mapping.from_json(known) for known in request.remembered],
        names_required=request.names_required,
    )


def _mapping(request: Request, seen: Preview) -> Mapping:
    """Return how the rows are read: as HR chose, else as the preview says."""
    if seen.mapping is None or (seen.refusal and not request.choice):
        raise UnreadableFile(seen.refusal, **seen.params)
    if not request.choice:
        return seen.mapping
    return apply_choice(
        seen.mapping,
        request.choice["columns"],
        request.fields,
        extras=request.choice.get("extras", ()),
        names_required=request.names_required,
    )


def _send_rows(request: Request, workbook: Workbook, mapping: Mapping, answer: BinaryIO) -> None:
    fields = fields_read(mapping, request.order)
    name_room, header_room = request.room
    rows = workbook.rows(mapping.sheet)
    for block in check_blocks(rows, mapping, request.fields, names_required=request.names_required):
        lines = block_lines(block, fields, room=name_room)
        send(answer, Kind.ROWS, len(block).to_bytes(4, "big") + lines)
        if issues := issue_lines(block.others, room=header_room):
            send(answer, Kind.ISSUES, issues)
        answer.flush()


PLAIN_ROWS: Final = 1_000
"""Rows in a frame of a file that is no roster."""


def _send_plain(workbook: Workbook, answer: BinaryIO) -> None:
    """Send number and texts of each row that holds something, as JSON: files that are no rosters are read so."""
    rows = workbook.rows(workbook.sheet_names[0])
    while chunk := list(itertools.islice(rows, PLAIN_ROWS)):
        shown = [(row.number, [as_text(cell) for cell in row.cells]) for row in chunk]
        lines = [(number, texts) for number, texts in shown if any(texts)]
        send(answer, Kind.ROWS, len(lines).to_bytes(4, "big") + json.dumps(lines).encode())
        answer.flush()
    send(answer, Kind.READ)
    answer.flush()


def _document(content: Map[str, Any]) -> bytes:
    return json.dumps(content).encode()


if __name__ == "__main__":
    main()
