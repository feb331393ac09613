"""What attackers post, one case for each known attack: every one ends in the error that names it."""

from __future__ import annotations

import base64
import copy
from typing import TYPE_CHECKING

import pytest
import xmlsec
from lxml import etree
from xmlsec import constants

from sso.saml.errors import SAMLError
from sso.saml.response import verify_response
from tests.sso import saml_kit as kit
from tests.sso.saml_kit import Message, encode, encode_text, signed

if TYPE_CHECKING:
    from sso.saml.config import IdentityProvider, ServiceProvider
    from tests.sso.saml.conftest import Refusal, Verify

DS = f"{{{kit.NS['ds']}}}"


def _find(response: etree._Element, path: str) -> etree._Element:
    found = response.find(path, kit.NS)
    assert found is not None
    return found


class TestWrapping:
    @pytest.mark.parametrize("shape", range(1, 9))
    def test_the_eight_wrappings(self, refusal: Refusal, shape: int) -> None:
        assert refusal(encode(kit.wrapped(shape))).code == "forbidden_xml"

    def test_an_assertion_hidden_in_the_status(self, refusal: Refusal) -> None:
        response = signed(what="response")
        hidden = kit.assertion_of(Message(assertion_id="_evil", name_id="attacker").tree())
        detail = etree.SubElement(_find(response, "samlp:Status"), f"{{{kit.NS['samlp']}}}StatusDetail")
        detail.append(hidden)

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_an_assertion_inside_the_signed_assertion(self, refusal: Refusal) -> None:
        response = Message().tree()
        advice = etree.SubElement(kit.assertion_of(response), f"{{{kit.NS['saml']}}}Advice")
        advice.append(kit.assertion_of(Message(assertion_id="_evil", name_id="attacker").tree()))
        kit.sign(kit.assertion_of(response))

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_a_plain_assertion_beside_an_encrypted_one(self, refusal: Refusal) -> None:
        response = kit.encrypt(signed(), kit.keys("portal"))
        response.append(kit.assertion_of(Message(assertion_id="_evil", name_id="attacker").tree()))

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_two_assertions_inside_the_encryption(self, refusal: Refusal) -> None:
        response = signed()
        inner = kit.assertion_of(response)
        inner.append(kit.assertion_of(Message(assertion_id="_evil", name_id="attacker").tree()))

        assert refusal(encode(kit.encrypt(response, kit.keys("portal")))).code == "forbidden_xml"

    def test_two_assertions_both_signed(self, refusal: Refusal) -> None:
        response = signed()
        other = signed(Message(assertion_id="_second", name_id="somebody-else"))
        response.append(kit.assertion_of(other))

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_the_signed_assertion_doubled(self, refusal: Refusal) -> None:
        response = signed()
        response.append(copy.deepcopy(kit.assertion_of(response)))

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_the_same_id_twice(self, refusal: Refusal) -> None:
        response = signed(Message(response_id="_same", assertion_id="_same"))

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_a_digest_smuggled_into_the_status(self, refusal: Refusal) -> None:
        response = signed(Message(name_id="person-42"))
        detail = etree.SubElement(_find(response, "samlp:Status"), f"{{{kit.NS['samlp']}}}StatusDetail")
        detail.append(copy.deepcopy(_find(response, ".//ds:Reference")))
        _find(response, ".//saml:NameID").text = "attacker"

        assert refusal(encode(response)).code == "forbidden_xml"


class TestSignature:
    def test_no_signature(self, refusal: Refusal) -> None:
        assert refusal(encode(Message().tree())).code == "unsigned"

    @pytest.mark.parametrize("what", ["assertion", "response"])
    def test_a_changed_identifier(self, refusal: Refusal, what: str) -> None:
        response = signed(what=what)
        _find(response, ".//saml:NameID").text = "person-43"

        assert refusal(encode(response)).code == "signature_invalid"

    def test_the_assertion_of_a_twice_signed_response_exchanged(self, refusal: Refusal) -> None:
        response = signed(what="both")
        other = signed(Message(name_id="person-43"), how=kit.Signature(by=kit.keys("attacker")))
        response.replace(kit.assertion_of(response), kit.assertion_of(other))

        assert refusal(encode(response)).code == "signature_invalid"

    def test_a_key_that_only_the_message_vouches_for(self, refusal: Refusal) -> None:
        forged = signed(Message(name_id="chief"), how=kit.Signature(by=kit.keys("attacker")))

        assert refusal(encode(forged)).code == "signature_invalid"

    def test_the_identity_provider_of_another_organisation(self, sp: ServiceProvider, idp: IdentityProvider) -> None:
        theirs = signed(
            Message(issuer="https://other.idp.example", response_issuer=None),
            how=kit.Signature(by=kit.keys("other-idp")),
        )
        with pytest.raises(SAMLError) as caught:
            verify_response(encode(theirs), sp=sp, idp=idp, request_id=kit.REQUEST_ID, now=kit.NOW)
        assert caught.value.code == "issuer_mismatch"

    def test_the_public_certificate_as_a_shared_secret(self, refusal: Refusal) -> None:
        how = kit.Signature(algorithm=constants.TransformHmacSha256, shared_secret=kit.keys("idp").certificate_pem)

        assert refusal(encode(signed(how=how))).code == "weak_algorithm"

    @pytest.mark.parametrize(
        ("algorithm", "digest"),
        [
            (constants.TransformRsaSha1, constants.TransformSha256),
            (constants.TransformRsaSha256, constants.TransformSha1),
            (constants.TransformRsaSha224, constants.TransformSha224),
        ],
    )
    def test_weak_algorithms(self, refusal: Refusal, algorithm: object, digest: object) -> None:
        response = signed(how=kit.Signature(algorithm=algorithm, digest=digest))

        assert refusal(encode(response)).code == "weak_algorithm"

    @pytest.mark.parametrize(
        "algorithm",
        [
            "http://www.w3.org/2001/04/xmldsig-more#md5",
            "http://www.w3.org/2001/04/xmlenc#ripemd160",
            "http://www.w3.org/2000/09/xmldsig#sha1",
            "",
        ],
    )
    def test_weak_digests_by_name(self, refusal: Refusal, algorithm: str) -> None:
        response = signed()
        _find(response, ".//ds:DigestMethod").set("Algorithm", algorithm)

        assert refusal(encode(response)).code == "weak_algorithm"

    def test_a_truncated_shared_secret(self, refusal: Refusal) -> None:
        response = signed()
        etree.SubElement(_find(response, ".//ds:SignatureMethod"), f"{DS}HMACOutputLength").text = "8"

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_a_reference_to_the_whole_document(self, refusal: Refusal) -> None:
        assert refusal(encode(signed(what="response", how=kit.Signature(uri="")))).code == "forbidden_xml"

    def test_no_reference(self, refusal: Refusal) -> None:
        response = signed()
        info = _find(response, ".//ds:SignedInfo")
        info.remove(_find(info, "ds:Reference"))

        assert refusal(encode(response)).code == "forbidden_xml"

    @pytest.mark.parametrize("uri", ["file:///dev/zero", "http://169.254.169.254/", "#_response-1", "other"])
    def test_a_second_reference(self, refusal: Refusal, uri: str) -> None:
        response = signed()
        info = _find(response, ".//ds:SignedInfo")
        second = copy.deepcopy(_find(info, "ds:Reference"))
        second.set("URI", uri)
        info.append(second)

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_two_signatures_on_one_element(self, refusal: Refusal) -> None:
        response = signed()
        assertion = kit.assertion_of(response)
        assertion.insert(2, copy.deepcopy(_find(assertion, "ds:Signature")))

        assert refusal(encode(response)).code == "forbidden_xml"

    @pytest.mark.parametrize("what", ["Object", "Manifest"])
    def test_an_object_in_the_signature(self, refusal: Refusal, what: str) -> None:
        response = signed()
        etree.SubElement(_find(response, ".//ds:Signature"), f"{DS}{what}")

        assert refusal(encode(response)).code == "forbidden_xml"

    @pytest.mark.parametrize(
        "algorithm",
        [
            "http://www.w3.org/TR/1999/REC-xslt-19991116",
            "http://www.w3.org/TR/1999/REC-xpath-19991116",
            "http://www.w3.org/2002/06/xmldsig-filter2",
            "http://www.w3.org/2000/09/xmldsig#base64",
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        ],
    )
    def test_other_transforms(self, refusal: Refusal, algorithm: str) -> None:
        response = signed()
        _find(response, ".//ds:Transforms")[1].set("Algorithm", algorithm)

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_a_stylesheet_inside_an_allowed_transform(self, refusal: Refusal) -> None:
        response = signed()
        transform = _find(response, ".//ds:Transforms")[1]
        etree.SubElement(transform, "{http://www.w3.org/1999/XSL/Transform}stylesheet")

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_inclusive_namespaces_are_no_attack(self, refusal: Refusal) -> None:
        """Okta sends them; here they were added after signing, so that only the signature is wrong."""
        response = signed()
        transform = _find(response, ".//ds:Transforms")[1]
        c14n = "http://www.w3.org/2001/10/xml-exc-c14n#"
        etree.SubElement(transform, f"{{{c14n}}}InclusiveNamespaces").set("PrefixList", "xs")

        assert refusal(encode(response)).code == "signature_invalid"

    def test_a_key_by_reference(self, refusal: Refusal) -> None:
        response = signed()
        etree.SubElement(_find(response, ".//ds:KeyInfo"), f"{DS}RetrievalMethod").set("URI", "#_x")

        assert refusal(encode(response)).code == "forbidden_xml"


class TestXML:
    @pytest.mark.parametrize(
        "prolog",
        [
            "<!DOCTYPE x>",
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
            '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        ],
    )
    def test_a_document_type(self, refusal: Refusal, prolog: str) -> None:
        xml = prolog + etree.tostring(signed()).decode()

        assert refusal(encode_text(xml)).code == "forbidden_xml"

    @pytest.mark.parametrize("encoding", ["UTF-16", "UTF-7", "ISO-8859-1"])
    def test_another_encoding(self, refusal: Refusal, encoding: str) -> None:
        """A document type written in UTF-16 or UTF-7 would not be seen by a search for its bytes."""
        xml = f'<?xml version="1.0" encoding="{encoding}"?><!--x-->{etree.tostring(signed()).decode()}'
        python = {"UTF-7": "utf-7"}.get(encoding, encoding)

        assert refusal(base64.b64encode(xml.encode(python)).decode()).code in {"malformed", "forbidden_xml"}

    @pytest.mark.parametrize("text", ["admin@corp<!-- -->.evil", "admin@corp<?x y?>.evil"])
    def test_a_name_cut_by_a_comment_or_an_instruction(self, refusal: Refusal, text: str) -> None:
        assert refusal(encode(signed(Message(name_id_xml=text)))).code == "forbidden_xml"

    @pytest.mark.parametrize("around", ["<!--x-->{}", "{}<!--x-->", "<?x y?>{}"])
    def test_a_comment_around_the_document(self, refusal: Refusal, around: str) -> None:
        xml = around.format(etree.tostring(signed()).decode())

        assert refusal(encode_text(xml)).code == "forbidden_xml"

    def test_a_name_cut_by_an_element(self, refusal: Refusal) -> None:
        response = signed(Message(name_id_xml="admin@corp<saml:x/>.evil"))

        assert refusal(encode(response)).code in {"forbidden_xml", "malformed"}

    def test_an_attribute_cut_by_an_element_counts_as_none(self, verify: Verify) -> None:
        cut = "<saml:AttributeValue>admin@corp<x/>.evil</saml:AttributeValue>"
        message = Message(attributes_xml=f'<saml:Attribute Name="email">{cut}</saml:Attribute>')

        assert verify(encode(signed(message))).attributes["email"] == ()

    def test_void_canonicalisation(self, refusal: Refusal) -> None:
        response = etree.tostring(signed()).decode().replace("<samlp:Response ", '<samlp:Response xmlns:v="1" ')

        assert refusal(encode_text(response)).code == "forbidden_xml"

    @pytest.mark.parametrize(
        "raw",
        [
            "",
            "%%%",
            "é",
            "AAAA",
            encode_text(""),
            encode_text("{}"),
            encode_text("<x"),
            encode_text("<html><body>Sign in</body></html>"),
            encode_text("<samlp:Response/>"),
            encode_text(b"\x00\xff"),
            encode_text(kit.metadata()),
            encode_text(f'<s:Response xmlns:s="{kit.NS["samlp"]}" ID="_a" Version="2.0"/>'),
            encode_text(f'<s:AuthnRequest xmlns:s="{kit.NS["samlp"]}" ID="_a" Version="2.0"/>'),
        ],
    )
    def test_what_is_no_response_at_all(self, refusal: Refusal, raw: str) -> None:
        assert refusal(raw).code == "malformed"

    def test_what_the_schema_forbids(self, refusal: Refusal) -> None:
        response = Message().tree()
        etree.SubElement(kit.assertion_of(response), f"{{{kit.NS['saml']}}}Weather")
        kit.sign(kit.assertion_of(response))

        error = refusal(encode(response))
        assert (error.code, error.details["reason"]) == ("malformed", "not valid against the schema")

    @pytest.mark.parametrize("attribute", ["NotOnOrAfter", "NotBefore"])
    @pytest.mark.parametrize("text", ["yesterday", "2030-05-06", "2030-05-06T08:00:00+02:00", "2030-99-01T00:00:00Z"])
    def test_a_moment_that_is_none(self, refusal: Refusal, attribute: str, text: str) -> None:
        response = Message().tree()
        _find(response, ".//saml:Conditions").set(attribute, text)
        kit.sign(kit.assertion_of(response))

        assert refusal(encode(response)).code == "malformed"

    @pytest.mark.parametrize("encrypted", [False, True])
    @pytest.mark.parametrize("cut", ["<!-- -->", "<?x y?>"])
    @pytest.mark.parametrize(
        "value", ["admin@corp{}.evil", '<saml:NameID Format="urn:x">admin@corp{}.evil</saml:NameID>']
    )
    def test_a_value_cut_by_a_comment_or_an_instruction(
        self, refusal: Refusal, value: str, cut: str, *, encrypted: bool
    ) -> None:
        """The identity provider itself signed it: only the reader can be mistaken about what it says."""
        inside = f"<saml:AttributeValue>{value.format(cut)}</saml:AttributeValue>"
        response = signed(Message(attributes_xml=f'<saml:Attribute Name="uid">{inside}</saml:Attribute>'))
        response = kit.encrypt(response, kit.keys("portal")) if encrypted else response

        assert refusal(encode(response)).code == "forbidden_xml"

    @pytest.mark.parametrize("encrypted", [False, True])
    @pytest.mark.parametrize("value", ["admin<x/>@corp", "<saml:NameID>a</saml:NameID>b"])
    def test_a_value_cut_by_an_element_counts_as_none(self, verify: Verify, value: str, *, encrypted: bool) -> None:
        inside = f"<saml:AttributeValue>{value}</saml:AttributeValue>"
        response = signed(Message(attributes_xml=f'<saml:Attribute Name="uid">{inside}</saml:Attribute>'))
        response = kit.encrypt(response, kit.keys("portal")) if encrypted else response

        assert verify(encode(response)).attributes["uid"] == ()

    def test_a_nested_name_cut_by_an_element(self, refusal: Refusal) -> None:
        inside = "<saml:AttributeValue><saml:NameID>admin<x/>@corp</saml:NameID></saml:AttributeValue>"
        message = Message(attributes_xml=f'<saml:Attribute Name="uid">{inside}</saml:Attribute>')

        assert refusal(encode(signed(message))).code == "malformed"


class TestEncryption:
    def test_a_cipher_by_reference(self, refusal: Refusal) -> None:
        response = kit.encrypt(signed(), kit.keys("portal"))
        data = _find(response, ".//xenc:EncryptedData/xenc:CipherData")
        data.clear()
        etree.SubElement(data, f"{{{kit.NS['xenc']}}}CipherReference").set("URI", "file:///dev/zero")

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_a_key_at_an_address(self, refusal: Refusal) -> None:
        response = kit.encrypt(signed(), kit.keys("portal"))
        info = _find(response, ".//xenc:EncryptedData/ds:KeyInfo")
        etree.SubElement(info, f"{DS}RetrievalMethod").set("URI", "file:///dev/zero")

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_a_stylesheet_on_the_way_to_a_key(self, refusal: Refusal) -> None:
        response = kit.encrypt(signed(), kit.keys("portal"))
        info = _find(response, ".//xenc:EncryptedData/ds:KeyInfo")
        method = etree.SubElement(info, f"{DS}RetrievalMethod")
        method.set("URI", "#_key")
        transforms = etree.SubElement(method, f"{DS}Transforms")
        etree.SubElement(transforms, f"{DS}Transform").set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")

        assert refusal(encode(response)).code == "forbidden_xml"

    @pytest.mark.parametrize(
        "tag",
        [
            "{http://www.w3.org/2009/xmldsig11#}KeyInfoReference",
            "{http://www.w3.org/2009/xmldsig11#}DEREncodedKeyValue",
            "{http://www.w3.org/2009/xmlenc11#}DerivedKey",
            "{http://www.w3.org/2001/04/xmlenc#}AgreementMethod",
        ],
    )
    def test_keys_that_would_be_fetched_or_derived(self, refusal: Refusal, tag: str) -> None:
        response = kit.encrypt(signed(), kit.keys("portal"))
        for path in (".//xenc:EncryptedData/ds:KeyInfo", ".//xenc:EncryptedKey"):
            variant = copy.deepcopy(response)
            etree.SubElement(_find(variant, path), tag).set("URI", "file:///dev/zero")
            assert refusal(encode(variant)).code == "forbidden_xml"
        plain = signed()
        etree.SubElement(_find(plain, ".//ds:KeyInfo"), tag)
        assert refusal(encode(plain)).code == "forbidden_xml"

    def test_many_keys(self, refusal: Refusal) -> None:
        response = kit.encrypt(signed(), kit.keys("portal"))
        info = _find(response, ".//xenc:EncryptedData/ds:KeyInfo")
        info.extend([copy.deepcopy(_find(info, "xenc:EncryptedKey")) for _ in range(50)])

        assert refusal(encode(response)).code == "too_large"

    def test_encryption_outside_the_assertion(self, refusal: Refusal) -> None:
        response = kit.encrypt(signed(), kit.keys("portal"))
        _find(response, "samlp:Status").append(copy.deepcopy(_find(response, ".//xenc:EncryptedData")))

        assert refusal(encode(response)).code == "forbidden_xml"

    def test_a_hostile_signature_inside_the_encryption(self, refusal: Refusal) -> None:
        response = signed()
        _find(response, ".//ds:Reference").set("URI", "file:///dev/zero")

        assert refusal(encode(kit.encrypt(response, kit.keys("portal")))).code == "forbidden_xml"


class TestPlainText:
    """Whoever posts variants of a message that they overheard must learn nothing from how they are refused."""

    def plain(self, content: bytes, *, cipher: object = constants.TransformAes128Gcm) -> etree._Element:
        """Return a response whose encrypted part is whatever the attacker wrote: our public key is public."""
        response = signed()
        return kit.encrypt(response, kit.keys("portal"), cipher=cipher, content=content)

    @pytest.mark.parametrize(
        "content",
        [
            b"no XML: secret-fragment",
            b"<saml:Assertion>secret-fragment",
            b"\xff\xfe\x00secret-fragment",
            b" ",
            b"<a/><b/>",
            b"</frame><frame>",
            b"text<a/>",
            b"&secret-fragment;",
        ],
    )
    def test_what_is_no_element_has_one_answer_and_prints_nothing(
        self, refusal: Refusal, capfd: pytest.CaptureFixture[str], content: bytes
    ) -> None:
        assert refusal(encode(self.plain(content))).code == "decrypt_failed"
        printed = capfd.readouterr()
        assert (printed.out, printed.err) == ("", "")

    def test_a_changed_cipher_text_has_the_same_answer(
        self, refusal: Refusal, capfd: pytest.CaptureFixture[str]
    ) -> None:
        response = kit.encrypt(signed(), kit.keys("portal"))
        value = _find(response, ".//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue")
        scrambled = bytearray(base64.b64decode(value.text or ""))
        scrambled[20] ^= 1
        value.text = base64.b64encode(scrambled).decode()

        assert refusal(encode(response)).code == "decrypt_failed"
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("position", [0, 20, -1])
    def test_cbc_padding_is_looked_at_only_for_the_identity_provider(self, refusal: Refusal, position: int) -> None:
        response = kit.encrypt(signed(), kit.keys("portal"), cipher=constants.TransformAes128Cbc)
        value = _find(response, ".//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue")
        scrambled = bytearray(base64.b64decode(value.text or ""))
        scrambled[position] ^= 1
        response = kit.sign(response)
        _find(response, ".//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue").text = base64.b64encode(
            scrambled
        ).decode()

        assert refusal(encode(response)).code == "signature_invalid"

    @pytest.mark.parametrize("content", [b"<!DOCTYPE x><a/>", b"<!DOCTYPE x [<!ENTITY e 'x'>]><a>&e;</a>"])
    def test_a_document_type_inside(self, refusal: Refusal, content: bytes) -> None:
        assert refusal(encode(self.plain(content))).code == "forbidden_xml"

    @pytest.mark.parametrize("content", [b"<a/>", b"<samlp:Response xmlns:samlp='urn:x'/>"])
    def test_another_element_inside(self, refusal: Refusal, content: bytes) -> None:
        assert refusal(encode(self.plain(content))).code == "malformed"


def test_the_parser_and_the_verifier_are_one() -> None:
    """Lxml and xmlsec of different builds would read one message in two ways."""
    assert xmlsec.get_libxml_version() == etree.LIBXML_VERSION
