"""What an identity provider of ours would say is accepted, and what it is asked is read with suspicion."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING

import pytest

from sso.saml.bindings import deflated
from sso.saml.errors import SAMLError
from sso.saml.issuing import Issuer, ReceivedRequest, Subject, issued_response, read_request
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from tests.sso.saml.conftest import Verify

REQUEST = (
    f'<p:AuthnRequest xmlns:p="{kit.NS["samlp"]}" ID="_r1" AssertionConsumerServiceURL="{kit.ACS_URL}"'
    f' ForceAuthn="true"><a:Issuer xmlns:a="{kit.NS["saml"]}"> {kit.SP_ENTITY_ID} </a:Issuer>'
    "</p:AuthnRequest>"
)


def refused(encoded: str, *, redirect: bool = True) -> str:
    with pytest.raises(SAMLError) as caught:
        read_request(encoded, deflated=redirect)
    return caught.value.code


@pytest.mark.parametrize("signs", ["assertion", "response"])
def test_what_is_issued_is_accepted(verify: Verify, signs: str) -> None:
    keys = kit.keys("idp")
    issuer = Issuer(kit.IDP_ENTITY_ID, keys.private_pem, keys.certificate_pem, signs)
    request = ReceivedRequest(kit.REQUEST_ID, kit.SP_ENTITY_ID, kit.ACS_URL, force_authn=False)
    subject = Subject("n-1", {"mail": ["c@example.fr"], "Role": ["a", "b"]})

    found = verify(issued_response(issuer, request, subject, now=kit.NOW))

    assert (found.name_id, found.name_id_format) == ("n-1", kit.PERSISTENT)
    assert found.attributes == {"mail": ("c@example.fr",), "Role": ("a", "b")}


def test_a_request_is_read_by_either_binding() -> None:
    expected = ReceivedRequest("_r1", kit.SP_ENTITY_ID, kit.ACS_URL, force_authn=True)

    assert read_request(deflated(REQUEST.encode()), deflated=True) == expected
    assert read_request(kit.encode_text(REQUEST), deflated=False) == expected


def test_a_small_message_that_inflates_without_end() -> None:
    compressor = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = compressor.compress(b" " * 20_000_000) + compressor.flush()

    assert refused(base64.b64encode(bomb).decode()) == "too_large"


@pytest.mark.parametrize("text", ["", "<x/>", f'<p:AuthnRequest xmlns:p="{kit.NS["samlp"]}"/>', kit.metadata()])
def test_what_is_no_request(text: str) -> None:
    assert refused(kit.encode_text(text), redirect=False) == "malformed"


def test_what_is_not_even_encoded() -> None:
    assert refused("%%%") == "malformed"
    assert refused("AAAA") == "malformed"


def test_a_document_type_in_a_request() -> None:
    assert refused(kit.encode_text("<!DOCTYPE x>" + REQUEST), redirect=False) == "forbidden_xml"
