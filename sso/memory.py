"""What a browser session remembers of its sign-ins: for half an hour, so that two of one person can be joined.

It is written when a company has just vouched for somebody, and by nothing else. Whoever signs out takes it along.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from cryptography.fernet import InvalidToken
from django.utils import timezone

from portal.core.sealing import seal, unseal

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase
    from django.http import HttpRequest

    from portal.people.models import User
    from sso.models import Connection

FRESH: Final = dt.timedelta(minutes=30)
_KEY: Final = "joining"
_PURPOSE: Final = "sso-joining"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One sign-in by a company: who came, by which door, and when."""

    user_id: int
    organisation_id: int
    connection: str
    at: str

    @property
    def moment(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.at)

    @property
    def fresh(self) -> bool:
        return timezone.now() - self.moment < FRESH


@dataclass(frozen=True, slots=True)
class Remembered:
    """The present sign-in, and the one before it that was another login's."""

    now: SignedIn
    before: SignedIn | None = None


def remembered(request: HttpRequest) -> Remembered | None:
    """Return the sign-ins of this session, if its last one is that of whoever is signed in now."""
    known = _unsealed(request.session)
    return known if known and request.user.is_authenticated and known.now.user_id == request.user.pk else None


def remember_sign_in(session: SessionBase, connection: Connection, user: User, former: Remembered | None) -> None:
    """Note who has just signed in; `former` was read before their session began."""
    now = SignedIn(user.pk, connection.organisation_id, str(connection.public_id), timezone.now().isoformat())
    before = None
    if former:
        before = former.before if former.now.user_id == user.pk else former.now
    if before and (not before.fresh or before.user_id == user.pk):
        before = None
    content = {"now": asdict(now), "before": asdict(before) if before else None}
    session[_KEY] = seal(json.dumps(content).encode(), purpose=_PURPOSE).decode()


def forget_sign_ins(session: SessionBase) -> None:
    session.pop(_KEY, None)


def _unsealed(session: SessionBase) -> Remembered | None:
    sealed = session.get(_KEY)
    if not isinstance(sealed, str):
        return None
    try:
        content = json.loads(unseal(sealed.encode(), purpose=_PURPOSE))
    except InvalidToken:
        # The portal's key changed since.
        return None
    before = content["before"]
    return Remembered(SignedIn(**content["now"]), SignedIn(**before) if before else None)
