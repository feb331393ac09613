"""The boundary by which employees come in: who each row is, what it would change, and what it wrote."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.core.text import fold
from portal.people.intake import FIELDS, Intake, create_intake, match_intake
from portal.people.models import Employee
from portal.people.services import deactivate_employees, edit_employee, upsert_employees
from tests.factories.people import make_employee

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.organisations.models import Organisation
    from portal.people.services import Outcome

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _inside(laposte: Organisation) -> Iterator[None]:
    with organisation_scope(laposte.pk):
        yield


def take_in(organisation: Organisation, *rows: dict[str, Any], columns: tuple[str, ...] = FIELDS) -> Outcome:
    create_intake()
    for ref, given in enumerate(rows, start=1):
        row = {"last_name": "Durand", "first_name": "Léa", **given}
        row["sort_name"] = fold(f"{row['last_name']} {row['first_name']}")
        names = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        cursor_rows(f"INSERT INTO employee_intake (ref, {names}) VALUES (%s, {marks})", [ref, *row.values()])
    match_intake(organisation.pk)
    intake = Intake(columns=frozenset(columns), today=TODAY)
    return upsert_employees(actor=OPERATOR, organisation=organisation, intake=intake)


def outcome() -> list[tuple[Any, ...]]:
    return cursor_rows("SELECT action, changed, kept, before, after FROM employee_outcome ORDER BY ref")


def test_a_newcomer_is_created_with_a_sort_name(laposte: Organisation) -> None:
    counts = take_in(laposte, {"employee_number": "007", "last_name": "D’Ormesson", "first_name": "Éva"})
    employee = Employee.objects.get()
    assert (counts.created, employee.employee_number, employee.sort_name) == (1, "007", "d ormesson eva")
    assert employee.active


def test_the_same_again_writes_nothing(laposte: Organisation) -> None:
    take_in(laposte, {"employee_number": "7"})
    before = cursor_rows("SELECT xmin::text, changed_at FROM people_employee")
    assert take_in(laposte, {"employee_number": "7"}).unchanged == 1
    assert cursor_rows("SELECT xmin::text, changed_at FROM people_employee") == before


def test_what_changes_is_told_field_by_field(laposte: Organisation) -> None:
    make_employee(laposte, "7", last_name="Durand", first_name="Léa", site="Nantes")
    take_in(laposte, {"employee_number": "7", "site": "Lyon"})
    assert outcome() == [("update", ["site"], [], '{"site": "Nantes"}', '{"site": "Lyon"}')]


def test_an_absent_column_erases_nothing_and_an_empty_cell_does(laposte: Organisation) -> None:
    make_employee(laposte, "7", last_name="Durand", first_name="Léa", site="Nantes", department="Colis")
    take_in(laposte, {"employee_number": "7"}, columns=("employee_number", "last_name", "first_name", "site"))
    employee = Employee.objects.get()
    assert (employee.site, employee.department) == ("", "Colis")


def test_an_empty_cell_never_erases_a_key(laposte: Organisation) -> None:
    make_employee(laposte, "7", last_name="Durand", first_name="Léa", email="lea@laposte.example")
    take_in(laposte, {"employee_number": "7", "email": ""})
    assert Employee.objects.get().email == "lea@laposte.example"


def test_the_email_is_a_key_only_for_people_without_a_number(laposte: Organisation) -> None:
    make_employee(laposte, "7", email="shared@laposte.example")
    take_in(laposte, {"email": "shared@laposte.example"})
    assert Employee.objects.count() == 2


def test_a_number_that_arrives_for_somebody_known_by_email_is_theirs(laposte: Organisation) -> None:
    known = make_employee(laposte, "", last_name="Durand", first_name="Léa", email="lea@laposte.example")
    take_in(laposte, {"employee_number": "7", "email": "lea@laposte.example"})
    assert outcome()[0][:2] == ("update", ["employee_number"])
    assert Employee.objects.get().pk == known.pk


def test_two_numbers_for_one_email_are_not_guessed(laposte: Organisation) -> None:
    make_employee(laposte, "", email="shared@laposte.example")
    rows = [{"employee_number": number, "email": "shared@laposte.example"} for number in ("7", "8")]
    assert take_in(laposte, *rows).created == 2


def test_fields_edited_by_hand_are_kept_and_named(laposte: Organisation) -> None:
    employee = make_employee(laposte, "7", last_name="Durand", first_name="Léa", site="Nantes")
    edit_employee(actor=OPERATOR, organisation=laposte, employee_id=employee.pk, changes={"site": "Brest"})
    take_in(laposte, {"employee_number": "7", "site": "Lyon", "department": "Colis"})
    assert outcome()[0][1:3] == (["department"], ["site"])
    assert Employee.objects.get().site == "Brest"


@pytest.mark.parametrize(("left_on", "active"), [(date(2026, 11, 22), False), (TODAY, True), (None, True)])
def test_whoever_has_left_is_inactive_from_the_day_after(
    laposte: Organisation, left_on: date | None, *, active: bool
) -> None:
    take_in(laposte, {"employee_number": "7", "left_on": left_on})
    assert Employee.objects.get().active is active


def test_whoever_is_back_in_the_file_is_active_again(laposte: Organisation) -> None:
    employee = make_employee(laposte, "7", last_name="Durand", first_name="Léa")
    assert deactivate_employees(actor=OPERATOR, organisation=laposte, employee_ids=[employee.pk]) == [employee.pk]
    take_in(laposte, {"employee_number": "7"})
    assert outcome()[0][1] == ["active"]
    assert Employee.objects.get().active


def test_somebody_added_meanwhile_stops_the_chunk_and_nothing_is_written(laposte: Organisation) -> None:
    create_intake()
    cursor_rows("INSERT INTO employee_intake (ref, employee_number) VALUES (1, '7'), (2, '8')")
    match_intake(laposte.pk)
    make_employee(laposte, "8")
    with pytest.raises(Refusal) as refused:
        upsert_employees(actor=OPERATOR, organisation=laposte, intake=Intake(columns=frozenset(FIELDS), today=TODAY))
    assert refused.value.code == "roster_changed"
    assert Employee.objects.count() == 1


def test_nobody_of_another_organisation_is_matched(laposte: Organisation, airbus: Organisation) -> None:
    make_employee(airbus, "7")
    assert take_in(laposte, {"employee_number": "7"}).created == 1
