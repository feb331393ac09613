"""What anybody may open: the page that checks a certificate, and the way back to one's own after leaving a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal.core.actor import SYSTEM
from portal.core.limits import Limit
from portal.core.tasks import deliver_mail_of, enqueue_on_commit
from portal.dashboards.forms import LostCertificateForm
from portal.dashboards.learner_views import pdf_answer
from portal.people.private_address import VALID_FOR, address_asked, confirm_private_address, masked
from portal.progress.certificate_document import programme_name, seal_holds
from portal.progress.certificate_mail import send_certificates
from portal.progress.certificates import certificate_behind, code_read
from sso.admission import client_address

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MISSES: Final = Limit("certificate", most=30, seconds=60)
LINK_MISSES: Final = Limit("private-address-link", most=30, seconds=60)
LOST: Final = Limit("lost-certificates", most=20, seconds=3600)
LOST_MAILBOX: Final = Limit("lost-certificates-mailbox", most=3, seconds=3600)


@login_not_required
@require_safe
@never_cache
def certificate_check(request: HttpRequest, code: str) -> HttpResponse:
    """Say whether a certificate is real: whose, of what, since when, and nothing of any employer.

    What nobody holds gets the same page, without a certificate. Only misses count against a visitor.
    """
    visitor = client_address(request)
    if MISSES.reached(visitor):
        return _check_page(request, {"too_many": True}, status=429)
    certificate = certificate_behind(code_read(code))
    if certificate is None:
        MISSES.count(visitor)
        return _check_page(request, {}, status=404)
    return _check_page(request, {"certificate": certificate, "programme": programme_name(certificate)})


def _check_page(request: HttpRequest, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    answer = render(request, "dashboards/certificate_check.html", context, status=status)
    answer["X-Robots-Tag"] = "noindex"
    return answer


@login_not_required
@require_safe
@never_cache
def certificate_file(request: HttpRequest, code: str, seal: str) -> HttpResponse:  # noqa: ARG001  A view's signature.
    """Give the PDF to whoever was sent its link, for as long as the link works."""
    certificate = certificate_behind(code) if seal_holds(code, seal) else None
    if certificate is None or certificate.revoked_at is not None:
        raise Http404
    return pdf_answer(certificate)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def lost_certificates(request: HttpRequest) -> HttpResponse:
    """Take a private address and always say the same: who is known here is nobody's business."""
    form = LostCertificateForm(request.POST if request.method == "POST" else None)
    visitor = client_address(request)
    if form.is_bound and LOST.reached(visitor):
        form.add_error(None, _("Too many tries come from your network. Wait an hour, then try again."))
        return render(request, "dashboards/lost_certificates.html", {"form": form}, status=429)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "dashboards/lost_certificates.html", {"form": form}, status=status)
    LOST.count(visitor)
    address = form.cleaned_data["address"].strip().lower()
    if not LOST_MAILBOX.reached(address):
        LOST_MAILBOX.count(address)
        organisation_id = send_certificates(actor=SYSTEM, address=address)
        if organisation_id is not None:
            enqueue_on_commit(deliver_mail_of, organisation_id)
    return render(request, "dashboards/lost_certificates.html", {"form": form, "sent": True})


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def private_address_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask before anything is done: scanners of mail open every link, and press no button."""
    visitor = client_address(request)
    hours = int(VALID_FOR.total_seconds() // 3600)
    if LINK_MISSES.reached(visitor):
        return render(request, "dashboards/private_address_confirm.html", {"hours": hours}, status=429)
    asked = address_asked(token)
    if asked is None:
        LINK_MISSES.count(visitor)
        return render(request, "dashboards/private_address_confirm.html", {"hours": hours}, status=404)
    done = request.method == "POST" and confirm_private_address(token=token)
    context = {"asked": masked(asked.candidate), "done": done, "hours": hours}
    return render(request, "dashboards/private_address_confirm.html", context)
