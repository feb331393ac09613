"""A sheet's XML in one fixed form, for files that write it in an unusual one.

Prefixes, quotes, comments, encodings and missing references are legal and rare. Searching through bytes is certain
only in the form that nearly every program writes; whatever is not in it passes through a real parser first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from imports.pipeline.issues import UnreadableFile
from imports.pipeline.markup import MAIN, SAME, escaped, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_REFERENCE: Final = re.compile(r"([A-Z]{1,3})[1-9][0-9]{0,6}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,6}")
_SPACE: Final = "http://www.w3.org/XML/1998/namespace space"


class Irregular(Exception):  # noqa: N818 - it asks for another way, nothing has failed.
    """The XML is not in the form in which it can be rewritten with certainty."""


def canonical(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same sheet, or the same strings, in the usual form, as far as it belongs to workbooks."""
    parser = _Canonical()
    for block in blocks:
        yield parser.feed(block)
    yield parser.feed(b"", final=True)


class _Canonical:
    """Writes what a parser reads; elements of other namespaces are left out with all that they hold."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._depth = 0
        self._skipped = 0
        self._row = 0
        self._column = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.XmlDeclHandler = self._declare

    def feed(self, block: bytes, *, final: bool = False) -> bytes:
        if b"\0" in block:
            raise Irregular
        try:
            self._parser.Parse(block, final)
        except (expat.ExpatError, ValueError, LookupError):
            raise Irregular from None
        written = "".join(self._written).encode()
        self._written.clear()
        return written

    def _refuse(self, *_declaration: object) -> None:
        raise UnreadableFile("damaged")

    def _declare(self, _version: str, encoding: str | None, _standalone: int) -> None:
        # The reader of values takes every sheet for UTF-8: nobody has seen what another encoding hides from it.
        if (encoding or "utf-8").lower() not in {"utf-8", "us-ascii"}:
            raise Irregular

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, kind = name.rpartition(" ")
        if self._skipped or SAME.get(namespace) != MAIN or kind == "extLst":
            self._skipped += 1
            return
        own = {key: value for key, value in attributes.items() if " " not in key}
        if kind == "row":
            own = self._numbered(own)
        elif kind == "c":
            own = self._referenced(own)
        elif _SPACE in attributes:
            own["xml:space"] = attributes[_SPACE]
        if not self._depth:
            own = {"xmlns": MAIN}
        self._depth += 1
        written = "".join(f' {key}="{quoted(value)}"' for key, value in own.items())
        self._written.append(f"<{kind}{written}>")

    def _end(self, name: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        self._depth -= 1
        self._written.append(f"</{name.rpartition(' ')[2]}>")

    def _text(self, text: str) -> None:
        if not self._skipped:
            self._written.append(escaped(text))

    def _numbered(self, attributes: dict[str, str]) -> dict[str, str]:
        number = attributes.pop("r", "")
        self._row = int(number) if _NUMBER.fullmatch(number) else self._row + 1
        self._column = 0
        return {"r": str(self._row), **attributes}

    def _referenced(self, attributes: dict[str, str]) -> dict[str, str]:
        """Put the reference first; a cell without one stands to the right of the cell before it."""
        match = _REFERENCE.fullmatch(attributes.pop("r", ""))
        self._column = column_number(match[1]) if match else self._column + 1
        reference = match[0] if match else f"{column_letters(self._column - 1)}{self._row}"
        return {"r": reference, **attributes}


def column_number(letters: str) -> int:
    """Return the rank of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(index: int) -> str:
    """Return the letters of a column by its index: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
