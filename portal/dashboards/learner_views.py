"""The learner's own pages: where they are, what they have earned, who sees what of them, and where it stays theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.core.errors import Refusal
from portal.core.limits import Limit
from portal.core.tasks import deliver_mail_of, enqueue_on_commit
from portal.core.tenancy import organisation_scope
from portal.dashboards import learning
from portal.dashboards.forms import PrivateAddressForm
from portal.dashboards.seen import seen_by
from portal.people.private_address import (
    ask_private_address,
    masked,
    private_address_of,
    remove_private_address,
)
from portal.people.selectors import user_actor
from portal.progress.certificate_document import BRAND, certificate_pdf, check_url, file_name, programme_name
from sso.joining import pair_to_join
from sso.memory import remembered

if TYPE_CHECKING:
    from datetime import datetime

    from portal.core.http import SignedInRequest
    from portal.dashboards.learning import Situation
    from portal.organisations.models import Organisation
    from portal.progress.models import Certificate

ASKS: Final = Limit("private-address", most=5, seconds=3600)
"""A signed-in person may have that many strangers' mailboxes written to, and no more."""

LINKEDIN: Final = "https://www.linkedin.com/profile/add"


@dataclass(frozen=True, slots=True)
class Diploma:
    """A certificate as its holder meets it. `code` is empty while the portal has not issued it yet."""

    organisation: Organisation
    programme: str
    certified_at: datetime
    code: str = ""
    revoked_at: datetime | None = None
    url: str = ""
    linkedin_url: str = ""
    platform_url: str = ""


@require_safe
def learner_home(request: SignedInRequest) -> HttpResponse:
    known = learning.situations(request, request.user)
    context = {
        "situations": known,
        "headline": learning.headline(known),
        "organisation": learning.only_one(known),
        "main": learning.main_course(known),
        "pair": pair_to_join(remembered(request)),
    }
    return render(request, "dashboards/learner_home.html", context)


@require_safe
def learner_privacy(request: SignedInRequest) -> HttpResponse:
    """One organisation at a time may be read further back: `of` names it, `before` says from where."""
    known = learning.situations(request, request.user)
    of, given = request.GET.get("of", ""), request.GET.get("before", "")[:18]
    before = int(given) if given.isdecimal() else None
    seen = [seen_by(each, request.user, before=before if each.organisation.slug == of else None) for each in known]
    context = {"situations": seen, "further_back": of if before else "", "organisation": learning.only_one(known)}
    return render(request, "dashboards/learner_privacy.html", context)


@require_safe
def learner_certificates(request: SignedInRequest) -> HttpResponse:
    known = learning.situations(request, request.user)
    address = private_address_of(request.user)
    context = {
        "certificates": [diploma for situation in known for diploma in _diplomas(situation)],
        "organisation": learning.only_one(known),
        "kept_at": masked(address.address) if address and address.verified_at else "",
    }
    return render(request, "dashboards/learner_certificates.html", context)


@require_safe
@never_cache
def learner_certificate_pdf(request: SignedInRequest, code: str) -> HttpResponse:
    """Give a valid certificate to its holder, through a door that they used; anybody else's does not exist."""
    held = (each for situation in learning.situations(request, request.user) for each in situation.certificates)
    certificate = next((each for each in held if each.code == code and each.revoked_at is None), None)
    if certificate is None:
        raise Http404
    return pdf_answer(certificate)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def private_address(request: SignedInRequest) -> HttpResponse:
    """Show what is kept, masked: whoever the company lets in as this person must not learn their mailbox."""
    known = learning.situations(request, request.user)
    form = PrivateAddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and known and _asked(request, known[0].organisation, form):
        messages.success(request, _("We have written to that address. Open the link there to confirm it."))
        return redirect("private_address")
    address = private_address_of(request.user)
    context = {
        "form": form,
        "known": known,
        "organisation": learning.only_one(known),
        "kept": masked(address.address) if address and address.verified_at else "",
        "since": address.verified_at if address else None,
        "waiting": masked(address.candidate) if address else "",
    }
    return render(request, "dashboards/private_address.html", context, status=422 if form.errors else 200)


@require_POST
def private_address_remove(request: SignedInRequest) -> HttpResponse:
    if remove_private_address(actor=user_actor(request.user), user=request.user):
        messages.success(request, _("Your private address is removed."))
    return redirect("private_address")


def pdf_answer(certificate: Certificate) -> HttpResponse:
    answer = HttpResponse(certificate_pdf(certificate), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{file_name(certificate)}"'
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _asked(request: SignedInRequest, organisation: Organisation, form: PrivateAddressForm) -> bool:
    who = str(request.user.pk)
    if ASKS.reached(who):
        form.add_error(None, _("You have asked several times already. Wait an hour, then try again."))
        return False
    try:
        with organisation_scope(organisation.pk):
            ask_private_address(
                actor=user_actor(request.user),
                user=request.user,
                organisation=organisation,
                address=form.cleaned_data["address"],
            )
            enqueue_on_commit(deliver_mail_of, organisation.pk)
    except Refusal as refusal:
        form.add_error("address", str(refusal))
        return False
    ASKS.count(who)
    return True


def _diplomas(situation: Situation) -> list[Diploma]:
    """List what is certified here: what the portal issued, and what it is about to."""
    organisation = situation.organisation
    platform = {course.programme_id: course.certificate_url for course in situation.courses}
    issued = [
        Diploma(
            organisation=organisation,
            programme=programme_name(each),
            certified_at=each.certified_at,
            code=each.code,
            revoked_at=each.revoked_at,
            url=check_url(each.code),
            linkedin_url=_linkedin_url(each),
            platform_url="" if each.revoked_at else platform.get(each.programme_id, ""),
        )
        for each in situation.certificates
    ]
    known = {each.programme_id for each in situation.certificates}
    coming = [
        Diploma(organisation, course.programme, course.certified_at, platform_url=course.certificate_url)
        for course in situation.courses
        if course.certified_at is not None and course.programme_id not in known
    ]
    return [*issued, *coming]


def _linkedin_url(certificate: Certificate) -> str:
    """Return LinkedIn's own form, filled in; nothing is sent before the person presses its button."""
    query = {
        "startTask": "CERTIFICATION_NAME",
        "name": programme_name(certificate),
        "organizationName": BRAND,
        "issueYear": certificate.certified_at.year,
        "issueMonth": certificate.certified_at.month,
        "certUrl": check_url(certificate.code),
        "certId": certificate.code,
    }
    return f"{LINKEDIN}?{urlencode(query)}"
