"""The commands of progress: one JSON document, also on failure."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from portal.core.tenancy import organisation_scope
from portal.progress.models import CohortRollup, CohortSummary
from tests.factories.progress import enrol, event, make_cohort

if TYPE_CHECKING:
    from pathlib import Path

    from portal.organisations.models import Organisation
    from portal.people.models import Employee

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[int, Any]:
    out = StringIO()
    try:
        call_command(*words, "--json", stdout=out, stderr=StringIO())
    except SystemExit as end:
        return int(end.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.fixture
def enrolled(laposte: Organisation, amelie: Employee) -> None:
    enrol(laposte, make_cohort(laposte), [amelie])


def test_a_file_of_lines(enrolled: None, laposte: Organisation, tmp_path: Path) -> None:
    lines = [event("started", "00412877"), event("completed", "00412877"), event("started", "stranger")]
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join([*map(json.dumps, lines), "broken"]))

    code, document = run("record_completions", str(path))

    assert code == 0
    assert {name: document[name] for name in ("received", "accepted", "duplicate", "unmatched", "rejected")} == {
        "received": 4,
        "accepted": 2,
        "duplicate": 0,
        "unmatched": 1,
        "rejected": 1,
    }
    assert [(issue["row"], issue["code"]) for issue in document["issues"]] == [
        (3, "unknown_person"),
        (4, "unreadable_line"),
    ]
    # The counts are exact as soon as the command has ended, without a worker.
    with organisation_scope(laposte.pk):
        assert CohortSummary.objects.get().completed == 1


def test_a_csv_file(enrolled: None, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    with path.open("w", newline="") as file:
        made = event("started", "00412877", progress=40)
        writer = csv.DictWriter(file, made)
        writer.writeheader()
        writer.writerow(made)
    assert run("record_completions", str(path))[1]["accepted"] == 1
    assert run("record_completions", str(path))[1]["duplicate"] == 1


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "empty_file"), (b"\xef\xbb\xbf{\n", None), (b"%PDF", "unknown_format")]
)
def test_a_bad_file_is_answered_in_a_sentence(db: None, tmp_path: Path, content: bytes, code: str | None) -> None:
    path = tmp_path / "events"
    path.write_bytes(content)
    status, document = run("record_completions", str(path))
    if code is None:
        assert (status, document["rejected"]) == (0, 1)
    else:
        assert (status, document["error"]["code"]) == (1, code)


def test_rebuilding_says_what_differed(enrolled: None, laposte: Organisation) -> None:
    status, document = run("rebuild_rollups")
    assert (status, document["different"]) == (0, 0)
    assert document["checked"] > 0
    with organisation_scope(laposte.pk):
        CohortRollup.objects.update(enrolled=99)
    assert run("rebuild_rollups", "--check")[0] == 1
    assert run("rebuild_rollups")[1]["different"] > 0
    assert run("rebuild_rollups", "--check") == (0, document)
