"""The uploaded file at rest: unreadable, whole or refused, and never for long."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.files.storage import default_storage

from imports.quarantine import (
    QuarantineLost,
    TooLarge,
    discard,
    discard_forgotten,
    let_out,
    shut_away,
)

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

CONTENT = b"Matricule;Nom\n" * 200_000


def stored_path(name: str) -> Path:
    return Path(default_storage.path(name))


def test_what_was_shut_away_comes_out_again() -> None:
    stored = shut_away(io.BytesIO(CONTENT), limit=len(CONTENT))

    with let_out(stored.name, stored.digest) as clear:
        assert clear.read() == CONTENT
    assert stored.size == len(CONTENT)


def test_at_rest_it_is_unreadable_and_closed_to_others() -> None:
    path = stored_path(shut_away(io.BytesIO(CONTENT), limit=len(CONTENT)).name)

    assert b"Matricule" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_too_large_a_file_leaves_nothing() -> None:
    with pytest.raises(TooLarge):
        shut_away(io.BytesIO(CONTENT), limit=len(CONTENT) - 1)
    assert not default_storage.exists("quarantine")


def altered(sealed: bytes) -> bytes:
    return sealed[:100] + bytes([sealed[100] ^ 1]) + sealed[101:]


def exchanged(sealed: bytes) -> bytes:
    first = 4 + int.from_bytes(sealed[:4])
    second = first + 4 + int.from_bytes(sealed[first : first + 4])
    return sealed[first:second] + sealed[:first] + sealed[second:]


def cut_at_a_frame(sealed: bytes) -> bytes:
    return sealed[: 4 + int.from_bytes(sealed[:4])]


@pytest.mark.parametrize("tamper", [altered, exchanged, cut_at_a_frame, lambda sealed: sealed[:-1], lambda _: b""])
def test_a_file_that_was_tampered_with_is_refused(tamper: type[bytes]) -> None:
    stored = shut_away(io.BytesIO(CONTENT), limit=len(CONTENT))
    path = stored_path(stored.name)
    path.write_bytes(tamper(path.read_bytes()))

    with pytest.raises(QuarantineLost), let_out(stored.name, stored.digest):
        pass


def test_a_file_that_is_gone_is_said_to_be() -> None:
    stored = shut_away(io.BytesIO(CONTENT), limit=len(CONTENT))
    discard(stored.name)

    with pytest.raises(QuarantineLost), let_out(stored.name, stored.digest):
        pass


def test_forgotten_files_are_deleted_and_fresh_ones_stay(settings: Settings) -> None:
    discard_forgotten()
    old, fresh = (shut_away(io.BytesIO(b"x"), limit=1).name for _ in range(2))
    past = time.time() - settings.IMPORT_UNREAD_SECONDS - 5
    os.utime(stored_path(old), (past, past))

    discard_forgotten()

    assert (default_storage.exists(old), default_storage.exists(fresh)) == (False, True)
