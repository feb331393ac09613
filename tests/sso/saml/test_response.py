"""Honest responses of every kind are accepted, and each rule of the profile has its own refusal."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import pytest
from xmlsec import constants

from sso.saml.errors import SAMLError
from sso.saml.response import peek_in_response_to, verify_response
from tests.sso import saml_kit as kit
from tests.sso.saml_kit import Message, encode, signed

if TYPE_CHECKING:
    from sso.saml.config import IdentityProvider, ServiceProvider
    from tests.sso.saml.conftest import Refusal, Verify


@pytest.mark.parametrize("what", ["assertion", "response", "both"])
def test_a_signature_on_either_is_enough(verify: Verify, what: str) -> None:
    assertion = verify(encode(signed(what=what)))

    assert (assertion.name_id, assertion.name_id_format) == ("person-42", kit.PERSISTENT)
    assert assertion.attributes == {"mail": ("Claire.Martin@laposte.example",)}
    assert assertion.issuer == kit.IDP_ENTITY_ID
    assert assertion.assertion_id == "_assertion-1"
    assert assertion.in_response_to == kit.REQUEST_ID
    assert assertion.session_index == "_session-1"
    assert assertion.authn_instant == kit.NOW
    assert assertion.not_on_or_after == kit.NOW + dt.timedelta(seconds=390)


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        (constants.TransformRsaSha384, constants.TransformSha384),
        (constants.TransformRsaSha512, constants.TransformSha512),
    ],
)
def test_stronger_algorithms_are_accepted(verify: Verify, algorithm: object, digest: object) -> None:
    response = signed(how=kit.Signature(algorithm=algorithm, digest=digest))

    assert verify(encode(response)).name_id == "person-42"


def test_any_published_certificate_may_have_signed(sp: ServiceProvider, idp: IdentityProvider) -> None:
    rolled = dataclasses.replace(idp, certificates=(kit.bare(kit.keys("next").certificate_pem), *idp.certificates))
    for name in ("idp", "next"):
        raw = encode(signed(how=kit.Signature(by=kit.keys(name))))
        found = verify_response(raw, sp=sp, idp=rolled, request_id=kit.REQUEST_ID, now=kit.NOW)
        assert found.name_id == "person-42"


def test_repeated_and_nested_values_are_read(verify: Verify) -> None:
    message = Message(
        attributes=(("Role", ("user",)), ("Role", ("manager", "")), ("accents", ("Éloïse",))),
        attributes_xml=(
            '<saml:Attribute Name="targeted"><saml:AttributeValue>'
            f'<saml:NameID Format="{kit.PERSISTENT}">opaque</saml:NameID>'
            "</saml:AttributeValue></saml:Attribute>"
        ),
    )

    attributes = verify(encode(signed(message))).attributes

    assert attributes == {"Role": ("user", "manager"), "accents": ("Éloïse",), "targeted": ("opaque",)}


def test_a_missing_name_id_is_left_to_the_mapping(verify: Verify) -> None:
    assert verify(encode(signed(Message(name_id=None)))).name_id == ""


def test_base64_may_be_folded(verify: Verify) -> None:
    raw = encode(signed())

    assert verify("\r\n".join(raw[start : start + 76] for start in range(0, len(raw), 76))).name_id


def test_an_unsolicited_looking_response_is_fine_when_the_assertion_answers(verify: Verify) -> None:
    assert verify(encode(signed(Message(in_response_to=None)))).in_response_to == kit.REQUEST_ID


def test_a_signed_response_may_answer_for_its_assertion(verify: Verify) -> None:
    message = Message(confirmed_request=None)

    assert verify(encode(signed(message, what="response"))).in_response_to == kit.REQUEST_ID


def test_the_second_confirmation_counts_when_the_first_does_not_hold(verify: Verify) -> None:
    elsewhere = Message(recipient="https://other.example/acs/").confirmation()
    message = Message(confirmations_xml=elsewhere + Message().confirmation())

    assert verify(encode(signed(message))).name_id == "person-42"


REFUSALS: dict[str, tuple[str, dict[str, Any]]] = {
    "issuer of another environment": ("issuer_mismatch", {"issuer": "https://test.idp.example"}),
    "issuer of the response differs": ("issuer_mismatch", {"response_issuer": "https://evil.example"}),
    "empty issuer": ("issuer_mismatch", {"issuer": ""}),
    "no issuer": ("issuer_mismatch", {"issuer": None}),
    "no audience restriction": ("audience_mismatch", {"audiences": ()}),
    "empty audience": ("audience_mismatch", {"audiences": (("",),)}),
    "other audience": ("audience_mismatch", {"audiences": (("https://other.example",),)}),
    "audience that only starts like ours": (
        "audience_mismatch",
        {"audiences": ((kit.SP_ENTITY_ID + "x",),)},
    ),
    "one of two restrictions is not ours": (
        "audience_mismatch",
        {"audiences": ((kit.SP_ENTITY_ID,), ("https://other.example",))},
    ),
    "destination elsewhere": ("destination_mismatch", {"destination": "https://other.example/acs/"}),
    "destination longer than ours": ("destination_mismatch", {"destination": kit.ACS_URL + "evil"}),
    "empty destination": ("destination_mismatch", {"destination": ""}),
    "recipient elsewhere": ("recipient_mismatch", {"recipient": "https://other.example/acs/"}),
    "recipient that contains ours": (
        "recipient_mismatch",
        {"recipient": f"https://evil.example/?u={kit.ACS_URL}"},
    ),
    "no recipient": ("recipient_mismatch", {"recipient": None}),
    "no request anywhere": ("unsolicited", {"in_response_to": None, "confirmed_request": None}),
    "request written outside the signature": ("unsolicited", {"confirmed_request": None}),
    "another request": ("request_unknown", {"confirmed_request": "_other"}),
    "another request around": ("request_unknown", {"in_response_to": "_other"}),
    "another request inside alone": (
        "request_unknown",
        {"in_response_to": None, "confirmed_request": "_other"},
    ),
    "confirmation over": ("expired", {"confirmed_until": -91}),
    "conditions over": ("expired", {"valid_until": -91}),
    "session over": ("expired", {"session_until": -91}),
    "eternal confirmation": ("malformed", {"confirmed_until": None}),
    "conditions not begun": ("clock_skew", {"valid_from": 91}),
    "confirmation not begun": ("clock_skew", {"confirmed_from": 91}),
    "issued in the future": ("clock_skew", {"issued": 91}),
    "not a bearer": ("malformed", {"method": "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"}),
    "no authentication": ("malformed", {"statements": 0}),
    "two authentications": ("malformed", {"statements": 2}),
    "identifier for another service": ("nameid_foreign", {"sp_name_qualifier": "https://other.example"}),
    "SAML 1.1": ("malformed", {"version": "1.1"}),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_rule_has_its_code(refusal: Refusal, name: str) -> None:
    code, knobs = REFUSALS[name]

    assert refusal(encode(signed(Message(**knobs)))).code == code


@pytest.mark.parametrize("what", ["response", "both"])
def test_a_signed_response_must_say_where_it_goes(refusal: Refusal, what: str) -> None:
    assert refusal(encode(signed(Message(destination=None), what=what))).code == "destination_mismatch"


@pytest.mark.parametrize(
    "knobs",
    [
        {"confirmed_until": -89},
        {"valid_until": -89},
        {"session_until": -89},
        {"valid_from": 89},
        {"confirmed_from": 89},
        {"issued": 89},
        {"destination": None},
    ],
)
def test_clocks_may_differ_by_ninety_seconds(verify: Verify, knobs: dict[str, Any]) -> None:
    assert verify(encode(signed(Message(**knobs)))).name_id == "person-42"


def test_the_clock_is_the_one_that_was_passed(verify: Verify) -> None:
    """2030 for everybody: what the machine believes plays no part."""
    late = kit.NOW + dt.timedelta(days=400)

    assert verify(encode(signed(Message(now=late))), now=late).authn_instant == late


@pytest.mark.parametrize(
    ("outer", "inner", "code"),
    [
        ("Responder", None, "status_responder"),
        ("Requester", None, "status_requester"),
        ("Responder", "AuthnFailed", "status_authn_failed"),
        ("Responder", "NoPassive", "status_no_passive"),
        ("Requester", "InvalidNameIDPolicy", "status_invalid_nameid_policy"),
        ("Responder", "RequestDenied", "status_request_denied"),
        ("Weather", None, "status_responder"),
    ],
)
def test_the_refusal_of_the_identity_provider_is_named(
    refusal: Refusal, outer: str, inner: str | None, code: str
) -> None:
    status = "urn:oasis:names:tc:SAML:2.0:status:"
    message = Message(
        status=status + outer,
        inner_status=None if inner is None else status + inner,
        status_message="The account is locked.",
    )

    error = refusal(encode(message.tree()))

    assert error.code == code
    assert error.details["message"] == "The account is locked."


def test_details_say_what_was_received_and_expected(refusal: Refusal) -> None:
    error = refusal(encode(signed(Message(issuer="https://test.idp.example"))))

    assert error.details == {"received": "https://test.idp.example", "expected": kit.IDP_ENTITY_ID}


def test_a_renewed_certificate_is_recognisable(refusal: Refusal) -> None:
    error = refusal(encode(signed(how=kit.Signature(by=kit.keys("renewed")))))

    assert error.code == "signature_invalid"
    assert len(error.details["received"].split(":")) == 32
    assert len(error.details["expected"].split(":")) == 32
    assert error.details["received"] != error.details["expected"]


def test_peeking_returns_the_claimed_request() -> None:
    assert peek_in_response_to(encode(signed())) == kit.REQUEST_ID
    assert peek_in_response_to(encode(signed(Message(in_response_to=None)))) == kit.REQUEST_ID


def test_peeking_at_an_unsolicited_response_says_so() -> None:
    with pytest.raises(SAMLError) as caught:
        peek_in_response_to(encode(signed(Message(in_response_to=None, confirmed_request=None))))

    assert caught.value.code == "unsolicited"


class TestEncryption:
    @pytest.mark.parametrize(
        "cipher", [constants.TransformAes128Gcm, constants.TransformAes256Gcm], ids=lambda each: each.name
    )
    def test_an_authenticated_cipher_is_read(self, verify: Verify, sp: ServiceProvider, cipher: object) -> None:
        ours = kit.Keys(sp.private_key_pem, sp.certificate_pem)

        assert verify(encode(kit.encrypt(signed(), ours, cipher=cipher))).name_id == "person-42"

    def test_what_was_encrypted_for_the_previous_key_is_read(self, sp: ServiceProvider, idp: IdentityProvider) -> None:
        old = kit.keys("old-portal")
        rolled = dataclasses.replace(
            sp, previous_private_key_pem=old.private_pem, previous_certificate_pem=old.certificate_pem
        )
        raw = encode(kit.encrypt(signed(), old))

        found = verify_response(raw, sp=rolled, idp=idp, request_id=kit.REQUEST_ID, now=kit.NOW)

        assert found.name_id == "person-42"

    def test_what_was_encrypted_for_somebody_else_is_not(self, refusal: Refusal) -> None:
        assert refusal(encode(kit.encrypt(signed(), kit.keys("other")))).code == "decrypt_failed"

    def test_an_unsigned_assertion_stays_unsigned(self, refusal: Refusal) -> None:
        raw = encode(kit.encrypt(Message().tree(), kit.keys("portal")))

        assert refusal(raw).code == "unsigned"

    def test_cbc_is_read_inside_a_signed_response_only(self, verify: Verify, refusal: Refusal) -> None:
        def cbc() -> Any:
            return kit.encrypt(signed(), kit.keys("portal"), cipher=constants.TransformAes128Cbc)

        assert verify(encode(kit.sign(cbc()))).name_id == "person-42"
        assert refusal(encode(cbc())).code == "encrypted_cbc_unsigned"
        forged = kit.sign(cbc(), kit.Signature(by=kit.keys("attacker")))
        assert refusal(encode(forged)).code == "signature_invalid"

    def test_the_padding_of_1993_is_refused(self, refusal: Refusal) -> None:
        response = kit.encrypt(signed(), kit.keys("portal"), transport=constants.TransformRsaPkcs1)

        assert refusal(encode(response)).code == "weak_algorithm"

    def test_a_comment_inside_the_encryption_is_found(self, refusal: Refusal) -> None:
        for hidden in ("admin<!-- -->.evil", "admin<?x y?>.evil"):
            response = signed(Message(name_id_xml=hidden))
            assert refusal(encode(kit.encrypt(response, kit.keys("portal")))).code == "forbidden_xml"


def test_many_threads_may_verify_at_once(verify: Verify) -> None:
    raw = encode(signed(what="both"))
    names: list[str] = []

    def work() -> None:
        names.extend(verify(raw).name_id for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert names == ["person-42"] * 40
