"""The pages of waves: draft, look, try, plan, follow, pause and stop; and the address at which everyone begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.cohorts.selectors import cohort_named
from portal.core.access import Permission
from portal.core.delivery import written
from portal.core.errors import Refusal
from portal.core.models import OutgoingMail
from portal.core.tasks import deliver_mail_of, enqueue_on_commit
from portal.core.templatetags.ui import number
from portal.core.tenancy import organisation_scope
from portal.enrolments.invitations import INVITATION
from portal.organisations.models import Organisation
from portal.people.admission import organisation_page
from portal.people.notices import address_of
from portal.people.selectors import site_names
from portal.waves.forecast import forecast
from portal.waves.forms import WaveForm, initial_of
from portal.waves.selectors import coming_reminders, invitation_states, wave_numbered, waves
from portal.waves.services import (
    change_wave,
    create_wave,
    pause_wave,
    plan_wave,
    resume_wave,
    stop_wave,
    try_wave,
)
from portal.waves.words import words_of
from sso.selectors import open_connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from portal.cohorts.models import Cohort
    from portal.core.http import OrganisationRequest
    from portal.waves.forecast import Forecast
    from portal.waves.models import Wave


@require_safe
@organisation_page(Permission.MANAGE_COHORTS)
def wave_list(request: OrganisationRequest, cohort_id: int) -> HttpResponse:
    cohort = _cohort(request, cohort_id)
    return render(request, "waves/list.html", {"cohort": cohort, "waves": list(waves(request.organisation, cohort))})


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MANAGE_COHORTS)
def wave_new(request: OrganisationRequest, cohort_id: int) -> HttpResponse:
    cohort = _cohort(request, cohort_id)
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        made = create_wave(
            actor=request.access.actor, organisation=request.organisation, cohort=cohort, choices=form.choices()
        )
        return redirect("wave", request.organisation.slug, made.pk)
    return render(request, "waves/edit.html", {"cohort": cohort, "form": form, "wave": None})


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MANAGE_COHORTS)
def wave_edit(request: OrganisationRequest, wave_id: int) -> HttpResponse:
    wave = _wave(request, wave_id)
    form = _form(request, wave)
    if request.method == "POST" and form.is_valid():
        try:
            change_wave(
                actor=request.access.actor, organisation=request.organisation, wave=wave, changes=form.choices()
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("wave", request.organisation.slug, wave.pk)
    return render(request, "waves/edit.html", {"cohort": wave.cohort, "form": form, "wave": wave})


@require_safe
@organisation_page(Permission.MANAGE_COHORTS)
def wave_page(request: OrganisationRequest, wave_id: int) -> HttpResponse:
    """Show what the wave would do while it is a draft, and what has become of it since."""
    wave = _wave(request, wave_id)
    states, expected = invitation_states(wave), forecast(request.organisation, wave)
    context = {
        "wave": wave,
        "forecast": expected,
        "states": states,
        "tiles": _tiles(states),
        "facts": _facts(wave, expected),
        "hold_minutes": settings.WAVE_HOLD_MINUTES,
        "previews": [_preview(request.organisation, wave, language) for language in ("fr", "en")],
        "my_address": address_of(request.user),
        "reminders": coming_reminders(request.organisation, wave),
    }
    return render(request, "waves/wave.html", context)


@require_POST
@organisation_page(Permission.MANAGE_COHORTS)
def wave_try(request: OrganisationRequest, wave_id: int) -> HttpResponse:
    def to_myself(wave: Wave) -> str:
        address = address_of(request.user)
        try_wave(
            actor=request.access.actor,
            organisation=request.organisation,
            wave=wave,
            address=address,
            language=request.user.language,
        )
        enqueue_on_commit(deliver_mail_of, request.organisation.pk)
        return _("It is on its way to %(address)s.") % {"address": address}

    return _done(request, wave_id, to_myself)


@require_POST
@organisation_page(Permission.MANAGE_COHORTS)
def wave_plan(request: OrganisationRequest, wave_id: int) -> HttpResponse:
    def plan(wave: Wave) -> str:
        planned = plan_wave(actor=request.access.actor, organisation=request.organisation, wave=wave)
        return _("Planned: %(number)s invitations. Until the first leaves, stopping the wave sends nothing.") % {
            "number": planned
        }

    return _done(request, wave_id, plan)


@require_POST
@organisation_page(Permission.MANAGE_COHORTS)
def wave_pause(request: OrganisationRequest, wave_id: int) -> HttpResponse:
    def pause(wave: Wave) -> str:
        waiting = pause_wave(actor=request.access.actor, organisation=request.organisation, wave=wave)
        return _("Paused: %(number)s mails wait.") % {"number": waiting}

    return _done(request, wave_id, pause)


@require_POST
@organisation_page(Permission.MANAGE_COHORTS)
def wave_resume(request: OrganisationRequest, wave_id: int) -> HttpResponse:
    def resume(wave: Wave) -> str:
        resume_wave(actor=request.access.actor, organisation=request.organisation, wave=wave)
        return _("The wave goes on.")

    return _done(request, wave_id, resume)


@require_POST
@organisation_page(Permission.MANAGE_COHORTS)
def wave_stop(request: OrganisationRequest, wave_id: int) -> HttpResponse:
    def stop(wave: Wave) -> str:
        withdrawn = stop_wave(actor=request.access.actor, organisation=request.organisation, wave=wave)
        return _("Stopped: %(number)s mails will not leave.") % {"number": withdrawn}

    return _done(request, wave_id, stop)


@login_not_required
@never_cache
@require_safe
def wave_start(request: HttpRequest, org: str) -> HttpResponse:
    """Lead whoever opens the link of a mail to their course, or first to their company's sign-in.

    It uses nothing up, so that a mail scanner may open it as often as it likes. An unknown organisation and one
    without a door look the same.
    """
    if request.user.is_authenticated:
        return redirect("learner_home")
    organisation = Organisation.objects.filter(slug=org, active=True).first()
    if organisation is not None:
        with organisation_scope(organisation.pk):
            connection = open_connection(organisation.pk)
        if connection is not None:
            return redirect(f"{reverse('sso_login', args=[connection.public_id])}?next={reverse('learner_home')}")
    return redirect("front_door")


def _done(request: OrganisationRequest, wave_id: int, deed: Callable[[Wave], str]) -> HttpResponse:
    wave = _wave(request, wave_id)
    try:
        messages.success(request, deed(wave))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("wave", request.organisation.slug, wave.pk)


def _form(request: OrganisationRequest, wave: Wave | None = None) -> WaveForm:
    organisation = request.organisation
    initial = initial_of(wave, organisation) if wave else {}
    return WaveForm(request.POST or None, initial=initial, organisation=organisation, sites=site_names(organisation))


def _tiles(states: dict[str, int]) -> list[dict[str, object]]:
    """Show each state that has mails, and those that everybody asks for."""
    words = {
        "planned": (_("Planned"), ""),
        "queued": (_("About to leave"), ""),
        "sent": (_("Sent"), ""),
        "delivered": (_("Delivered"), "good"),
        "bounced": (_("Came back"), "warn"),
        "failed": (_("Could not be sent"), "bad"),
        "uncertain": (_("Perhaps sent"), "warn"),
        "withdrawn": (_("Withdrawn"), ""),
    }
    return [
        {"value": states.get(state, 0), "label": label, "tone": tone}
        for state, (label, tone) in words.items()
        if states.get(state) or state in {"planned", "sent"}
    ]


def _facts(wave: Wave, expected: Forecast) -> list[dict[str, object]]:
    pace = _("%(number)s an hour, from %(first)s:00 to %(last)s:00") % {
        "number": number(wave.per_hour),
        "first": wave.first_hour,
        "last": wave.last_hour,
    }
    reminders = _("%(number)s at most, every %(days)s days, to those who have not begun") % {
        "number": wave.reminders,
        "days": wave.reminder_days,
    }
    return [
        {"term": _("Sites"), "value": ", ".join(wave.sites) or _("all of them")},
        {"term": _("Pace"), "value": pace},
        {"term": _("Reminders"), "value": reminders if wave.reminders else _("none")},
        {"term": _("Without an address"), "value": number(expected.without_address)},
    ]


def _preview(organisation: Organisation, wave: Wave, language: str) -> dict[str, str]:
    """Write the mail as it would leave, to nobody."""
    with override(language):
        name = _("Camille")
    mail = OutgoingMail(
        organisation=organisation,
        name=INVITATION,
        address="camille@example.org",
        language=language,
        context=words_of(organisation, wave) | {"first_name": name, "number": 0},
    )
    message = written(mail)
    return {"language": language, "subject": str(message.subject), "body": str(message.body)}


def _cohort(request: OrganisationRequest, cohort_id: int) -> Cohort:
    try:
        return cohort_named(request.organisation, f"id:{cohort_id}")
    except Refusal:
        raise Http404 from None


def _wave(request: OrganisationRequest, wave_id: int) -> Wave:
    wave = wave_numbered(request.organisation, wave_id)
    if wave is None:
        raise Http404
    return wave
