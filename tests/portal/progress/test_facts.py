"""One event: a fact, or an issue with a name."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.progress.facts import SENTENCES, FactError, Unreadable, parse_fact, stated_id

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "event_id": "oc-1",
    "organisation": "laposte",
    "programme": "objectif-ia",
    "event": "certified",
    "occurred_at": "2026-11-13T08:35:00Z",
    "employee_number": "00100008",
    "progress": 100,
    "certificate_url": "https://learning.example/certificates/3",
}


def wrong(**changes: Any) -> str:
    event = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    with pytest.raises(FactError) as refused:
        parse_fact(event, now=NOW)
    assert str(SENTENCES[refused.value.code])
    return refused.value.code


def test_a_good_event_is_a_fact() -> None:
    fact = parse_fact(GOOD, now=NOW)
    assert fact.event_id == "oc-1"
    assert fact.employee_number == "00100008"
    assert fact.occurred_at == datetime(2026, 11, 13, 8, 35, tzinfo=UTC)
    assert (fact.progress, fact.email, fact.learner) == (100, "", None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"event_id": ...}, "missing_event_id"),
        ({"event_id": "  "}, "missing_event_id"),
        ({"event_id": "x" * 201}, "invalid_text"),
        ({"event_id": "a\x00b"}, "invalid_text"),
        ({"event_id": "\ud800"}, "invalid_text"),
        ({"event_id": ["oc-1"]}, "invalid_text"),
        ({"event_id": True}, "invalid_text"),
        ({"programme": None}, "missing_programme"),
        ({"event": "finished"}, "unknown_kind"),
        ({"event": ...}, "unknown_kind"),
        ({"occurred_at": ...}, "bad_date"),
        ({"occurred_at": "13/11/2026"}, "bad_date"),
        ({"occurred_at": "1999-12-31T00:00:00Z"}, "bad_date"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "bad_date"),
        ({"occurred_at": "2026-11-24T12:00:01Z"}, "from_the_future"),
        ({"employee_number": ...}, "missing_person"),
        ({"organisation": ...}, "missing_organisation"),
        ({"learner": "not-a-reference"}, "bad_learner"),
        ({"progress": 101}, "bad_progress"),
        ({"progress": -1}, "bad_progress"),
        ({"progress": 50.5}, "bad_progress"),
        ({"progress": float("nan")}, "bad_progress"),
        ({"progress": "many"}, "bad_progress"),
        ({"progress": True}, "bad_progress"),
        ({"certificate_url": "javascript:alert(1)"}, "bad_certificate_url"),
    ],
)
def test_what_is_wrong_has_a_name(changes: dict[str, Any], code: str) -> None:
    assert wrong(**changes) == code


@pytest.mark.parametrize("thing", [None, 3, "text", [], [GOOD]])
def test_what_is_no_object_is_no_event(thing: object) -> None:
    with pytest.raises(FactError, match="invalid_event"):
        parse_fact(thing, now=NOW)


def test_an_unreadable_line_keeps_its_reason() -> None:
    with pytest.raises(FactError, match="unreadable_line"):
        parse_fact(Unreadable("unreadable_line"), now=NOW)


def test_a_time_without_zone_is_utc() -> None:
    fact = parse_fact({**GOOD, "occurred_at": "2026-11-13T08:35:00"}, now=NOW)
    assert fact.occurred_at == datetime(2026, 11, 13, 8, 35, tzinfo=UTC)


def test_the_same_moment_said_otherwise_is_the_same_fact() -> None:
    other = parse_fact({**GOOD, "occurred_at": "2026-11-13T09:35:00+01:00", "progress": "100"}, now=NOW)
    assert other.digest == parse_fact(GOOD, now=NOW).digest


@pytest.mark.parametrize(
    "changes",
    [{"progress": 99}, {"event": "completed"}, {"employee_number": "00100009"}, {"certificate_url": ""}],
)
def test_other_content_has_another_digest(changes: dict[str, Any]) -> None:
    assert parse_fact({**GOOD, **changes}, now=NOW).digest != parse_fact(GOOD, now=NOW).digest


def test_a_learner_needs_no_organisation() -> None:
    reference = "6f1c0f0e-3f2c-4d62-b6c9-0d7f3f0f6f01"
    event = {**GOOD, "learner": reference}
    del event["organisation"], event["employee_number"]
    assert str(parse_fact(event, now=NOW).learner) == reference


def test_addresses_are_compared_in_small_letters() -> None:
    assert parse_fact({**GOOD, "email": " Amelie@LaPoste.example "}, now=NOW).email == "amelie@laposte.example"


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists))
def test_no_value_stops_the_batch(value: object) -> None:
    for name in GOOD:
        event = {**GOOD, name: value}
        # What is stored must be text that PostgreSQL takes, and what is shown too.
        with contextlib.suppress(FactError):
            assert "\x00" not in "".join(str(part) for part in parse_fact(event, now=NOW)).encode().decode()
        assert "\x00" not in stated_id(event).encode().decode()
