"""What every learning platform can do for the portal, and which adapter speaks with which: one small protocol.

Facts come in by the way of the adapter: events over the API (`rest`), statements (`xapi`), or files (`file`). All three
end in `portal.progress.services.record_completions`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from portal.cohorts.models import Programme


@dataclass(frozen=True, slots=True)
class Seat:
    """An enrolment as the platform is told of it: an opaque reference, and nothing of the person unless it must be."""

    learner: UUID
    programme: str
    enrolled: bool
    personal: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is posted to the platform's endpoint. The same parcel again has the same key."""

    content: bytes
    content_type: str
    key: str


class Platform(Protocol):
    """One platform's ways."""

    code: str

    def launch_link(self, programme: Programme, learner: str, *, language: str) -> str:
        """Return where the course opens for this learner, or nothing while its address is not known."""

    def parcel(self, seats: Sequence[Seat]) -> Parcel | None:
        """Return what tells the platform of these enrolments, or nothing when it is not told by the portal."""
