"""The second line: what our replacements inside the toolkit refuse even if the gate had let it through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils
from xmlsec import constants

import sso.saml.toolkit
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from pathlib import Path

    from sso.saml.config import IdentityProvider, ServiceProvider
    from tests.sso.saml.conftest import Verify

ASSERTION_SIGNATURE = OneLogin_Saml2_Utils.ASSERTION_SIGNATURE_XPATH


def accepted(response: etree._Element) -> bool:
    found: bool = OneLogin_Saml2_Utils.validate_sign(
        response, xpath=ASSERTION_SIGNATURE, multicerts=[kit.keys("idp").certificate_pem]
    )
    return found


def test_an_honest_signature_passes() -> None:
    assert accepted(kit.signed())


@pytest.mark.parametrize(
    "how",
    [
        {"algorithm": constants.TransformRsaSha1},
        {"digest": constants.TransformSha1},
        {"digest": constants.TransformSha224},
        {"by": kit.keys("attacker")},
        {"transforms": (constants.TransformEnveloped, constants.TransformInclC14N)},
    ],
)
def test_anything_else_does_not(how: dict[str, Any]) -> None:
    assert not accepted(kit.signed(how=kit.Signature(**how)))


def test_the_key_may_stand_beside_the_encrypted_data(verify: Verify) -> None:
    """Shibboleth's shape: a reference inside, the key next to it."""
    response = kit.encrypt(kit.signed(), kit.keys("portal"))
    info = response.find(".//xenc:EncryptedData/ds:KeyInfo", kit.NS)
    holder = response.find("saml:EncryptedAssertion", kit.NS)
    assert info is not None
    assert holder is not None
    key = info[0]
    key.set("Id", "_key-1")
    reference = etree.SubElement(info, f"{{{kit.NS['ds']}}}RetrievalMethod")
    reference.set("URI", "#_key-1")
    reference.set("Type", "http://www.w3.org/2001/04/xmlenc#EncryptedKey")
    holder.append(key)

    assert verify(kit.encode(response)).name_id == "person-42"


def test_no_key_is_ever_read_from_the_disk(
    sp: ServiceProvider, idp: IdentityProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The toolkit looks for certs/sp.key where it runs when a setting is empty: what it gets is never empty."""
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "sp.key").write_text(kit.keys("attacker").private_pem)
    monkeypatch.chdir(tmp_path)
    built = sso.saml.toolkit._settings(sp, idp, sp.private_key_pem, sp.certificate_pem)

    assert "".join(built.get_sp_key().split()) == "".join(sp.private_key_pem.split())
