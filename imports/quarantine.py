"""The files of imports: what was uploaded, until it has been read, then its redacted copy; encrypted, randomly named.

It is sealed in frames, so that memory stays bounded whatever its size. Each frame carries its rank and the whole is
checked by its digest: frames that were exchanged, repeated or cut off in the storage are noticed.
"""

from __future__ import annotations

import hashlib
import struct
import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils import timezone

from portal.core.sealing import seal, unseal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_FOLDER = "quarantine"
_COPIES = "copies"
_PURPOSE = "imports.quarantine"
_FRAME = 1 << 20
_NUMBER = struct.Struct(">I")
_ANY_SIZE = 1 << 62


class QuarantineLost(Exception):  # noqa: N818  It names what happened.
    """The file is no longer there, or not as it was uploaded."""


class TooLarge(Exception):  # noqa: N818  It names what happened.
    """The file has more bytes than are taken."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    name: str
    size: int
    digest: bytes


def keep_copy(file: IO[bytes], *, organisation_id: int) -> Quarantined:
    """Store a redacted copy, sealed, among those of its organisation."""
    return shut_away(file, limit=_ANY_SIZE, folder=f"{_COPIES}/{organisation_id}")


def shut_away(file: IO[bytes], *, limit: int, folder: str = _FOLDER) -> Quarantined:
    """Store the file, sealed.

    Raises:
        TooLarge: it has more than `limit` bytes. Nothing was stored.
    """
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as sealed:
        for rank, content in enumerate(iter(lambda: file.read(_FRAME), b"")):
            size += len(content)
            if size > limit:
                raise TooLarge
            digest.update(content)
            frame = seal(_NUMBER.pack(rank) + content, purpose=_PURPOSE)
            sealed.write(_NUMBER.pack(len(frame)) + frame)
        sealed.seek(0)
        name = default_storage.save(f"{folder}/{uuid.uuid4().hex}", File(sealed))
    return Quarantined(name, size, digest.digest())


@contextmanager
def let_out(name: str, digest: bytes) -> Iterator[BinaryIO]:
    """Open the file for reading, in clear: a temporary file without a name, which nobody else can open.

    Raises:
        QuarantineLost: it is gone, or it was altered.
    """
    with tempfile.TemporaryFile() as clear:
        found = hashlib.sha256()
        try:
            with default_storage.open(name) as sealed:
                for content in _frames(sealed):
                    found.update(content)
                    clear.write(content)
        except (OSError, ValueError, InvalidToken, struct.error):
            raise QuarantineLost from None
        if found.digest() != digest:
            raise QuarantineLost
        clear.seek(0)
        yield cast("BinaryIO", clear)


def discard(name: str) -> None:
    if name:
        default_storage.delete(name)


def discard_forgotten() -> None:
    """Delete every upload that has waited too long, those of interrupted uploads included: no row names them."""
    oldest = timezone.now() - timedelta(seconds=settings.IMPORT_UNREAD_SECONDS)
    for path in _older_than(oldest, _FOLDER):
        default_storage.delete(path)


def discard_copies(*, organisation_id: int, named: set[str]) -> None:
    """Delete the copies that no import names: what was written by a reading that was interrupted."""
    yesterday = timezone.now() - timedelta(days=1)
    for path in _older_than(yesterday, f"{_COPIES}/{organisation_id}"):
        if path not in named:
            default_storage.delete(path)


def _older_than(oldest: datetime, folder: str) -> Iterator[str]:
    if not default_storage.exists(folder):
        return
    for name in default_storage.listdir(folder)[1]:
        path = f"{folder}/{name}"
        try:
            if default_storage.get_modified_time(path) < oldest:
                yield path
        except FileNotFoundError:
            continue


def _frames(sealed: File[Any]) -> Iterator[bytes]:
    rank = 0
    while length := sealed.read(_NUMBER.size):
        (size,) = _NUMBER.unpack(length)
        content = unseal(sealed.read(size), purpose=_PURPOSE)
        if _NUMBER.unpack(content[: _NUMBER.size]) != (rank,):
            raise QuarantineLost
        yield content[_NUMBER.size :]
        rank += 1
