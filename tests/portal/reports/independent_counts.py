"""Counts a cohort from the two files alone: ten lines that share nothing with the product."""

from __future__ import annotations

from typing import Any


def independent_counts(roster: list[dict[str, str]], events: list[dict[str, Any]], cohort: str) -> dict[str, int]:
    """Count the people of `cohort` by what was said of their number; the latest word on a certificate holds."""
    numbers = {row["number"] for row in roster if row["cohort"] == cohort}
    said: dict[str, dict[str, str]] = {number: {} for number in numbers}
    for event in events:
        if event["employee_number"] in numbers:
            latest = said[event["employee_number"]]
            latest[event["event"]] = max(event["occurred_at"], latest.get(event["event"], ""))
    certified = {n for n, s in said.items() if s.get("certified", "") > s.get("revoked", "")}
    completed = certified | {number for number, words in said.items() if "completed" in words}
    started = completed | {number for number, words in said.items() if words.keys() & {"started", "progressed"}}
    return {
        "roster": len(roster),
        "enrolled": len(numbers),
        "started": len(started),
        "completed": len(completed),
        "certified": len(certified),
    }
