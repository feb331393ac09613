"""Correcting an import before it is applied: its rows, its columns, its sites, who is whom, whose edits count."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage

from imports.corrections import (
    accept_reading,
    bring_corrections,
    choose_reading,
    correct_row,
    name_sites,
    say_twins,
    take_whose_edits,
)
from imports.models import ColumnMapping, RosterImport, StagedRow
from imports.runs import prepare_import, run_plan
from imports.services import confirm_import, plan_again
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.people.services import edit_employee
from tests.factories.people import make_employee
from tests.imports.pipeline.files import delimited
from tests.imports.rosters import (
    HEADER,
    apply_roster,
    confirm_and_apply,
    counted,
    employees,
    issue_codes,
    open_roster,
    people,
    person,
    prepare_roster,
    reread,
    roster_file,
)
from tests.imports.test_undo import undone

if TYPE_CHECKING:
    from collections.abc import Callable

    from imports.pipeline.issues import Issue
    from portal.organisations.models import Organisation
    from portal.people.models import Employee

WRONG = [person("1", "Un"), person("2", "Deux", "Zoé", "not an address"), person("", "Sans", "Clé")]


def done(organisation: Organisation, service: Callable[..., Any], found: RosterImport, **given: Any) -> RosterImport:
    """Call a service on the import, then do what the worker does."""
    with organisation_scope(organisation.pk):
        service(actor=OPERATOR, organisation=organisation, import_id=found.pk, **given)
    again = reread(organisation, found.pk)
    work = prepare_import if again.state == "preparing" else run_plan
    work(actor=OPERATOR, organisation=organisation, import_id=found.pk)
    return reread(organisation, found.pk)


def typed(number: str, name: str, email: str = "") -> dict[str, str]:
    return {"employee_number": number, "last_name": name, "first_name": "Zoé", "email": email, "site": "Lyon"}


def correct(organisation: Organisation, found: RosterImport, number: int, texts: dict[str, str]) -> list[Issue]:
    with organisation_scope(organisation.pk):
        return correct_row(actor=OPERATOR, organisation=organisation, import_id=found.pk, number=number, texts=texts)


# --- Rows -----------------------------------------------------------------------------------------------------------


def test_corrected_rows_are_taken_once_compared_again(laposte: Organisation) -> None:
    found = prepare_roster(laposte, WRONG)
    assert counted(found) == {"create": 1, "reject": 2}

    assert correct(laposte, found, 3, typed("2", "Deux", "deux@laposte.example")) == []
    assert correct(laposte, found, 4, typed("3", "Sans")) == []
    again = done(laposte, plan_again, found)

    assert (counted(again), again.counts["corrected"], again.stale) == ({"create": 3}, 2, False)
    assert issue_codes(laposte, again) == []
    confirm_and_apply(laposte, found.pk)
    assert employees(laposte, "employee_number", "email") == [("1", ""), ("2", "deux@laposte.example"), ("3", "")]


def test_a_correction_that_is_still_wrong_says_so_and_changes_nothing(laposte: Organisation) -> None:
    found = prepare_roster(laposte, WRONG)

    (issue,) = correct(laposte, found, 3, typed("2", "Deux", "still not"))

    assert (issue.code, issue.field, issue.value) == ("invalid_email", "email", "still not")
    assert not reread(laposte, found.pk).stale


def test_what_was_corrected_is_not_applied_before_it_is_compared(laposte: Organisation) -> None:
    found = prepare_roster(laposte, WRONG)
    correct(laposte, found, 4, typed("3", "Sans"))

    with organisation_scope(laposte.pk), pytest.raises(Refusal) as refused:
        confirm_import(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    assert refused.value.code == "plan_stale"


def test_a_correction_may_repeat_another_row(laposte: Organisation) -> None:
    found = prepare_roster(laposte, WRONG)
    correct(laposte, found, 4, typed("1", "Autre"))

    assert counted(done(laposte, plan_again, found)) == {"reject": 3}


def test_a_good_row_can_be_corrected_too(laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("1", "Un")])
    correct(laposte, found, 2, {**typed("1", "Deux"), "left_on": "01/02/2099"})
    done(laposte, plan_again, found)
    confirm_and_apply(laposte, found.pk)

    assert employees(laposte, "last_name", "sort_name", "left_on") == [("Deux", "deux zoe", dt.date(2099, 2, 1))]


@pytest.mark.parametrize("number", [0, 99, -1])
def test_a_row_that_does_not_exist_is_refused(laposte: Organisation, number: int) -> None:
    apply_roster(laposte, people(30))
    found = prepare_roster(laposte, people(29), mode="full")

    with pytest.raises(Refusal) as refused:
        correct(laposte, found, number, typed("1", "Un"))
    assert refused.value.code == "unknown_row"


def test_an_applied_import_takes_no_corrections(laposte: Organisation) -> None:
    applied = apply_roster(laposte, people(1))

    with pytest.raises(Refusal) as refused:
        correct(laposte, applied, 2, typed("1", "Un"))
    assert refused.value.code == "not_ready"


# --- A workbook of corrected rows -----------------------------------------------------------------------------------


def test_corrected_rows_come_back_by_the_number_of_their_row(laposte: Organisation) -> None:
    found = prepare_roster(laposte, WRONG)
    rows = [("3", *person("2", "Deux", "Zoé", "deux@laposte.example")), ("4", *person("3", "Sans", "Clé"))]
    file = delimited([("Ligne du fichier d’origine", *HEADER), *rows])

    again = done(laposte, bring_corrections, found, file=file)

    assert (counted(again), again.counts["corrected"], again.quarantine) == ({"create": 3}, 2, "")


def test_corrected_rows_come_back_by_their_key_or_their_name(laposte: Organisation) -> None:
    found = prepare_roster(laposte, WRONG)
    file = roster_file([person("2", "Deux", "Zoé", "deux@laposte.example"), person("3", "Sans", "Clé")])

    assert counted(done(laposte, bring_corrections, found, file=file)) == {"create": 3}


def test_a_conflict_is_settled_by_the_row_that_comes_back(laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("1", "Un"), person("1", "Deux"), person("2", "Trois")])
    assert counted(found) == {"reject": 2, "create": 1}

    again = done(laposte, bring_corrections, found, file=roster_file([person("1", "Deux")]))

    assert counted(again) == {"create": 2}


def test_the_whole_workbook_may_come_back(laposte: Organisation) -> None:
    found = prepare_roster(laposte, WRONG)
    file = roster_file([WRONG[0], person("2", "Deux"), person("3", "Sans", "Clé"), person("9", "Neuve")])

    assert counted(done(laposte, bring_corrections, found, file=file)) == {"create": 4}


def test_rows_that_are_still_wrong_stay_to_correct(laposte: Organisation) -> None:
    found = prepare_roster(laposte, WRONG)

    again = done(laposte, bring_corrections, found, file=roster_file([person("2", "Deux", "Zoé", "no")]))

    assert (counted(again), issue_codes(laposte, again)) == (
        {"create": 1, "reject": 2},
        [(3, "invalid_email"), (4, "missing_key")],
    )


def test_a_column_that_the_workbook_does_not_have_erases_nothing(laposte: Organisation) -> None:
    make_employee(laposte, "1", first_name="Zoé", last_name="Un", site="Lyon")
    found = prepare_roster(laposte, [person("1", "Un", "Zoé", "", "Lyon", "", "01/02/2020")])

    again = done(laposte, bring_corrections, found, file=delimited([HEADER[:3], ("1", "Une", "Zoé")]))

    with organisation_scope(laposte.pk):
        row = StagedRow.objects.get(roster_import=again, number__gt=0)
    assert (row.last_name, row.site, row.left_on, row.departs) == ("Une", "Lyon", dt.date(2020, 2, 1), True)


def test_a_row_corrected_to_another_rows_number_takes_nobodys_place(laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("1", "Un"), person("2", "Deux", "Zoé", "not an address")])
    file = delimited([("Ligne du fichier d’origine", *HEADER), ("3", *person("1", "Deux"))])

    again = done(laposte, bring_corrections, found, file=file)

    assert (counted(again), {code for _, code in issue_codes(laposte, again)}) == (
        {"reject": 2},
        {"duplicate_conflict"},
    )


def test_rows_without_a_key_are_not_taken_for_each_other(laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("", "Un", "Ana"), person("", "Deux", "Luc"), person("9", "Neuf")])

    again = done(laposte, bring_corrections, found, file=roster_file([person("", "Deux", "Luc", "no")]))

    assert issue_codes(laposte, again) == [(2, "missing_key"), (3, "invalid_email")]


def test_corrections_do_not_make_two_imports_the_same(laposte: Organisation) -> None:
    first, second = prepare_roster(laposte, WRONG), prepare_roster(laposte, people(3, first=50))
    for found in (first, second):
        done(laposte, bring_corrections, found, file=roster_file([person("2", "Deux")]))

    assert [reread(laposte, found.pk).state for found in (first, second)] == ["ready", "ready"]


def test_corrections_that_are_lost_close_nothing(laposte: Organisation) -> None:
    found = prepare_roster(laposte, WRONG)
    with organisation_scope(laposte.pk):
        bring_corrections(
            actor=OPERATOR, organisation=laposte, import_id=found.pk, file=roster_file([person("2", "Deux")])
        )
    default_storage.delete(reread(laposte, found.pk).quarantine)

    prepare_import(actor=OPERATOR, organisation=laposte, import_id=found.pk)

    again = reread(laposte, found.pk)
    assert (again.state, again.error, counted(again)) == ("ready", "upload_again", {"create": 1, "reject": 2})


def test_a_file_that_is_no_spreadsheet_leaves_the_import_as_it_was(laposte: Organisation) -> None:
    found = prepare_roster(laposte, WRONG)

    again = done(laposte, bring_corrections, found, file=delimited([("nothing", "here"), ("a", "b")]))

    assert (again.state, again.error, counted(again)) == ("ready", "no_header", {"create": 1, "reject": 2})


# --- Columns --------------------------------------------------------------------------------------------------------


def test_other_columns_are_read_when_hr_says_so(laposte: Organisation) -> None:
    header = ("Code", "Nom", "Prénom", "Identifiant", "Étage")
    found = prepare_roster(laposte, [("77", "Martin", "Zoé", "A-1", "3")], header=header)
    assert found.counts["create"] == 1

    columns = {"employee_number": 0, "last_name": 1, "first_name": 2}
    again = done(laposte, choose_reading, found, sheet="", header_row=1, columns=columns, extras=[4])

    assert counted(again) == {"create": 1}
    confirm_and_apply(laposte, found.pk)
    assert employees(laposte, "employee_number", "attributes") == [("77", '{"Étage": "3"}')]


def test_columns_that_make_no_sense_can_be_chosen_again(laposte: Organisation) -> None:
    import_id = open_roster(laposte, people(2), channel="page")
    prepare_import(actor=OPERATOR, organisation=laposte, import_id=import_id)

    columns = {"employee_number": 0, "last_name": 0, "first_name": 2}
    again = done(laposte, choose_reading, reread(laposte, import_id), sheet="", header_row=1, columns=columns)

    assert (again.state, again.error) == ("unclear", "same_column_twice")


def test_a_file_without_headers_waits_for_hr_to_point_at_them(laposte: Organisation) -> None:
    rows = [("77", "Martin", "Zoé"), ("78", "Durand", "Luc")]
    import_id = open_roster(laposte, rows, header=("un", "deux", "trois"), channel="page")
    prepare_import(actor=OPERATOR, organisation=laposte, import_id=import_id)
    found = reread(laposte, import_id)
    assert (found.state, found.error, bool(found.quarantine)) == ("unclear", "no_header", True)

    columns = {"employee_number": 0, "last_name": 1, "first_name": 2}
    again = done(laposte, choose_reading, found, sheet="csv", header_row=1, columns=columns)

    assert (again.state, counted(again), again.quarantine) == ("ready", {"create": 2}, "")


def test_columns_once_accepted_need_no_second_look(laposte: Organisation) -> None:
    def uploaded() -> RosterImport:
        import_id = open_roster(laposte, people(2), channel="page")
        prepare_import(actor=OPERATOR, organisation=laposte, import_id=import_id)
        return reread(laposte, import_id)

    first = uploaded()
    assert first.looked_at is None
    done(laposte, accept_reading, first)

    assert uploaded().looked_at is not None
    with organisation_scope(laposte.pk):
        assert ColumnMapping.objects.count() == 1


# --- Sites ----------------------------------------------------------------------------------------------------------


def test_a_site_gets_its_name_here_and_in_the_next_file(laposte: Organisation) -> None:
    make_employee(laposte, "9", site="Paris XV")
    found = prepare_roster(laposte, [person("1", "Un", "Zoé", "", "PARIS 15")])

    again = done(laposte, name_sites, found, names={"PARIS 15": "Paris XV"})
    following = prepare_roster(laposte, [person("2", "Deux", "Zoé", "", "paris  15")])

    with organisation_scope(laposte.pk):
        sites = StagedRow.objects.filter(roster_import__in=[again, following]).values_list("site", flat=True)
        assert list(sites) == ["Paris XV", "Paris XV"]


def test_a_site_written_in_two_ways_gets_one_name(laposte: Organisation) -> None:
    found = prepare_roster(
        laposte, [person("1", "Un", "Zoé", "", "PARIS-15"), person("2", "Deux", "Luc", "", "Paris 15")]
    )

    names = {"PARIS-15": "Paris XV", "Paris 15": "Paris XV"}
    done(laposte, name_sites, found, names=names)

    with organisation_scope(laposte.pk):
        assert set(StagedRow.objects.values_list("site", flat=True)) == {"Paris XV"}


def test_names_of_sites_are_exchanged_at_once(laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("1", "Un", "Zoé", "", "A"), person("2", "Deux", "Luc", "", "B")])

    done(laposte, name_sites, found, names={"A": "B", "B": "C"})

    with organisation_scope(laposte.pk):
        sites = StagedRow.objects.order_by("number").values_list("site", flat=True)
        assert list(sites) == ["B", "C"]


# --- The same person under another key ------------------------------------------------------------------------------


@pytest.fixture
def zoe(laposte: Organisation) -> Employee:
    return make_employee(
        laposte, "100", first_name="Zoé", last_name="Martin", site="Lyon",
        email="zoe@laposte.example", hired_on=dt.date(2020, 1, 6),
    )  # fmt: skip


def twin_of(organisation: Organisation, found: RosterImport) -> tuple[int | None, str, str]:
    with organisation_scope(organisation.pk):
        row = StagedRow.objects.get(roster_import=found, action__in=("create", "update"))
    return row.twin_id, row.twin_why, row.action


@pytest.mark.parametrize(
    ("row", "mode", "why"),
    [
        (("200", "Autre", "Zoé", "zoe@laposte.example", "", ""), "delta", "email"),
        (("200", "Martin", "Zoé", "", "", "06/01/2020"), "delta", "hired"),
        (("200", "Martin", "Zoé", "", "Lyon", ""), "full", "site"),
    ],
)
def test_a_likely_twin_is_proposed_with_its_reason(
    laposte: Organisation, zoe: Employee, row: tuple[str, ...], mode: str, why: str
) -> None:
    header = ("Matricule", "Nom", "Prénom", "Courriel", "Site", "Date d’entrée")
    found = prepare_roster(laposte, [row], header=header, mode=mode)

    assert twin_of(laposte, found) == (zoe.pk, why, "create")
    assert found.counts["twins"] == 1


def test_namesakes_are_not_proposed(laposte: Organisation, zoe: Employee) -> None:
    assert prepare_roster(laposte, [person("200", "Martin", "Zoé", "", "Lyon")]).counts["twins"] == 0


def test_the_same_person_is_an_update_and_undo_brings_the_old_key_back(laposte: Organisation, zoe: Employee) -> None:
    found = prepare_roster(laposte, [person("200", "Martin", "Zoé", "zoe@laposte.example", "Lyon")])
    before = employees(laposte)

    again = done(laposte, say_twins, found, said={2: "same"})

    assert (counted(again), twin_of(laposte, again)) == ({"update": 1}, (zoe.pk, "email", "update"))
    confirm_and_apply(laposte, found.pk)
    assert employees(laposte, "id", "employee_number") == [(zoe.pk, "200")]
    assert (undone(laposte, found.pk).state, employees(laposte)) == ("undone", before)


def test_another_person_stays_an_arrival(laposte: Organisation, zoe: Employee) -> None:
    found = prepare_roster(laposte, [person("200", "Martin", "Zoé", "zoe@laposte.example")])

    again = done(laposte, say_twins, found, said={2: "other"})

    assert twin_of(laposte, again) == (zoe.pk, "email", "create")
    with organisation_scope(laposte.pk):
        assert StagedRow.objects.get(roster_import=found).twin_said == "other"


# --- Edits by hand --------------------------------------------------------------------------------------------------


def test_the_files_values_replace_the_hands_only_when_hr_says_so(laposte: Organisation, zoe: Employee) -> None:
    with organisation_scope(laposte.pk):
        edit_employee(actor=OPERATOR, organisation=laposte, employee_id=zoe.pk, changes={"last_name": "Petit"})
    before = employees(laposte)
    found = prepare_roster(laposte, [person("100", "Martin", "Zoé", "zoe@laposte.example", "Lyon")])
    assert (found.counts["kept"], counted(found)) == (1, {"unchanged": 1})

    again = done(laposte, take_whose_edits, found, override=True)

    assert (again.counts["kept"], counted(again)) == (0, {"update": 1})
    confirm_and_apply(laposte, found.pk)
    assert employees(laposte, "last_name", "edited") == [("Martin", [])]
    assert undone(laposte, found.pk).counts["undo"] == {"restored": 1}
    assert employees(laposte) == before
