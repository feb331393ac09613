"""The page of an organisation's e-mail domains: claim, copy the record, check, remove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.core.access import Permission
from portal.core.errors import Refusal
from portal.organisations.domains import GRACE, claim_domain, readable_domain, remove_domain, verify_domain
from portal.organisations.selectors import organisation_domains
from portal.organisations.txt_records import proof_of, record_name, record_value
from portal.people.admission import organisation_page
from portal.people.domain_forms import DomainForm

if TYPE_CHECKING:
    import datetime as dt

    from django.http import HttpResponse

    from portal.core.http import OrganisationRequest
    from portal.organisations.models import EmailDomain


@dataclass(frozen=True, slots=True)
class DomainCard:
    """A domain as its owner reads it; `vouched` is one that the operator gave, without a record."""

    claimed: EmailDomain
    readable: str
    record: str
    value: str
    vouched: bool
    lost_on: dt.datetime | None


@require_http_methods(["GET", "HEAD", "POST"])
@organisation_page(Permission.MANAGE_SIGN_IN)
def domains(request: OrganisationRequest) -> HttpResponse:
    form = DomainForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _claimed(request, form):
        return redirect("domains", org=request.organisation.slug)
    return _page(request, form, status=422 if form.is_bound else 200)


@require_POST
@organisation_page(Permission.MANAGE_SIGN_IN)
def domain_check(request: OrganisationRequest, domain_id: int) -> HttpResponse:
    """Ask the DNS now; a domain that the operator gave has no record to look for."""
    claimed = _domain(request, domain_id)
    if claimed.challenge:
        answer = proof_of(claimed.domain, claimed.challenge)
        try:
            verify_domain(actor=request.access.actor, organisation=request.organisation, claimed=claimed, answer=answer)
            messages.success(request, _("%(domain)s is verified.") % {"domain": readable_domain(claimed.domain)})
        except Refusal as refusal:
            messages.error(request, f"{readable_domain(claimed.domain)} – {refusal}")
    return redirect("domains", org=request.organisation.slug)


@require_POST
@organisation_page(Permission.MANAGE_SIGN_IN)
def domain_remove(request: OrganisationRequest, domain_id: int) -> HttpResponse:
    claimed = _domain(request, domain_id)
    remove_domain(actor=request.access.actor, organisation=request.organisation, claimed=claimed)
    messages.success(request, _("%(domain)s was removed.") % {"domain": readable_domain(claimed.domain)})
    return redirect("domains", org=request.organisation.slug)


def _claimed(request: OrganisationRequest, form: DomainForm) -> bool:
    try:
        claim_domain(actor=request.access.actor, organisation=request.organisation, **form.cleaned_data)
    except Refusal as refusal:
        form.add_error("domain", str(refusal))
        return False
    return True


def _domain(request: OrganisationRequest, domain_id: int) -> EmailDomain:
    claimed = organisation_domains(request.organisation).filter(pk=domain_id).first()
    if claimed is None:
        raise Http404
    return claimed


def _page(request: OrganisationRequest, form: DomainForm, *, status: int) -> HttpResponse:
    known = [_card(claimed) for claimed in organisation_domains(request.organisation)]
    verified = sum(1 for card in known if card.claimed.verified_at)
    context = {"cards": known, "verified": verified, "form": form}
    return render(request, "people/domains.html", context, status=status)


def _card(claimed: EmailDomain) -> DomainCard:
    return DomainCard(
        claimed=claimed,
        readable=readable_domain(claimed.domain),
        record=record_name(claimed.domain),
        value=record_value(claimed.challenge),
        vouched=not claimed.challenge,
        lost_on=claimed.missing_since + GRACE if claimed.missing_since and claimed.verified_at else None,
    )
