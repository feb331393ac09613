"""Claiming, verifying, watching and losing e-mail domains."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from portal.audit.selectors import audit_lines
from portal.core.actor import OPERATOR, SYSTEM
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations import domains
from portal.organisations.domains import (
    Finding,
    claim_domain,
    domain_asked,
    note_recheck,
    readable_domain,
    remove_domain,
    verify_domain,
)
from portal.organisations.models import EmailDomain
from portal.organisations.selectors import domains_to_look_at, organisation_of_domain, owns_domain
from portal.organisations.txt_records import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


def claim(organisation: Organisation, domain: str, *, below: bool = False) -> EmailDomain:
    with organisation_scope(organisation.pk):
        return claim_domain(actor=OPERATOR, organisation=organisation, domain=domain, include_subdomains=below)


def verify(organisation: Organisation, claimed: EmailDomain, answer: Answer = Answer.FOUND) -> None:
    with organisation_scope(organisation.pk):
        verify_domain(actor=OPERATOR, organisation=organisation, claimed=claimed, answer=answer)


def verified(organisation: Organisation, domain: str, *, below: bool = False) -> EmailDomain:
    claimed = claim(organisation, domain, below=below)
    verify(organisation, claimed)
    claimed.refresh_from_db()
    return claimed


def refusal_of(attempt: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as refused:
        attempt()
    assert str(refused.value)
    return refused.value.code


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("acme.fr", "acme.fr"),
        (" @ACME.fr. ", "acme.fr"),
        ("someone@acme.fr", "acme.fr"),
        ("société.fr", "xn--socit-esab.fr"),
        ("acme.co.uk", "acme.co.uk"),
        ("laposte.example", "laposte.example"),
    ],
)
def test_a_domain_is_read_as_the_dns_writes_it(typed: str, asked: str) -> None:
    assert domain_asked(typed) == asked


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "invalid_domain"),
        ("acme", "invalid_domain"),
        ("not a domain", "invalid_domain"),
        ("acme..fr", "invalid_domain"),
        ("-acme.fr", "invalid_domain"),
        ("192.0.2.1", "invalid_domain"),
        ("acme.fr/x", "invalid_domain"),
        ("\x00.fr", "invalid_domain"),
        ("a" * 64 + ".fr", "invalid_domain"),
        ("fr", "invalid_domain"),
        ("co.uk", "public_suffix"),
        ("gouv.fr", "public_suffix"),
        ("github.io", "public_suffix"),
        ("gmail.com", "public_mail"),
        ("hotmail.co.uk", "public_mail"),
        ("mail.yahoo.fr", "public_mail"),
        ("laposte.net", "public_mail"),
        ("orange.fr", "public_mail"),
    ],
)
def test_what_nobody_may_claim_is_refused_with_a_sentence(typed: str, code: str) -> None:
    assert refusal_of(lambda: domain_asked(typed)) == code


def test_a_domain_is_shown_as_people_write_it() -> None:
    assert readable_domain("xn--socit-esab.fr") == "société.fr"
    assert readable_domain("acme.fr") == "acme.fr"


def test_a_claim_proves_nothing_until_its_record_is_there(laposte: Organisation) -> None:
    claimed = claim(laposte, "poste.fr")

    assert len(claimed.challenge) == 32
    assert claim(laposte, "poste.fr").challenge == claimed.challenge
    assert refusal_of(lambda: verify(laposte, claimed, Answer.MISSING)) == "record_missing"
    assert refusal_of(lambda: verify(laposte, claimed, Answer.SILENT)) == "dns_silent"
    assert not owns_domain(laposte, "poste.fr")

    verify(laposte, claimed)
    verify(laposte, claimed)

    assert owns_domain(laposte, "poste.fr")
    with organisation_scope(laposte.pk):
        said = [line.action for line in audit_lines(laposte)]
    assert said[:2] == ["organisations:domain:verify", "organisations:domain:claim"]


def test_subdomains_count_only_when_they_were_claimed(laposte: Organisation, airbus: Organisation) -> None:
    verified(laposte, "poste.fr")
    verified(airbus, "avion.fr", below=True)

    assert not owns_domain(laposte, "nord.poste.fr")
    assert owns_domain(airbus, "a.nord.avion.fr")
    assert owns_domain(airbus, "AVION.fr")
    assert not owns_domain(airbus, "notavion.fr")
    assert not owns_domain(airbus, "fr")
    assert not owns_domain(airbus, "")
    assert organisation_of_domain("nord.avion.fr") == airbus
    assert organisation_of_domain("nord.poste.fr") is None


@pytest.mark.parametrize(
    ("theirs", "below", "ours", "ours_below"),
    [
        ("acme.fr", False, "acme.fr", False),
        ("acme.fr", True, "nord.acme.fr", False),
        ("nord.acme.fr", False, "acme.fr", True),
    ],
)
def test_one_address_never_belongs_to_two(
    laposte: Organisation, airbus: Organisation, theirs: str, ours: str, *, below: bool, ours_below: bool
) -> None:
    verified(airbus, theirs, below=below)
    claimed = claim(laposte, ours, below=ours_below)

    with pytest.raises(Refusal) as refused:
        verify(laposte, claimed)

    assert refused.value.code == "cannot_verify"
    assert "Airbus" not in str(refused.value)
    # Without the record the answer is what anybody gets: nothing tells that there is another owner.
    assert refusal_of(lambda: verify(laposte, claimed, Answer.MISSING)) == "record_missing"


def test_a_neighbour_is_no_clash(laposte: Organisation, airbus: Organisation) -> None:
    verified(airbus, "acme.fr")
    verified(laposte, "nord.acme.fr", below=True)
    assert owns_domain(laposte, "x.nord.acme.fr")
    assert not owns_domain(airbus, "nord.acme.fr")


def test_subdomains_added_later_are_looked_at_too(laposte: Organisation, airbus: Organisation) -> None:
    verified(airbus, "nord.acme.fr")
    verified(laposte, "acme.fr")
    assert refusal_of(lambda: claim(laposte, "acme.fr", below=True)) == "cannot_verify"
    assert not owns_domain(laposte, "sud.acme.fr")
    assert claim(laposte, "acme.fr", below=False).verified_at


def test_a_removed_domain_is_free(laposte: Organisation, airbus: Organisation) -> None:
    claimed = verified(airbus, "acme.fr")
    with organisation_scope(airbus.pk):
        remove_domain(actor=OPERATOR, organisation=airbus, claimed=claimed)
        remove_domain(actor=OPERATOR, organisation=airbus, claimed=claimed)
    assert not owns_domain(airbus, "acme.fr")
    verified(laposte, "acme.fr")


def test_there_are_not_endless_claims(laposte: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "MOST_DOMAINS", 2)
    claim(laposte, "poste.fr")
    assert refusal_of(lambda: claim(laposte, "courrier.fr")) == "too_many_domains"


def look(claimed: EmailDomain, answer: Answer, *, days: float) -> Finding:
    with organisation_scope(claimed.organisation_id):
        now = timezone.now() + timedelta(days=days)
        return note_recheck(actor=SYSTEM, claimed=claimed, answer=answer, now=now)


def test_a_missing_record_costs_the_domain_after_two_weeks(laposte: Organisation) -> None:
    claimed = verified(laposte, "poste.fr")

    assert look(claimed, Answer.FOUND, days=7) is Finding.KEPT
    assert look(claimed, Answer.MISSING, days=14) is Finding.MISSING
    assert look(claimed, Answer.MISSING, days=27) is Finding.STILL_MISSING
    assert owns_domain(laposte, "poste.fr")
    assert look(claimed, Answer.MISSING, days=28) is Finding.LOST

    assert not owns_domain(laposte, "poste.fr")
    with organisation_scope(laposte.pk):
        assert audit_lines(laposte)[0].action == "organisations:domain:lose"
    assert look(claimed, Answer.MISSING, days=29) is Finding.UNDECIDED
    verify(laposte, claimed)
    assert owns_domain(laposte, "poste.fr")


def test_a_record_that_comes_back_ends_the_count(laposte: Organisation) -> None:
    claimed = verified(laposte, "poste.fr")
    look(claimed, Answer.MISSING, days=1)
    assert look(claimed, Answer.FOUND, days=10) is Finding.KEPT
    assert look(claimed, Answer.MISSING, days=17) is Finding.MISSING


def test_silence_decides_nothing_until_it_has_lasted_a_month(laposte: Organisation) -> None:
    claimed = verified(laposte, "poste.fr")
    assert look(claimed, Answer.SILENT, days=29) is Finding.UNDECIDED
    assert look(claimed, Answer.SILENT, days=31) is Finding.MISSING
    assert look(claimed, Answer.SILENT, days=46) is Finding.LOST


def test_what_is_due_for_a_look(laposte: Organisation) -> None:
    fresh, old, missing, unproved = (claim(laposte, f"{name}.fr") for name in ("fresh", "old", "missing", "unproved"))
    now = timezone.now()
    for claimed, days, gone in ((fresh, 6, None), (old, 8, None), (missing, 2, now)):
        EmailDomain.objects.filter(pk=claimed.pk).update(
            verified_at=now, checked_at=now - timedelta(days=days), missing_since=gone
        )
    due = {each.domain for each in domains_to_look_at(now=now, limit=10)}
    # Neither the one that was never verified, nor laposte.example, for which the operator vouches.
    assert due == {old.domain, missing.domain}
    assert unproved.verified_at is None


def test_subdomains_that_were_added_while_the_dns_was_asked_are_looked_at_too(
    laposte: Organisation, airbus: Organisation
) -> None:
    verified(airbus, "north.acme.fr")
    asked = claim(laposte, "acme.fr")
    claim(laposte, "acme.fr", below=True)

    assert refusal_of(lambda: verify(laposte, asked)) == "cannot_verify"
    assert not owns_domain(laposte, "north.acme.fr")


def test_a_claim_that_was_given_up_meanwhile_is_not_verified(laposte: Organisation) -> None:
    asked = claim(laposte, "acme.fr")
    with organisation_scope(laposte.pk):
        remove_domain(actor=OPERATOR, organisation=laposte, claimed=EmailDomain.objects.get(pk=asked.pk))

    assert refusal_of(lambda: verify(laposte, asked)) == "record_missing"
