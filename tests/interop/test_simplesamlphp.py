"""SimpleSAMLphp signs people in, in a real browser: as it is, and with the habits of the makers that it can imitate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.interop.company import (
    Answers,
    connected_company,
    diagnosis,
    expect_signed_in,
    found_company,
    give_password,
    press,
    shown_trace,
    who,
)
from tests.interop.habits import AD_FS, SHIBBOLETH, TRANSIENT, URNS
from tests.interop.simplesamlphp import FORMAT_1_1, name_id_from
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from portal.demo.invented import Person
    from tests.interop.company import Company
    from tests.interop.simplesamlphp import SimpleSAMLphp
    from tests.journeys.conftest import Portal

pytestmark = pytest.mark.interop

# What a message must look like for a habit to have been followed.
SIGNED = "/samlp:Response[ds:Signature]"
UNSIGNED = "/samlp:Response[not(ds:Signature)]"
ASSERTION_SIGNED = "/saml:Assertion[ds:Signature]"
ASSERTION_UNSIGNED = "/saml:Assertion[not(ds:Signature)]"
ENCRYPTED = "/saml:EncryptedAssertion/xenc:EncryptedData[.//xenc:CipherValue]"
TARGETED_ID = "//saml:Attribute[@Name='urn:oid:1.3.6.1.4.1.5923.1.1.1.10']/saml:AttributeValue/saml:NameID"
CLAIM = "//saml:Attribute[@Name='http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress']"
URN = "//saml:Attribute[@Name='urn:mace:dir:attribute-def:mail']"


def test_somebody_signs_in(page: Page, rosier: Company, person: Person) -> None:
    page.goto(rosier.login_url)
    give_password(page, person)
    expect_signed_in(page, rosier, person)


def test_a_wrong_password_stays_there_and_the_right_one_still_signs_in(
    page: Page, rosier: Company, person: Person
) -> None:
    page.goto(rosier.login_url)
    give_password(page, person, "not the password")
    expect(page.locator("body")).to_contain_text("Incorrect username or password")
    assert who(page, rosier) == {}

    give_password(page, person)
    expect_signed_in(page, rosier, person)


def test_the_page_that_was_wanted_opens_after_the_sign_in(page: Page, rosier: Company, person: Person) -> None:
    page.goto(f"{rosier.login_url}?next=/me/?from=mail")
    give_password(page, person)
    page.wait_for_url(f"{rosier.portal.address}/me/?from=mail")


@pytest.mark.parametrize(
    ("habits", "shape"),
    [
        pytest.param({}, SIGNED + ASSERTION_SIGNED, id="both-signed"),
        pytest.param({"saml20.sign.assertion": False}, SIGNED + ASSERTION_UNSIGNED, id="response-only"),
        pytest.param({"saml20.sign.response": False}, UNSIGNED + ASSERTION_SIGNED, id="assertion-only"),
        pytest.param({"assertion.encryption": True}, SIGNED + ENCRYPTED, id="encrypted"),
        pytest.param(
            {"assertion.encryption": True, "saml20.sign.assertion": False},
            SIGNED + ENCRYPTED,
            id="only-response-signed",
        ),
        pytest.param(SHIBBOLETH, SIGNED + ASSERTION_UNSIGNED + TARGETED_ID, id="shibboleth"),
        pytest.param(SHIBBOLETH | {"assertion.encryption": True}, SIGNED + ENCRYPTED, id="shibboleth-encrypted"),
        pytest.param(AD_FS, UNSIGNED + ASSERTION_SIGNED + CLAIM, id="ad-fs"),
        pytest.param(URNS, SIGNED + ASSERTION_SIGNED + URN, id="urns"),
    ],
)
def test_the_habits_of_other_makers(
    page: Page, rosier: Company, simplesamlphp: SimpleSAMLphp, person: Person, habits: dict[str, Any], shape: str
) -> None:
    simplesamlphp.behave("rosier", **habits)
    answers = Answers(page)
    page.goto(rosier.login_url)
    give_password(page, person)
    expect_signed_in(page, rosier, person)
    answers.assert_shape(shape)

    # The second time it is the same person: what identifies them did not change.
    page.context.clear_cookies()
    page.goto(rosier.login_url)
    give_password(page, person)
    expect_signed_in(page, rosier, person)


@pytest.mark.parametrize(
    ("habits", "advice"),
    [
        pytest.param({"NameIDFormat": TRANSIENT, "authproc": {}}, "persistent", id="transient"),
        pytest.param(
            name_id_from("mail", f"{FORMAT_1_1}emailAddress"), "adresses sont réattribuées|persistent", id="e-mail"
        ),
        pytest.param(
            {"assertion.encryption": True, "saml20.sign.response": False}, "chiffr", id="cbc-in-an-unsigned-response"
        ),
        pytest.param({"nameid.encryption": True}, "chiffrement du NameID", id="encrypted-name"),
        pytest.param({"signature.algorithm": "http://www.w3.org/2000/09/xmldsig#rsa-sha1"}, "SHA-256", id="sha-1"),
        pytest.param({"saml20.sign.assertion": False, "saml20.sign.response": False}, "Sign assertion", id="unsigned"),
    ],
)
def test_a_habit_that_is_refused_is_explained_to_the_administrator(
    page: Page,
    rosier: Company,
    simplesamlphp: SimpleSAMLphp,
    person: Person,
    habits: dict[str, Any],
    advice: str,
) -> None:
    simplesamlphp.behave("rosier", **habits)
    page.goto(rosier.login_url)
    give_password(page, person)
    code = shown_trace(page, rosier)
    expect(diagnosis(page, rosier, code)).to_contain_text(re.compile(advice))


def test_a_sign_in_that_starts_at_the_identity_provider_becomes_one_of_ours(
    page: Page, rosier: Company, simplesamlphp: SimpleSAMLphp, person: Person
) -> None:
    page.goto(f"{simplesamlphp.address}/saml2/idp/SSOService.php?spentityid={rosier.connection['entity_id']}")
    give_password(page, person)
    expect_signed_in(page, rosier, person)


def test_a_request_by_post_where_nothing_else_is_offered(
    page: Page, portal: Portal, simplesamlphp: SimpleSAMLphp, person: Person, folder: Path
) -> None:
    """As Keycloak asks for by default: the request is a signed form, behind a button that needs no script."""
    keys = kit.keys("simplesamlphp")
    simplesamlphp.sign_with(keys, SingleSignOnServiceBinding=[kit.POST])
    found_company(portal, "charme", [person], folder)
    charme = connected_company(portal, "charme", simplesamlphp.metadata_url)
    simplesamlphp.sign_with(keys)
    simplesamlphp.know("charme", charme.our_metadata())

    page.goto(charme.login_url)
    press(page.locator("main form button"))
    give_password(page, person)
    expect_signed_in(page, charme, person)
