from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import InvalidToken

from portal.core import sealing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    sealing._box.cache_clear()
    yield
    sealing._box.cache_clear()


def test_it_comes_back_only_for_its_purpose() -> None:
    sealed = sealing.seal(b"a private key", purpose="sso-key")
    assert b"private" not in sealed
    assert sealing.unseal(sealed, purpose="sso-key") == b"a private key"
    with pytest.raises(InvalidToken):
        sealing.unseal(sealed, purpose="quarantine")


def test_a_former_key_still_opens(settings: Settings) -> None:
    sealed = sealing.seal(b"a private key", purpose="sso-key")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = (
        "another key, forty characters long......",
        [settings.SECRET_KEY],
    )
    sealing._box.cache_clear()
    assert sealing.unseal(sealed, purpose="sso-key") == b"a private key"
    settings.SECRET_KEY_FALLBACKS = []
    sealing._box.cache_clear()
    with pytest.raises(InvalidToken):
        sealing.unseal(sealed, purpose="sso-key")
