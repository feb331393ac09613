"""Metadata: honest documents are read, every other file is called by its name, ours can be imported."""

from __future__ import annotations

import base64
import datetime as dt
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from sso.saml.errors import SAMLError
from sso.saml.metadata import LARGEST_METADATA, parse_metadata, service_provider_metadata
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from sso.saml.config import ServiceProvider


def refused(document: str | bytes, **options: Any) -> str:
    xml = document.encode() if isinstance(document, str) else document
    with pytest.raises(SAMLError) as caught:
        parse_metadata(xml, **options)
    return caught.value.code


def elliptic_certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2040, 1, 1, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def several(*documents: str) -> str:
    inside = "".join(documents)
    return f'<md:EntitiesDescriptor xmlns:md="{kit.NS["md"]}">{inside}</md:EntitiesDescriptor>'


def test_an_identity_provider_is_read() -> None:
    found = parse_metadata(kit.metadata().encode())

    assert found.entity_id == kit.IDP_ENTITY_ID
    assert (found.sso_url, found.sso_binding) == (kit.SSO_URL, kit.REDIRECT)
    assert found.certificates == (kit.bare(kit.keys("idp").certificate_pem),)
    assert found.slo_url == ""


@pytest.mark.parametrize(
    "document",
    [
        "\ufeff" + kit.metadata(),
        "\n  " + kit.metadata(),
        '<?xml version="1.0" encoding="UTF-8"?><!-- by hand -->' + kit.metadata(),
        several(kit.metadata()),
        several(kit.metadata(), kit.metadata(role="SPSSODescriptor", bindings=())),
        kit.metadata(use=None),
        kit.metadata(protocol=f"urn:oasis:names:tc:SAML:1.1:protocol {kit.NS['samlp']}"),
        kit.metadata(valid_until="2999-01-01T00:00:00Z"),
    ],
)
def test_honest_variants_are_read(document: str) -> None:
    assert parse_metadata(document.encode()).entity_id == kit.IDP_ENTITY_ID


def test_post_alone_is_enough() -> None:
    assert parse_metadata(kit.metadata(bindings=(kit.POST,)).encode()).sso_binding == kit.POST


def test_every_certificate_counts_once() -> None:
    first, second = (kit.keys(name).certificate_pem for name in ("idp", "next"))
    found = parse_metadata(kit.metadata(certificates=(first, second, first)).encode())

    assert found.certificates == (kit.bare(first), kit.bare(second))


def test_an_address_with_parameters_keeps_them() -> None:
    url = "https://accounts.example/o/saml2/idp?idpid=C01&x=2"

    assert parse_metadata(kit.metadata(sso_url=url).encode()).sso_url == url


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("", "metadata_empty"),
        ("  \n", "metadata_empty"),
        ("<!DOCTYPE html><html></html>", "metadata_html"),
        ("<html><body>Sign in</body></html>", "metadata_html"),
        ('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "metadata_html"),
        ('{"entityID": "x"}', "metadata_json"),
        ("%PDF-1.7", "metadata_not_xml"),
        ("<md:EntityDescriptor", "metadata_not_xml"),
        ("<a>&undefined;</a>", "metadata_not_xml"),
        ("<rss/>", "metadata_not_saml"),
        ('<!DOCTYPE x [<!ENTITY e "x">]>' + kit.metadata(), "metadata_forbidden_xml"),
        (several(), "metadata_no_idp"),
        (kit.metadata(role="SPSSODescriptor", bindings=()), "metadata_service_provider"),
        (kit.metadata(protocol="urn:oasis:names:tc:SAML:1.1:protocol"), "metadata_no_idp"),
        (several(kit.metadata(), kit.metadata(entity_id="https://b.example")), "metadata_several_idps"),
        (kit.metadata(entity_id=""), "metadata_no_entity_id"),
        (kit.metadata(entity_id="x" * 1025), "metadata_no_entity_id"),
        (kit.metadata(certificates=()), "metadata_no_certificate"),
        (kit.metadata(use="encryption"), "metadata_no_certificate"),
        (kit.metadata(certificates=("-\nAAAA\n-",)), "metadata_bad_certificate"),
        (kit.metadata(certificates=("-\n%%%\n-",)), "metadata_bad_certificate"),
        (kit.metadata(certificates=(kit.keys("short", 1024).certificate_pem,)), "metadata_weak_key"),
        (kit.metadata(bindings=()), "metadata_no_endpoint"),
        (kit.metadata(bindings=("urn:oasis:names:tc:SAML:2.0:bindings:SOAP",)), "metadata_no_endpoint"),
        (kit.metadata(valid_until="2020-01-01T00:00:00Z"), "metadata_expired"),
    ],
)
def test_each_wrong_file_has_its_code(document: str, code: str) -> None:
    assert refused(document) == code


def test_a_key_that_is_not_rsa() -> None:
    assert refused(kit.metadata(certificates=(elliptic_certificate(),))) == "metadata_weak_key"


def test_a_file_without_end() -> None:
    assert refused(b"<" + b"x" * LARGEST_METADATA) == "metadata_too_large"


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/sso",
        "http://127.0.0.1:8001/sso",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "//idp.example/sso",
        "https://user:password@idp.example/sso",
        "https://idp.example/sso#fragment",
        "https://idp.example/a b",
        "https://idp.example/'><script>",
        "https://idp.example:99999/",
        "https://[::1/",
        "",
    ],
)
def test_only_https_is_an_endpoint(url: str) -> None:
    assert refused(kit.metadata(sso_url=url)) == "metadata_insecure_endpoint"


@pytest.mark.parametrize("host", ["127.0.0.1:8001", "localhost:8001", "[::1]:8001"])
def test_http_is_for_loopback_when_allowed(host: str) -> None:
    document = kit.metadata(sso_url=f"http://{host}/sso").encode()

    assert parse_metadata(document, allow_loopback=True).sso_url == f"http://{host}/sso"


@pytest.mark.parametrize("url", ["http://idp.example/", "http://127.0.0.1.evil.example/", "http://10.0.0.1/"])
def test_http_elsewhere_stays_refused(url: str) -> None:
    assert refused(kit.metadata(sso_url=url), allow_loopback=True) == "metadata_insecure_endpoint"


def test_ours_follows_the_schema_and_never_expires(sp: ServiceProvider) -> None:
    document = service_provider_metadata(sp)
    root = etree.fromstring(document)

    with resources.as_file(resources.files("onelogin.saml2") / "schemas" / "saml-schema-metadata-2.0.xsd") as path:
        etree.XMLSchema(etree.parse(path)).assertValid(root)
    assert root.get("entityID") == sp.entity_id
    assert b"validUntil" not in document
    assert b"cacheDuration" not in document
    role = root[0]
    assert (role.get("AuthnRequestsSigned"), role.get("WantAssertionsSigned")) == ("true", "true")
    consumer = role.find("md:AssertionConsumerService", kit.NS)
    assert consumer is not None
    assert consumer.get("Location") == sp.acs_url
    assert [key.get("use") for key in role.findall("md:KeyDescriptor", kit.NS)] == ["signing"]
    certificate = role.findtext(".//ds:X509Certificate", namespaces=kit.NS)
    assert base64.b64decode(certificate or "")
    assert b"PRIVATE" not in document


def test_ours_is_not_taken_for_an_identity_provider(sp: ServiceProvider) -> None:
    assert refused(service_provider_metadata(sp)) == "metadata_service_provider"
