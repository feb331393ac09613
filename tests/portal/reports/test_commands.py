"""The command `cohort_report`."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from tests.factories.progress import enrol, event, make_cohort, make_people, record

if TYPE_CHECKING:
    from pathlib import Path

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[int, Any]:
    out = StringIO()
    try:
        call_command("cohort_report", *words, stdout=out, stderr=StringIO())
    except SystemExit as end:
        return int(end.code or 0), out.getvalue() and json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.fixture
def cohort(laposte: Organisation) -> Cohort:
    cohort = make_cohort(laposte)
    enrol(laposte, cohort, make_people(laposte, 12, site="Lyon"))
    record(event("certified", "Lyon-0001"))
    return cohort


def test_counts_are_exact_without_a_worker(cohort: Cohort) -> None:
    for reference in ("vague 1", f"id:{cohort.pk}"):
        # The JSON is the document, with --json or without.
        for asked in (["--json"], []):
            status, document = run("laposte", reference, "--format", "json", *asked)
            assert status == 0
            assert (document["organisation"], document["cohort"]) == ("laposte", "Vague 1")
            assert [
                document[name] for name in ("roster", "enrolled", "invited", "started", "completed", "certified")
            ] == [
                12,
                12,
                0,
                1,
                1,
                1,
            ]
            assert document["by_site"][0]["suppressed"] is False


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_files_go_out(cohort: Cohort, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"report.{kind}"
    assert run("laposte", "Vague 1", "--format", kind, "--out", str(path), "--json")[0] == 0
    assert path.stat().st_size > 100


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("laposte", "Vague 1", "--format", "csv"), "out_needed"),
        (("laposte", "Vague 1", "--format", "pdf"), "not_yet"),
        (("laposte", "Vague 9", "--format", "json"), "unknown_cohort"),
        (("laposte", "id:x", "--format", "json"), "unknown_cohort"),
        (("nowhere", "Vague 1", "--format", "json"), "unknown_organisation"),
        (("laposte", "Vague 1", "--format", "csv", "--out", "/nowhere/report.csv"), "unwritable_file"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(cohort: Cohort, words: tuple[str, ...], code: str) -> None:
    status, document = run(*words, "--json")
    assert (status, document["error"]["code"]) == (1, code)
