"""How fast a cohort is certified, and where that leads by its last day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WEEKS = 4
_FEWEST_DAYS = 7


@dataclass(frozen=True, slots=True)
class Pace:
    """`a_week` people certified lately; at that pace `expected` of `wanted` by the day `by`."""

    a_week: int
    expected: int
    wanted: int
    by: date

    @property
    def enough(self) -> bool:
        return self.expected >= self.wanted

    @property
    def short(self) -> int:
        return max(self.wanted - self.expected, 0)


def pace(
    weeks: Mapping[str, int],
    *,
    certified: int,
    enrolled: int,
    target: int | None,
    starts_on: date | None,
    ends_on: date | None,
    today: date,
) -> Pace | None:
    """Carry the pace of the last weeks on to the last day; nothing can be said in the first days, nor after the last.

    `weeks` are the people certified by the Monday of their week. More than those enrolled cannot be certified.
    """
    if ends_on is None or ends_on < today or not enrolled:
        return None
    by_monday = {date.fromisoformat(monday): people for monday, people in weeks.items()}
    began = starts_on or min(by_monday, default=today)
    window = _monday(today) - timedelta(weeks=WEEKS)
    since = max(window, began)
    days = (today - since).days + 1
    if days < _FEWEST_DAYS:
        return None
    lately = sum(people for monday, people in by_monday.items() if monday >= _monday(since))
    expected = certified + round(lately * (ends_on - today).days / days)
    wanted = target or enrolled
    return Pace(round(7 * lately / days), max(min(expected, enrolled), certified), wanted, ends_on)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
