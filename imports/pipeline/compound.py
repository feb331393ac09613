"""Compound files (OLE), the containers of Office 97: one named stream is taken out of its chain of sectors."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LAST_SECTOR: Final = 0xFFFFFFF9
_FREE: Final = 0xFFFFFFFF
_ENTRY: Final = 128
_HEADER: Final = 512
_MINI_SECTOR: Final = 64


class CompoundFile:
    """A compound file in memory; chains that are too long or lead nowhere just end, whatever the file says."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._size = 1 << min(struct.unpack_from("<H", content, 30)[0], 20)
        (self._cutoff,) = struct.unpack_from("<I", content, 56)
        self._table = self._allocation()
        self.truncated = self._ends_too_early()
        (directory,) = struct.unpack_from("<I", content, 48)
        entries = self._chain(directory)
        found = [_entry(entries[place : place + _ENTRY]) for place in range(0, len(entries) - _ENTRY + 1, _ENTRY)]
        self._entries = {name: (start, size) for name, start, size in found if name}

    def stream(self, name: str) -> bytes | None:
        """Return the content of a stream, or nothing when there is none of this name."""
        if name not in self._entries:
            return None
        start, size = self._entries[name]
        if size >= self._cutoff:
            return self._chain(start)[:size]
        return self._mini_chain(start)[:size]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._entries)

    def _ends_too_early(self) -> bool:
        """Whether a sector that is in use would lie beyond the end of the file."""
        (directory,) = struct.unpack_from("<I", self._content, 48)
        used = [number for number, word in enumerate(self._table) if word != _FREE]
        needed = [number for number in (directory, *struct.unpack_from("<109I", self._content, 76)) if number < _FREE]
        last: int = max([*used[-1:], *needed], default=0)
        return bool((last + 1) * self._size >= len(self._content))

    def _sector(self, number: int) -> bytes:
        place = (number + 1) * self._size
        return self._content[place : place + self._size]

    def _allocation(self) -> tuple[int, ...]:
        """The table that gives each sector its successor; its own sectors are listed in the header, then chained."""
        listed = list(struct.unpack_from("<109I", self._content, 76))
        following, count = struct.unpack_from("<2I", self._content, 68)
        per_sector = self._size // 4
        for _ in range(min(count, len(self._content) // self._size)):
            if following > _LAST_SECTOR:
                break
            words = _words(self._sector(following))
            listed += words[: per_sector - 1]
            following = words[-1] if len(words) == per_sector else _LAST_SECTOR + 1
        known = len(self._content) // self._size
        return tuple(
            word for number in listed[:known] if number <= _LAST_SECTOR for word in _words(self._sector(number))
        )

    def _chain(self, start: int) -> bytes:
        return b"".join(map(self._sector, _followed(start, self._table)))

    def _mini_chain(self, start: int) -> bytes:
        """Small streams live in sectors of 64 bytes within the stream of the root entry."""
        (first_table,) = struct.unpack_from("<I", self._content, 60)
        table = tuple(_words(self._chain(first_table)))
        root = self._chain(self._entries["Root Entry"][0]) if "Root Entry" in self._entries else b""
        places = (number * _MINI_SECTOR for number in _followed(start, table))
        return b"".join(root[place : place + _MINI_SECTOR] for place in places)


def _followed(start: int, table: tuple[int, ...]) -> Iterator[int]:
    number = start
    # No chain is longer than its table: a cycle ends here.
    for _ in table:
        if number >= len(table):
            return
        yield number
        number = table[number]


def _words(sector: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(sector) // 4}I", sector[: len(sector) // 4 * 4])


def _entry(entry: bytes) -> tuple[str, int, int]:
    """Return the name, the first sector and the size of a directory entry."""
    (length,) = struct.unpack_from("<H", entry, 64)
    name = entry[: max(min(length, 64) - 2, 0)].decode("utf-16-le", errors="replace")
    start, size = struct.unpack_from("<2I", entry, 116)
    return name, start, size
