"""The pages that look across every app, in the order in which a reader meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.audit.selectors import audit_lines
from portal.cohorts.selectors import cohorts
from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.core.tasks import enqueue_on_commit
from portal.core.tenancy import organisation_scope
from portal.dashboards import home, journal, monitor, reconciling
from portal.dashboards.door import belonging, demo_accounts
from portal.dashboards.forms import NO_FILTER, DoorForm, EmployeeForm, RosterFilter, SupportForm
from portal.dashboards.selectors import employee_of, roster_page, roster_sites, roster_size
from portal.dashboards.services import note_person_seen
from portal.dashboards.story import enrolments_told, field_label, story
from portal.enrolments.by_hand import enrol_by_hand, withdraw_by_hand
from portal.organisations.models import Organisation
from portal.people.admission import organisation_page, staff_page
from portal.people.models import User
from portal.people.selectors import current_support, user_actor
from portal.people.services import edit_employee, open_support_access
from portal.progress.tasks import catch_up_organisation
from portal.reports.funnel import funnel_rows, heaviest
from sso.admission import client_address
from sso.device import forget_door, known_door
from sso.discovery import MISSES, door_behind
from sso.selectors import OPEN_STATES
from sso.setup_cards import link_cards

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from portal.cohorts.models import Cohort
    from portal.core.http import OrganisationRequest, SignedInRequest
    from portal.enrolments.models import Enrolment
    from portal.people.models import Employee

_ORGANISATIONS = 50
_LINES = 50
_COHORTS = 200


# --- The door ---------------------------------------------------------------------------------------------------


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def front_door(request: HttpRequest) -> HttpResponse:
    """Lead everyone to their door. An address is posted, never put into a URL, and never looked up as a person."""
    if isinstance(request.user, User):
        return _welcome_back(request, request.user)
    if request.method == "POST" and "forget" in request.POST:
        response = redirect("front_door")
        forget_door(response)
        return response
    form = DoorForm(request.POST if request.method == "POST" else None)
    address = client_address(request)
    if form.is_bound and MISSES.reached(address):
        form.add_error(None, _("Too many tries come from your network. Wait a minute, then try again."))
        return _front_door_page(request, form, status=429)
    if form.is_valid():
        url = door_behind(form.cleaned_data["key"])
        if url is None:
            MISSES.count(address)
        return render(request, "dashboards/door.html", {"url": url})
    return _front_door_page(request, form)


def _front_door_page(request: HttpRequest, form: DoorForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "known": known_door(request), "demo": demo_accounts()}
    return render(request, "dashboards/front_door.html", context, status=status)


def _welcome_back(request: HttpRequest, user: User) -> HttpResponse:
    place = belonging(request, user)
    if place.choices:
        return render(request, "dashboards/choice.html", {"organisations": place.choices})
    return redirect(place.url)


@login_not_required
@require_safe
def not_yet(request: HttpRequest, **kwargs: str) -> HttpResponse:
    del kwargs  # What is in the address is neither looked up nor shown.
    return render(request, "not_yet.html", status=501)


# --- One organisation -------------------------------------------------------------------------------------------


@require_safe
@organisation_page(Permission.VIEW_ORGANISATION)
def organisation_home(request: OrganisationRequest) -> HttpResponse:
    organisation, access = request.organisation, request.access
    counted = home.numbers(organisation)
    states = home.connection_states(organisation)
    steps = home.checklist(organisation, access, counted, connected=not states.isdisjoint(OPEN_STATES))
    context = {
        "counted": counted,
        "tiles": home.tiles(organisation, access, counted),
        "funnel": funnel_rows(counted.figures)[1:],
        "losses": home.losses(organisation, counted),
        "cohorts": home.cohort_lines(organisation),
        "steps": steps,
        "next": next((step for step in steps if step.state == "current" and step.url), None),
        "tasks": home.tasks(organisation, access, states),
    }
    return render(request, "dashboards/organisation_home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.VIEW_ROSTER)
def roster(request: OrganisationRequest) -> HttpResponse:
    """A search is a POST: names and addresses do not belong in an address that is logged and remembered."""
    organisation = request.organisation
    sites = roster_sites(organisation)
    form = RosterFilter(request.POST if request.method == "POST" else request.GET, sites=list(filter(None, sites)))
    wanted = form.wanted()
    context = {
        **wanted,
        "form": form,
        "page": roster_page(organisation, **wanted, after=_id_given(request, "after")),
        "size": roster_size(organisation),
        "site_size": sites.get(wanted["site"], 0),
        "filtered": wanted != NO_FILTER,
        "may_import": request.access.allows(Permission.IMPORT_ROSTER),
    }
    return render(request, "dashboards/roster.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.VIEW_ROSTER)
def employee(request: OrganisationRequest, employee_id: int) -> HttpResponse:
    person = employee_of(request.organisation, employee_id)
    if person is None:
        raise Http404
    if request.method != "POST":
        if not _is_oneself(request, person):
            note_person_seen(actor=request.access.actor, organisation=request.organisation, employee=person)
        return _employee_page(request, person, EmployeeForm(employee=person))
    request.access.require(Permission.IMPORT_ROSTER)
    form = EmployeeForm(request.POST, employee=person, own=_is_oneself(request, person))
    if form.is_valid() and _edited(request, person, form):
        messages.success(request, _("Saved. Files no longer change what you changed."))
        return redirect("employee", org=request.organisation.slug, employee_id=person.pk)
    return _employee_page(request, person, form, status=422)


@require_POST
@organisation_page(Permission.MANAGE_COHORTS)
def employee_enrolment(request: OrganisationRequest, employee_id: int) -> HttpResponse:
    """Enrol one person in a cohort by hand, or withdraw them from it."""
    person = employee_of(request.organisation, employee_id)
    given = request.POST.get("cohort", "")[:18]
    cohort = cohorts(request.organisation).filter(pk=int(given)).first() if given.isdecimal() else None
    if person is None:
        raise Http404
    if cohort is None:
        messages.error(request, _("Choose a cohort."))
        return redirect("employee", request.organisation.slug, employee_id)
    withdraws = request.POST.get("do") == "withdraw"
    act = withdraw_by_hand if withdraws else enrol_by_hand
    if act(actor=request.access.actor, organisation=request.organisation, cohort=cohort, employee_ids=[person.pk]):
        enqueue_on_commit(catch_up_organisation, request.organisation.pk)
        words = _("Withdrawn from “%(cohort)s”.") if withdraws else _("Enrolled in “%(cohort)s”.")
        messages.success(request, words % {"cohort": cohort.name})
    return redirect("employee", request.organisation.slug, employee_id)


def _is_oneself(request: OrganisationRequest, person: Employee) -> bool:
    return request.user.affiliations.filter(organisation=request.organisation, employee=person).exists()


def _edited(request: OrganisationRequest, person: Employee, form: EmployeeForm) -> bool:
    try:
        edit_employee(
            actor=request.access.actor,
            organisation=request.organisation,
            employee_id=person.pk,
            changes=form.cleaned_data,
        )
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


def _employee_page(
    request: OrganisationRequest, person: Employee, form: EmployeeForm, *, status: int = 200
) -> HttpResponse:
    enrolments = enrolments_told(request.organisation, person)
    context = {
        "employee": person,
        "form": form,
        "enrolments": enrolments,
        "story": story(request.organisation, person, enrolments),
        "open_cohorts": _cohorts_to_enter(request, person, enrolments),
        "may_enrol": request.access.allows(Permission.MANAGE_COHORTS),
        "kept": [field_label(name) for name in person.edited],
        "may_edit": request.access.allows(Permission.IMPORT_ROSTER),
    }
    return render(request, "dashboards/employee.html", context, status=status)


def _cohorts_to_enter(request: OrganisationRequest, person: Employee, enrolments: list[Enrolment]) -> list[Cohort]:
    """Return the cohorts in which the person is not; somebody who has left enters none."""
    if not person.active or not request.access.allows(Permission.MANAGE_COHORTS):
        return []
    inside = [enrolment.cohort_id for enrolment in enrolments if enrolment.withdrawn_at is None]
    return list(cohorts(request.organisation).exclude(pk__in=inside)[:_COHORTS])


@require_safe
@organisation_page(Permission.VIEW_AUDIT)
def organisation_audit(request: OrganisationRequest) -> HttpResponse:
    lines = audit_lines(request.organisation, before=_id_given(request, "before"), limit=_LINES + 1)
    told = [
        {
            "line": line,
            "who": journal.who(line),
            "sentence": journal.sentence(line.action, line.data, line.pseudonym),
            "counts": journal.counts(line.data),
            "url": journal.subject_url(request.organisation, line.action, line.subject),
        }
        for line in lines[:_LINES]
    ]
    context = {"lines": told, "before": lines[_LINES - 1].id if len(lines) > _LINES else None}
    return render(request, "dashboards/organisation_audit.html", context)


def _id_given(request: HttpRequest, name: str) -> int | None:
    """Read where a list goes on; what is no id begins it anew."""
    given = request.GET.get(name, "")[:18]
    return int(given) if given.isdecimal() else None


# --- The programme ----------------------------------------------------------------------------------------------


@require_safe
@staff_page
def manage(request: SignedInRequest) -> HttpResponse:
    lines = monitor.organisation_lines(Organisation.objects.filter(active=True))
    alerts = monitor.alerts(lines)
    context = {
        "alerts": alerts[:20],
        "alerted": len({alert.organisation.pk for alert in alerts}),
        "organisations": len(lines),
        "tiles": monitor.tiles(lines),
        "cohorts": monitor.cohort_summaries(),
        "as_of": monitor.as_of(lines),
    }
    return render(request, "dashboards/manage.html", context)


@require_safe
@staff_page
def manage_organisations(request: SignedInRequest) -> HttpResponse:
    every = Organisation.objects.filter(active=True).order_by("sort_name", "id")
    page = Paginator(every, _ORGANISATIONS).get_page(request.GET.get("page"))
    lines = monitor.organisation_lines(page.object_list)
    return render(request, "dashboards/manage_organisations.html", {"page": page, "lines": lines})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def manage_organisation(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show counts only. To see a person, one goes in: for a reason, for an hour, and the organisation sees it."""
    organisation = get_object_or_404(Organisation, slug=slug, active=True)
    form = SupportForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        actor = user_actor(request.user, on_behalf_of_programme=True)
        with organisation_scope(organisation.pk):
            open_support_access(
                actor=actor, organisation=organisation, user=request.user, reason=form.cleaned_data["reason"]
            )
        return redirect("organisation_home", org=organisation.slug)
    (line,) = monitor.organisation_lines([organisation])
    with organisation_scope(organisation.pk):
        support = current_support(organisation, request.user)
        links = link_cards(organisation, revoke="manage_setup_link_revoke")
    figures, losses = monitor.organisation_funnel(line)
    context = {
        "line": line,
        "funnel": funnel_rows(figures)[1:],
        "whole": figures.enrolled,
        "losses": losses,
        "alerts": monitor.alerts([line]),
        "cohorts": monitor.cohort_summaries(organisation=organisation, limit=100),
        "connections": monitor.connection_words(line),
        "imports": monitor.import_words(line),
        "form": form,
        "inside": support,
        "links": links,
    }
    return render(request, "dashboards/manage_organisation.html", context)


@require_safe
@staff_page
def manage_cohort(request: SignedInRequest, slug: str, cohort_id: int) -> HttpResponse:
    """Show one cohort in counts: where people are lost, and what helps; who they are is the organisation's to see."""
    organisation = get_object_or_404(Organisation, slug=slug, active=True)
    summary = monitor.cohort_summary(organisation, cohort_id)
    if summary is None:
        raise Http404
    figures, losses = monitor.cohort_funnel(summary)
    context = {
        "managed": organisation,
        "summary": summary,
        "figures": figures,
        "whole": max(figures.roster, figures.enrolled),
        "funnel": funnel_rows(figures),
        "losses": losses,
        "heaviest": heaviest(losses),
    }
    return render(request, "dashboards/manage_cohort.html", context)


@require_safe
@staff_page
def manage_programme(request: SignedInRequest) -> HttpResponse:
    months = monitor.certified_by_month()
    certified = sum(people for _month, people in months)
    context = {
        "months": months[:24],
        "best": max((people for _month, people in months), default=0),
        "certified": certified,
        "goal": monitor.GOAL,
        "missing": max(monitor.GOAL - certified, 0),
    }
    return render(request, "dashboards/manage_programme.html", context)


@require_safe
@staff_page
def manage_reconciliation(request: SignedInRequest) -> HttpResponse:
    total, events = monitor.unplaced_events(before=_id_given(request, "before"), limit=_LINES)
    context = {
        "total": total,
        "events": events,
        "desks": reconciling.desks(),
        "before": events[-1]["id"] if len(events) == _LINES else None,
    }
    return render(request, "dashboards/manage_reconciliation.html", context)


@require_safe
@staff_page
def manage_audit(request: SignedInRequest) -> HttpResponse:
    lines = monitor.platform_lines(before=_id_given(request, "before"), limit=_LINES + 1)
    told = [{"line": line, "sentence": journal.sentence(line.action, line.data)} for line in lines[:_LINES]]
    context = {"lines": told, "before": lines[_LINES - 1].id if len(lines) > _LINES else None}
    return render(request, "dashboards/manage_audit.html", context)
