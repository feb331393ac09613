"""A device that makes passkeys and signs with them, in software: real keys, real signatures, no browser."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

ORIGIN = "http://testserver"
_FLAG = AuthenticatorData.FLAG
VERIFIED = _FLAG.UP | _FLAG.UV


class Device:
    """Remembers one passkey, and whose it is, as a telephone does."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(16)
        self.user_handle = ""

    def make(self, options: dict[str, Any], *, flags: int = VERIFIED, challenge: str = "") -> str:
        """Answer what a page asks when a passkey is to be made."""
        wanted = options["publicKey"]
        self.user_handle = wanted["user"]["id"]
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        made = AuthenticatorData.create(
            _hash(wanted["rp"]["id"].encode()),
            flags | _FLAG.AT,
            0,
            AttestedCredentialData.create(b"\0" * 16, self.credential_id, public),
        )
        client = CollectedClientData.create("webauthn.create", challenge or wanted["challenge"], ORIGIN)
        attestation = AttestationObject.create("none", made, {})
        return self._answer({"clientDataJSON": client, "attestationObject": attestation}, {"credProps": {"rk": True}})

    def sign(self, options: dict[str, Any]) -> str:
        """Answer what a page asks when somebody comes in."""
        wanted = options["publicKey"]
        made = AuthenticatorData.create(_hash(wanted["rpId"].encode()), VERIFIED, 1)
        client = CollectedClientData.create("webauthn.get", wanted["challenge"], ORIGIN)
        signature = self.key.sign(bytes(made) + client.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": client,
                "authenticatorData": made,
                "signature": signature,
                "userHandle": self.user_handle,
            },
            {},
        )

    def _answer(self, response: dict[str, Any], results: dict[str, Any]) -> str:
        named = websafe_encode(self.credential_id)
        plain = {
            name: each if isinstance(each, str) else websafe_encode(bytes(each)) for name, each in response.items()
        }
        return json.dumps(
            {
                "type": "public-key",
                "id": named,
                "rawId": named,
                "authenticatorAttachment": "platform",
                "response": plain,
                "clientExtensionResults": results,
            }
        )


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
