"""The parties of a connection: keys that last, and secrets that do not show."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from sso.saml.config import bare_certificate, fingerprint, new_key_pair
from sso.saml.errors import SAMLError, named_errors
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from sso.saml.config import ServiceProvider


def test_a_key_pair_serves_ten_years() -> None:
    private, pem = new_key_pair("Portail " * 20)
    certificate = x509.load_pem_x509_certificate(pem.encode())
    key = certificate.public_key()

    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size >= 2048
    assert certificate.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=3650)
    assert private.startswith("-----BEGIN PRIVATE KEY-----")


def test_the_private_key_never_shows(sp: ServiceProvider) -> None:
    assert "PRIVATE KEY" not in repr(sp)


def test_a_certificate_is_the_same_with_and_without_its_frame() -> None:
    pem = kit.keys("idp").certificate_pem

    assert bare_certificate(pem) == kit.bare(pem) == bare_certificate(f" {kit.bare(pem)}\n")
    assert fingerprint(pem) == fingerprint(kit.bare(pem))
    assert fingerprint("garbage") == ""


def test_whatever_goes_wrong_has_a_name_and_quotes_nothing() -> None:
    with pytest.raises(SAMLError) as caught, named_errors():
        raise KeyError("decrypted text")

    assert caught.value.code == "malformed"
    assert caught.value.details == {"reason": "KeyError"}


def test_details_are_bounded() -> None:
    assert len(SAMLError("malformed", received="x" * 10_000).details["received"]) == 300
