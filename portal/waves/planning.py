"""The planner: so many people at these sites, at this pace, in these hours → which hour writes to whom.

Pure Python: values in, values out. Hours are those of the organisation's clock, so that nobody is written to at night,
also on the day on which the clock changes.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

HOUR: Final = dt.timedelta(hours=1)
_SATURDAY = 5

COMING_SHARE: Final = 0.4
"""How many of those who are written to sign in within a day: what such campaigns see at their best."""

COMING_BY_HOUR: Final = (0.45, 0.2, 0.1, 0.08, 0.06, 0.05, 0.03, 0.03)
"""How those who come are spread over the hours that follow the mail."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When mails may leave, and how many in an hour. `last_hour` is the hour at which the day ends."""

    starts_at: dt.datetime
    zone: ZoneInfo
    per_hour: int
    first_hour: int
    last_hour: int
    weekends: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """From `opens_at` on, within the hour, so many people of a site are written to."""

    opens_at: dt.datetime
    site: str
    people: int


@dataclass(frozen=True, slots=True)
class ExpectedHour:
    """What an hour would bring: mails that leave, and sign-ins a minute at its height."""

    opens_at: dt.datetime
    mails: int
    sign_ins_per_minute: float


def slots(people: Mapping[str, int], pace: Pace) -> list[Slot]:
    """Cut the people of each site into hours, one site after the other, so that a site is written to at once."""
    hours = _hours(pace)
    plan = []
    opens_at, room = next(hours), pace.per_hour
    for site in sorted(people):
        left = people[site]
        while left:
            if not room:
                opens_at, room = next(hours), pace.per_hour
            taken = min(left, room)
            plan.append(Slot(opens_at, site, taken))
            left -= taken
            room -= taken
    return plan


def expected_hours(plan: Iterable[Slot]) -> list[ExpectedHour]:
    """Say what each hour would bring, the hours after the last mail included."""
    mails: defaultdict[dt.datetime, int] = defaultdict(int)
    for slot in plan:
        mails[slot.opens_at] += slot.people
    coming: defaultdict[dt.datetime, float] = defaultdict(float)
    for opens_at, count in mails.items():
        for later, share in enumerate(COMING_BY_HOUR):
            coming[opens_at + later * HOUR] += count * COMING_SHARE * share
    return [
        ExpectedHour(opens_at, mails.get(opens_at, 0), coming[opens_at] / 60) for opens_at in sorted({*mails, *coming})
    ]


def ends_at(plan: Sequence[Slot]) -> dt.datetime | None:
    return max(slot.opens_at for slot in plan) + HOUR if plan else None


def _hours(pace: Pace) -> Iterator[dt.datetime]:
    """Yield the moments at which an hour of sending begins, in UTC; the first may be in the middle of an hour."""
    moment = pace.starts_at
    while True:
        local = moment.astimezone(pace.zone)
        if pace.first_hour <= local.hour < pace.last_hour and (pace.weekends or local.weekday() < _SATURDAY):
            yield moment.astimezone(dt.UTC)
        moment = (moment + HOUR).astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
