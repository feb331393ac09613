"""What sign-ins leave behind is forgotten, one organisation at a time, and what still protects stays."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from portal.core.tenancy import organisation_scope
from sso.models import SignInRequest, SignInTrace, UsedAssertion
from sso.tasks import forget_sign_ins

if TYPE_CHECKING:
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db


def left_behind(company: Company) -> tuple[int, int, int]:
    with organisation_scope(company.organisation.pk):
        return SignInRequest.objects.count(), UsedAssertion.objects.count(), SignInTrace.objects.count()


def test_fresh_traces_stay(poste: Company) -> None:
    poste.sign_in(Client())
    poste.post("rubbish")

    forget_sign_ins()

    assert left_behind(poste) == (1, 1, 2)


def test_old_ones_go_in_every_organisation(poste: Company, avion: Company) -> None:
    past = timezone.now() - timedelta(days=31)
    for company in (poste, avion):
        company.sign_in(Client())
        company.post("rubbish")
        with organisation_scope(company.organisation.pk):
            SignInRequest.objects.update(expires_at=past)
            UsedAssertion.objects.update(expires_at=past)
            SignInTrace.objects.update(at=past)

    forget_sign_ins()

    assert left_behind(poste) == left_behind(avion) == (0, 0, 0)


def test_an_answer_that_nobody_fetched_goes_with_its_ticket(poste: Company) -> None:
    poste.post(poste.answer(poste.begin(Client())))
    with organisation_scope(poste.organisation.pk):
        SignInRequest.objects.update(ticket_expires_at=timezone.now())

    forget_sign_ins()

    with organisation_scope(poste.organisation.pk):
        assert SignInRequest.objects.get().answer is None
