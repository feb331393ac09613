"""What every attempt leaves behind, who may read the message itself, and when it goes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.people.models import User
from sso.models import SignInTrace
from sso.saml.config import fingerprint
from sso.selectors import recent_failures, traces
from sso.tasks import forget_sign_ins
from sso.traces import read_message
from tests.factories.people import make_employee

if TYPE_CHECKING:
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db


def the_trace(company: Company) -> SignInTrace:
    with organisation_scope(company.organisation.pk):
        return SignInTrace.objects.select_related("user").get()


def message(company: Company, code: str) -> bytes:
    with organisation_scope(company.organisation.pk):
        return read_message(actor=OPERATOR, organisation=company.organisation, code=code)


def test_a_success_leaves_one_trace(poste: Company, visitor: Client) -> None:
    request_id = poste.begin(visitor)
    visitor.get(poste.post(poste.answer(request_id, number="00412877"))["Location"])

    trace = the_trace(poste)

    assert (trace.error, trace.purpose, trace.request_id) == ("", "sign-in", request_id)
    assert trace.user == User.objects.get()
    assert trace.certificate == fingerprint(poste.keys.certificate_pem)
    assert trace.client_address == "127.0.0.1"
    assert len(bytes(trace.name_id or b"")) == len(bytes(trace.assertion or b"")) == 32
    assert b"person-42" not in bytes(trace.raw or b"")
    assert b"person-42" in message(poste, trace.code)
    with organisation_scope(poste.organisation.pk):
        assert recent_failures(poste.organisation) == []
        assert list(traces(poste.organisation, connection=poste.connection)) == [trace]


def test_an_answer_that_led_to_nobody_is_one_attempt_too(poste: Company, visitor: Client) -> None:
    """It was verified, and the person is refused: the code shown is that of the message."""
    poste.sign_in(Client())
    User.objects.update(is_active=False)
    with organisation_scope(poste.organisation.pk):
        before = SignInTrace.objects.count()

    page = poste.sign_in(visitor)

    with organisation_scope(poste.organisation.pk):
        assert SignInTrace.objects.count() == before + 1
        trace = SignInTrace.objects.latest("id")
    assert (trace.error, trace.user) == ("user_disabled", None)
    assert trace.code in page.content.decode()
    assert b"person-42" in message(poste, trace.code)


def test_a_refused_message_is_kept_as_it_was_posted(poste: Company, visitor: Client) -> None:
    request_id = poste.begin(visitor)
    poste.post(poste.answer(request_id, audiences=(("https://other.example",),)))

    trace = the_trace(poste)

    assert (trace.error, trace.request_id, trace.purpose) == ("audience_mismatch", request_id, "sign-in")
    assert b"https://other.example" in message(poste, trace.code)


@pytest.mark.parametrize("posted", ["%%%", "no message at all", "AAAA"])
def test_rubbish_is_kept_too(poste: Company, posted: str) -> None:
    poste.post(posted)

    assert message(poste, the_trace(poste).code)


def test_an_address_that_the_visitor_invents_is_not_believed(poste: Company) -> None:
    Client(headers={"X-Forwarded-For": "203.0.113.9"}).post(poste.path("acs/"))

    assert the_trace(poste).client_address == "127.0.0.1"


def test_whoever_reads_a_message_is_named(poste: Company, visitor: Client) -> None:
    poste.sign_in(visitor)
    code = the_trace(poste).code

    message(poste, code.lower())

    with organisation_scope(poste.organisation.pk):
        event = AuditEvent.objects.latest("id")
    assert (event.action, event.subject) == ("sso:trace:read", code)


def test_another_partners_message_does_not_exist(poste: Company, avion: Company, visitor: Client) -> None:
    poste.sign_in(visitor)

    with pytest.raises(Refusal) as caught:
        message(avion, the_trace(poste).code)

    assert caught.value.code == "unknown_trace"


def test_after_a_week_the_message_is_gone_and_the_trace_stays(poste: Company, visitor: Client) -> None:
    poste.sign_in(visitor)
    code = the_trace(poste).code
    with organisation_scope(poste.organisation.pk):
        SignInTrace.objects.update(raw_until=timezone.now() - timedelta(hours=1))
    with pytest.raises(Refusal) as caught:
        message(poste, code)
    assert caught.value.code == "message_gone"

    forget_sign_ins()

    assert (the_trace(poste).raw, the_trace(poste).code) == (None, code)


FIRST, AGAIN = 19, 14
"""Statements of the two requests of a sign-in: each reads the door and the connection and enters the scope."""


def statements(company: Company, browser: Client, **said: str) -> list[str]:
    answer = company.answer(company.begin(browser), **said)
    with CaptureQueriesContext(connection) as captured:
        browser.get(company.post(answer)["Location"])
    # A test is one transaction around all: outside of one there are no savepoints, and the scope ends by itself.
    around = ("SAVEPOINT", "RELEASE", "SELECT set_config('portal.organisation', ''")
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(around)]


def test_a_sign_in_takes_the_same_few_statements_whoever_comes(poste: Company) -> None:
    for number in range(40):
        make_employee(poste.organisation, f"{number:08d}", email=f"person.{number}@laposte.example")
    # The first success of a connection is noted, and then not for minutes.
    poste.sign_in(Client())
    counted = []
    for number in (1, 2, 3):
        said = {"number": f"{number:08d}", "email": f"person.{number}@laposte.example", "name_id": f"p-{number}"}
        first = statements(poste, Client(), **said)
        again = statements(poste, Client(), **said)
        counted.append((len(first), len(again)))

    assert counted == [(FIRST, AGAIN)] * 3, "\n".join(again)
