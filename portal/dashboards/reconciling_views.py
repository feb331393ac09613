"""The reconciliation desk of an organisation: one look at what waits, one click to settle it, one to take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.core.tasks import enqueue_on_commit
from portal.core.templatetags.ui import number
from portal.dashboards import reconciling
from portal.people.admission import organisation_page
from portal.people.models import Employee
from portal.progress.desk import leave_facts, match_facts, reopen_item, settle_item
from portal.progress.tasks import catch_up_organisation

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from portal.core.http import OrganisationRequest


@require_safe
@organisation_page(Permission.VIEW_ROSTER)
def reconciliation(request: OrganisationRequest) -> HttpResponse:
    organisation = request.organisation
    shown = request.GET.get("show", reconciling.PEOPLE)
    shown = shown if shown in reconciling.SHOWN else reconciling.PEOPLE
    if request.access.support_until is not None:
        record_event(actor=request.access.actor, organisation_id=organisation.pk, action=Action.DESK_SEEN)
    tabs = reconciling.tabs(organisation, shown)
    context: dict[str, Any] = {
        "tiles": tabs,
        "shown": shown,
        "waiting": sum(tab["value"] for tab in tabs),
        "deliveries": [
            {"delivery": delivery, "source": reconciling.source_label(delivery.source)}
            for delivery in reconciling.last_deliveries(organisation)
        ],
        "may_match": request.access.allows(Permission.MATCH_PEOPLE),
    }
    if shown == reconciling.PEOPLE:
        people = reconciling.waiting_people(organisation, after=_id_given(request, "after"))
        context["people"] = people[: reconciling.PAGE]
        if len(people) > reconciling.PAGE:
            context["more"] = f"after={people[reconciling.PAGE - 1].first}"
    else:
        lines = reconciling.items(organisation, shown, before=_id_given(request, "before") or None)
        context["lines"] = lines[: reconciling.PAGE]
        if len(lines) > reconciling.PAGE:
            context["more"] = f"before={lines[reconciling.PAGE - 1]['item'].pk}"
    return render(request, "dashboards/reconciliation.html", context)


@require_POST
@organisation_page(Permission.MATCH_PEOPLE)
def reconciliation_match(request: OrganisationRequest) -> HttpResponse:
    """Say whose facts these are: a person that was proposed, or one named by number or address."""
    organisation, actor = request.organisation, request.access.actor
    key = request.POST.get("key", "")[:64]
    try:
        if "leave" in request.POST:
            leave_facts(actor=actor, organisation=organisation, key=key)
            messages.success(request, _("Left aside. It can be taken back under “Settled”."))
        else:
            count = match_facts(actor=actor, organisation=organisation, key=key, employee_id=_employee_named(request))
            done = ngettext(
                "%(count)s fact now counts for this person, and later ones will. It can be taken back under “Settled”.",
                "%(count)s facts now count for this person, and later ones will. It can be taken back under “Settled”.",
                count,
            )
            messages.success(request, done % {"count": number(count)})
            enqueue_on_commit(catch_up_organisation, organisation.pk)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("reconciliation", org=organisation.slug)


@require_POST
@organisation_page(Permission.MATCH_PEOPLE)
def reconciliation_settle(request: OrganisationRequest) -> HttpResponse:
    """Take an item off the desk, or put it back."""
    organisation, actor = request.organisation, request.access.actor
    given = request.POST.get("item", "")[:18]
    item_id = int(given) if given.isascii() and given.isdecimal() else 0
    shown = request.POST.get("show", "")
    try:
        if "reopen" in request.POST:
            reopen_item(actor=actor, organisation=organisation, item_id=item_id)
            messages.success(request, _("Taken back: it waits again."))
            enqueue_on_commit(catch_up_organisation, organisation.pk)
        else:
            settle_item(actor=actor, organisation=organisation, item_id=item_id)
            messages.success(request, _("Settled. It can be taken back under “Settled”."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    back = reverse("reconciliation", args=[organisation.slug])
    return redirect(f"{back}?show={shown}" if shown in reconciling.SHOWN else back)


def _employee_named(request: OrganisationRequest) -> int:
    """Return the id of who was chosen, or of the one person of that number or address; 0 when there is none."""
    chosen, named = request.POST.get("employee", "")[:18], request.POST.get("named", "").strip()[:254]
    if chosen.isascii() and chosen.isdecimal():
        return int(chosen)
    if not named:
        return 0
    people = Employee.objects.filter(organisation_id=request.organisation.pk)
    found = list(people.filter(Q(employee_number=named) | Q(email=named.lower())).order_by("pk")[:2])
    if len(found) > 1:
        raise Refusal("several_people", _("Several people carry this address: give the employee number."))
    return found[0].pk if found else 0


def _id_given(request: HttpRequest, name: str) -> int:
    given = request.GET.get(name, "")[:18]
    return int(given) if given.isascii() and given.isdecimal() else 0
