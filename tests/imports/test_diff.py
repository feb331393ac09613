"""The plan: what each row would do, and what is rejected because nothing may be guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imports.models import RosterImport, StagedRow
from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.people.services import edit_employee
from tests.factories.people import make_employee
from tests.imports.rosters import (
    HEADER,
    apply_roster,
    counted,
    issue_codes,
    people,
    person,
    prepare_roster,
)

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import Employee


def staged(organisation: Organisation, roster_import: RosterImport) -> list[StagedRow]:
    with organisation_scope(organisation.pk):
        return list(StagedRow.objects.filter(roster_import=roster_import).order_by("number", "pk"))


def test_the_same_key_with_the_same_values_counts_once(laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("00123"), person("00123"), person("00124")])

    assert counted(found) == {"create": 2, "merged": 1}
    assert issue_codes(laposte, found) == [(3, "duplicate_merged")]


def test_the_same_key_with_different_values_rejects_all_its_rows(laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("00123"), person("00123", "Durand"), person("00123")])

    assert counted(found) == {"reject": 3}
    assert {code for _, code in issue_codes(laposte, found)} == {"duplicate_conflict"}


def test_a_different_cohort_is_a_different_value(laposte: Organisation) -> None:
    rows = [person("1", "A", "B", "", "", "Vague 1"), person("1", "A", "B", "", "", "Vague 2")]

    assert counted(prepare_roster(laposte, rows)) == {"reject": 2}


def test_a_rejected_row_still_takes_its_key(laposte: Organisation) -> None:
    rows = [person("00123"), person("00123", "Martin", "Zoé", "not an address")]

    assert counted(prepare_roster(laposte, rows)) == {"reject": 2}


def test_the_email_is_the_key_only_without_a_number(laposte: Organisation) -> None:
    shared = "accueil@laposte.example"
    rows = [
        person("1", "A", "B", shared),
        person("2", "C", "D", shared),
        person("", "E", "F", "e@x.example"),
        person("", "G", "H", "e@x.example"),
    ]

    assert counted(prepare_roster(laposte, rows)) == {"create": 2, "reject": 2}


def test_a_number_that_arrives_for_somebody_known_by_email_is_an_update(laposte: Organisation) -> None:
    known = make_employee(laposte, email="zoe@laposte.example", first_name="Zoé", last_name="Martin")

    found = prepare_roster(laposte, [person("00123", "Martin", "Zoé", "zoe@laposte.example")])

    (row,) = staged(laposte, found)
    assert (row.action, row.employee_id, row.changed) == ("update", known.pk, ["employee_number"])
    assert row.before == {"employee_number": ""}


def test_two_rows_for_one_person_known_by_email_are_both_rejected(laposte: Organisation) -> None:
    make_employee(laposte, email="zoe@laposte.example", first_name="Zoé", last_name="Martin")
    rows = [person("7", "Martin", "Zoé", "zoe@laposte.example"), person("", "Martin", "Zoé", "zoe@laposte.example")]

    found = prepare_roster(laposte, rows)

    assert counted(found) == {"reject": 2}
    assert issue_codes(laposte, found) == [(2, "ambiguous_key_email"), (3, "ambiguous_key_email")]


def test_a_column_that_is_absent_erases_nothing(laposte: Organisation) -> None:
    make_employee(laposte, "00123", first_name="Zoé", last_name="Martin", site="Lyon")

    found = prepare_roster(laposte, [("00123", "Martin", "Zoé")], header=HEADER[:3])

    assert counted(found) == {"unchanged": 1}


def test_what_was_corrected_by_hand_is_kept_and_said(laposte: Organisation, amelie: Employee) -> None:
    with organisation_scope(laposte.pk):
        edit_employee(actor=OPERATOR, organisation=laposte, employee_id=amelie.pk, changes={"last_name": "Lefebvre"})

    found = prepare_roster(
        laposte, [("00412877", "Lefèvre", "Amélie", "Brest")], header=("Matricule", "Nom", "Prénom", "Site")
    )

    (row,) = staged(laposte, found)
    assert (row.action, row.changed, row.kept) == ("update", ["site"], ["last_name"])
    assert issue_codes(laposte, found) == [(2, "edited_by_hand")]


def test_joining_a_cohort_is_a_change_of_its_own(laposte: Organisation) -> None:
    apply_roster(laposte, people(2, cohort="Vague 1"))

    again = prepare_roster(laposte, people(2, cohort=" vague 1 "))
    other = prepare_roster(laposte, people(2, cohort="Vague 2"))
    all_of_them = prepare_roster(laposte, people(2, cohort="Vague 1"), cohort_name="Tous")

    assert counted(again) == {"unchanged": 2}
    assert counted(other) == counted(all_of_them) == {"update": 2}
    assert [row.changed for row in staged(laposte, other)] == [["cohort"]] * 2
    assert other.counts["cohorts"] == [{"name": "Vague 2", "exists": False, "people": 2}]


def test_a_cohort_that_does_not_exist_is_announced_once(laposte: Organisation) -> None:
    with organisation_scope(laposte.pk):
        create_cohort(actor=OPERATOR, organisation=laposte, name="Vague 1")
    rows = people(2, cohort="VAGUE 1") + people(2, cohort="Vague 2", first=3)

    found = prepare_roster(laposte, rows)

    assert issue_codes(laposte, found) == [(4, "new_cohort")]


def test_more_cohorts_than_anyone_runs_is_another_kind_of_column(laposte: Organisation) -> None:
    rows = [person(str(number), "A", "B", "", "", f"Vague {number}") for number in range(1, 1003)]

    found = prepare_roster(laposte, rows)

    assert (found.state, found.error) == ("failed", "too_many_cohorts")


def test_a_past_leaving_date_is_a_departure_in_any_mode(laposte: Organisation) -> None:
    apply_roster(laposte, people(2))
    leaver = person("00001", "Martin1", "Zoé", "", "Lyon", "", "01/02/2020")
    newcomer = person("00009", "Neuf", "Zoé", "", "Lyon", "Vague 1", "01/02/2020")

    found = prepare_roster(laposte, [leaver, newcomer])

    assert (found.counts["deactivate"], found.counts["cohorts"]) == (2, [])
    assert [(row.action, row.departs) for row in staged(laposte, found)] == [("update", True), ("create", True)]


def test_people_absent_from_a_delta_have_not_left(laposte: Organisation) -> None:
    apply_roster(laposte, people(5))

    found = prepare_roster(laposte, people(1))

    assert (found.state, found.counts["deactivate"]) == ("ready", 0)


def test_people_absent_from_a_full_file_leave_but_rejected_ones_are_present(laposte: Organisation) -> None:
    make_employee(laposte, "00100", first_name="Luc", last_name="Petit")
    make_employee(laposte, "00101", first_name="Ana", last_name="Roux", email="ana@laposte.example")
    make_employee(laposte, "00102", first_name="Noé", last_name="Blanc")
    rows = [person("00100", "Petit", "Luc", "no address"), person("", "Roux", "", "ana@laposte.example"), *people(40)]

    found = prepare_roster(laposte, rows, mode=RosterImport.Mode.FULL)

    gone = [row for row in staged(laposte, found) if row.action == "depart"]
    assert [(row.number, row.employee_number) for row in gone] == [(-1, "00102")]
    assert (found.counts["absent"], found.counts["deactivate"], found.counts["rows"]) == (1, 1, 42)


def test_another_organisation_is_never_matched(laposte: Organisation, airbus: Organisation) -> None:
    make_employee(airbus, "00123")

    assert counted(prepare_roster(laposte, [person("00123")])) == {"create": 1}
