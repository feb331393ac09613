"""What is said of certificates, and how pictures are drawn."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.utils import translation
from lxml import etree

from sso.guides import GUIDES
from sso.pictures import Picture, Row, drawn
from sso.reading import certificate_reading
from sso.vendors import MAPPINGS, VENDORS

NOW = dt.datetime(2030, 5, 6, tzinfo=dt.UTC)


def certificate(*, starts: int, ends: int) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW + dt.timedelta(days=starts))
        .not_valid_after(NOW + dt.timedelta(days=ends))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("starts", "ends", "warnings"), [(-10, 400, 0), (-10, 59, 1), (-10, -1, 1), (1, 400, 1), (1, 30, 2)]
)
def test_a_certificate_is_read_with_its_warnings(starts: int, ends: int, warnings: int) -> None:
    reading = certificate_reading(certificate(starts=starts, ends=ends), now=NOW)
    assert len(reading.warnings) == warnings
    assert reading.subject == "CN=idp"
    assert len(reading.fingerprint) == 95
    assert reading.expires_at == NOW + dt.timedelta(days=ends)


def test_every_product_is_complete() -> None:
    assert set(VENDORS) == set(GUIDES) == set(MAPPINGS)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_picture_is_well_formed_and_speaks(vendor: str, language: str) -> None:
    with translation.override(language):
        for picture in (GUIDES[vendor].picture, GUIDES[vendor].fetch_picture):
            root = etree.fromstring(str(drawn(picture)))
            width, height = (float(part) for part in root.get("viewBox", "").split()[2:])
            boxes = root.findall("rect")
            assert all(float(box.get("x", 0)) + float(box.get("width", 0)) <= width for box in boxes)
            assert all(float(box.get("y", 0)) + float(box.get("height", 0)) <= height for box in boxes)
            assert len(root.get("aria-label", "")) > 20
            # A sign is about seven wide: none runs out of the picture.
            texts = [text.text or "" for text in root.findall("text")]
            assert max(map(len, texts)) <= 60, texts


def test_a_picture_escapes_what_it_is_given() -> None:
    drawing = str(drawn(Picture(path=("<b>",), rows=(Row('"&', shows="<i>"),), button="<u>")))
    assert etree.fromstring(drawing) is not None
    assert "<b>" not in drawing
