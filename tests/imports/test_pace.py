"""How far the work is, and how long it still takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from imports.models import RosterImport
from imports.pace import progress_of


def at_work(state: str, *, seconds: float = 10, **facts: object) -> RosterImport:
    began = timezone.now() - timedelta(seconds=seconds)
    return RosterImport(state=state, work_began_at=began, heartbeat_at=began, **facts)


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (0, ""),
        (5_000, "500 rows a second, 10 s left"),
        (9_999, "1,000 rows a second, a moment left"),
        (20, "2 rows a second, more than an hour left"),
    ],
)
def test_the_time_that_is_left_follows_the_rate(done: int, said: str) -> None:
    with translation.override("en"):
        shown = progress_of(at_work("applying", done_rows=done, counts={"to_do": 10_000}))

    assert shown["total"] == 10_000
    assert shown["pace"] == said


def test_nothing_is_said_of_the_first_moment() -> None:
    assert progress_of(at_work("applying", seconds=0.2, done_rows=900, counts={"to_do": 1_000}))["pace"] == ""


def test_nobody_knows_how_long_a_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imports.pace.rows_read", lambda _import: 20_000)
    with translation.override("en"):
        shown = progress_of(at_work("preparing", counts={}))

    assert (shown["done"], shown["total"], shown["pace"]) == (20_000, None, "2,000 rows a second")
