"""The page of a refused sign-in: one sentence, what to do now, whom to ask with which code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from portal.organisations.models import Organisation
from sso.diagnosis import _DIAGNOSES
from sso.refusals import contact_url, refusal_context

if TYPE_CHECKING:
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("contact", "url"),
    [
        ("it@laposte.example", "mailto:it@laposte.example?subject="),
        ("+33 1 23 45 67 89", "tel:+33123456789"),
        ("3400", "tel:3400"),
        ("IT support, 3400", ""),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("a@b.example?bcc=x@y.example", ""),
    ],
)
def test_a_contact_becomes_a_link_only_when_it_is_nothing_else(contact: str, url: str) -> None:
    found = contact_url(contact, "ABCDEFGH")

    assert found.startswith(url) if url else found == ""
    assert "ABCDEFGH" in found or not found.startswith("mailto:")


@pytest.mark.parametrize("code", [*sorted(_DIAGNOSES), "malformed", "too_many"])
def test_nobody_is_left_without_a_next_step(poste: Company, code: str) -> None:
    context = refusal_context(poste.connection, code=code, trace="ABCDEFGH")

    assert context["sentence"]
    somebody_else_first = code in {"user_disabled", "connection_closed", "identity_suspended"}
    assert bool(context["start_again"] or context["try_later"] or context["staff"]) is not somebody_else_first


def test_the_page_says_whom_to_ask_with_which_code(poste: Company) -> None:
    Organisation.objects.update(support_contact="it@laposte.example")

    page = poste.post(poste.answer(poste.begin(Client()), audiences=(("https://other.example",),)))

    assert page.status_code == 400
    assert page.context["trace"] in page.text
    assert 'href="mailto:it@laposte.example' in page.text
    assert poste.path("login/") in page.text
    assert "other.example" not in page.text
    assert "audience" not in page.text


def test_without_a_contact_hr_is_named(poste: Company) -> None:
    page = poste.post("rubbish")

    assert "La Poste" in page.text
    assert page.context["trace"] in page.text
