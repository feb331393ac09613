"""Two connections side by side: who is led where, and what closing one ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from sso.discovery import door_of
from sso.models import Connection, SignInSession
from sso.selectors import open_connection
from sso.switching import close_connection, lead_newcomers_to, reopen_connection
from tests.factories.people import sign_in
from tests.sso.company import Company, make_company

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.people.models import User

pytestmark = pytest.mark.django_db


def do(service: Callable[..., None], company: Company) -> None:
    company.organisation.refresh_from_db()
    with organisation_scope(company.organisation.pk):
        connection = Connection.objects.get(pk=company.connection.pk)
        service(actor=OPERATOR, organisation=company.organisation, connection=connection)


def led_to(company: Company) -> Connection | None:
    with organisation_scope(company.organisation.pk):
        return open_connection(company.organisation.pk)


def test_newcomers_are_led_where_the_owner_says(poste: Company) -> None:
    newer = make_company(poste.organisation, name="entra")
    assert led_to(poste) == poste.connection

    do(lead_newcomers_to, newer)
    assert led_to(poste) == newer.connection
    assert door_of("anyone@laposte.example") == newer.path("login/")
    assert poste.sign_in(Client()).status_code == 302

    do(lead_newcomers_to, poste)
    assert led_to(poste) == poste.connection


def test_nobody_is_led_to_what_is_not_open(poste: Company) -> None:
    newer = make_company(poste.organisation, name="entra", activate=False)
    with pytest.raises(Refusal) as refused:
        do(lead_newcomers_to, newer)

    assert refused.value.code == "not_open"


def test_nobody_comes_in_by_what_is_closed(poste: Company) -> None:
    newer = make_company(poste.organisation, name="entra")
    browser = Client()
    begun = poste.begin(browser)
    do(close_connection, poste)

    assert Client().get(poste.path("login/")).status_code == 403
    assert poste.post(poste.answer(begun)).status_code == 403
    assert newer.sign_in(Client()).status_code == 302
    assert led_to(poste) == newer.connection


def test_an_answer_in_waiting_comes_to_nothing_once_closed(poste: Company) -> None:
    browser = Client()
    posted = poste.post(poste.answer(poste.begin(browser)))
    do(close_connection, poste)

    assert browser.get(posted["Location"]).status_code == 403


def test_closing_ends_the_sessions_that_began_there_and_no_others(
    poste: Company, amelie_login: User, helene: User
) -> None:
    newer = make_company(poste.organisation, name="entra")
    here, there = sign_in(amelie_login, poste.organisation), sign_in(helene, poste.organisation)
    with organisation_scope(poste.organisation.pk):
        for browser, company, user in ((here, poste, amelie_login), (there, newer, helene)):
            SignInSession.objects.create(
                organisation=company.organisation,
                connection=company.connection,
                user=user,
                session_key=browser.session.session_key or "",
                name_id=b"1",
                sealed=b"1",
                expires_at=timezone.now(),
            )
    ended = here.session.session_key

    do(close_connection, poste)

    assert not Session.objects.filter(session_key=ended).exists()
    assert here.get("/me/").status_code == 302
    assert there.get("/o/laposte/").status_code == 200
    with organisation_scope(poste.organisation.pk):
        assert list(SignInSession.objects.values_list("user", flat=True)) == [helene.pk]
        assert AuditEvent.objects.get(action="sso:connection:close").data == {"sessions": 1}


def test_what_was_closed_is_opened_again(poste: Company) -> None:
    do(close_connection, poste)
    do(close_connection, poste)
    do(reopen_connection, poste)
    do(reopen_connection, poste)

    assert poste.sign_in(Client()).status_code == 302
    with organisation_scope(poste.organisation.pk):
        assert AuditEvent.objects.filter(action="sso:connection:close").count() == 1
        assert AuditEvent.objects.filter(data__reopened=True).count() == 1


def test_the_last_one_stays_open_while_it_is_required(poste: Company) -> None:
    newer = make_company(poste.organisation, name="entra")
    poste.organisation.sign_in_enforced_at = timezone.now()
    poste.organisation.save()
    do(close_connection, newer)

    with pytest.raises(Refusal) as refused:
        do(close_connection, poste)

    assert refused.value.code == "last_open"
