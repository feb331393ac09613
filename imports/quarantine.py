"""The uploaded file until it has been read: encrypted, under a random name.

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

_FOLDER = "quarantine"
_PURPOSE = "imports.quarantine"
_FRAME = 1 << 20
_NUMBER = struct.Struct(">I")


class QuarantineLost(Exception):  # noqa: N818  It names what happened.
    """The file is no longer there, or not as it was uploaded."""


class TooLarge(Exception):  # noqa: N818  It names what happened.
    """The file has more bytes than are taken."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    name: str
    size: int
    digest: bytes


def shut_away(file: IO[bytes], *, limit: int) -> Quarantined:
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
        name = default_storage.save(f"{_FOLDER}/{uuid.uuid4().hex}", File(sealed))
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
    """Delete every file that has waited too long, those of interrupted uploads included: no row names them."""
    if not default_storage.exists(_FOLDER):
        return
    oldest = timezone.now() - timedelta(seconds=settings.IMPORT_UNREAD_SECONDS)
    for name in default_storage.listdir(_FOLDER)[1]:
        path = f"{_FOLDER}/{name}"
        try:
            forgotten = default_storage.get_modified_time(path) < oldest
        except FileNotFoundError:
            continue
        if forgotten:
            default_storage.delete(path)


def _frames(sealed: File[Any]) -> Iterator[bytes]:
    rank = 0
    while length := sealed.read(_NUMBER.size):
        (size,) = _NUMBER.unpack(length)
        content = unseal(sealed.read(size), purpose=_PURPOSE)
        if _NUMBER.unpack(content[: _NUMBER.size]) != (rank,):
            raise QuarantineLost
        yield content[_NUMBER.size :]
        rank += 1
