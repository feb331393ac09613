"""HR's desk "is this the same person?": who signed in and is not on the roster yet, and each word about them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.core.templatetags.ui import number
from portal.people.admission import organisation_page
from portal.people.models import Affiliation, Membership
from portal.people.search import logins_matching
from sso.candidates import others_found, told, waiting_page
from sso.matching import decline_match, match_person, reconsider_match, unlink_person
from sso.selectors import suspended_identities
from sso.services import confirm_identity

if TYPE_CHECKING:
    from django.http import HttpResponse

    from portal.core.http import OrganisationRequest

_CONFIRMED_AT_ONCE = 50
_LONGEST_SEARCH = 254


@require_safe
@organisation_page(Permission.MATCH_PEOPLE)
def matches(request: OrganisationRequest) -> HttpResponse:
    """Show who waits, twenty at a time, each beside whom they could be; and the link just made, to take it back."""
    organisation = request.organisation
    page = waiting_page(organisation, after=_id_given(request.GET.get("after", "")))
    owner = _is_owner(request)
    context = {
        "page": page,
        "after": request.GET.get("after", ""),
        "owner": owner,
        "suspended": suspended_identities(organisation).count() if owner else 0,
        "just": _linked(request, _id_given(request.GET.get("linked", ""))),
    }
    return render(request, "sso/matches.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MATCH_PEOPLE)
def match(request: OrganisationRequest, affiliation: int) -> HttpResponse:
    """Show one person; a search of the roster is a POST, for names do not belong in an address."""
    found = Affiliation.objects.filter(organisation=request.organisation, pk=affiliation)
    known = found.select_related("user", "employee").first()
    if known is None:
        raise Http404
    text = request.POST.get("q", "").strip()[:_LONGEST_SEARCH]
    (person,) = told(request.organisation, [known])
    context = {
        "who": person,
        "owner": _is_owner(request),
        "q": text,
        "found": others_found(request.organisation, text) if text and not known.employee_id else None,
    }
    return render(request, "sso/match.html", context)


@require_POST
@organisation_page(Permission.MATCH_PEOPLE)
def say_yes(request: OrganisationRequest, affiliation: int) -> HttpResponse:
    try:
        match_person(
            actor=request.access.actor,
            organisation=request.organisation,
            affiliation_id=affiliation,
            employee_id=_id_given(request.POST.get("employee", "")) or 0,
            reason=request.POST.get("reason", ""),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _back(request)
    return _back(request, linked=affiliation)


@require_POST
@organisation_page(Permission.MATCH_PEOPLE)
def say_no(request: OrganisationRequest, affiliation: int) -> HttpResponse:
    return _said(request, affiliation, decline_match, _("Not the same person: they are not proposed again."))


@require_POST
@organisation_page(Permission.MATCH_PEOPLE)
def say_maybe(request: OrganisationRequest, affiliation: int) -> HttpResponse:
    return _said(request, affiliation, reconsider_match, _("The “no” is taken back."))


@require_POST
@organisation_page(Permission.MATCH_PEOPLE)
def undo(request: OrganisationRequest, affiliation: int) -> HttpResponse:
    try:
        unlink_person(
            actor=request.access.actor,
            organisation=request.organisation,
            affiliation_id=affiliation,
            reason=request.POST.get("reason", ""),
        )
        messages.success(request, _("The link is taken back: the person waits again, and keeps what they did."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return _back(request)


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MATCH_PEOPLE)
def linked(request: OrganisationRequest) -> HttpResponse:
    """Find a link that was wrong, by the person on the roster or by the account."""
    text = request.POST.get("q", "").strip()[:_LONGEST_SEARCH].replace("\x00", "")
    found = logins_matching(request.organisation, text) if text else None
    return render(request, "sso/matches_linked.html", {"q": text, "found": found})


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MANAGE_SIGN_IN)
def suspended(request: OrganisationRequest) -> HttpResponse:
    """Let an owner say again who signs in, since the identity provider was replaced."""
    if request.method == "POST":
        _confirm_all(request)
        return redirect("matches_suspended", org=request.organisation.slug)
    waiting = suspended_identities(request.organisation)
    shown = list(waiting[:_CONFIRMED_AT_ONCE])
    known = Affiliation.objects.filter(organisation=request.organisation, user_id__in=[each.user_id for each in shown])
    employees = {each.user_id: each.employee for each in known.select_related("employee")}
    context = {
        "people": [(each, employees.get(each.user_id)) for each in shown],
        "total": waiting.count(),
    }
    return render(request, "sso/matches_suspended.html", context)


def _confirm_all(request: OrganisationRequest) -> None:
    chosen = [int(each) for each in request.POST.getlist("identity")[:_CONFIRMED_AT_ONCE] if _id_given(each)]
    try:
        with transaction.atomic():
            for identity_id in chosen:
                confirm_identity(actor=request.access.actor, organisation=request.organisation, identity_id=identity_id)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return
    if chosen:
        sentence = ngettext("%(people)s person can sign in again.", "%(people)s people can sign in again.", len(chosen))
        messages.success(request, sentence % {"people": number(len(chosen))})
    else:
        messages.error(request, _("Choose at least one person."))


def _said(request: OrganisationRequest, affiliation: int, say: object, sentence: str) -> HttpResponse:
    try:
        say(  # type: ignore[operator]
            actor=request.access.actor,
            organisation=request.organisation,
            affiliation_id=affiliation,
            employee_id=_id_given(request.POST.get("employee", "")) or 0,
        )
        messages.success(request, sentence)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return _back(request)


def _back(request: OrganisationRequest, *, linked: int | None = None) -> HttpResponse:
    """Return to where the button was: the page of one person, or the same place of the list."""
    person = _id_given(request.POST.get("person", ""))
    if person and not linked:
        return redirect("match", org=request.organisation.slug, affiliation=person)
    after = _id_given(request.POST.get("after", ""))
    query = {name: value for name, value in (("after", after), ("linked", linked)) if value}
    page = reverse("matches", args=[request.organisation.slug])
    return redirect(f"{page}?{urlencode(query)}" if query else page)


def _linked(request: OrganisationRequest, affiliation: int | None) -> Affiliation | None:
    if affiliation is None:
        return None
    found = Affiliation.objects.filter(organisation=request.organisation, pk=affiliation, employee__isnull=False)
    return found.select_related("user", "employee").first()


def _is_owner(request: OrganisationRequest) -> bool:
    return request.access.role == Membership.Role.OWNER


def _id_given(text: str) -> int | None:
    return int(text) if text[:18] == text and text.isdecimal() and text.isascii() else None
