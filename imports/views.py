"""The pages of an import: upload, progress, review, done, undo."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from imports import review, tasks
from imports.forms import UploadForm
from imports.messages import file_message
from imports.models import RosterImport
from imports.selectors import has_changes, history, import_numbered
from imports.services import (
    Confirmation,
    approve_held,
    cancel_import,
    confirm_import,
    open_import,
    undo_import,
)
from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.core.tasks import enqueue_on_commit
from portal.people.admission import organisation_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponse

    from portal.core.http import OrganisationRequest

State = RosterImport.State

_AT_WORK = (State.UPLOADED, State.PREPARING, State.PLANNING, State.APPLYING, State.UNDOING)
_CLOSED = (State.FAILED, State.CANCELLED, State.SUPERSEDED)
_PAGE = 30


@require_safe
@organisation_page(Permission.IMPORT_ROSTER)
def imports(request: OrganisationRequest) -> HttpResponse:
    page = Paginator(history(request.organisation), _PAGE).get_page(request.GET.get("page"))
    return render(request, "imports/history.html", {"page": page, "now": page.object_list[:1]})


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.IMPORT_ROSTER)
def import_new(request: OrganisationRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            opened = open_import(
                actor=request.access.actor,
                organisation=request.organisation,
                file=form.cleaned_data["file"],
                file_name=form.cleaned_data["file"].name,
                mode=form.cleaned_data["mode"],
                cohort_name=form.cleaned_data["cohort"],
                channel=RosterImport.Channel.PAGE,
            )
        except Refusal as refusal:
            form.add_error("file", str(refusal))
        else:
            enqueue_on_commit(tasks.prepare, request.organisation.pk, opened.pk)
            return redirect("import_detail", org=request.organisation.slug, import_id=opened.pk)
    return render(request, "imports/new.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@organisation_page(Permission.IMPORT_ROSTER)
def import_detail(request: OrganisationRequest, import_id: int) -> HttpResponse:
    roster_import = _found(request, import_id)
    context: dict[str, Any] = {"roster_import": roster_import, "steps": _steps(roster_import)}
    if roster_import.state in _AT_WORK:
        return render(request, "imports/progress.html", context | _progress(roster_import))
    if roster_import.state in _CLOSED:
        context["reason"] = file_message(roster_import.error, roster_import.error_params)
        context["has_changes"] = has_changes(roster_import)
        return render(request, "imports/closed.html", context)
    return render(request, "imports/review.html", context | _review(request, roster_import))


@require_safe
@organisation_page(Permission.IMPORT_ROSTER)
def import_progress(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """The bar alone, for the page that shows it; once the work is done the whole page is asked for."""
    roster_import = _found(request, import_id)
    if roster_import.state not in _AT_WORK:
        return HttpResponseClientRefresh()
    context = {"roster_import": roster_import, **_progress(roster_import)}
    return render(request, "imports/_progress.html", context)


@require_POST
@organisation_page(Permission.IMPORT_ROSTER)
def import_confirm(request: OrganisationRequest, import_id: int) -> HttpResponse:
    with _refusal_as_message(request):
        began = confirm_import(actor=request.access.actor, organisation=request.organisation, import_id=import_id)
        _go_on(request, import_id, began)
    return redirect("import_detail", org=request.organisation.slug, import_id=import_id)


@require_POST
@organisation_page(Permission.APPROVE_IMPORT)
def import_approve(request: OrganisationRequest, import_id: int) -> HttpResponse:
    with _refusal_as_message(request):
        began = approve_held(actor=request.access.actor, organisation=request.organisation, import_id=import_id)
        _go_on(request, import_id, began)
    return redirect("import_detail", org=request.organisation.slug, import_id=import_id)


@require_POST
@organisation_page(Permission.IMPORT_ROSTER)
def import_cancel(request: OrganisationRequest, import_id: int) -> HttpResponse:
    with _refusal_as_message(request):
        cancel_import(actor=request.access.actor, organisation=request.organisation, import_id=import_id)
        messages.success(request, _("The import is cancelled. Nothing was changed."))
    return redirect("import_detail", org=request.organisation.slug, import_id=import_id)


@require_POST
@organisation_page(Permission.IMPORT_ROSTER)
def import_undo(request: OrganisationRequest, import_id: int) -> HttpResponse:
    with _refusal_as_message(request):
        undo_import(actor=request.access.actor, organisation=request.organisation, import_id=import_id)
        enqueue_on_commit(tasks.undo, request.organisation.pk, import_id)
    return redirect("import_detail", org=request.organisation.slug, import_id=import_id)


@contextmanager
def _refusal_as_message(request: OrganisationRequest) -> Iterator[None]:
    """Say on the next page why something was refused; another organisation's import stays unknown."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code == "unknown_import":
            raise Http404 from None
        messages.error(request, str(refusal))


def _found(request: OrganisationRequest, import_id: int) -> RosterImport:
    roster_import = import_numbered(request.organisation, import_id)
    if roster_import is None:
        raise Http404
    roster_import.organisation = request.organisation
    return roster_import


def _go_on(request: OrganisationRequest, import_id: int, began: Confirmation) -> None:
    task = tasks.apply if began is Confirmation.STARTED else tasks.plan
    enqueue_on_commit(task, request.organisation.pk, import_id)


def _progress(roster_import: RosterImport) -> dict[str, Any]:
    """How far the work is; while a file is read nobody knows how long it is."""
    reading = roster_import.state in (State.UPLOADED, State.PREPARING)
    labels = {
        State.UPLOADED: _("The file waits to be read"),
        State.PREPARING: _("The file is being read and compared with the roster"),
        State.PLANNING: _("The file is being compared with the roster"),
        State.APPLYING: _("The changes are being applied"),
        State.UNDOING: _("The changes are being taken back"),
    }
    return {
        "label": labels[State(roster_import.state)],
        "done": roster_import.done_rows,
        "total": None if reading else roster_import.counts.get("to_do"),
        "reading": reading,
    }


def _review(request: OrganisationRequest, roster_import: RosterImport) -> dict[str, Any]:
    listing = review.open_list(roster_import, request.GET.get("list", ""), request.GET.get("after", ""))
    counts = roster_import.counts
    return {
        "tiles": review.tiles(roster_import, listing.name),
        "listing": listing,
        "changed": review.changed_people(roster_import),
        "everyone": counts["active"] + counts["create"],
        "ready": counts["work"] - counts["held"],
        "effects": review.effects(roster_import),
        "reading": review.reading_facts(roster_import),
        "dropped": review.dropped_headers(roster_import),
        "undone": review.undo_facts(roster_import),
        "may_approve": request.access.allows(Permission.APPROVE_IMPORT)
        and roster_import.uploaded_by_id != request.user.pk,
    }


def _steps(roster_import: RosterImport) -> list[dict[str, str]]:
    """Upload, read, review, apply: where the import is among them."""
    labels = (_("Upload"), _("Reading"), _("Review"), _("Applied"))
    at = {
        State.UPLOADED: 1,
        State.PREPARING: 1,
        State.READY: 2,
        State.HELD: 2,
        State.APPLYING: 3,
        State.APPLIED: 4,
    }.get(State(roster_import.state), 0)
    if not at:
        return []
    states = ["done" if place < at else "current" if place == at else "todo" for place in range(len(labels))]
    return [{"label": label, "state": state} for label, state in zip(labels, states, strict=True)]
