"""The states of an import, and what each step refuses."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from django.core.files.storage import default_storage

from imports.models import RosterImport, StagedRow
from imports.runs import prepare_import, run_apply, run_plan
from imports.services import Confirmation, approve_held, cancel_import, confirm_import, open_import, undo_import
from imports.stages import fail_import
from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.people.selectors import user_actor
from portal.people.services import edit_employee
from tests.imports.rosters import (
    apply_roster,
    counted,
    employees,
    open_roster,
    people,
    person,
    prepare_roster,
    reread,
)

if TYPE_CHECKING:
    from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks, Settings

    from portal.organisations.models import Organisation
    from portal.people.models import User


def opened(organisation: Organisation, content: bytes, name: str = "effectif.xlsx", **options: str) -> RosterImport:
    with organisation_scope(organisation.pk):
        return open_import(
            actor=OPERATOR, organisation=organisation, file=io.BytesIO(content), file_name=name, **options
        )


def read(organisation: Organisation, content: bytes) -> RosterImport:
    import_id = opened(organisation, content).pk
    prepare_import(actor=OPERATOR, organisation=organisation, import_id=import_id)
    return reread(organisation, import_id)


def departing(organisation: Organisation) -> list[str]:
    with organisation_scope(organisation.pk):
        leaving = StagedRow.objects.filter(action="depart").order_by("employee_number")
        return list(leaving.values_list("employee_number", flat=True))


def confirm(organisation: Organisation, import_id: int) -> Confirmation:
    with organisation_scope(organisation.pk):
        return confirm_import(actor=OPERATOR, organisation=organisation, import_id=import_id)


def test_an_upload_remembers_who_and_what(laposte: Organisation, helene: User) -> None:
    import_id = open_roster(laposte, people(1), actor=user_actor(helene), cohort_name=" Vague  1 ")

    roster_import = reread(laposte, import_id)
    assert (roster_import.uploaded_by, roster_import.cohort_name) == (helene, "Vague 1")
    with organisation_scope(laposte.pk):
        assert AuditEvent.objects.get(action="imports:import:open").subject == str(import_id)


def test_only_the_last_part_of_a_path_is_kept(laposte: Organisation) -> None:
    assert opened(laposte, b"x", "C:\\RH\\Hélène\\effectif\x00.xlsx").file_name == "effectif.xlsx"


@pytest.mark.parametrize(("content", "code"), [(b"", "empty_file"), (b"x" * 11, "too_large")])
def test_what_cannot_be_read_is_refused_and_not_stored(
    laposte: Organisation, settings: Settings, content: bytes, code: str
) -> None:
    settings.IMPORT_MAX_BYTES = 10

    with pytest.raises(Refusal) as refused:
        opened(laposte, content)
    assert refused.value.code == code
    assert not default_storage.exists("quarantine") or default_storage.listdir("quarantine") == ([], [])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.7\n", "not_a_spreadsheet"),
        (b"PK\x03\x04 cut", "truncated"),
        (b"a;b\n1;2\n", "no_header"),
        (b"   \n", "empty_file"),
    ],
)
def test_a_file_that_cannot_be_read_fails_with_a_reason(
    laposte: Organisation, content: bytes, code: str, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        found = read(laposte, content)

    assert (found.state, found.error, found.quarantine) == ("failed", code, "")
    assert default_storage.listdir("quarantine") == ([], [])


def test_a_file_that_was_read_is_deleted(
    laposte: Organisation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        found = prepare_roster(laposte, people(1))

    assert (found.state, found.quarantine, found.due_at) == ("ready", "", None)
    assert default_storage.listdir("quarantine") == ([], [])


def test_an_unread_file_that_is_gone_asks_for_it_again(laposte: Organisation) -> None:
    import_id = open_roster(laposte, people(1))
    default_storage.delete(reread(laposte, import_id).quarantine)

    prepare_import(actor=OPERATOR, organisation=laposte, import_id=import_id)

    assert reread(laposte, import_id).error == "upload_again"


def planned_state(organisation: Organisation, import_id: int) -> str:
    run_plan(actor=OPERATOR, organisation=organisation, import_id=import_id)
    return reread(organisation, import_id).state


def confirmed_state(organisation: Organisation, import_id: int) -> str:
    """Confirm a plan that must be made again, and let the worker make it: what becomes of the import."""
    assert confirm(organisation, import_id) is Confirmation.PLANNING
    return planned_state(organisation, import_id)


def test_the_roster_changed_but_the_plan_comes_to_the_same(laposte: Organisation) -> None:
    apply_roster(laposte, people(3))
    found = prepare_roster(laposte, people(3, site="Brest"))
    apply_roster(laposte, people(1, first=50))

    assert confirmed_state(laposte, found.pk) == "applied"


def test_the_roster_changed_and_the_plan_must_be_looked_at_again(laposte: Organisation) -> None:
    rows = [*people(3, site="Brest"), person("", "Sans", "Clé"), person("9"), person("9", "Autre")]
    apply_roster(laposte, people(3))
    found = prepare_roster(laposte, rows)
    ((pk,), *_) = employees(laposte, "id")
    with organisation_scope(laposte.pk):
        edit_employee(actor=OPERATOR, organisation=laposte, employee_id=pk, changes={"site": "Brest"})

    assert confirmed_state(laposte, found.pk) == "ready"
    again = reread(laposte, found.pk)
    assert (again.counts["recomputed"], counted(again)) == (True, {"update": 2, "unchanged": 1, "reject": 3})
    assert confirm(laposte, found.pk) is Confirmation.STARTED


def test_the_plan_counts_the_same_but_speaks_of_others(laposte: Organisation) -> None:
    apply_roster(laposte, people(6))
    found = prepare_roster(laposte, people(5), mode=RosterImport.Mode.FULL)
    assert departing(laposte) == ["00006"]
    apply_roster(laposte, [person("00006", "Martin6", "Zoé", "", "Lyon", "", "01/01/2020"), person("00099")])

    assert confirmed_state(laposte, found.pk) == "ready"
    assert departing(laposte) == ["00099"]
    assert confirm(laposte, found.pk) is Confirmation.STARTED


def test_what_is_held_counts_the_same_but_speaks_of_others(laposte: Organisation) -> None:
    apply_roster(laposte, people(30))
    found = prepare_roster(laposte, people(10), mode=RosterImport.Mode.FULL)
    apply_roster(laposte, [person("00030", "Martin30", "Zoé", "", "Lyon", "", "01/01/2020"), person("00099")])

    with organisation_scope(laposte.pk):
        began = approve_held(actor=OPERATOR, organisation=laposte, import_id=found.pk)

    assert (began, planned_state(laposte, found.pk)) == (Confirmation.PLANNING, "held")


def test_a_change_from_something_else_is_shown_again(laposte: Organisation) -> None:
    apply_roster(laposte, [person("1", "Martin")])
    found = prepare_roster(laposte, [person("1", "Durand")])
    apply_roster(laposte, [person("1", "Petit")])

    assert confirmed_state(laposte, found.pk) == "ready"


def test_a_confirmed_plan_that_is_made_again_waits_for_the_import_at_work(laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(2))
    other = prepare_roster(laposte, people(1, first=50))
    apply_roster(laposte, people(1, first=60))
    assert confirm(laposte, found.pk) is Confirmation.PLANNING
    confirm(laposte, other.pk)
    run_plan(actor=OPERATOR, organisation=laposte, import_id=other.pk)
    with organisation_scope(laposte.pk):
        RosterImport.objects.filter(pk=other.pk).update(state="applying")

    assert planned_state(laposte, found.pk) == "planning"
    run_apply(actor=OPERATOR, organisation=laposte, import_id=other.pk)
    assert planned_state(laposte, found.pk) == "applied"


def test_two_imports_are_not_applied_at_once(laposte: Organisation, airbus: Organisation) -> None:
    first, second = (prepare_roster(laposte, people(1, first=n)) for n in (1, 2))
    confirm(laposte, first.pk)

    with pytest.raises(Refusal) as refused:
        confirm(laposte, second.pk)

    assert refused.value.code == "another_import_at_work"
    assert confirm(airbus, prepare_roster(airbus, people(1)).pk) is Confirmation.STARTED


def test_an_import_is_confirmed_once(laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(1))
    confirm(laposte, found.pk)

    with pytest.raises(Refusal) as refused:
        confirm(laposte, found.pk)
    assert refused.value.code == "not_ready"


def test_another_organisations_import_is_unknown(laposte: Organisation, airbus: Organisation) -> None:
    found = prepare_roster(laposte, people(1))

    with pytest.raises(Refusal) as refused:
        confirm(airbus, found.pk)
    assert refused.value.code == "unknown_import"


def test_a_cancelled_import_keeps_nothing_of_its_file(laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(2))

    with organisation_scope(laposte.pk):
        cancel_import(actor=OPERATOR, organisation=laposte, import_id=found.pk)
        assert not StagedRow.objects.exists()
    assert reread(laposte, found.pk).state == "cancelled"


def test_an_applied_import_cannot_be_cancelled(laposte: Organisation) -> None:
    done = apply_roster(laposte, people(1))

    with organisation_scope(laposte.pk), pytest.raises(Refusal) as refused:
        cancel_import(actor=OPERATOR, organisation=laposte, import_id=done.pk)
    assert refused.value.code == "too_late"


def test_the_same_file_again_replaces_the_copy_that_waits(laposte: Organisation) -> None:
    first, other = prepare_roster(laposte, people(2)), prepare_roster(laposte, people(3))

    second = prepare_roster(laposte, people(2))

    states = [reread(laposte, found.pk).state for found in (first, other, second)]
    assert states == ["superseded", "ready", "ready"]


def test_a_half_applied_import_that_failed_can_be_undone(laposte: Organisation) -> None:
    done = apply_roster(laposte, people(2))
    with organisation_scope(laposte.pk):
        RosterImport.objects.update(state="applying")
        fail_import(actor=OPERATOR, organisation=laposte, import_id=done.pk, code="roster_changed", params={})
        undo_import(actor=OPERATOR, organisation=laposte, import_id=done.pk)

    assert reread(laposte, done.pk).state == "undoing"
