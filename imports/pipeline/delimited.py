"""Delimited text (csv, tsv): encoding and delimiter are found from the content, records are streamed."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO, Final

from imports.pipeline.issues import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK: Final = 1 << 20
_SAMPLE: Final = 1 << 16
_DELIMITERS: Final = (";", ",", "\t", "|")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Signs that no text file holds: what has them is a picture, an archive or noise.
_BINARY: Final = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")
_ASCII: Final = bytes(range(128))
_LETTERS: Final = frozenset("éèêëàâäçîïôöùûüÿœæñÉÈÊËÀÂÄÇÎÏÔÖÙÛÜŒÆÑáíóúåøß’«»°\xa0")
_DECLARED: Final = re.compile(r"\s*\"?sep=(.)\"?\s*$", re.IGNORECASE)


class DelimitedText:
    """One delimited text file, read twice: once to make sure of its encoding, then for its records."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.encoding = _encoding(source)
        self.delimiter = _delimiter(self._sample())

    def _sample(self) -> str:
        self._source.seek(0)
        decoder = codecs.getincrementaldecoder(self.encoding)()
        return decoder.decode(self._source.read(_SAMPLE))

    def records(self) -> Iterator[list[str]]:
        """Yield every record, empty lines included, so that a record's rank is its number."""
        self._source.seek(0)
        text = io.TextIOWrapper(self._source, encoding=self.encoding, newline="")
        number = 0
        try:
            # Strict: a quote that is never closed would otherwise swallow the end of the file in silence.
            for record in csv.reader(text, delimiter=self.delimiter, strict=True):
                number += 1
                yield record
        except csv.Error:
            raise UnreadableFile("broken_quotes", record=str(number + 1)) from None
        finally:
            text.detach()


def _encoding(source: BinaryIO) -> str:
    source.seek(0)
    start = source.read(_SAMPLE)
    for encoding in _candidates(source, start):
        if _decodes(source, encoding):
            return encoding
    raise UnreadableFile("not_a_spreadsheet")


def _candidates(source: BinaryIO, start: bytes) -> tuple[str, ...]:
    for bom, encoding in _BOMS:
        if start.startswith(bom):
            return (encoding,)
    # Western text in UTF-16 without its mark has a zero in nearly every other byte.
    even, odd = start[::2].count(0), start[1::2].count(0)
    if odd > len(start) // 4 and odd > 4 * even:
        return ("utf-16-le",)
    if even > len(start) // 4 and even > 4 * odd:
        return ("utf-16-be",)
    return ("utf-8", _single_byte(source))


def _single_byte(source: BinaryIO) -> str:
    """Tell Windows-1252 from Mac Roman, in which any bytes are text, by the letters that French has."""
    times: Counter[int] = Counter()
    source.seek(0)
    while chunk := source.read(_CHUNK):
        times.update(chunk.translate(None, _ASCII))
    scores = {
        encoding: sum(count for byte, count in times.items() if bytes((byte,)).decode(encoding, "replace") in _LETTERS)
        for encoding in ("cp1252", "mac_roman")
    }
    return max(scores, key=lambda encoding: scores[encoding])


def _decodes(source: BinaryIO, encoding: str) -> bool:
    """Whether the whole file is text in this encoding: a wrong guess may show in the last record only."""
    source.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := source.read(_CHUNK):
            if _BINARY.search(decoder.decode(chunk)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(sample: str) -> str:
    """Return the delimiter that cuts most records of the sample into the same number of cells."""
    lines = sample.splitlines()
    if lines and (declared := _DECLARED.match(lines[0])) and declared[1] in _DELIMITERS:
        return declared[1]
    return max(_DELIMITERS, key=lambda delimiter: _regularity(sample, delimiter))


def _regularity(sample: str, delimiter: str) -> tuple[int, int]:
    """Return how many records have the commonest width above one, and that width."""
    widths: Counter[int] = Counter()
    try:
        for record in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            widths[len(record)] += 1
    except csv.Error:
        return 0, 0
    return max(((count, width) for width, count in widths.items() if width > 1), default=(0, 0))
