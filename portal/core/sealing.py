"""Encryption at rest for what must not be readable in a backup: keys, answers in waiting, quarantined files."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


@cache
def _box(purpose: str) -> MultiFernet:
    """One key per purpose, derived from each secret key: the first seals, all open (rotation)."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = (hashlib.sha256(f"portal.sealing:{purpose}:{secret}".encode()).digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


@cache
def _digest_key(purpose: str) -> bytes:
    return hashlib.sha256(f"portal.digests:{purpose}:{settings.SECRET_KEY}".encode()).digest()


def keyed_digest(text: str, *, purpose: str) -> bytes:
    """Return what finds a name again without telling it: a plain digest of a guessable name can be guessed."""
    return hmac.digest(_digest_key(purpose), text.encode(), "sha256")


def seal(content: bytes, *, purpose: str) -> bytes:
    return _box(purpose).encrypt(content)


def unseal(sealed: bytes, *, purpose: str) -> bytes:
    """Return the content.

    Raises:
        cryptography.fernet.InvalidToken: it was sealed with another key, for another purpose, or altered.
    """
    return _box(purpose).decrypt(bytes(sealed))
