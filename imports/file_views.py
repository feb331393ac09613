"""The files that an import gives back: the template, the workbook with its marks, the redacted copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import FileResponse
from django.views.decorators.http import require_safe

from imports.corrections import note_taken
from imports.messages import file_message
from imports.pages import found, to_import
from imports.pipeline.issues import UnreadableFile
from imports.quarantine import QuarantineLost
from imports.returning_files import marked_workbook, redacted_copy, template_workbook
from portal.core.access import Permission
from portal.people.admission import organisation_page

if TYPE_CHECKING:
    from typing import IO

    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

    from portal.core.http import OrganisationRequest


@require_safe
@organisation_page(Permission.IMPORT_ROSTER)
def import_template(request: OrganisationRequest) -> HttpResponseBase:
    return _download(*template_workbook(request.organisation))


@require_safe
@organisation_page(Permission.IMPORT_ROSTER)
def import_workbook(request: OrganisationRequest, import_id: int) -> HttpResponseBase:
    """Their own workbook, with what is wrong marked in it; `only=faulty` leaves out the rows that are right."""
    roster_import = found(request, import_id)
    if not roster_import.copy:
        return _gone(request, import_id)
    faulty = request.GET.get("only") == "faulty"
    try:
        download = _download(*marked_workbook(request.organisation, roster_import, only_faulty=faulty))
    except (QuarantineLost, UnreadableFile):
        return _gone(request, import_id)
    note_taken(actor=request.access.actor, roster_import=roster_import, what="faulty rows" if faulty else "workbook")
    return download


@require_safe
@organisation_page(Permission.IMPORT_ROSTER)
def import_copy(request: OrganisationRequest, import_id: int) -> HttpResponseBase:
    """The file as it is kept: without the columns that a roster must not bring in."""
    roster_import = found(request, import_id)
    if not roster_import.copy:
        return _gone(request, import_id)
    try:
        download = _download(*redacted_copy(request.organisation, roster_import))
    except (QuarantineLost, UnreadableFile):
        return _gone(request, import_id)
    note_taken(actor=request.access.actor, roster_import=roster_import, what="copy")
    return download


def _download(file: IO[bytes], name: str, content_type: str) -> FileResponse:
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)


def _gone(request: OrganisationRequest, import_id: int) -> HttpResponse:
    messages.error(request, file_message("copy_gone", {}))
    return to_import(request, import_id)
