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
from sso.saml.response import verify_response
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from sso.saml.attributes import MappedPerson
    from sso.saml.config import ServiceProvider
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
    "simplesamlphp-plain": NAME_ID,
    "simplesamlphp-response-only": NAME_ID,
    "simplesamlphp-assertion-only": NAME_ID,
    "simplesamlphp-encrypted": NAME_ID,
    "simplesamlphp-shibboleth": TARGETED_ID,
    "simplesamlphp-ad-fs": NAME_ID,
    "simplesamlphp-urns": NAME_ID,
    "samlp-plain": OBJECT_ID,
    "samlp-response-only": OBJECT_ID,
    "samlp-encrypted": OBJECT_ID,
}
REFUSED = {
    "simplesamlphp-encrypted-in-an-unsigned-response": "encrypted_cbc_unsigned",
    "simplesamlphp-transient": "nameid_transient",
    "simplesamlphp-address": "nameid_email",
    "simplesamlphp-sha-1": "weak_algorithm",
    "samlp-destination-by-default": "destination_mismatch",
}


@pytest.fixture
def ours(sp: ServiceProvider) -> ServiceProvider:
    """Our side as it was when the messages were written: what is encrypted was for that key."""
    key, begin, certificate = (CAPTURED / "portal.pem").read_text().partition("-----BEGIN CERTIFICATE-----")
    return replace(sp, private_key_pem=key, certificate_pem=begin + certificate)


def verified(name: str, ours: ServiceProvider, **changed: Any) -> VerifiedAssertion:
    maker = name.partition("-")[0]
    certificate = (CAPTURED / f"{maker}.pem").read_text()
    idp = IdentityProvider(entity_id=ISSUERS[maker], sso_url=kit.SSO_URL, certificates=(certificate,))
    raw = kit.encode_text((CAPTURED / f"{name}.xml").read_bytes())
    asked = {"request_id": kit.REQUEST_ID, "now": dt.datetime.fromisoformat(MOMENTS[name]), **changed}
    return verify_response(raw, sp=ours, idp=idp, **asked)


def person_in(name: str, ours: ServiceProvider) -> MappedPerson:
    return mapped(verified(name, ours), {})


def test_every_captured_message_has_its_expectation() -> None:
    assert {*ACCEPTED, *REFUSED} == set(MOMENTS) == {path.stem for path in CAPTURED.glob("*.xml")}


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
        verified(name, ours, now=dt.datetime.fromisoformat(MOMENTS[name]) + dt.timedelta(hours=2))
    assert caught.value.code == "expired"


def test_the_same_person_is_the_same_in_each_habit_that_names_the_same_attribute(ours: ServiceProvider) -> None:
    subjects = {person_in(name, ours).subject for name, source in ACCEPTED.items() if source == NAME_ID}
    assert subjects == {"u700100"}


def test_a_session_without_an_index_is_one(ours: ServiceProvider) -> None:
    assert verified("samlp-plain", ours).session_index == ""
    assert verified("simplesamlphp-plain", ours).session_index.startswith("_")
