"""Real messages of other makers' identity providers: who they say it is, or why they are refused (`captured/`)."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sso.saml.attributes import NAME_ID, mapped
from sso.saml.config import IdentityProvider
from sso.saml.errors import SAMLError
from sso.saml.logout import received_by_post, received_by_redirect, verify_request
from sso.saml.response import verify_response
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from sso.saml.attributes import MappedPerson
    from sso.saml.config import ServiceProvider
    from sso.saml.logout import Received
    from sso.saml.response import VerifiedAssertion

CAPTURED = Path(__file__).parent / "captured"
MOMENTS: dict[str, str] = json.loads((CAPTURED / "moments.json").read_text())
ISSUERS = {
    "simplesamlphp": kit.IDP_ENTITY_ID,
    "samlp": "https://sts.windows.net/7b1d4c3e-5a29-4f0e-9d6b-2c8f10a3e4d5/",
}
TARGETED_ID = "urn:oid:1.3.6.1.4.1.5923.1.1.1.10"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
ACCEPTED = {
    "simplesamlphp-plain.xml": NAME_ID,
    "simplesamlphp-response-only.xml": NAME_ID,
    "simplesamlphp-assertion-only.xml": NAME_ID,
    "simplesamlphp-encrypted.xml": NAME_ID,
    "simplesamlphp-shibboleth.xml": TARGETED_ID,
    "simplesamlphp-ad-fs.xml": NAME_ID,
    "simplesamlphp-urns.xml": NAME_ID,
    "samlp-plain.xml": OBJECT_ID,
    "samlp-response-only.xml": OBJECT_ID,
    "samlp-encrypted.xml": OBJECT_ID,
}
REFUSED = {
    "simplesamlphp-encrypted-in-an-unsigned-response.xml": "encrypted_cbc_unsigned",
    "simplesamlphp-transient.xml": "nameid_transient",
    "simplesamlphp-address.xml": "nameid_email",
    "simplesamlphp-encrypted-name.xml": "nameid_encrypted",
    "simplesamlphp-sha-1.xml": "weak_algorithm",
    "samlp-destination-by-default.xml": "destination_mismatch",
}

SIGN_OUT = (
    "simplesamlphp-logout-redirect.txt",
    "simplesamlphp-logout-post.xml",
    "simplesamlphp-logout-encrypted-name.xml",
)


@pytest.fixture
def ours(sp: ServiceProvider) -> ServiceProvider:
    """Our side as it was when the messages were written: what is encrypted was for that key."""
    key, begin, certificate = (CAPTURED / "portal.pem").read_text().partition("-----BEGIN CERTIFICATE-----")
    return replace(sp, private_key_pem=key, certificate_pem=begin + certificate)


def verified(name: str, ours: ServiceProvider, **changed: Any) -> VerifiedAssertion:
    raw = kit.encode_text((CAPTURED / name).read_bytes())
    asked = {"request_id": kit.REQUEST_ID, "now": moment_of(name), **changed}
    return verify_response(raw, sp=ours, idp=maker_of(name), **asked)


def maker_of(name: str) -> IdentityProvider:
    maker = name.partition("-")[0]
    certificate = (CAPTURED / f"{maker}.pem").read_text()
    return IdentityProvider(entity_id=ISSUERS[maker], sso_url=kit.SSO_URL, certificates=(certificate,))


def moment_of(name: str) -> dt.datetime:
    return dt.datetime.fromisoformat(MOMENTS[name])


def person_in(name: str, ours: ServiceProvider) -> MappedPerson:
    return mapped(verified(name, ours), {})


def test_every_captured_message_has_its_expectation() -> None:
    assert {*ACCEPTED, *REFUSED, *SIGN_OUT} == set(MOMENTS)


@pytest.mark.parametrize("name", ACCEPTED)
def test_who_it_is(name: str, ours: ServiceProvider) -> None:
    person = person_in(name, ours)

    assert person.subject_source == ACCEPTED[name]
    assert (person.first_name, person.last_name) == ("Célia", "Fontaine")
    assert person.email == "celia.fontaine0@company.example"


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_why_it_is_refused(name: str, code: str, ours: ServiceProvider) -> None:
    with pytest.raises(SAMLError) as caught:
        person_in(name, ours)

    assert caught.value.code == code


@pytest.mark.parametrize("name", ACCEPTED)
def test_none_answers_another_request_or_lasts_beyond_its_end(name: str, ours: ServiceProvider) -> None:
    with pytest.raises(SAMLError) as caught:
        verified(name, ours, request_id="_request-2")
    assert caught.value.code == "request_unknown"

    with pytest.raises(SAMLError) as caught:
        verified(name, ours, now=moment_of(name) + dt.timedelta(hours=2))
    assert caught.value.code == "expired"


def test_the_same_person_is_the_same_in_each_habit_that_names_the_same_attribute(ours: ServiceProvider) -> None:
    subjects = {person_in(name, ours).subject for name, source in ACCEPTED.items() if source == NAME_ID}
    assert subjects == {"u700100"}


def test_a_session_without_an_index_is_one(ours: ServiceProvider) -> None:
    assert verified("samlp-plain.xml", ours).session_index == ""
    assert verified("simplesamlphp-plain.xml", ours).session_index.startswith("_")


def received(name: str) -> Received:
    content = (CAPTURED / name).read_bytes()
    if name.endswith(".txt"):
        return received_by_redirect(content.decode())
    return received_by_post({"SAMLRequest": kit.encode_text(content)})


@pytest.mark.parametrize("name", SIGN_OUT)
def test_whom_it_signs_out(name: str, ours: ServiceProvider) -> None:
    wanted = verify_request(received(name), sp=ours, idp=maker_of(name), now=moment_of(name))

    assert wanted.name_id == "u700100"
    assert len(wanted.session_indexes) == 1


@pytest.mark.parametrize("name", SIGN_OUT)
def test_a_sign_out_of_somebody_else_s_signature_or_of_yesterday_ends_nothing(name: str, ours: ServiceProvider) -> None:
    maker = maker_of(name)
    stranger = replace(maker, certificates=(kit.keys("stranger").certificate_pem,))
    with pytest.raises(SAMLError) as caught:
        verify_request(received(name), sp=ours, idp=stranger, now=moment_of(name))
    assert caught.value.code == "signature_invalid"

    with pytest.raises(SAMLError) as caught:
        verify_request(received(name), sp=ours, idp=maker, now=moment_of(name) + dt.timedelta(days=1))
    assert caught.value.code == "expired"
