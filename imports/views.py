"""The pages of an import's life: history, upload, progress, review, done, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from imports import review, tasks, undoing
from imports.forms import CorrectionsForm, FindForm, UploadForm
from imports.look import whole
from imports.messages import file_message
from imports.models import RosterImport
from imports.pace import progress_of
from imports.pages import (
    AT_WORK,
    CLOSED,
    State,
    found,
    hand_on,
    must_be_looked_at,
    refusal_as_message,
    steps,
    to_import,
)
from imports.selectors import (
    Narrowing,
    corrected_rows,
    has_changes,
    history,
    import_numbered,
    last_applied,
    site_totals,
)
from imports.services import (
    approve_held,
    cancel_import,
    confirm_import,
    had_a_hand_in,
    open_import,
    plan_token,
    undo_import,
)
from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.core.tasks import enqueue_on_commit
from portal.people.admission import organisation_page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from portal.core.http import OrganisationRequest

_PAGE = 30


@require_safe
@organisation_page(Permission.IMPORT_ROSTER)
def imports(request: OrganisationRequest) -> HttpResponse:
    """Who brought what, when and by which way; and how old the roster is."""
    page = Paginator(history(request.organisation), _PAGE).get_page(request.GET.get("page"))
    latest = last_applied(request.organisation)
    context = {
        "page": page,
        "lines": [review.history_line(roster_import) for roster_import in page.object_list],
        "latest": latest,
        "days": (timezone.now() - latest.applied_at).days if latest and latest.applied_at else None,
    }
    return render(request, "imports/history.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.IMPORT_ROSTER)
def import_new(request: OrganisationRequest) -> HttpResponse:
    like = _like(request)
    form = UploadForm(request.POST or None, request.FILES or None, initial=_like_last_time(like))
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
            return to_import(request, opened.pk)
    context = {"form": form, "like": like}
    return render(request, "imports/new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.IMPORT_ROSTER)
def import_detail(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """Where an import is. A POST is a search: names do not belong in an address that is remembered."""
    roster_import = found(request, import_id)
    if must_be_looked_at(roster_import):
        return redirect("import_reading", org=request.organisation.slug, import_id=import_id)
    context: dict[str, Any] = {"roster_import": roster_import, "steps": steps(roster_import)}
    if roster_import.state in AT_WORK:
        return render(request, "imports/progress.html", context | progress_of(roster_import))
    if roster_import.state in CLOSED:
        context["reason"] = file_message(roster_import.error, roster_import.error_params)
        context["has_changes"] = has_changes(roster_import)
        return render(request, "imports/closed.html", context)
    return render(request, "imports/review.html", context | _review(request, roster_import))


@require_safe
@organisation_page(Permission.IMPORT_ROSTER)
def import_progress(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """The bar alone, for the page that shows it; once the work is done the whole page is asked for."""
    roster_import = found(request, import_id)
    if roster_import.state not in AT_WORK:
        return HttpResponseClientRefresh()
    context = {"roster_import": roster_import, **progress_of(roster_import)}
    return render(request, "imports/_progress.html", context)


@require_POST
@organisation_page(Permission.IMPORT_ROSTER)
def import_confirm(request: OrganisationRequest, import_id: int) -> HttpResponse:
    with refusal_as_message(request):
        confirm_import(
            actor=request.access.actor,
            organisation=request.organisation,
            import_id=import_id,
            seen=request.POST.get("plan", ""),
        )
        hand_on(request, import_id)
    return to_import(request, import_id)


@require_POST
@organisation_page(Permission.APPROVE_IMPORT)
def import_approve(request: OrganisationRequest, import_id: int) -> HttpResponse:
    with refusal_as_message(request):
        approve_held(
            actor=request.access.actor,
            organisation=request.organisation,
            import_id=import_id,
            seen=request.POST.get("plan", ""),
        )
        hand_on(request, import_id)
    return to_import(request, import_id)


@require_POST
@organisation_page(Permission.IMPORT_ROSTER)
def import_cancel(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """Cancel; what is being applied is stopped and taken back."""
    with refusal_as_message(request):
        cancel_import(actor=request.access.actor, organisation=request.organisation, import_id=import_id)
        if found(request, import_id).state == State.UNDOING:
            hand_on(request, import_id)
            messages.info(request, _("The import is stopped. What it had changed is being taken back."))
        else:
            messages.success(request, _("The import is cancelled. Nothing was changed."))
    return to_import(request, import_id)


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.IMPORT_ROSTER)
def import_undo(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """What taking an import back would come to, or came to; the POST does it."""
    if request.method == "POST":
        with refusal_as_message(request):
            undo_import(actor=request.access.actor, organisation=request.organisation, import_id=import_id)
            hand_on(request, import_id)
        return to_import(request, import_id)
    roster_import = found(request, import_id)
    undone = roster_import.state == State.UNDONE
    if not undone and not (roster_import.state in (State.APPLIED, State.FAILED) and has_changes(roster_import)):
        return to_import(request, import_id)
    after = whole(request.GET.get("after")) or 0
    context = undoing.page(roster_import, wanted=request.GET.get("list", ""), after=after)
    return render(request, "imports/undo.html", {"roster_import": roster_import, "undone": undone, **context})


def _like(request: OrganisationRequest) -> RosterImport | None:
    import_id = whole(request.GET.get("like"))
    return import_numbered(request.organisation, import_id) if import_id else None


def _like_last_time(like: RosterImport | None) -> dict[str, str]:
    return {"mode": like.mode, "cohort": like.cohort_name} if like else {}


def _review(request: OrganisationRequest, roster_import: RosterImport) -> dict[str, Any]:
    narrowed, find = _narrowing(request)
    sites = site_totals(roster_import)
    listing = review.open_list(
        roster_import, request.GET.get("list", ""), request.GET.get("after", ""), narrowed, request.GET.get("page", "")
    )
    counts = roster_import.counts
    return {
        "tiles": review.tiles(roster_import, listing.name, sites),
        "listing": listing,
        "find": find,
        # On an empty roster every site is new: nothing is to be asked.
        "unknown_sites": sites["unknown"] if counts["active"] else 0,
        "kept": counts.get("kept", 0),
        "corrected": corrected_rows(roster_import) if roster_import.stale else 0,
        "changed": review.changed_people(roster_import),
        "everyone": counts["active"] + counts["create"],
        "ready": counts["work"] - counts["held"],
        "waiting": roster_import.state in (State.READY, State.HELD),
        "effects": review.effects(roster_import),
        "reading": review.reading_facts(roster_import),
        "dropped": review.dropped_headers(roster_import),
        "undone": review.undo_facts(roster_import),
        "corrections": CorrectionsForm(auto_id="corrections-%s"),
        "may_approve": request.access.allows(Permission.APPROVE_IMPORT)
        and not had_a_hand_in(roster_import, request.user.pk),
        "plan": plan_token(roster_import),
    }


def _storable(text: str | None) -> str | None:
    """What no database stores, no site is called."""
    return None if text is None else text.replace("\0", "")


def _narrowing(request: OrganisationRequest) -> tuple[Narrowing, FindForm]:
    """What narrows the open list: sites stand in the address, what was typed to find a person does not."""
    if request.method == "POST":
        find = FindForm(request.POST)
        text = find.cleaned_data["q"].strip() if find.is_valid() else ""
        return Narrowing(text=text), find
    site, left = (_storable(request.GET.get(name)) for name in ("site", "from"))
    return Narrowing(site=site, left=left), FindForm()
