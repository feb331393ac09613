"""Reading an import's file: a child process reads it, its rows land in PostgreSQL as they come, and the plan is made.

While the plan is made here, the child goes on and writes the redacted copy that replaces the file.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings

from imports import progress, quarantine
from imports.landing import TEXTS, VALUES, clear_staged, create_landing, land_issues, land_rows, room
from imports.merging import land_beside_staged
from imports.models import RosterImport, RowIssue, StagedRow
from imports.pipeline.child import reading
from imports.pipeline.copying import fields_read
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.mapping import Mapping
from imports.pipeline.reader import Kind, Request
from imports.remembering import call_sites_by_name, remembered_mappings
from imports.stages import KeptCopy, finish_preparing, forget_file, replace_by_copy
from portal.core.tenancy import organisation_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.pipeline.child import Frame
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

UNCLEAR = frozenset({"no_header", "unknown_sheet", "missing_fields", "unknown_field", "unknown_header",
                     "forbidden_column", "same_column_twice"})  # fmt: skip
"""Refusals that HR can lift by pointing at the sheet, the headers or the columns."""

_ORDER = (*VALUES, "origin")
_IN_MEMORY = 1 << 20


class NoLongerWanted(Exception):  # noqa: N818  It names what happened.
    """The import was cancelled while its file was read."""


@dataclass
class Reading:
    """One reading of the file of one import, for one actor."""

    actor: Actor
    organisation: Organisation
    roster_import: RosterImport
    preview: dict[str, Any] = field(default_factory=dict)

    def read(self) -> None:
        """Read, plan and stage; then put the copy in the file's place.

        Raises:
            UnreadableFile, quarantine.QuarantineLost, NoLongerWanted: nothing was written.
        """
        with self._file() as file, tempfile.TemporaryFile() as copy:
            with organisation_scope(self.organisation.pk):
                request = reading_request(self.organisation, self.roster_import, file=file, copy=copy)
            with reading(request) as frames, organisation_scope(self.organisation.pk):
                planned = self._plan(frames)
                if planned is None:
                    raise NoLongerWanted
                if self.roster_import.merging:
                    forget_file(roster_import=planned)
                else:
                    replace_by_copy(roster_import=planned, copy=_copy_made(frames, copy, self.organisation.pk))

    def _file(self) -> Any:  # noqa: ANN401  A context manager of a file.
        return open_file(self.roster_import)

    def _plan(self, frames: Iterator[Frame]) -> RosterImport | None:
        mapping = self._mapping(frames)
        create_landing()
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as issues:
            land_rows(fields_read(mapping, _ORDER), self._lines(frames, issues))
            land_issues(issues)
        call_sites_by_name(self.organisation)
        if self.roster_import.merging:
            land_beside_staged(self.roster_import, fields=fields_read(mapping, VALUES))
        else:
            clear_staged(organisation_id=self.organisation.pk, import_id=self.roster_import.pk)
        return finish_preparing(
            actor=self.actor,
            organisation=self.organisation,
            import_id=self.roster_import.pk,
            mapping=mapping,
            preview=self.preview,
        )

    def _mapping(self, frames: Iterator[Frame]) -> Mapping:
        for frame in frames:
            if frame.kind is Kind.PREVIEW:
                self.preview = frame.document
            elif frame.kind is Kind.MAPPING:
                return Mapping.from_json(frame.document)
        raise UnreadableFile("damaged")

    def _lines(self, frames: Iterator[Frame], issues: IO[bytes]) -> Iterator[bytes]:
        """Yield the rows as the child says them, and put its issues aside: one COPY at a time."""
        rows = 0
        for frame in frames:
            if frame.kind is Kind.READ:
                return
            if frame.kind is Kind.ISSUES:
                issues.write(frame.payload)
                continue
            count, lines = frame.payload[:4], frame.payload[4:]
            rows += int.from_bytes(count, "big")
            if not progress.note_rows_read(self.roster_import.pk, rows):
                raise NoLongerWanted
            yield lines
        raise UnreadableFile("damaged")


def open_file(roster_import: RosterImport) -> Any:  # noqa: ANN401  A context manager of a file.
    """Open what there is of an import's file: as it came, until it has been read, then its redacted copy."""
    if roster_import.quarantine:
        digest = roster_import.merged_digest if roster_import.merging else roster_import.file_digest
        return quarantine.let_out(roster_import.quarantine, bytes(digest or b""))
    if not roster_import.copy:
        raise quarantine.QuarantineLost
    return quarantine.let_out(roster_import.copy, bytes(roster_import.copy_digest or b""))


def reading_request(
    organisation: Organisation,
    roster_import: RosterImport,
    *,
    file: IO[bytes],
    copy: IO[bytes] | None = None,
    **how: Any,  # noqa: ANN401  Fields of the request.
) -> Request:
    """Say to the child what is known: the organisation's ways, and what HR chose for this file."""
    told = {
        "sheet": roster_import.wanted_sheet or None,
        "header_row": roster_import.wanted_header_row,
        "choice": roster_import.choice,
        "remembered": tuple(remembered_mappings(organisation)),
    }
    if roster_import.merging:
        told = {"remembered": (roster_import.mapping, *remembered_mappings(organisation))}
    return Request(
        file=file.fileno(),
        copy=copy.fileno() if copy is not None and not roster_import.merging else None,
        order=_ORDER,
        lengths={name: room(StagedRow, name) for name in TEXTS},
        room=(room(StagedRow, "sort_name"), room(RowIssue, "column")),
        names_required=organisation.names_required,
        **{
            "memory": settings.IMPORT_READER_BYTES,
            "seconds": settings.IMPORT_READER_SECONDS,
            **told,
            **how,
        },
    )


def _copy_made(frames: Iterator[Frame], copy: IO[bytes], organisation_id: int) -> KeptCopy | None:
    """Take the copy once the child has written it. An import is not refused because its copy cannot be made."""
    try:
        made = next((frame.document for frame in frames if frame.kind is Kind.COPY), None)
    except UnreadableFile:
        made = None
    if made is None:
        return None
    copy.seek(0)
    return KeptCopy(quarantine.keep_copy(copy, organisation_id=organisation_id), made["format"], made["sheet"])
