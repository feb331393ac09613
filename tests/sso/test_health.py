"""Failing: many failures in a row, of several people, and well again by one success."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.core.actor import SYSTEM
from portal.core.models import OutgoingMail
from portal.core.tenancy import organisation_scope
from sso.health import DIFFERENT, FAILURES, note_failure, note_success
from sso.models import Connection, SignInRequest, SignInTrace
from sso.replay import REQUEST_LIFETIME, digest
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from portal.people.models import User
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db


def now_of(company: Company) -> Connection:
    with organisation_scope(company.organisation.pk):
        return Connection.objects.select_related("organisation").get(pk=company.connection.pk)


def fail(company: Company, times: int, *, code: str = "signature_invalid", browsers: int = DIFFERENT) -> None:
    """Let sign-ins of so many browsers fail, one after the other."""
    with organisation_scope(company.organisation.pk):
        for turn in range(times):
            request_id = f"_{secrets.token_hex(8)}"
            SignInRequest.objects.create(
                organisation=company.organisation,
                connection=company.connection,
                request_id=request_id,
                browser=digest(f"browser {turn % browsers}"),
                expires_at=timezone.now() + REQUEST_LIFETIME,
            )
            SignInTrace.objects.create(
                organisation=company.organisation,
                connection=company.connection,
                code=secrets.token_hex(5),
                error=code,
                request_id=request_id,
            )
            note_failure(actor=SYSTEM, connection=now_of(company), code=code)


def test_the_twentieth_failure_of_several_people_makes_it_failing(poste: Company, odile: User) -> None:
    fail(poste, FAILURES - 1)
    assert now_of(poste).state == Connection.State.ACTIVE
    fail(poste, 1)
    assert now_of(poste).state == Connection.State.FAILING
    fail(poste, 5)

    with organisation_scope(poste.organisation.pk):
        assert list(OutgoingMail.objects.values_list("name", "address")) == [("sign-in-failing", odile.email)]
        assert AuditEvent.objects.filter(action="sso:connection:fail").count() == 1


def test_one_person_who_tries_all_morning_is_not_a_company(poste: Company) -> None:
    fail(poste, FAILURES * 2, browsers=DIFFERENT - 1)
    assert now_of(poste).state == Connection.State.ACTIVE

    fail(poste, DIFFERENT)
    assert now_of(poste).state == Connection.State.FAILING


@pytest.mark.parametrize("code", ["replay", "malformed", "status_authn_failed", "browser_mismatch", "user_disabled"])
def test_what_says_nothing_of_the_connection_does_not_count(poste: Company, code: str) -> None:
    fail(poste, FAILURES + 1, code=code)

    connection = now_of(poste)
    assert (connection.state, connection.failures) == (Connection.State.ACTIVE, 0)


def test_rubbish_from_anybody_does_not_make_a_connection_fail(poste: Company) -> None:
    for _turn in range(FAILURES + 1):
        poste.post("rubbish")

    assert now_of(poste).failures == 0


def test_a_real_wrong_answer_counts_and_one_success_forgives(poste: Company, odile: User) -> None:
    fail(poste, FAILURES)
    assert now_of(poste).state == Connection.State.FAILING
    browser = Client()
    poste.post(poste.answer(poste.begin(browser), audiences=(("https://other.example",),)))
    assert now_of(poste).failures == FAILURES + 1

    assert poste.sign_in(Client()).status_code == 302

    connection = now_of(poste)
    assert (connection.state, connection.failures) == (Connection.State.ACTIVE, 0)
    assert connection.last_success_at
    with organisation_scope(poste.organisation.pk):
        assert AuditEvent.objects.filter(action="sso:connection:recover").count() == 1


def test_a_success_in_between_begins_the_count_anew(poste: Company) -> None:
    fail(poste, FAILURES - 1)
    poste.sign_in(Client())
    fail(poste, FAILURES - 1)

    assert now_of(poste).state == Connection.State.ACTIVE


def test_a_busy_morning_writes_no_success_twice(poste: Company) -> None:
    with organisation_scope(poste.organisation.pk):
        with CaptureQueriesContext(
            database,
        ) as first:
            note_success(actor=SYSTEM, connection=now_of(poste))
        known = now_of(poste)
        with CaptureQueriesContext(database) as second:
            note_success(actor=SYSTEM, connection=known)

    assert sum("UPDATE" in query["sql"] for query in first) == 1
    assert sum("UPDATE" in query["sql"] for query in second) == 0


def test_a_test_that_fails_is_no_failure_of_the_company(poste: Company) -> None:
    with organisation_scope(poste.organisation.pk):
        Connection.objects.update(state=Connection.State.TESTED)
    fail(poste, FAILURES)

    assert now_of(poste).state == Connection.State.TESTED


def test_an_unknown_key_is_told_from_a_wrong_password(poste: Company) -> None:
    stranger = kit.keys("stranger")
    browser = Client()
    message = poste.message(poste.begin(browser))
    poste.post(kit.encode(kit.signed(message, how=kit.Signature(by=stranger))))

    assert now_of(poste).failures == 1
