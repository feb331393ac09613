"""Recognition: what a header or the cells under it say a column is, and how that is known."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from imports.pipeline.fields import FieldKind
from imports.pipeline.minimisation import (
    forbidden_content,
    forbidden_header,
    looks_like_addresses,
    looks_like_birth,
)
from portal.core.text import fold

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from imports.pipeline.fields import Field
    from imports.pipeline.mapping import Mapping
    from imports.pipeline.sheets import Cell, Row

# "Date d'entrée (JJ/MM/AAAA)": what stands in brackets explains the header, it does not name it.
_EXPLANATION: Final = re.compile(r"[(\[].*$", re.DOTALL)
_MANAGER: Final = re.compile(r"\b(?:managers?|responsables?|superieure?|hierarchi\w*|n ?1|supervisor|chef)\b")
_DIGITS: Final = re.compile(r"\d+")
_EMAIL: Final = re.compile(r"\s*[^\s@;,]+@[^\s@;,]+\.[^\s@;,]+\s*")
_LONGEST_HEADER: Final = 60
_LONGEST_EMAIL: Final = 300
_LONGEST_GROUP: Final = 40
_SHORTEST_SIMILAR: Final = 4
# Comparing is slow, and no roster has its names so far to the right.
_MOST_COMPARED: Final = 300
_SIMILAR: Final = 0.83
# A date that ends people's access is not taken from a header that merely resembles one.
_SIMILAR_DATE: Final = 0.92
_PERSONAL: Final = frozenset({"email", "employee_number", "last_name", "first_name", "full_name"})
_DATES: Final = frozenset({"hired_on", "left_on"})


class Reason(StrEnum):
    """How it is known that a column feeds a field; reasons are stored, so they are never renamed."""

    SYNONYM = "synonym"
    REMEMBERED = "remembered"
    SIMILAR = "similar"
    CONTENT = "content"
    CHOSEN = "chosen"


class _Claim(NamedTuple):
    rank: int
    index: int  # type: ignore[assignment]  # A column's place, and no method of tuples.
    reason: Reason


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns under one header row are: those that feed fields, and those that must not come in."""

    headers: tuple[str, ...]
    fed: dict[str, int]
    reasons: dict[str, str]
    forbidden: dict[int, str]
    extras: tuple[int, ...] = ()
    groups: tuple[str, ...] = ()


def header_signature(headers: Iterable[str]) -> str:
    """Return the same key for the same headers, whatever their accents, case and punctuation."""
    return hashlib.sha256("\n".join(map(fold, headers)).encode()).hexdigest()


def headers_of(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Return the cells of a header row as texts, blank ones at its end left out."""
    texts = [" ".join(cell.split()) if isinstance(cell, str) else "" for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


class Recogniser:
    """Recognises columns by the fields' synonyms and by what HR confirmed before."""

    def __init__(self, fields: Sequence[Field], remembered: Sequence[Mapping], today: dt.date) -> None:
        self._kinds = {each.name: each.kind for each in fields}
        self._today = today
        # The rank orders the columns that claim one field: "Nom d'usage" is preferred to "Nom".
        self._synonyms = {
            synonym: (each.name, rank, Reason.SYNONYM) for each in fields for rank, synonym in enumerate(each.synonyms)
        }
        self._remembered = {mapping.signature: mapping for mapping in remembered if mapping.headers}
        for mapping in remembered:
            self._learn(mapping)
        self._by_letter: dict[str, list[str]] = {}
        for synonym in self._synonyms:
            self._by_letter.setdefault(synonym[:1], []).append(synonym)

    def _learn(self, mapping: Mapping) -> None:
        """Remember headers for files in which they stand elsewhere; one that names two columns tells nothing."""
        times = Counter(map(fold, mapping.headers))
        for name, index in mapping.columns.items():
            header = fold(mapping.headers[index])
            if name in self._kinds and header and times[header] == 1:
                self._synonyms[header] = (name, -1, Reason.REMEMBERED)

    def names_any(self, headers: Sequence[str]) -> bool:
        return any(self._named(header) for header in headers)

    def columns(self, headers: tuple[str, ...], above: Row | None, below: Sequence[Row], *, similar: bool) -> Columns:
        """Return what the columns under these headers are; `similar` headers cost more to find than equal ones."""
        groups = _groups(headers, above)
        samples = [[row.cells[index] for row in below if index < len(row.cells)] for index in range(len(headers))]
        forbidden = {
            index: kind
            for index, header in enumerate(headers)
            if (kind := forbidden_header(header, groups[index]) or forbidden_content(samples[index]))
        }
        if known := self._remembered.get(header_signature(headers)):
            return self._as_remembered(known, headers, forbidden, groups)
        claims = self._claims(headers, groups, forbidden)
        forbidden |= self._forbidden_by_content(headers, samples, claims, forbidden)
        claims = self._claims(headers, groups, forbidden)
        if similar:
            self._add_similar(claims, headers, groups, forbidden)
            self._add_emails(claims, headers, groups, samples, forbidden)
        fed = {name: claims[name] for name in self._kinds if name in claims}
        return Columns(
            headers,
            {name: claim.index for name, claim in fed.items()},
            {name: claim.reason.value for name, claim in fed.items()},
            forbidden,
            groups=groups if any(groups) else (),
        )

    def _as_remembered(
        self, known: Mapping, headers: tuple[str, ...], forbidden: dict[int, str], groups: tuple[str, ...]
    ) -> Columns:
        forbidden = forbidden | dict(zip(known.dropped, known.dropped_kinds, strict=False))
        fed = {name: index for name, index in known.columns.items() if index not in forbidden and name in self._kinds}
        extras = tuple(index for index in known.extras if index not in forbidden)
        reasons = dict.fromkeys(fed, Reason.REMEMBERED.value)
        return Columns(headers, fed, reasons, forbidden, extras, groups if any(groups) else ())

    def _named(self, header: str) -> tuple[str, int, Reason] | None:
        return self._synonyms.get(fold(header)) or self._synonyms.get(fold(_EXPLANATION.sub("", header)))

    def _claims(
        self, headers: tuple[str, ...], groups: tuple[str, ...], forbidden: dict[int, str]
    ) -> dict[str, _Claim]:
        claims: dict[str, _Claim] = {}
        of_manager = self._of_manager(headers, groups)
        for index, header in enumerate(headers):
            named = None if index in forbidden else self._named(header)
            if named is None:
                continue
            name, rank, reason = named
            if index in of_manager:
                if name != "email":
                    continue
                name = "manager_email"
            claim = _Claim(rank, index, reason)
            claims[name] = min(claims.get(name, claim), claim)
        return _one_kind_of_name(claims)

    def _of_manager(self, headers: tuple[str, ...], groups: tuple[str, ...]) -> set[int]:
        """Return the columns that a title over them gives to somebody else: the manager's name is no name of a row.

        A title's width is not known, so it ends where another field than a person's begins.
        """
        found: set[int] = set()
        title, ended = "", False
        for index, (header, group) in enumerate(zip(headers, groups, strict=True)):
            if group != title:
                title, ended = group, False
            named = self._named(header)
            ended = ended or (named is not None and named[0] not in _PERSONAL)
            if not ended and _MANAGER.search(fold(title)):
                found.add(index)
        return found

    def _forbidden_by_content(
        self,
        headers: tuple[str, ...],
        samples: Sequence[Sequence[Cell]],
        claims: dict[str, _Claim],
        forbidden: dict[int, str],
    ) -> dict[int, str]:
        """Return the columns whose cells can only be birth dates or private addresses, under a neutral header."""
        claimed = {claim.index for claim in claims.values()}
        found = {}
        for index, header in enumerate(headers):
            if index in forbidden or index in claimed:
                continue
            if looks_like_birth(samples[index], self._today):
                found[index] = "birth"
            elif looks_like_addresses(header, samples[index]):
                found[index] = "address"
        return found

    def _add_similar(
        self,
        claims: dict[str, _Claim],
        headers: tuple[str, ...],
        groups: tuple[str, ...],
        forbidden: dict[int, str],
    ) -> None:
        claimed = {claim.index for claim in claims.values()} | set(forbidden) | self._of_manager(headers, groups)
        close: list[tuple[float, int, str]] = []
        for index, header in enumerate(headers[:_MOST_COMPARED]):
            if index not in claimed and not self._named(header):
                close += [(-ratio, index, name) for name, ratio in self._similar(header)]
        for _, index, name in sorted(close):
            if name not in claims and index not in claimed:
                claims[name] = _Claim(0, index, Reason.SIMILAR)
                claimed.add(index)
        _one_kind_of_name(claims)

    def _similar(self, header: str) -> Iterator[tuple[str, float]]:
        """Yield the fields that have a synonym of nearly these letters."""
        text = fold(_EXPLANATION.sub("", header))
        if not _SHORTEST_SIMILAR <= len(text) <= _LONGEST_HEADER:
            return
        matcher = difflib.SequenceMatcher(autojunk=False)
        matcher.set_seq2(text)
        digits, manager = _DIGITS.findall(text), _MANAGER.search(text) is not None
        # People misspell what follows a first letter; starting from it, few synonyms are left to compare.
        for synonym in self._by_letter.get(text[0], ()):
            name = self._synonyms[synonym][0]
            least = _SIMILAR_DATE if name in _DATES else _SIMILAR
            if len(synonym) < _SHORTEST_SIMILAR or (manager and name != "manager_email"):
                continue
            if abs(len(synonym) - len(text)) > (1 - least) * (len(synonym) + len(text)):
                continue
            matcher.set_seq1(synonym)
            if matcher.quick_ratio() < least or digits != _DIGITS.findall(synonym):
                continue
            if (ratio := matcher.ratio()) >= least:
                yield name, ratio

    def _add_emails(
        self,
        claims: dict[str, _Claim],
        headers: tuple[str, ...],
        groups: tuple[str, ...],
        samples: Sequence[Sequence[Cell]],
        forbidden: dict[int, str],
    ) -> None:
        """Take an unclaimed column of e-mail addresses for what it is; a manager's are not the person's."""
        claimed = {claim.index for claim in claims.values()} | set(forbidden)
        for index, header in enumerate(headers):
            if index in claimed or not _holds_emails(samples[index]):
                continue
            manager = _MANAGER.search(fold(f"{header} {groups[index]}")) is not None
            name = "manager_email" if manager else "email"
            if self._kinds.get(name) is FieldKind.EMAIL and name not in claims:
                claims[name] = _Claim(0, index, Reason.CONTENT)


def _one_kind_of_name(claims: dict[str, _Claim]) -> dict[str, _Claim]:
    """Keep either the two columns of a name or the one that has both."""
    if "last_name" in claims and "first_name" in claims:
        claims.pop("full_name", None)
    elif "full_name" in claims:
        claims.pop("last_name", None)
        claims.pop("first_name", None)
    return claims


def _holds_emails(sample: Sequence[Cell]) -> bool:
    texts = [cell[:_LONGEST_EMAIL] for cell in sample if isinstance(cell, str) and cell.strip()]
    return bool(texts) and 10 * sum(_EMAIL.fullmatch(text) is not None for text in texts) >= 9 * len(texts)


def _groups(headers: tuple[str, ...], above: Row | None) -> tuple[str, ...]:
    """Return the title over each header ("Identité" over "Nom | Prénom"), when the row above is a line of titles.

    A banner is no such line: it stands alone, at the left.
    """
    titles = headers_of(above.cells) if above is not None else ()
    filled = [index for index, title in enumerate(titles) if title]
    named = sum(map(bool, headers))
    if not filled or filled == [0] or len(filled) >= named or any(len(title) > _LONGEST_GROUP for title in titles):
        return ("",) * len(headers)
    groups, current = [], ""
    for index in range(len(headers)):
        current = (titles[index] if index < len(titles) else "") or current
        groups.append(current)
    return tuple(groups)
