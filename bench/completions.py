"""Completions: a delivery of the learning platform, recorded, against a COPY of the same rows.

The second floor puts the same rows where they have to lie: into the product's table, with its keys and indexes. What is
above it is what recording adds: checking, matching, telling repeats apart, answering, the delivery and the audit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from django.db import connection

from bench.measuring import Line, compare
from bench.stage import organisation_with_roster, people
from portal.cohorts.models import DEFAULT_PROGRAMME
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.progress.services import record_completions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portal.organisations.models import Organisation

_KINDS = ("started", "progressed", "completed", "certified")
_BEGAN = datetime(2026, 1, 5, 8, tzinfo=UTC)


def measure(*, rows: int, runs: int, directory: Path) -> list[Line]:
    organisation = organisation_with_roster(directory, rows)
    deliveries = _deliveries(organisation, rows)
    line = compare(
        what="completions in",
        rows=rows,
        runs=runs,
        goal=3,
        prepare=lambda: next(deliveries),
        floor=lambda events: _copied(organisation, events),
        ours=_recorded,
    )
    ids = _employees(organisation)
    kept = compare(
        what="completions in, with keys",
        rows=rows,
        runs=runs,
        goal=3,
        prepare=lambda: next(deliveries),
        floor=lambda events: _kept(organisation, events, ids),
        ours=_recorded,
    )
    pace = f"{rows / line.ours:,.0f} events/s, at least 20,000"
    return [replace(line, note=pace), replace(kept, note="floor: COPY and INSERT into the product's table")]


def _employees(organisation: Organisation) -> dict[str, int]:
    with organisation_scope(organisation.pk):
        return dict(cursor_rows("SELECT employee_number, id FROM people_employee"))


def _deliveries(organisation: Organisation, rows: int) -> Iterator[list[dict[str, object]]]:
    """Yield one delivery after the other: in each, one new fact about everybody."""
    for delivery in count():
        moment = (_BEGAN + timedelta(days=delivery)).isoformat()
        yield [
            {
                "event_id": f"{delivery}-{person.number}",
                "organisation": organisation.slug,
                "programme": DEFAULT_PROGRAMME,
                "event": _KINDS[(index + delivery) % len(_KINDS)],
                "occurred_at": moment,
                "employee_number": person.number,
                "email": person.email,
                "progress": 10 * (delivery % 10),
                "certificate_url": f"https://learning.example/certificates/{person.number}",
            }
            for index, person in enumerate(people(rows))
        ]


def _copied(organisation: Organisation, events: list[dict[str, object]]) -> None:
    with organisation_scope(organisation.pk):
        cursor_rows(
            "CREATE TEMP TABLE landing (event_id text, organisation text, programme text, event text,"
            " occurred_at timestamptz, employee_number text, email text, progress smallint, certificate_url text)"
            " ON COMMIT DROP"
        )
        with connection.cursor() as cursor, cursor.copy("COPY landing FROM STDIN") as copy:
            for event in events:
                copy.write_row(tuple(event.values()))


def _recorded(events: list[dict[str, object]]) -> None:
    recorded = record_completions(actor=OPERATOR, events=enumerate(events, start=1))
    if recorded.accepted != len(events):
        raise RuntimeError(f"Not every event was accepted: {recorded}.")


def _kept(organisation: Organisation, events: list[dict[str, object]], ids: dict[str, int]) -> None:
    """Bare of everything but the writing: who is meant and that all is well is known beforehand."""
    names = "event_id, kind, occurred_at, employee_number, email, progress, certificate_url, employee_id"
    with organisation_scope(organisation.pk):
        cursor_rows(
            "CREATE TEMP TABLE bare (event_id text, kind text, occurred_at timestamptz, employee_number text,"
            " email text, progress smallint, certificate_url text, employee_id bigint) ON COMMIT DROP"
        )
        with connection.cursor() as cursor, cursor.copy("COPY bare FROM STDIN") as copy:
            for event in events:
                _id, _organisation, _programme, *rest = event.values()
                copy.write_row((event["event_id"], *rest, ids[str(event["employee_number"])]))
        cursor_rows(
            f"INSERT INTO progress_completionevent"  # noqa: S608  Constants.
            f" (organisation_id, programme_id, digest, received_at, source, {names})"
            f" SELECT %s, (SELECT id FROM cohorts_programme WHERE code = %s), sha256(event_id::bytea), now(), 'rest',"
            f" {names} FROM bare",
            [organisation.pk, DEFAULT_PROGRAMME],
        )
