"""Setting a connection up, page by page: the same for an owner and for whoever holds a set-up link.

Each page has one thing to do and can be left at any time: where one is follows from the connection itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.organisations.domains import readable_domain
from portal.organisations.selectors import organisation_domains
from portal.organisations.setup_links import create_setup_link, revoke_setup_link
from portal.people.admission import organisation_page
from portal.people.confirmation import confirm_first, is_confirmed
from sso.admission import connection_page
from sso.attempts import attempt_coded
from sso.browser import browser_nonce, forget_setup, held_nonce, held_setup, remember_nonce, remember_setup
from sso.connecting import activate_connection
from sso.diagnosis import diagnosed, plain_sentence
from sso.drafts import (
    begin_setup,
    change_mapping,
    choose_vendor,
    confirm_metadata,
    metadata_proposed,
    propose_metadata,
    subject_source,
)
from sso.guides import GUIDES
from sso.inspection import metadata_reading
from sso.leaving import leave_page
from sso.models import Connection
from sso.parties import certificate_facts, connection_card
from sso.pictures import drawn
from sso.received import last_answer
from sso.saml.attributes import NAME_ID, subject_of, value_for
from sso.saml.errors import SAMLError
from sso.selectors import OPEN_STATES
from sso.services import TEST, begin_sign_in
from sso.setup_admission import by_link, by_owner
from sso.setup_cards import setup_url
from sso.setup_forms import TARGETS, GivenMetadataForm, MappingForm, SetupLinkForm, VendorForm
from sso.trial import complete_test, judged
from sso.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest

    from portal.core.http import OrganisationRequest
    from sso.models import SignInTrace
    from sso.received import Received
    from sso.setup_admission import Setup

_LONGEST_SHOWN = 200
_MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Preview:
    """One thing that the portal reads of a person: where it was found, and what it was."""

    label: str
    source: str
    value: str
    wrong: str = ""


# --- The ways in --------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, setup: Setup, step: str) -> HttpResponse:
    """Lead to the step, or to the one before it that is missing."""
    if not step:
        return _start(request, setup)
    view = _STEPS.get(step)
    if view is None or (step == "domains" and setup.link):
        raise Http404
    missing = _missing_before(setup, step)
    if missing:
        return HttpResponseRedirect(setup.url(missing))
    try:
        return view(request, setup)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(setup.url())


step_by_link = require_http_methods(["GET", "HEAD", "POST"])(by_link(_page))
step_by_owner = require_http_methods(["GET", "HEAD", "POST"])(by_owner(_page))


@require_http_methods(["GET", "HEAD", "POST"])
@by_owner
def new(request: HttpRequest, setup: Setup, step: str) -> HttpResponse:
    """Begin as an owner: the connection is made once its product is chosen."""
    del step
    return _provider(request, setup)


@require_POST
@by_owner
def begin_test(request: HttpRequest, setup: Setup, step: str) -> HttpResponse:
    """Begin the test from the list of connections."""
    return _page(request, setup, step)


@connection_page
@require_GET
def test_returned(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Lead from the answer of a test to where it was begun: to the link that this browser holds, or to the owner's."""
    trace, ticket = request.GET.get("trace", ""), request.GET.get("t", "")
    step, query = ("test", {"trace": trace}) if trace else ("tested", {"t": ticket})
    token = held_setup(request, connection)
    if token:
        page = reverse("setup_step", args=[token, step])
    else:
        page = reverse("sign_in_setup_step", args=[connection.organisation.slug, connection.public_id, step])
    return HttpResponseRedirect(f"{page}?{urlencode(query)}")


# --- The links, as an owner makes them ----------------------------------------------------------------------------


@organisation_page(Permission.MANAGE_SIGN_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def create_link(request: OrganisationRequest) -> HttpResponse:
    """Make a link and show it, this once. What its holder may do without being asked is asked for here."""
    if request.method == "POST" and not is_confirmed(request):
        return confirm_first(request, request.path)
    form = SetupLinkForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "sso/setup/link_new.html", {"form": form}, status=422 if form.is_bound else 200)
    link, token = create_setup_link(
        actor=request.access.actor, organisation=request.organisation, recipient=form.cleaned_data["recipient"]
    )
    return render(request, "sso/setup/link_created.html", {"link": link, "url": setup_url(token)})


@organisation_page(Permission.MANAGE_SIGN_IN)
@require_POST
def revoke_link(request: OrganisationRequest, link: int) -> HttpResponse:
    try:
        revoke_setup_link(actor=request.access.actor, organisation=request.organisation, link_id=link)
    except Refusal:
        raise Http404 from None
    messages.success(request, _("The set-up link is withdrawn: it opens nothing any more."))
    return redirect("sign_in_settings", org=request.organisation.slug)


# --- The steps ----------------------------------------------------------------------------------------------------


def _start(request: HttpRequest, setup: Setup) -> HttpResponse:
    context = {"next_url": setup.url(_following(setup)), "begun": setup.connection is not None}
    return _shown(request, setup, "start", "start", context)


def _provider(request: HttpRequest, setup: Setup) -> HttpResponse:
    known = setup.connection
    form = VendorForm(
        request.POST if request.method == "POST" else None, initial={"vendor": known.vendor if known else ""}
    )
    if not form.is_valid():
        return _shown(request, setup, "provider", "provider", {"form": form}, bound=form.is_bound)
    vendor = form.cleaned_data["vendor"]
    if known:
        choose_vendor(actor=setup.actor, organisation=setup.organisation, connection=known, vendor=vendor)
    else:
        setup.connection = begin_setup(
            actor=setup.actor, organisation=setup.organisation, vendor=vendor, link=setup.link
        )
    return HttpResponseRedirect(setup.url("values"))


def _values(request: HttpRequest, setup: Setup) -> HttpResponse:
    card = connection_card(_of(setup))
    guide = GUIDES.get(_of(setup).vendor, GUIDES["other"])
    values = (
        (1, _("Our entity ID"), _("the entity ID"), card.connection.entity_id),
        (2, _("Reply address (ACS URL)"), _("the reply address"), card.acs_url),
        (3, _("Sign-out address"), _("the sign-out address"), card.sls_url),
        (4, _("Our metadata"), _("the address of the metadata"), card.metadata_url),
    )
    context = {
        "values": [
            {"number": number, "name": name, "label": label, "value": value, "field": guide.fields[number]}
            for number, name, label, value in values
            if guide.fields[number] or number == 4
        ],
        "guide": guide,
        "picture": drawn(guide.picture),
        "metadata_url": card.metadata_url,
    }
    return _shown(request, setup, "values", "values", context)


def _metadata(request: HttpRequest, setup: Setup) -> HttpResponse:
    """Read the metadata; nothing of it counts before it was looked at on the next page."""
    posted = request.method == "POST"
    known = _of(setup)
    waiting = metadata_proposed(known)
    form = GivenMetadataForm(
        request.POST if posted else None,
        request.FILES if posted else None,
        initial={"url": waiting.url if waiting else known.metadata_url},
    )
    if form.is_valid() and form.idp:
        try:
            propose_metadata(
                actor=setup.actor,
                organisation=setup.organisation,
                connection=known,
                idp=form.idp,
                source=form.source,
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            return HttpResponseRedirect(setup.url("check"))
    guide = GUIDES.get(known.vendor, GUIDES["other"])
    context = {"form": form, "guide": guide, "picture": drawn(guide.fetch_picture)}
    return _shown(request, setup, "metadata", "metadata", context, bound=form.is_bound)


def _check(request: HttpRequest, setup: Setup) -> HttpResponse:
    version = metadata_proposed(_of(setup))
    if request.method == "POST":
        given = request.POST.get("version", "")[:18]
        confirm_metadata(
            actor=setup.actor,
            organisation=setup.organisation,
            connection=_of(setup),
            version_id=int(given) if given.isdecimal() else 0,
        )
        return HttpResponseRedirect(setup.url("attributes"))
    if version is None:
        return HttpResponseRedirect(setup.url("metadata"))
    reading = metadata_reading(version, now=timezone.now())
    return _shown(request, setup, "metadata", "check", {"version": version, "reading": reading})


def _attributes(request: HttpRequest, setup: Setup) -> HttpResponse:
    known = _of(setup)
    received = last_answer(known)
    names = sorted(received.attributes)[:_MOST_SHOWN] if received else []
    form = MappingForm(request.POST if request.method == "POST" else None, mapping=known.attribute_mapping, known=names)
    if form.is_valid():
        try:
            change_mapping(actor=setup.actor, organisation=setup.organisation, connection=known, mapping=form.mapping)
        except Refusal as refusal:
            form.add_error("subject" if refusal.code == "mutable_subject" else None, str(refusal))
        else:
            again = "attributes" if "look" in request.POST else "test" if setup.link else "domains"
            return HttpResponseRedirect(setup.url(again))
    context = {
        "form": form,
        "names": names,
        "preview": _preview(known, received) if received else [],
        "received": _all_received(received) if received else [],
        "guide": GUIDES.get(known.vendor, GUIDES["other"]),
        "open": form.is_bound,
        "identified_by": subject_source(known) if known.tested_at else "",
    }
    return _shown(request, setup, "attributes", "attributes", context, bound=form.is_bound)


def _domains(request: HttpRequest, setup: Setup) -> HttpResponse:
    known = [
        {"name": readable_domain(each.domain), "verified": each.verified_at is not None}
        for each in organisation_domains(setup.organisation)
    ]
    return _shown(request, setup, "domains", "domains", {"domains": known})


def _test(request: HttpRequest, setup: Setup) -> HttpResponse:
    known = _of(setup)
    if request.method == "POST":
        return _begin_test(request, setup, known)
    received = last_answer(known)
    result = judged(setup.organisation, known, received, with_roster=not setup.link) if received else None
    asked = _trace_asked(request, setup, known)
    context = {
        "result": result,
        "asked": diagnosed(asked) if asked else None,
        "guide": GUIDES.get(known.vendor, GUIDES["other"]),
        "passed": not asked
        and (result is None or result.passed)
        and known.state in {Connection.State.TESTED, *OPEN_STATES},
    }
    return _shown(request, setup, "test", "test", context)


def _begin_test(request: HttpRequest, setup: Setup, known: Connection) -> HttpResponse:
    """Show the page with the button that leads out: a form's answer may not lead to another site."""
    nonce = browser_nonce(request)
    try:
        going = begin_sign_in(connection=known, nonce=nonce, purpose=TEST)
    except SAMLError as error:
        messages.error(request, plain_sentence(error.code))
        return HttpResponseRedirect(setup.url())
    response = leave_page(request, known, going, test=True)
    remember_nonce(response, nonce)
    if setup.link:
        remember_setup(response, known, setup.token)
    else:
        forget_setup(response, known)
    return response


def _tested(request: HttpRequest, setup: Setup) -> HttpResponse:
    """Take the answer of a test, once; its result is then on the page of the test for an hour."""
    try:
        complete_test(
            actor=setup.actor,
            organisation=setup.organisation,
            connection=_of(setup),
            ticket=request.GET.get("t", ""),
            nonce=held_nonce(request),
        )
    except SAMLError as error:
        messages.error(request, plain_sentence(error.code))
    return HttpResponseRedirect(setup.url("test"))


def _activate(request: HttpRequest, setup: Setup) -> HttpResponse:
    """Switch on. A link has then done its work, so the last page is the answer itself: there is no way back to it."""
    known = _of(setup)
    if request.method == "POST":
        if not setup.link and not is_confirmed(inside := cast("OrganisationRequest", request)):
            return confirm_first(inside, setup.url("activate"))
        activate_connection(actor=setup.actor, organisation=setup.organisation, connection=known)
        known.refresh_from_db(fields=["state"])
    if known.state not in OPEN_STATES:
        return _shown(request, setup, "activate", "activate", {})
    expiries = [certificate.expires_at for certificate in certificate_facts(known)]
    context = {"card": connection_card(known), "first_expiry": min(expiries, default=None)}
    return _shown(request, setup, "done", "done", context)


_STEPS: Mapping[str, Callable[[HttpRequest, Setup], HttpResponse]] = {
    "provider": _provider,
    "values": _values,
    "metadata": _metadata,
    "check": _check,
    "attributes": _attributes,
    "domains": _domains,
    "test": _test,
    "tested": _tested,
    "activate": _activate,
}


# --- Where one is -------------------------------------------------------------------------------------------------


def _following(setup: Setup) -> str:
    """Return the step at which the set-up goes on."""
    known = setup.connection
    if known is None:
        return "provider"
    if known.state == Connection.State.DRAFT:
        return "check" if metadata_proposed(known) else "values"
    return "test" if known.state == Connection.State.CONFIGURED else "activate"


def _missing_before(setup: Setup, step: str) -> str:
    """Return the step that must come first, or "" when this one may be shown."""
    known = setup.connection
    if known is None:
        return "" if step == "provider" else "provider"
    if step in {"attributes", "domains", "test", "tested", "activate"} and not known.idp_sso_url:
        return "metadata"
    if step == "activate" and known.state == Connection.State.CONFIGURED:
        return "test"
    return ""


def _steps(setup: Setup, current: str) -> list[dict[str, str]]:
    labels = {
        "provider": _("Identity provider"),
        "values": _("Our values"),
        "metadata": _("Your metadata"),
        "attributes": _("Attributes"),
        **({} if setup.link else {"domains": _("Domains")}),
        "test": _("Test"),
        "activate": _("Switch on"),
    }
    order = list(labels)
    reached = order.index({"check": "metadata"}.get(following := _following(setup), following))
    if current in order:
        reached = max(reached, order.index(current))
    if setup.connection and setup.connection.state in OPEN_STATES:
        reached = len(order)
    return [
        {
            "label": labels[name],
            "state": "current" if name == current else "done" if at < reached else "todo",
            "url": setup.url(name) if setup.connection and current != "done" else "",
        }
        for at, name in enumerate(order)
    ]


def _shown(
    request: HttpRequest, setup: Setup, current: str, page: str, context: Mapping[str, Any], *, bound: bool = False
) -> HttpResponse:
    known = setup.connection
    whole = {
        "layout": "layouts/setup.html" if setup.link else "layouts/organisation.html",
        "partner": setup.organisation,
        "connection": known,
        "by_link": setup.link is not None,
        "link": setup.link,
        "vendor": (VENDORS.get(known.vendor) if known else "") or _("your identity provider"),
        "steps": _steps(setup, current),
        "step": {name: setup.url(name) for name in _STEPS} if known else {},
        **context,
    }
    return render(request, f"sso/setup/{page}.html", whole, status=422 if bound else 200)


def _of(setup: Setup) -> Connection:
    assert setup.connection is not None, "Every step after the first has a connection."
    return setup.connection


def _trace_asked(request: HttpRequest, setup: Setup, known: Connection) -> SignInTrace | None:
    """Return the failure that the address names, if it is one of this very connection."""
    code = request.GET.get("trace", "")[:12]
    trace = attempt_coded(setup.organisation, code) if code else None
    return trace if trace and trace.connection_id == known.pk else None


def _preview(known: Connection, received: Received) -> list[Preview]:
    """Say what the connection's mapping takes of what the last test brought."""
    lines = []
    for target, label in TARGETS.items():
        try:
            if target == "subject":
                chosen = known.attribute_mapping
                value, source = subject_of(received, chosen.get("subject", []), chosen.get("email", []))
            else:
                value, source = value_for(received, target, known.attribute_mapping.get(target, []))
            lines.append(Preview(str(label), source, value[:_LONGEST_SHOWN]))
        except SAMLError as error:
            lines.append(Preview(str(label), "", "", _wrong(error)))
    return lines


def _wrong(error: SAMLError) -> str:
    words = {
        "attribute_ambiguous": _("several values where one is needed"),
        "nameid_email": _("an e-mail address: it is handed on"),
        "nameid_transient": _("changes at every sign-in"),
    }
    return words.get(error.code, _("not there"))


def _all_received(received: Received) -> list[dict[str, str]]:
    name_id = {"name": NAME_ID, "values": received.name_id[:_LONGEST_SHOWN], "format": received.name_id_format}
    every = [
        {"name": name[:_LONGEST_SHOWN], "values": " · ".join(values)[:_LONGEST_SHOWN], "format": ""}
        for name, values in sorted(received.attributes.items())[:_MOST_SHOWN]
    ]
    return [name_id, *every] if received.name_id else every
