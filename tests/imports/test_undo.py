"""Undo: what the import changed is as before, what happened since stays."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imports.runs import run_apply, run_undo
from imports.services import approve_held, undo_import
from imports.undo import Outlook, people_left_alone, undo_outlook
from portal.cohorts.rules import Rule
from portal.cohorts.services import set_membership
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.enrolments.models import Enrolment
from portal.people.models import Employee
from portal.people.services import edit_employee
from tests.factories.people import make_employee, make_learner, make_organisation
from tests.factories.progress import caught_up, make_cohort
from tests.imports.rosters import (
    apply_roster,
    confirm_and_apply,
    employees,
    enrolments,
    people,
    person,
    prepare_roster,
    reread,
)

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

    from imports.models import RosterImport
    from portal.organisations.models import Organisation


def undone(organisation: Organisation, import_id: int) -> RosterImport:
    with organisation_scope(organisation.pk):
        undo_import(actor=OPERATOR, organisation=organisation, import_id=import_id)
    run_undo(actor=OPERATOR, organisation=organisation, import_id=import_id)
    return reread(organisation, import_id)


def test_created_people_and_enrolments_go(laposte: Organisation, settings: Settings) -> None:
    settings.IMPORT_CHUNK_ROWS = 2
    done = apply_roster(laposte, people(5, cohort="Vague 1"))

    after = undone(laposte, done.pk)

    assert (after.state, after.counts["undo"]) == ("undone", {"removed": 5, "enrolments_removed": 5})
    assert (employees(laposte), enrolments(laposte)) == ([], [])


def test_what_rules_made_of_the_newcomers_goes_with_them(laposte: Organisation) -> None:
    everyone = make_cohort(laposte, "Tout le monde")
    with organisation_scope(laposte.pk):
        set_membership(actor=OPERATOR, organisation=laposte, cohort_id=everyone.pk, membership="everyone")
    done = apply_roster(laposte, people(5))
    caught_up(laposte)
    assert len(enrolments(laposte)) == 5

    undone(laposte, done.pk)
    caught_up(laposte)

    assert (employees(laposte), enrolments(laposte)) == ([], [])


def test_a_move_taken_back_is_followed_by_the_rules(laposte: Organisation) -> None:
    apply_roster(laposte, [person("00001", "Martin", "Zoé", "", "Lyon")])
    lyon = make_cohort(laposte, "Lyon")
    with organisation_scope(laposte.pk):
        set_membership(
            actor=OPERATOR,
            organisation=laposte,
            cohort_id=lyon.pk,
            membership="rules",
            rules=[Rule("site", ("Lyon",))],
        )
    caught_up(laposte)
    done = apply_roster(laposte, [person("00001", "Martin", "Zoé", "", "Brest")])
    caught_up(laposte)
    with organisation_scope(laposte.pk):
        assert Enrolment.objects.get().withdrawn_by == "rule"

    undone(laposte, done.pk)
    caught_up(laposte)

    with organisation_scope(laposte.pk):
        assert Enrolment.objects.get().withdrawn_at is None


def test_only_fields_that_still_say_what_the_import_wrote_are_restored(laposte: Organisation) -> None:
    apply_roster(laposte, [person("00001", "Avant", "Zoé", "", "Lyon")])
    done = apply_roster(laposte, [person("00001", "Après", "Zoé", "", "Brest")])
    ((pk,),) = employees(laposte, "id")
    with organisation_scope(laposte.pk):
        edit_employee(actor=OPERATOR, organisation=laposte, employee_id=pk, changes={"site": "Nantes"})

    after = undone(laposte, done.pk)

    assert after.counts["undo"] == {"partly": 1}
    assert employees(laposte, "last_name", "sort_name", "site") == [("Avant", "avant zoe", "Nantes")]


def test_a_created_person_who_signed_in_becomes_inactive(laposte: Organisation) -> None:
    done = apply_roster(laposte, people(2))
    with organisation_scope(laposte.pk):
        known = Employee.objects.get(employee_number="00001")
    make_learner(laposte, known, "Zoé Martin1")

    after = undone(laposte, done.pk)

    assert after.counts["undo"] == {"removed": 1, "inactive": 1}
    assert employees(laposte, "employee_number", "active") == [("00001", False)]


def test_a_created_person_whom_a_later_import_changed_stays(laposte: Organisation) -> None:
    done = apply_roster(laposte, people(1, site="Lyon"))
    apply_roster(laposte, people(1, site="Brest"))

    assert undone(laposte, done.pk).counts["undo"] == {"kept": 1}
    assert employees(laposte, "site", "active") == [("Brest", True)]


def test_an_enrolment_in_which_something_happened_stays_with_its_person(laposte: Organisation) -> None:
    done = apply_roster(laposte, people(1, cohort="Vague 1"))
    with organisation_scope(laposte.pk):
        cursor_rows("UPDATE enrolments_enrolment SET state = 'active', activated_at = now()")

    assert undone(laposte, done.pk).counts["undo"] == {"enrolments_kept": 1, "inactive": 1}


def test_departures_come_back_unless_the_date_has_passed(laposte: Organisation) -> None:
    apply_roster(laposte, people(30))
    done = apply_roster(laposte, people(28), mode="full")
    gone = employees(laposte, "id")[-1][0]
    yesterday = dt.datetime.now(tz=dt.UTC).date() - dt.timedelta(days=2)
    with organisation_scope(laposte.pk):
        edit_employee(actor=OPERATOR, organisation=laposte, employee_id=gone, changes={"left_on": yesterday})

    assert undone(laposte, done.pk).counts["undo"] == {"restored": 1, "kept": 1}


def test_a_number_is_not_given_back_when_the_email_became_somebody_elses_key(laposte: Organisation) -> None:
    make_employee(laposte, email="zoe@laposte.example", first_name="Zoé", last_name="Martin")
    done = apply_roster(laposte, [person("7", "Martin", "Zoé", "zoe@laposte.example")])
    make_employee(laposte, email="zoe@laposte.example", first_name="Zoé", last_name="Martin")

    assert undone(laposte, done.pk).counts["undo"] == {"kept": 1}


def test_what_changed_nothing_cannot_be_undone(laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(1))

    with organisation_scope(laposte.pk), pytest.raises(Refusal) as refused:
        undo_import(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    assert refused.value.code == "nothing_to_undo"


_row = st.tuples(
    st.integers(1, 6).map("{:05d}".format),
    st.sampled_from(["Martin", "Élan", "D’Or"]),
    st.sampled_from(["Zoé", "Luc"]),
    st.sampled_from(["", "a@x.example", "b@x.example"]),
    st.sampled_from(["", "Lyon", "Brest"]),
    st.sampled_from(["", "Vague 1", "Vague 2"]),
    st.sampled_from(["", "01/02/2020", "01/02/2099"]),
)
_roster = st.lists(_row, min_size=1, max_size=6, unique_by=lambda row: row[0])
_number = iter(range(1_000_000))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=_roster, after=_roster, mode=st.sampled_from(["delta", "full"]))
def test_undo_after_apply_is_the_identity(
    db: None, before: list[tuple[str, ...]], after: list[tuple[str, ...]], mode: str
) -> None:
    organisation = make_organisation(f"undo-{next(_number)}", "Undo")
    apply_roster(organisation, before)
    roster, enrolled = employees(organisation), enrolments(organisation)

    found = prepare_roster(organisation, after, mode=mode)
    if found.counts["held"]:
        with organisation_scope(organisation.pk):
            approve_held(actor=OPERATOR, organisation=organisation, import_id=found.pk)
        run_apply(actor=OPERATOR, organisation=organisation, import_id=found.pk)
    else:
        confirm_and_apply(organisation, found.pk)
    undone(organisation, found.pk)

    assert (employees(organisation), enrolments(organisation)) == (roster, enrolled)


def test_what_an_undo_would_come_to_counts_the_enrolments_of_newcomers(laposte: Organisation) -> None:
    done = apply_roster(laposte, people(3, cohort="Vague 1"), cohort_name="Tous")
    with organisation_scope(laposte.pk):
        cursor_rows(
            "UPDATE enrolments_enrolment SET state = 'invited', invited_at = now() WHERE employee_id ="
            " (SELECT id FROM people_employee WHERE employee_number = '00001') AND cohort_id ="
            " (SELECT id FROM cohorts_cohort WHERE name = 'Tous')"
        )
        whose = {"organisation_id": laposte.pk, "import_id": done.pk}
        outlook = undo_outlook(**whose)
        contacted = [key for *_, key in people_left_alone(**whose, why="contacted")]

    assert outlook == Outlook(people=3, changed_since=0, enrolments=6, contacted=1)
    assert contacted == ["00001"]


def test_an_undo_goes_on_to_the_last_enrolment(laposte: Organisation, settings: Settings) -> None:
    """Each enrolment counts in the bar, though a newcomer's are noted with their coming."""
    settings.IMPORT_CHUNK_ROWS = 2
    done = apply_roster(laposte, people(5, cohort="Vague 1"), cohort_name="Tous")

    after = undone(laposte, done.pk)

    assert (after.counts["to_do"], after.done_rows) == (15, 15)
    assert after.counts["undo"] == {"removed": 5, "enrolments_removed": 10}
