"""The page "we read it like this": the sheet, the headers and the columns, before anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from imports.corrections import accept_reading, choose_reading
from imports.look import Contradiction, choice_of, is_as_read, look, rough_choice_of, whole
from imports.looking import glance
from imports.messages import file_message
from imports.pages import WAITING, State, found, hand_on, refusal_as_message, steps, to_import
from imports.pipeline.issues import UnreadableFile
from imports.quarantine import QuarantineLost
from portal.core.access import Permission
from portal.people.admission import organisation_page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from imports.look import Choice
    from imports.models import RosterImport
    from portal.core.http import OrganisationRequest


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.IMPORT_ROSTER)
def import_reading(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """Another sheet or row of headers is looked at by a GET; the columns are chosen by the POST."""
    roster_import = found(request, import_id)
    if roster_import.state not in (*WAITING, State.UNCLEAR):
        return to_import(request, import_id)
    if request.method != "POST":
        wanted = request.GET
        return _page(request, roster_import, wanted.get("sheet"), whole(wanted.get("header_row")))
    try:
        choice = choice_of(request.POST, request.organisation)
    except Contradiction as contradiction:
        rough = rough_choice_of(request.POST)
        return _page(request, roster_import, rough.sheet, rough.header_row, said=str(contradiction), chosen=rough)
    with refusal_as_message(request):
        if is_as_read(roster_import, choice):
            accept_reading(actor=request.access.actor, organisation=request.organisation, import_id=import_id)
        else:
            _choose(request, import_id, choice)
    return to_import(request, import_id)


def _choose(request: OrganisationRequest, import_id: int, choice: Choice) -> None:
    choose_reading(
        actor=request.access.actor,
        organisation=request.organisation,
        import_id=import_id,
        sheet=choice.sheet,
        header_row=choice.header_row,
        columns=choice.columns,
        extras=choice.extras,
    )
    hand_on(request, import_id)


def _page(
    request: OrganisationRequest,
    roster_import: RosterImport,
    sheet: str | None,
    header_row: int | None,
    *,
    said: str = "",
    chosen: Choice | None = None,
) -> HttpResponse:
    preview, trouble = _preview(request, roster_import, sheet, header_row)
    context: dict[str, Any] = {
        "roster_import": roster_import,
        "steps": steps(roster_import, looking=True),
        "said": said,
        "trouble": trouble,
        "look": look(preview, roster_import, chosen) if preview else None,
    }
    if context["look"] and header_row is not None:
        context["look"]["header_row"] = header_row
    return render(request, "imports/reading.html", context, status=422 if said else 200)


def _preview(
    request: OrganisationRequest, roster_import: RosterImport, sheet: str | None, header_row: int | None
) -> tuple[dict[str, Any], str]:
    """The preview that was kept, or a new glance at the file where something else is asked; and why there is none."""
    kept: dict[str, Any] = roster_import.preview or {}
    if kept.get("columns") and _is_kept(kept, sheet, header_row):
        return kept, ""
    try:
        return glance(request.organisation, roster_import, sheet=sheet or None, header_row=header_row), ""
    except UnreadableFile as refused:
        return kept, file_message(refused.code, refused.params)
    except QuarantineLost:
        return kept, file_message("upload_again", {})


def _is_kept(kept: dict[str, Any], sheet: str | None, header_row: int | None) -> bool:
    same_sheet = not sheet or sheet == kept.get("sheet")
    mapping = kept.get("mapping") or {}
    return same_sheet and header_row in (None, mapping.get("header_row"))
