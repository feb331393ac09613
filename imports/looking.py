"""Looking at a file once more: its sheets, its first rows, and how its columns would be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from imports.pipeline.child import reading
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.reader import Kind
from imports.reading import open_file, reading_request
from portal.core.tenancy import organisation_scope

if TYPE_CHECKING:
    from imports.models import RosterImport
    from portal.organisations.models import Organisation

MEMORY = 700 * 1024**2
SECONDS = 20
"""The limits of a reading for which a page waits; the first rows of a large workbook need far less."""


def glance(
    organisation: Organisation, roster_import: RosterImport, *, sheet: str | None, header_row: int | None
) -> dict[str, Any]:
    """Return the preview of a sheet read from a row of headers, each guessed when it is not said. It takes seconds.

    Raises:
        UnreadableFile: the file has no such sheet, or cannot be read.
        quarantine.QuarantineLost: nothing is left of the file.
    """
    with open_file(roster_import) as file:
        with organisation_scope(organisation.pk):
            request = reading_request(
                organisation,
                roster_import,
                file=file,
                glance=True,
                sheet=sheet,
                header_row=header_row,
                choice={},
                memory=min(settings.IMPORT_READER_BYTES, MEMORY),
                seconds=SECONDS,
            )
        with reading(request) as frames:
            found = next((frame.document for frame in frames if frame.kind is Kind.PREVIEW), None)
    if found is None:
        raise UnreadableFile("damaged")
    return dict(found)
