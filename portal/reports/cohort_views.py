"""Keeping a cohort: what it is, who comes in by themselves, who is in it, enrolling and withdrawing by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.cohorts.rules import rules_of
from portal.cohorts.selectors import cohort_named
from portal.cohorts.services import change_cohort, set_membership
from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.core.tasks import enqueue_on_commit
from portal.core.templatetags.ui import number
from portal.enrolments.by_hand import MOST_AT_ONCE, enrol_by_hand, people_named, withdraw_by_hand
from portal.enrolments.membership import membership_outlook
from portal.enrolments.selectors import participants
from portal.people.admission import organisation_page
from portal.progress.losses import Loss
from portal.progress.rollups import STEPS
from portal.progress.tasks import catch_up_organisation
from portal.reports import rules_editor
from portal.reports.forms import CohortEditForm, EnrolForm, PeopleFilter
from portal.reports.funnel import loss_labels, step_labels
from portal.reports.participants import WITHDRAWN, participant_page, people_counted
from portal.reports.words import cause_word, state_word

if TYPE_CHECKING:
    from portal.cohorts.models import Cohort
    from portal.core.http import OrganisationRequest
    from portal.reports.participants import Participant


def cohort_or_404(request: OrganisationRequest, cohort_id: int) -> Cohort:
    try:
        return cohort_named(request.organisation, f"id:{cohort_id}")
    except Refusal:
        raise Http404 from None


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MANAGE_COHORTS)
def cohort_edit(request: OrganisationRequest, cohort_id: int) -> HttpResponse:
    cohort = cohort_or_404(request, cohort_id)
    form = CohortEditForm(request.POST if request.method == "POST" else None, cohort=cohort)
    if form.is_valid() and _changed(request, cohort, form):
        enqueue_on_commit(catch_up_organisation, request.organisation.pk)
        messages.success(request, _("Saved."))
        return redirect("cohort", request.organisation.slug, cohort.pk)
    status = 422 if form.is_bound else 200
    return render(request, "reports/cohort_edit.html", {"cohort": cohort, "form": form}, status=status)


def _changed(request: OrganisationRequest, cohort: Cohort, form: CohortEditForm) -> bool:
    try:
        change_cohort(
            actor=request.access.actor,
            organisation=request.organisation,
            cohort_id=cohort.pk,
            in_use=participants(request.organisation, cohort).exists(),
            **form.cleaned_data,
        )
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MANAGE_COHORTS)
def cohort_membership(request: OrganisationRequest, cohort_id: int) -> HttpResponse:
    """Look for values, see whom the rules name, then save: three buttons of one form."""
    cohort = cohort_or_404(request, cohort_id)
    organisation = request.organisation
    draft = rules_editor.saved_draft(cohort, rules_of(organisation, [cohort.pk])[cohort.pk])
    outlook = None
    if request.method == "POST":
        draft = rules_editor.given_draft(request.POST, organisation, draft)
        wanted = request.POST.get("do", "preview")
        if wanted.startswith("look-"):
            rules_editor.look(organisation, draft, wanted.removeprefix("look-"))
        elif wanted == "save" and not draft.errors and _membership_saved(request, cohort, draft):
            enqueue_on_commit(catch_up_organisation, organisation.pk)
            messages.success(request, _("Saved. Who is in the cohort follows within a minute."))
            return redirect("cohort", organisation.slug, cohort.pk)
        elif wanted == "preview" and not draft.errors:
            outlook = membership_outlook(
                organisation, membership=draft.membership, rules=draft.rules, cohort_id=cohort.pk
            )
    context = {
        "cohort": cohort,
        "draft": draft,
        "outlook": outlook,
        "said": rules_editor.rule_sentences(draft.rules),
        "memberships": _memberships(),
    }
    return render(request, "reports/cohort_membership.html", context, status=422 if draft.errors else 200)


def _membership_saved(request: OrganisationRequest, cohort: Cohort, draft: rules_editor.Draft) -> bool:
    try:
        set_membership(
            actor=request.access.actor,
            organisation=request.organisation,
            cohort_id=cohort.pk,
            membership=draft.membership,
            rules=draft.rules,
        )
    except Refusal as refusal:
        draft.errors.append(str(refusal))
        return False
    return True


def _memberships() -> list[tuple[str, str, str]]:
    return [
        (
            "hand",
            _("By hand and by file"),
            _("Nobody comes in by themselves: a roster’s file or a person enrols them."),
        ),
        ("rules", _("By rules"), _("Whoever every rule names comes in, and newcomers with them.")),
        ("everyone", _("Everyone on the roster"), _("Newcomers come in as soon as they are on the roster.")),
    ]


@require_safe
@organisation_page(Permission.VIEW_ROSTER)
def cohort_people(request: OrganisationRequest, cohort_id: int) -> HttpResponse:
    """The list behind a number. A site is no personal data, so the filter may stand in the address."""
    cohort = cohort_or_404(request, cohort_id)
    organisation = request.organisation
    wanted = PeopleFilter.wanted(request.GET)
    counted = people_counted(organisation, cohort, **wanted)
    page = participant_page(organisation, cohort, **wanted, after=_id_given(request, "after"), many=counted.many)
    query = PeopleFilter.query(wanted)
    context = {
        "cohort": cohort,
        "page": page,
        "people": [_told(person) for person in page.people],
        "query": query,
        "next": urlencode({**query, "after": page.after}) if page.after else "",
        "filter": PeopleFilter(request.GET, sites=rules_editor.roster_values(organisation, "site")),
        "title": _list_title(wanted),
        "counted": counted.people,
        "site": wanted["site"],
        "withdrawn": wanted["step"] == WITHDRAWN,
        "may_manage": request.access.allows(Permission.MANAGE_COHORTS),
    }
    return render(request, "reports/cohort_people.html", context)


def _told(person: Participant) -> dict[str, Any]:
    """Say of a person how far they are and why they are not further."""
    word, tone = state_word(person.state)
    why = str(loss_labels()[Loss(person.cause)]) if person.cause and person.state != WITHDRAWN else ""
    cause = (
        person.withdrawn_by if person.state == WITHDRAWN else person.enrolled_by if person.state == "enrolled" else ""
    )
    return {"person": person, "word": word, "tone": tone, "why": why, "by": cause_word(cause)}


def _list_title(wanted: dict[str, Any]) -> str:
    if wanted["loss"]:
        return str(loss_labels()[Loss(wanted["loss"])])
    if wanted["step"] == WITHDRAWN:
        return _("Withdrawn")
    return step_labels()[wanted["step"]] if wanted["step"] in STEPS else _("Enrolled")


def _id_given(request: OrganisationRequest, name: str) -> int | None:
    given = request.GET.get(name, "")[:18]
    return int(given) if given.isdecimal() else None


@require_POST
@organisation_page(Permission.MANAGE_COHORTS)
def cohort_selection(request: OrganisationRequest, cohort_id: int) -> HttpResponse:
    """Withdraw the people ticked on a list, or enrol them again."""
    cohort = cohort_or_404(request, cohort_id)
    ticked = request.POST.getlist("person")[:MOST_AT_ONCE]
    people = [int(one) for one in ticked if one.isdecimal() and len(one) < len("9223372036854775807")]
    act, told = (enrol_by_hand, _enrolled) if request.POST.get("do") == "enrol" else (withdraw_by_hand, _withdrawn)
    count = act(actor=request.access.actor, organisation=request.organisation, cohort=cohort, employee_ids=people)
    if count:
        enqueue_on_commit(catch_up_organisation, request.organisation.pk)
        messages.success(request, told(count))
    else:
        messages.info(request, _("Nobody was ticked: nothing changed."))
    back = reverse("cohort_people", args=[request.organisation.slug, cohort.pk])
    query = urlencode(PeopleFilter.query(PeopleFilter.wanted(request.POST)))
    return redirect(f"{back}?{query}" if query else back)


def _enrolled(count: int) -> str:
    return ngettext("%(count)s person enrolled.", "%(count)s people enrolled.", count) % {"count": number(count)}


def _withdrawn(count: int) -> str:
    words = ngettext(
        "%(count)s person withdrawn: no mail of this cohort leaves for them any more.",
        "%(count)s people withdrawn: no mail of this cohort leaves for them any more.",
        count,
    )
    return words % {"count": number(count)}


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MANAGE_COHORTS)
def cohort_enrol(request: OrganisationRequest, cohort_id: int) -> HttpResponse:
    """Enrol a list of people; when one line names nobody, nobody is enrolled and the lines are shown."""
    cohort = cohort_or_404(request, cohort_id)
    form = EnrolForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        found = people_named(request.organisation, form.cleaned_data["people"])
        form.refuse(found)
        if not form.errors:
            count = enrol_by_hand(
                actor=request.access.actor,
                organisation=request.organisation,
                cohort=cohort,
                employee_ids=found.employee_ids,
            )
            enqueue_on_commit(catch_up_organisation, request.organisation.pk)
            messages.success(request, _enrolled(count))
            return redirect("cohort", request.organisation.slug, cohort.pk)
    status = 422 if form.is_bound else 200
    return render(request, "reports/cohort_enrol.html", {"cohort": cohort, "form": form}, status=status)
