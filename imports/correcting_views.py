"""The pages of corrections: rows, sites, who is whom, whose edits count, rows brought back, comparing again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from imports.correcting import errors_of_field, row_fields, row_form, with_proposals
from imports.corrections import bring_corrections, correct_row, name_sites, say_twins, take_whose_edits
from imports.forms import CorrectionsForm
from imports.models import StagedRow
from imports.pages import WAITING, found, hand_on, refusal_as_message, to_import
from imports.selectors import left_to_correct, next_to_correct, row_numbered, unknown_sites
from imports.services import plan_again
from portal.core.access import Permission
from portal.core.templatetags.ui import number as written
from portal.people.admission import organisation_page

if TYPE_CHECKING:
    from imports.forms import RowForm
    from imports.models import RosterImport
    from portal.core.http import OrganisationRequest

_SITES = 20


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.IMPORT_ROSTER)
def import_row(request: OrganisationRequest, import_id: int, number: int) -> HttpResponse:
    """A row is typed over; what is saved leads to the next one that waits."""
    roster_import, row = _row(request, import_id, number)
    if roster_import.state not in WAITING:
        return to_import(request, import_id)
    form = row_form(roster_import, row, request.POST.dict() if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _correct(request, import_id, number, form):
        return _next_row(request, roster_import, number)
    context = {
        "roster_import": roster_import,
        "row": row,
        "form": form,
        "left": left_to_correct(roster_import),
        "next": next_to_correct(roster_import, number),
    }
    return render(request, "imports/row.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@organisation_page(Permission.IMPORT_ROSTER)
def import_row_check(request: OrganisationRequest, import_id: int, number: int) -> HttpResponse:
    """What is wrong with one field as it is typed: a fragment. Nothing is written."""
    roster_import, row = _row(request, import_id, number)
    if roster_import.state not in WAITING:
        return HttpResponse(status=409)
    name = request.GET.get("field", "")
    if name not in row_fields(roster_import):
        raise Http404
    form = row_form(roster_import, row, request.POST.dict())
    errors = errors_of_field(request.organisation, form, number=number, name=name)
    return render(request, "imports/_field_errors.html", {"errors": errors})


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.IMPORT_ROSTER)
def import_sites(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """Sites that the roster does not know: new ones, or known ones written in another way."""
    roster_import = found(request, import_id)
    if roster_import.state not in WAITING:
        return to_import(request, import_id)
    page = Paginator(unknown_sites(roster_import), _SITES).get_page(request.GET.get("page"))
    if request.method != "POST":
        context = {
            "roster_import": roster_import,
            "page": page,
            "sites": with_proposals(roster_import, page.object_list),
        }
        return render(request, "imports/sites.html", context)
    names = {plan.site: _chosen_name(request, plan.pk) for plan in page.object_list}
    names = {site: name for site, name in names.items() if name and name != site}
    if not names:
        messages.info(request, _("Every site keeps its name: they are new ones."))
        return to_import(request, import_id)
    with refusal_as_message(request):
        name_sites(actor=request.access.actor, organisation=request.organisation, import_id=import_id, names=names)
        hand_on(request, import_id)
    return to_import(request, import_id)


@require_POST
@organisation_page(Permission.IMPORT_ROSTER)
def import_twins(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """Say of each row of a page whether it is the person who was proposed."""
    said = {}
    for name, value in request.POST.items():
        digits = name.removeprefix("twin-")
        if digits != name and digits.isascii() and digits.isdecimal() and len(digits) < 9:
            said[int(digits)] = str(value)
    said = {number: word for number, word in said.items() if word in (StagedRow.Twin.SAME, StagedRow.Twin.OTHER)}
    with refusal_as_message(request):
        if said:
            say_twins(actor=request.access.actor, organisation=request.organisation, import_id=import_id, said=said)
            hand_on(request, import_id)
        else:
            found(request, import_id)
            messages.info(request, _("Nothing was said: choose “yes” or “no” for at least one person."))
    return to_import(request, import_id)


@require_POST
@organisation_page(Permission.IMPORT_ROSTER)
def import_edits(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """Say whose values count where somebody edited a person by hand: ours, or the file's."""
    override = request.POST.get("take") == "file"
    with refusal_as_message(request):
        take_whose_edits(
            actor=request.access.actor, organisation=request.organisation, import_id=import_id, override=override
        )
        hand_on(request, import_id)
    return to_import(request, import_id)


@require_POST
@organisation_page(Permission.IMPORT_ROSTER)
def import_compare(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """Compare the file with the roster again, with what was corrected."""
    with refusal_as_message(request):
        plan_again(actor=request.access.actor, organisation=request.organisation, import_id=import_id)
        hand_on(request, import_id)
    return to_import(request, import_id)


@require_POST
@organisation_page(Permission.IMPORT_ROSTER)
def import_corrections(request: OrganisationRequest, import_id: int) -> HttpResponse:
    """Take a workbook of corrected rows."""
    form = CorrectionsForm(request.POST, request.FILES)
    found(request, import_id)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return to_import(request, import_id)
    with refusal_as_message(request):
        bring_corrections(
            actor=request.access.actor,
            organisation=request.organisation,
            import_id=import_id,
            file=form.cleaned_data["file"],
        )
        hand_on(request, import_id)
    return to_import(request, import_id)


def _row(request: OrganisationRequest, import_id: int, number: int) -> tuple[RosterImport, StagedRow]:
    roster_import = found(request, import_id)
    row = row_numbered(roster_import, number) if number < 1 << 31 else None
    if row is None:
        raise Http404
    return roster_import, row


def _correct(request: OrganisationRequest, import_id: int, number: int, form: RowForm) -> bool:
    """Save the row, or say beside its fields what is still wrong with it."""
    issues: list[Any] = []
    with refusal_as_message(request):
        issues = correct_row(
            actor=request.access.actor,
            organisation=request.organisation,
            import_id=import_id,
            number=number,
            texts=form.texts,
        )
    form.tell(issues)
    return not issues


def _next_row(request: OrganisationRequest, roster_import: RosterImport, number: int) -> HttpResponse:
    left = left_to_correct(roster_import)
    following = next_to_correct(roster_import, number) if left else None
    if following is None:
        return to_import(request, roster_import.pk)
    said = ngettext("Saved. %(left)s row is left to correct.", "Saved. %(left)s rows are left to correct.", left)
    messages.success(request, said % {"left": written(left)})
    return redirect("import_row", org=request.organisation.slug, import_id=roster_import.pk, number=following)


def _chosen_name(request: OrganisationRequest, plan_id: int) -> str:
    typed = " ".join(request.POST.get(f"other-{plan_id}", "").replace("\0", " ").split())
    return typed or request.POST.get(f"site-{plan_id}", "")
