"""The commands of the contract: one JSON document, the right exit, never a traceback."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from imports.reading import Reading
from tests.factories.people import make_user
from tests.imports.rosters import employees, enrolments, people, person, prepare_roster, roster_file

if TYPE_CHECKING:
    from pathlib import Path

    from portal.organisations.models import Organisation

KEYS = {
    "import", "state", "rows", "create", "update", "unchanged", "merged", "reject", "deactivate", "held", "issues",
    "issues_total", "dropped_columns", "mapping", "sheet", "header_row", "error",
}  # fmt: skip


def run(*arguments: object) -> tuple[dict[str, Any], int, str]:
    """Return the document, the exit code, and what stands on the standard error."""
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command(*map(str, arguments), "--json", stdout=out, stderr=err)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return json.loads(out.getvalue()), code, err.getvalue()


@pytest.fixture
def roster_path(tmp_path: Path) -> Path:
    path = tmp_path / "effectif.csv"
    rows = [*people(3, cohort="Vague 1"), person("00003"), person("00004", "Luc", "Petit", "pas une adresse")]
    path.write_bytes(roster_file(rows).getvalue())
    return path


def test_reading_shows_the_plan_and_writes_nobody(laposte: Organisation, roster_path: Path) -> None:
    document, code, _ = run("import_roster", "laposte", roster_path)

    assert set(document) >= KEYS
    assert (code, document["state"], document["sheet"], document["header_row"]) == (0, "ready", "csv", 1)
    assert (document["rows"], document["create"], document["reject"]) == (5, 2, 3)
    assert document["mapping"]["employee_number"] == "Matricule"
    assert {"row", "column", "code", "severity", "message"} == set(document["issues"][0])
    assert [issue["row"] for issue in document["issues"][:3]] == [4, 5, 6]
    assert (document["error"], employees(laposte)) == (None, [])


def test_applying_twice_changes_once(laposte: Organisation, roster_path: Path) -> None:
    first, _, _ = run("import_roster", "laposte", roster_path, "--apply", "--cohort", "Tous")
    again, code, _ = run("import_roster", "laposte", roster_path, "--apply", "--cohort", "tous")

    assert (first["state"], first["create"]) == ("applied", 2)
    assert (code, again["state"], again["unchanged"], again["create"]) == (0, "applied", 2, 0)
    assert {name for _, _, name, _ in enrolments(laposte)} == {"Tous", "Vague 1"}


def test_apply_and_undo_find_the_organisation_by_the_number(laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(2))

    applied, applied_code, _ = run("apply_import", found.pk)
    undone, undone_code, _ = run("undo_import", found.pk)
    again, again_code, _ = run("undo_import", found.pk)

    assert (applied["state"], applied_code) == ("applied", 0)
    assert (undone["state"], undone_code, undone["undo"]) == ("undone", 0, {"removed": 2})
    assert (again["state"], again_code) == ("undone", 0)


def test_what_is_held_stays_held_until_approved(laposte: Organisation, tmp_path: Path) -> None:
    path = tmp_path / "effectif.csv"
    path.write_bytes(roster_file(people(30)).getvalue())
    run("import_roster", "laposte", path, "--apply")
    path.write_bytes(roster_file(people(10)).getvalue())

    held, held_code, _ = run("import_roster", "laposte", path, "--mode", "full", "--apply")
    assert (held["state"], held_code, held["deactivate"], held["held"]) == ("held", 0, 20, 20)

    still, still_code, _ = run("apply_import", held["import"])
    assert (still["state"], still_code) == ("held", 0)

    approved, code, _ = run("apply_import", held["import"], "--approve-held")
    assert (approved["state"], approved["held"], code) == ("applied", 0, 0)


def test_the_uploader_cannot_approve_their_own(laposte: Organisation, tmp_path: Path) -> None:
    make_user("Paul", email="paul@laposte.example", password="a long enough secret")
    path = tmp_path / "effectif.csv"
    path.write_bytes(roster_file(people(30)).getvalue())
    run("import_roster", "laposte", path, "--apply")
    path.write_bytes(roster_file(people(10)).getvalue())

    document, code, _ = run(
        "import_roster", "laposte", path, "--mode", "full", "--apply", "--approve-held", "--as", "paul@laposte.example"
    )

    assert (document["error"]["code"], code) == ("same_person", 1)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"%PDF-1.7", "not_a_spreadsheet"), (b"", "empty_file"), (b"a;b\n1;2\n", "no_header")],
)
def test_bad_input_gets_a_sentence(laposte: Organisation, tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "effectif.xlsx"
    path.write_bytes(content)

    document, ended, said = run("import_roster", "laposte", path, "--apply")

    assert (document["error"]["code"], ended) == (code, 1)
    assert document["error"]["message"] in said
    assert "Traceback" not in said


def test_an_error_on_our_side_gets_a_sentence(
    laposte: Organisation, roster_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Reading) -> None:
        raise ValueError(roster_path)

    monkeypatch.setattr(Reading, "read", broken)
    document, code, said = run("import_roster", "laposte", roster_path, "--apply")

    assert (document["state"], document["error"]["code"], code) == ("failed", "internal", 1)
    assert str(document["import"]) in document["error"]["message"]
    assert said.strip() == document["error"]["message"]


def test_what_does_not_exist_is_named(laposte: Organisation, tmp_path: Path) -> None:
    missing, _, _ = run("import_roster", "laposte", tmp_path / "no.xlsx")
    folder, _, _ = run("import_roster", "laposte", tmp_path)
    nobody, _, _ = run("import_roster", "nobody", tmp_path / "no.xlsx")
    unknown, code, _ = run("apply_import", 10**12)

    codes = [document["error"]["code"] for document in (missing, folder, nobody, unknown)]
    assert codes == ["unreadable_path", "unreadable_path", "unknown_organisation", "unknown_import"]
    assert code == 1


def test_the_plain_text_names_rows_and_columns(laposte: Organisation, roster_path: Path) -> None:
    out = StringIO()

    call_command("import_roster", "laposte", str(roster_path), stdout=out)

    assert "Matricule → employee_number" in out.getvalue()
    assert "row 4: error:" in out.getvalue()


def test_an_import_that_was_closed_is_not_applied(laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(2))
    run("apply_import", found.pk)
    run("undo_import", found.pk)

    document, code, said = run("apply_import", found.pk)

    assert (document["error"]["code"], code) == ("not_ready", 1)
    assert document["error"]["message"] in said
