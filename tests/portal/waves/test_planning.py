from __future__ import annotations

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from portal.waves.planning import COMING_BY_HOUR, COMING_SHARE, HOUR, Pace, ends_at, expected_hours, slots

PARIS = ZoneInfo("Europe/Paris")
MONDAY_NINE = dt.datetime(2026, 11, 30, 9, 0, tzinfo=PARIS)


def pace(
    starts_at: dt.datetime = MONDAY_NINE, *, per_hour: int = 100, first_hour: int = 8, last_hour: int = 18
) -> Pace:
    return Pace(starts_at, PARIS, per_hour=per_hour, first_hour=first_hour, last_hour=last_hour)


def test_a_site_is_written_to_before_the_next_and_an_hour_holds_no_more_than_its_pace() -> None:
    plan = slots({"Lyon": 150, "Brest": 30}, pace())
    assert [(slot.opens_at.astimezone(PARIS).hour, slot.site, slot.people) for slot in plan] == [
        (9, "Brest", 30),
        (9, "Lyon", 70),
        (10, "Lyon", 80),
    ]
    assert ends_at(plan) == MONDAY_NINE + 2 * HOUR


def test_nothing_leaves_in_the_evening_or_at_the_weekend() -> None:
    friday_evening = dt.datetime(2026, 11, 27, 17, 30, tzinfo=PARIS)
    plan = slots({"": 150}, pace(friday_evening))
    assert [slot.opens_at.astimezone(PARIS) for slot in plan] == [
        friday_evening,
        dt.datetime(2026, 11, 30, 8, 0, tzinfo=PARIS),
    ]


def test_the_day_on_which_the_clock_changes_has_its_hours() -> None:
    """On 25 October 2026 the clock goes back; it is a Sunday, so weekends are allowed here."""
    saturday = dt.datetime(2026, 10, 24, 17, 0, tzinfo=PARIS)
    plan = slots({"": 300}, Pace(saturday, PARIS, per_hour=100, first_hour=8, last_hour=18, weekends=True))
    assert [slot.opens_at.astimezone(PARIS).strftime("%d %H") for slot in plan] == ["24 17", "25 08", "25 09"]


@given(
    people=st.dictionaries(st.sampled_from(["", "Lyon", "Brest", "Nîmes"]), st.integers(0, 200)),
    per_hour=st.integers(1, 100),
    start=st.integers(0, 365 * 24 * 60).map(lambda minutes: MONDAY_NINE + dt.timedelta(minutes=minutes)),
    first=st.integers(0, 22),
    length=st.integers(1, 24),
)
def test_everybody_has_one_place_within_hours_and_pace(
    people: dict[str, int], per_hour: int, start: dt.datetime, first: int, length: int
) -> None:
    last = min(first + length, 24)
    plan = slots(people, pace(start, per_hour=per_hour, first_hour=first, last_hour=last))
    by_site, by_hour = Counter[str](), Counter[dt.datetime]()
    for slot in plan:
        by_site[slot.site] += slot.people
        by_hour[slot.opens_at] += slot.people
        local = slot.opens_at.astimezone(PARIS)
        assert first <= local.hour < last
        assert local.weekday() < 5
        assert slot.opens_at >= start
    assert by_site == Counter({site: count for site, count in people.items() if count})
    assert all(count <= per_hour for count in by_hour.values())


def test_what_comes_is_the_share_of_what_leaves() -> None:
    hours = expected_hours(slots({"": 6_000}, pace(per_hour=6_000)))
    assert hours[0].mails == 6_000
    assert hours[0].sign_ins_per_minute == 6_000 * COMING_SHARE * COMING_BY_HOUR[0] / 60
    assert abs(sum(hour.sign_ins_per_minute for hour in hours) * 60 - 6_000 * COMING_SHARE) < 1
