from __future__ import annotations

from datetime import date
from typing import Any

from portal.reports.pace import Pace, pace

TODAY = date(2026, 11, 25)
END = date(2026, 12, 23)
WEEKS = {"2026-10-26": 100, "2026-11-02": 100, "2026-11-09": 100, "2026-11-16": 100, "2026-11-23": 40}


def told(**changes: Any) -> Pace | None:
    given: dict[str, Any] = {
        "weeks": WEEKS,
        "certified": 440,
        "enrolled": 2_000,
        "target": 1_000,
        "starts_on": date(2026, 10, 1),
        "ends_on": END,
        "today": TODAY,
        **changes,
    }
    return pace(given.pop("weeks"), **given)


def test_the_pace_of_four_weeks_is_carried_on() -> None:
    # 440 in 31 days, 28 more to come.
    assert told() == Pace(a_week=99, expected=837, wanted=1_000, by=END)


def test_what_is_short_is_said() -> None:
    found = told()
    assert found
    assert (found.enough, found.short) == (False, 163)
    enough = told(target=800)
    assert enough
    assert (enough.enough, enough.short) == (True, 0)


def test_without_a_target_everyone_enrolled_is_wanted() -> None:
    assert told(target=None) == Pace(a_week=99, expected=837, wanted=2_000, by=END)


def test_no_more_than_those_enrolled_are_expected() -> None:
    assert told(enrolled=500) == Pace(a_week=99, expected=500, wanted=1_000, by=END)


def test_old_weeks_do_not_count() -> None:
    assert told(weeks={"2026-03-02": 5_000}, certified=5_000, enrolled=9_000) == Pace(0, 5_000, 1_000, END)


def test_nothing_is_said_in_the_first_days_nor_after_the_last_nor_without_an_end() -> None:
    assert told(starts_on=date(2026, 11, 20)) is None
    assert told(ends_on=date(2026, 11, 24)) is None
    assert told(ends_on=None) is None
    assert told(weeks={}, starts_on=None) is None
    assert told(enrolled=0) is None
