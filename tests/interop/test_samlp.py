"""npm samlp signs people in as Entra ID does: the NameID is an address, the person is the object identifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.interop.company import (
    GCM,
    Answers,
    certificate_in,
    connected_company,
    expect_signed_in,
    found_company,
    invented_people,
    shown_trace,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from portal.demo.invented import Person
    from tests.interop.company import Company
    from tests.interop.samlp import Samlp
    from tests.journeys.conftest import Portal

pytestmark = pytest.mark.interop

PEOPLE = invented_people("tilleul.example", 10)


@pytest.fixture(scope="module")
def tilleul(portal: Portal, samlp: Samlp, folder: Path) -> Company:
    found_company(portal, "tilleul", PEOPLE, folder)
    return connected_company(portal, "tilleul", samlp.metadata_url)


@pytest.fixture(scope="module")
def _employees() -> Iterator[Person]:
    return iter(PEOPLE)


@pytest.fixture
def employee(_employees: Iterator[Person]) -> Person:
    return next(_employees)


@pytest.mark.parametrize(
    ("habits", "shape"),
    [
        pytest.param({}, "/samlp:Response[not(ds:Signature)]/saml:Assertion[ds:Signature]", id="assertion-only"),
        pytest.param(
            {"signResponse": True, "signAssertion": False},
            "/samlp:Response[ds:Signature]/saml:Assertion[not(ds:Signature)]",
            id="response-only",
        ),
        pytest.param({"signResponse": True}, "/samlp:Response[ds:Signature]/saml:Assertion[ds:Signature]", id="both"),
        pytest.param(
            {"signatureNamespacePrefix": "ds", "includeAttributeNameFormat": False},
            "//saml:Attribute[not(@NameFormat)]",
            id="no-name-format",
        ),
    ],
)
def test_entra_like_claims(
    page: Page, tilleul: Company, samlp: Samlp, employee: Person, habits: dict[str, Any], shape: str
) -> None:
    samlp.behave(employee, acs_url=tilleul.connection["acs_url"], **habits)
    answers = Answers(page)
    page.goto(tilleul.login_url)
    expect_signed_in(page, tilleul, employee)
    answers.assert_shape(shape)


def test_a_changed_address_is_the_same_person(page: Page, tilleul: Company, samlp: Samlp, employee: Person) -> None:
    acs_url = tilleul.connection["acs_url"]
    samlp.behave(employee, acs_url=acs_url)
    page.goto(tilleul.login_url)
    expect_signed_in(page, tilleul, employee)

    # Married: the user principal name and the mailbox have changed, the object identifier has not.
    samlp.behave(employee, acs_url=acs_url, email=f"new.{employee.email}")
    page.context.clear_cookies()
    page.goto(tilleul.login_url)
    expect_signed_in(page, tilleul, employee)


@pytest.mark.parametrize("signed", [False, True], ids=["only-the-assertion-signed", "the-response-signed"])
def test_an_assertion_encrypted_with_gcm(
    page: Page, tilleul: Company, samlp: Samlp, employee: Person, *, signed: bool
) -> None:
    certificate = certificate_in(tilleul.our_metadata())
    encryption = {"encryptionAlgorithm": GCM, "encryptionCert": certificate, "encryptionPublicKey": certificate}
    samlp.behave(employee, acs_url=tilleul.connection["acs_url"], signResponse=signed, **encryption)
    answers = Answers(page)
    page.goto(tilleul.login_url)
    expect_signed_in(page, tilleul, employee)
    answers.assert_shape(f"//xenc:EncryptedData/xenc:EncryptionMethod[@Algorithm='{GCM}']")


def test_an_answer_that_names_our_entity_id_as_its_destination_is_refused(
    page: Page, tilleul: Company, samlp: Samlp, employee: Person
) -> None:
    """What the library does unless it is told: an answer has to say where it goes."""
    samlp.behave(employee, acs_url=tilleul.connection["acs_url"], destination=tilleul.connection["entity_id"])
    page.goto(tilleul.login_url)
    assert shown_trace(page, tilleul)
