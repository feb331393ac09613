"""What became of the events of a delivery."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from portal.progress.facts import SENTENCES


class Source(StrEnum):
    """By which way facts came."""

    REST = "rest"
    XAPI = "xapi"
    FILE = "file"
    KEPT = "kept"


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    UNMATCHED = "unmatched"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to know about one event. `row` is its line in a file, its place in a request."""

    row: int
    event_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """`received` is always the sum of the four that follow; `organisation_ids` are those in which something is new."""

    received: int
    accepted: int
    duplicate: int
    unmatched: int
    rejected: int
    issues: tuple[Issue, ...]
    issues_total: int
    organisation_ids: tuple[int, ...]


@dataclass(slots=True)
class Tally:
    """Counts while a delivery is worked off. Issues beyond the limit are counted, not kept.

    `arrived` is what came for each organisation since it was last written down in its row of `deliveries`.
    """

    limit: int
    counts: Counter[Outcome] = field(default_factory=Counter)
    issues: list[Issue] = field(default_factory=list)
    issues_total: int = 0
    organisation_ids: set[int] = field(default_factory=set)
    arrived: defaultdict[int, Counter[Outcome]] = field(default_factory=lambda: defaultdict(Counter))
    deliveries: dict[int, int] = field(default_factory=dict)

    def add(self, outcome: Outcome, count: int = 1, *, organisation_id: int | None = None) -> None:
        self.counts[outcome] += count
        if organisation_id is not None and count:
            self.arrived[organisation_id][outcome] += count

    def note(self, outcome: Outcome, row: int, event_id: str, code: str, *, organisation_id: int | None = None) -> None:
        """Count one event and say why it was not simply accepted."""
        self.add(outcome, organisation_id=organisation_id)
        self.issues_total += 1
        if len(self.issues) < self.limit:
            self.issues.append(Issue(row, event_id, code, str(SENTENCES[code])))

    def recorded(self) -> Recorded:
        return Recorded(
            received=self.counts.total(),
            accepted=self.counts[Outcome.ACCEPTED],
            duplicate=self.counts[Outcome.DUPLICATE],
            unmatched=self.counts[Outcome.UNMATCHED],
            rejected=self.counts[Outcome.REJECTED],
            issues=tuple(sorted(self.issues, key=lambda issue: issue.row)),
            issues_total=self.issues_total,
            organisation_ids=tuple(sorted(self.organisation_ids)),
        )
