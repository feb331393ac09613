"""Sign-out messages: every way in which one must not be believed, each with its own code."""

from __future__ import annotations

import base64
import copy
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from lxml import etree
from xmlsec import constants

from sso.saml.config import IdentityProvider, ServiceProvider
from sso.saml.errors import SAMLError
from sso.saml.logout import (
    SignOutName,
    VerifiedRequest,
    received_by_post,
    received_by_redirect,
    sign_out_answer,
    sign_out_request,
    verify_answer,
    verify_request,
)
from tests.sso import saml_kit as kit
from tests.sso.saml_kit import SignOut, redirect_query

if TYPE_CHECKING:
    from collections.abc import Callable

STATUS = "urn:oasis:names:tc:SAML:2.0:status:"


@pytest.fixture
def asked(sp: ServiceProvider, idp: IdentityProvider) -> Callable[[str], VerifiedRequest]:
    """Verify a query, as the identity provider's redirect brings it."""
    return lambda query: verify_request(received_by_redirect(query), sp=sp, idp=idp, now=kit.NOW)


@pytest.fixture
def posted(sp: ServiceProvider, idp: IdentityProvider) -> Callable[[etree._Element], VerifiedRequest]:
    """Verify a message, as the identity provider's form brings it."""

    def verified(message: etree._Element) -> VerifiedRequest:
        fields = {"SAMLRequest": kit.encode(message)}
        return verify_request(received_by_post(fields), sp=sp, idp=idp, now=kit.NOW)

    return verified


def code_of(verify: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(SAMLError) as caught:
        verify(*arguments)
    return caught.value.code


def signed(message: SignOut, how: kit.Signature | None = None) -> etree._Element:
    return kit.reread(kit.sign(message.tree(), how))


def test_a_signed_request_is_read(asked: Callable[[str], VerifiedRequest]) -> None:
    found = asked(redirect_query(SignOut().tree(), relay_state="state"))

    assert (found.request_id, found.name_id, found.session_indexes) == ("_logout-1", "person-42", ("_session-1",))


def test_ad_fs_escapes_in_lower_case(asked: Callable[[str], VerifiedRequest]) -> None:
    """Whatever decodes and encodes again would make %2B of %2b, and the signature would be over other bytes."""
    query = redirect_query(SignOut().tree(), relay_state="a+b/c=", lower_case=True)
    assert "%2b" in query

    assert asked(query).name_id == "person-42"


def test_a_posted_request_is_read(posted: Callable[[etree._Element], VerifiedRequest]) -> None:
    assert posted(signed(SignOut())).session_indexes == ("_session-1",)


BY_REDIRECT: dict[str, tuple[SignOut, str]] = {
    "no issuer": (SignOut(issuer=None), "issuer_mismatch"),
    "an empty issuer": (SignOut(issuer=""), "issuer_mismatch"),
    "another issuer": (SignOut(issuer="https://other.example"), "issuer_mismatch"),
    "no destination": (SignOut(destination=None), "destination_mismatch"),
    "the destination of another connection": (SignOut(destination=f"{kit.SLS_URL}0/"), "destination_mismatch"),
    "six minutes and a half old": (SignOut(issued=-391), "expired"),
    "from the future": (SignOut(issued=91), "clock_skew"),
    "past its end": (SignOut(until=-91), "expired"),
    "no name": (SignOut(name_id=None), "malformed"),
    "an empty name": (SignOut(name_id=""), "nameid_missing"),
    "a name cut in two": (SignOut(name_xml="<saml:NameID>admin<saml:x/>.evil</saml:NameID>"), "malformed"),
    "a name cut by a comment": (SignOut(name_xml="<saml:NameID>admin<!-- -->.evil</saml:NameID>"), "forbidden_xml"),
    "a name cut by an instruction": (SignOut(name_xml="<saml:NameID>admin<?x y?>.evil</saml:NameID>"), "forbidden_xml"),
    "another version": (SignOut(version="1.1"), "malformed"),
    "an answer in place of a request": (SignOut(kind="LogoutResponse"), "malformed"),
    "what the schema forbids": (SignOut(extra="<saml:Weather/>"), "malformed"),
    "an assertion inside": (SignOut(extra='<saml:Assertion ID="_a"/>'), "forbidden_xml"),
    "two names": (SignOut(name_xml="<saml:NameID>a</saml:NameID><saml:NameID>b</saml:NameID>"), "malformed"),
    "more indexes than anybody has": (SignOut(session_indexes=("_s",) * 101), "too_large"),
}


@pytest.mark.parametrize("name", BY_REDIRECT)
def test_each_rule_has_its_code(asked: Callable[[str], VerifiedRequest], name: str) -> None:
    message, code = BY_REDIRECT[name]

    assert code_of(asked, redirect_query(message.tree())) == code


class TestRedirectSignature:
    def test_none(self, asked: Callable[[str], VerifiedRequest]) -> None:
        query = redirect_query(SignOut().tree()).partition("&SigAlg")[0]

        assert code_of(asked, query) == "unsigned"

    def test_an_enveloped_one_does_not_replace_it(self, asked: Callable[[str], VerifiedRequest]) -> None:
        query = redirect_query(signed(SignOut())).partition("&SigAlg")[0]

        assert code_of(asked, query) == "unsigned"

    @pytest.mark.parametrize("parameter", ["SigAlg", "Signature"])
    def test_half_of_one(self, asked: Callable[[str], VerifiedRequest], parameter: str) -> None:
        parts = [part for part in redirect_query(SignOut().tree()).split("&") if not part.startswith(f"{parameter}=")]

        assert code_of(asked, "&".join(parts)) == ("weak_algorithm" if parameter == "SigAlg" else "signature_invalid")

    def test_by_somebody_else(self, asked: Callable[[str], VerifiedRequest]) -> None:
        assert code_of(asked, redirect_query(SignOut().tree(), by=kit.keys("attacker"))) == "signature_invalid"

    @pytest.mark.parametrize(
        "algorithm",
        ["http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "none"],
    )
    def test_by_a_weak_algorithm(self, asked: Callable[[str], VerifiedRequest], algorithm: str) -> None:
        assert code_of(asked, redirect_query(SignOut().tree(), algorithm=algorithm)) == "weak_algorithm"

    def test_the_message_exchanged(self, asked: Callable[[str], VerifiedRequest]) -> None:
        mine = redirect_query(SignOut().tree())
        other = redirect_query(SignOut(name_id="victim").tree(), by=kit.keys("attacker"))
        _, _, signature = mine.partition("&SigAlg")

        assert code_of(asked, f"{other.partition('&SigAlg')[0]}&SigAlg{signature}") == "signature_invalid"

    @pytest.mark.parametrize("change", ["add", "change"])
    def test_the_state_is_signed_too(self, asked: Callable[[str], VerifiedRequest], change: str) -> None:
        query = redirect_query(SignOut().tree(), relay_state=None if change == "add" else "mine")
        query = f"{query}&RelayState=theirs" if change == "add" else query.replace("mine", "theirs")

        assert code_of(asked, query) == "signature_invalid"

    @pytest.mark.parametrize("name", ["SAMLRequest", "RelayState", "SigAlg", "Signature"])
    def test_a_parameter_twice(self, asked: Callable[[str], VerifiedRequest], name: str) -> None:
        query = redirect_query(SignOut().tree(), relay_state="mine")
        other = redirect_query(SignOut(name_id="victim").tree(), relay_state="theirs", by=kit.keys("attacker"))
        (part,) = [part for part in other.split("&") if part.startswith(f"{name}=")]

        assert code_of(asked, f"{query}&{part}") == "malformed"
        assert code_of(asked, f"{part}&{query}") == "malformed"

    def test_an_encoded_name_of_a_parameter_is_another_name(self, asked: Callable[[str], VerifiedRequest]) -> None:
        query = redirect_query(SignOut().tree()).replace("SAMLRequest", "%53AMLRequest", 1)

        assert code_of(asked, query) == "malformed"

    def test_a_request_and_an_answer_at_once(self, asked: Callable[[str], VerifiedRequest]) -> None:
        assert code_of(asked, f"{redirect_query(SignOut().tree())}&SAMLResponse=x") == "malformed"


class TestPostSignature:
    def test_none(self, posted: Callable[[etree._Element], VerifiedRequest]) -> None:
        assert code_of(posted, SignOut().tree()) == "unsigned"

    def test_by_somebody_else(self, posted: Callable[[etree._Element], VerifiedRequest]) -> None:
        assert code_of(posted, signed(SignOut(), kit.Signature(by=kit.keys("attacker")))) == "signature_invalid"

    def test_a_changed_name(self, posted: Callable[[etree._Element], VerifiedRequest]) -> None:
        message = signed(SignOut())
        name = message.find("saml:NameID", kit.NS)
        assert name is not None
        name.text = "victim"

        assert code_of(posted, message) == "signature_invalid"

    @pytest.mark.parametrize(
        ("how", "code"),
        [
            ({"algorithm": constants.TransformRsaSha1}, "weak_algorithm"),
            ({"digest": constants.TransformSha1}, "weak_algorithm"),
            ({"uri": ""}, "forbidden_xml"),
            ({"transforms": (constants.TransformEnveloped, constants.TransformInclC14N)}, "forbidden_xml"),
        ],
    )
    def test_by_other_means(
        self, posted: Callable[[etree._Element], VerifiedRequest], how: dict[str, Any], code: str
    ) -> None:
        assert code_of(posted, signed(SignOut(), kit.Signature(**how))) == code

    def test_a_second_reference(self, posted: Callable[[etree._Element], VerifiedRequest]) -> None:
        message = signed(SignOut())
        reference = message.find(".//ds:Reference", kit.NS)
        assert reference is not None
        second = copy.deepcopy(reference)
        second.set("URI", "file:///dev/zero")
        reference.addnext(second)

        assert code_of(posted, message) == "forbidden_xml"

    def test_the_true_message_wrapped_in_another(self, posted: Callable[[etree._Element], VerifiedRequest]) -> None:
        true = signed(SignOut())
        signature = true.find("ds:Signature", kit.NS)
        evil = SignOut(name_id="victim", message_id="_evil").tree()
        assert signature is not None
        evil.insert(1, signature)
        extensions = etree.Element(f"{{{kit.NS['samlp']}}}Extensions")
        extensions.append(true)
        evil.insert(2, extensions)

        assert code_of(posted, evil) == "forbidden_xml"


class TestEncryptedName:
    def test_it_is_read(self, asked: Callable[[str], VerifiedRequest]) -> None:
        message = SignOut(name_xml=kit.encrypted_name("person-42", kit.keys("portal")))

        assert asked(redirect_query(message.tree())).name_id == "person-42"

    def test_for_another_key(self, asked: Callable[[str], VerifiedRequest]) -> None:
        message = SignOut(name_xml=kit.encrypted_name("person-42", kit.keys("stranger")))

        assert code_of(asked, redirect_query(message.tree())) == "decrypt_failed"

    def test_by_a_broken_transport(self, asked: Callable[[str], VerifiedRequest]) -> None:
        name = kit.encrypted_name("person-42", kit.keys("portal"), transport=constants.TransformRsaPkcs1)

        assert code_of(asked, redirect_query(SignOut(name_xml=name).tree())) == "weak_algorithm"

    @pytest.mark.parametrize(
        "inside",
        [
            f'<saml:Assertion xmlns:saml="{kit.NS["saml"]}" ID="_x"/>',
            f'<saml:NameID xmlns:saml="{kit.NS["saml"]}">admin<saml:x/>.evil</saml:NameID>',
            f'<saml:NameID xmlns:saml="{kit.NS["saml"]}">admin<?x y?>.evil</saml:NameID>',
        ],
    )
    def test_something_else_inside(self, asked: Callable[[str], VerifiedRequest], inside: str) -> None:
        message = SignOut(name_xml=kit.encrypted_name(inside, kit.keys("portal")))

        assert code_of(asked, redirect_query(message.tree())) == "forbidden_xml"

    def test_nothing_is_decrypted_for_a_stranger(self, asked: Callable[[str], VerifiedRequest]) -> None:
        """Whoever could have us decrypt without a signature could try variants of what they have overheard."""
        message = SignOut(name_xml=kit.encrypted_name("person-42", kit.keys("stranger")))

        assert code_of(asked, redirect_query(message.tree(), by=kit.keys("attacker"))) == "signature_invalid"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "malformed"),
        ("SAMLRequest=", "malformed"),
        ("SAMLRequest=%25%25", "malformed"),
        ("SAMLRequest=AAAA", "malformed"),
        (f"SAMLRequest={quote(base64.b64encode(b'<a/>').decode())}", "malformed"),
        (f"SAMLRequest={'A' * 300_000}", "too_large"),
    ],
)
def test_rubbish_is_named(asked: Callable[[str], VerifiedRequest], query: str, code: str) -> None:
    assert code_of(asked, query) == code


def test_a_bomb_is_inflated_to_its_limit_only(asked: Callable[[str], VerifiedRequest]) -> None:
    compressor = zlib.compressobj(wbits=-15)
    bomb = base64.b64encode(compressor.compress(b"<a>" + b" " * 50_000_000) + compressor.flush()).decode()

    assert code_of(asked, f"SAMLRequest={quote(bomb)}") == "too_large"


@pytest.mark.parametrize(
    ("knobs", "success"),
    [
        ({}, True),
        ({"inner_status": f"{STATUS}PartialLogout"}, False),
        ({"status": f"{STATUS}Responder", "inner_status": f"{STATUS}RequestDenied"}, False),
    ],
)
def test_an_answer_says_what_became_of_it(
    sp: ServiceProvider, idp: IdentityProvider, knobs: dict[str, Any], *, success: bool
) -> None:
    message = SignOut(kind="LogoutResponse", in_response_to="_ours", **knobs)
    received = received_by_redirect(redirect_query(message.tree(), name="SAMLResponse"))

    found = verify_answer(received, sp=sp, idp=idp, now=kit.NOW)

    assert (found.in_response_to, found.success) == ("_ours", success)


def test_an_unsigned_answer_is_none(sp: ServiceProvider, idp: IdentityProvider) -> None:
    message = SignOut(kind="LogoutResponse", in_response_to="_ours")
    query = redirect_query(message.tree(), name="SAMLResponse").partition("&SigAlg")[0]

    assert code_of(lambda: verify_answer(received_by_redirect(query), sp=sp, idp=idp, now=kit.NOW)) == "unsigned"


@pytest.mark.parametrize("binding", [kit.REDIRECT, kit.POST])
def test_what_we_send_is_what_the_other_side_reads(sp: ServiceProvider, idp: IdentityProvider, binding: str) -> None:
    """Both directions with the same rules: the roles exchanged, ours must verify as theirs do."""
    there = sp_as_idp(sp)
    here = idp_as_sp(idp)
    to = idp_with_slo(idp, binding)
    name = SignOutName("person-42", kit.PERSISTENT, "", kit.SP_ENTITY_ID)
    going = sign_out_request(
        sp, to, name, session_index="_session-1", request_id="_ours", relay_state="state", now=kit.NOW
    )
    query = going.url.partition("?")[2]
    received = received_by_post(going.fields) if going.fields else received_by_redirect(query)
    found = verify_request(received, sp=here, idp=there, now=kit.NOW)
    assert (found.request_id, found.name_id, found.session_indexes) == ("_ours", "person-42", ("_session-1",))
    assert received.relay_state == "state"

    back = sign_out_answer(sp, to, message_id="_answer", in_response_to="_theirs", relay_state="x" * 81, now=kit.NOW)
    received = received_by_post(back.fields) if back.fields else received_by_redirect(back.url.partition("?")[2])
    assert received.relay_state == ""
    assert verify_answer(received, sp=here, idp=there, now=kit.NOW).success


def sp_as_idp(sp: ServiceProvider) -> IdentityProvider:
    return IdentityProvider(sp.entity_id, "https://unused.example", (sp.certificate_pem,))


def idp_as_sp(idp: IdentityProvider) -> ServiceProvider:
    theirs = kit.keys("idp")
    return ServiceProvider(
        idp.entity_id, "https://unused.example", "https://idp.example/slo", theirs.private_pem, theirs.certificate_pem
    )


def idp_with_slo(idp: IdentityProvider, binding: str) -> IdentityProvider:
    return replace(idp, slo_url="https://idp.example/slo", slo_binding=binding)
