"""Who does something: a signed-in person, the operator at a terminal, an API token, or the portal itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

_PSEUDONYMS = uuid.UUID("8f0f2f0e-6c0b-4b5e-9d0e-3d3d1c1e7a10")


class ActorKind(StrEnum):
    USER = "user"
    OPERATOR = "operator"
    TOKEN = "token"  # noqa: S105  A kind of actor, not a secret.
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """`key` identifies within the kind; `name` is what an organisation reads in its audit."""

    kind: ActorKind
    key: str
    name: str
    on_behalf_of_programme: bool = False

    @property
    def pseudonym(self) -> uuid.UUID:
        """Stable for the same actor, and says nothing once the name has been erased."""
        return uuid.uuid5(_PSEUDONYMS, f"{self.kind}:{self.key}")

    @property
    def user_id(self) -> int | None:
        return int(self.key) if self.kind is ActorKind.USER else None


OPERATOR = Actor(ActorKind.OPERATOR, "operator", "Operator")
SYSTEM = Actor(ActorKind.SYSTEM, "system", "Portal")
