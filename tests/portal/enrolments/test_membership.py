"""Membership by rules: whoever is named comes in, and any history ends where evaluating the rules afresh would."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.audit.actions import Action
from portal.audit.models import AuditEvent
from portal.cohorts.models import Cohort
from portal.cohorts.rules import Rule
from portal.cohorts.services import set_membership
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.enrolments.by_hand import enrol_by_hand, people_named, withdraw_by_hand
from portal.enrolments.membership import Outlook, follow_rules, membership_outlook
from portal.enrolments.models import Enrolment, Invitation
from portal.people.models import Employee
from portal.people.services import deactivate_employees, edit_employee
from portal.progress.services import catch_up
from tests.factories.people import make_employee
from tests.factories.progress import caught_up, enrol, event, invite, make_cohort, make_people, make_wave, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db

RULES, HAND, EVERYONE = Cohort.Membership.RULES, Cohort.Membership.HAND, Cohort.Membership.EVERYONE
LYON = Rule("site", ("Lyon",))


def rule(organisation: Organisation, cohort: Cohort, *rules: Rule, membership: str = RULES) -> None:
    with organisation_scope(organisation.pk):
        set_membership(
            actor=OPERATOR, organisation=organisation, cohort_id=cohort.pk, membership=membership, rules=rules
        )
    caught_up(organisation)


def members(organisation: Organisation, cohort: Cohort) -> set[str]:
    with organisation_scope(organisation.pk):
        inside = Enrolment.objects.filter(cohort=cohort, withdrawn_at__isnull=True)
        return set(inside.values_list("employee__employee_number", flat=True))


def enrolment(organisation: Organisation, cohort: Cohort, number: str) -> Enrolment:
    with organisation_scope(organisation.pk):
        return Enrolment.objects.get(cohort=cohort, employee__employee_number=number)


def edit(organisation: Organisation, number: str, **changes: Any) -> None:
    with organisation_scope(organisation.pk):
        pk = Employee.objects.get(employee_number=number).pk
        edit_employee(actor=OPERATOR, organisation=organisation, employee_id=pk, changes=changes)
    caught_up(organisation)


@pytest.fixture
def cohort(laposte: Organisation) -> Cohort:
    """Two people of Lyon and one of Nantes on the roster; the cohort takes Lyon."""
    make_people(laposte, 2, site="Lyon")
    make_people(laposte, 1, site="Nantes")
    cohort = make_cohort(laposte)
    rule(laposte, cohort, LYON)
    return cohort


def test_rules_enrol_whom_they_name_and_say_so(laposte: Organisation, cohort: Cohort) -> None:
    assert members(laposte, cohort) == {"Lyon-0000", "Lyon-0001"}
    assert enrolment(laposte, cohort, "Lyon-0000").enrolled_by == "rule"
    with organisation_scope(laposte.pk):
        followed = AuditEvent.objects.get(action=Action.RULES_FOLLOWED)
    assert (followed.data["enrolled"], followed.data["withdrawn"]) == (2, 0)


def test_whoever_moves_leaves_and_comes_back_with_the_rule(laposte: Organisation, cohort: Cohort) -> None:
    edit(laposte, "Lyon-0000", site="Nantes")
    gone = enrolment(laposte, cohort, "Lyon-0000")
    assert (gone.state, gone.withdrawn_by) == ("withdrawn", "rule")
    edit(laposte, "Lyon-0000", site="Lyon")
    back = enrolment(laposte, cohort, "Lyon-0000")
    assert (back.state, back.withdrawn_at, back.withdrawn_by) == ("enrolled", None, "")


def test_whoever_has_begun_stays(laposte: Organisation, cohort: Cohort) -> None:
    record(event("started", "Lyon-0000"))
    edit(laposte, "Lyon-0000", site="Nantes")
    assert members(laposte, cohort) == {"Lyon-0000", "Lyon-0001"}


def test_a_withdrawal_by_hand_stays_until_a_hand_enrols_again(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        person = Employee.objects.get(employee_number="Lyon-0000")
        assert withdraw_by_hand(actor=OPERATOR, organisation=laposte, cohort=cohort, employee_ids=[person.pk]) == 1
        assert withdraw_by_hand(actor=OPERATOR, organisation=laposte, cohort=cohort, employee_ids=[person.pk]) == 0
    rule(laposte, cohort, membership=EVERYONE)
    enrol(laposte, cohort, [person])
    caught_up(laposte)
    assert members(laposte, cohort) == {"Lyon-0001", "Nantes-0000"}
    with organisation_scope(laposte.pk):
        assert enrol_by_hand(actor=OPERATOR, organisation=laposte, cohort=cohort, employee_ids=[person.pk]) == 1
        assert enrol_by_hand(actor=OPERATOR, organisation=laposte, cohort=cohort, employee_ids=[person.pk]) == 0
        recorded = AuditEvent.objects.filter(action__in=[Action.PEOPLE_ENROLLED, Action.PEOPLE_WITHDRAWN])
        assert [line.data["people"] for line in recorded] == [1, 1]
    back = enrolment(laposte, cohort, "Lyon-0000")
    assert (back.state, back.enrolled_by, back.withdrawn_by) == ("enrolled", "hand", "")
    # What a hand enrolled, no rule withdraws.
    rule(laposte, cohort, Rule("site", ("Nantes",)))
    assert members(laposte, cohort) == {"Lyon-0000", "Nantes-0000"}


def test_a_file_brings_back_whom_only_a_rule_withdrew(laposte: Organisation, cohort: Cohort) -> None:
    edit(laposte, "Lyon-0000", site="Nantes")
    with organisation_scope(laposte.pk):
        person = Employee.objects.get(employee_number="Lyon-0000")
    enrol(laposte, cohort, [person])
    caught_up(laposte)
    assert enrolment(laposte, cohort, "Lyon-0000").enrolled_by == "import"
    assert "Lyon-0000" in members(laposte, cohort)


def test_leavers_stay_counted(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        pk = Employee.objects.get(employee_number="Lyon-0001").pk
        deactivate_employees(actor=OPERATOR, organisation=laposte, employee_ids=[pk])
    caught_up(laposte)
    rule(laposte, cohort, Rule("site", ("Nantes",)))
    assert members(laposte, cohort) == {"Lyon-0001", "Nantes-0000"}


def test_planned_invitations_of_the_withdrawn_do_not_leave(laposte: Organisation, cohort: Cohort) -> None:
    wave = make_wave(laposte, cohort)
    with organisation_scope(laposte.pk):
        person = Employee.objects.get(employee_number="Lyon-0000")
    invite(laposte, wave, person, "planned", 0)
    invite(laposte, wave, person, "sent", 1)
    edit(laposte, "Lyon-0000", site="Nantes")
    with organisation_scope(laposte.pk):
        assert list(Invitation.objects.order_by("number").values_list("state", flat=True)) == ["withdrawn", "sent"]


def test_a_cohort_that_has_ended_is_left_as_it_is(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        Cohort.objects.update(ends_on=date.today() - timedelta(days=2))  # noqa: DTZ011  Two days are far enough.
    make_employee(laposte, "later", site="Lyon")
    edit(laposte, "Lyon-0000", site="Nantes")
    assert members(laposte, cohort) == {"Lyon-0000", "Lyon-0001"}


def test_unknown_dates_are_not_named(laposte: Organisation) -> None:
    make_employee(laposte, "old", hired_on=date(2001, 1, 1))
    make_employee(laposte, "unknown")
    cohort = make_cohort(laposte)
    rule(laposte, cohort, Rule("hired_before", day=date(2020, 1, 1)))
    assert members(laposte, cohort) == {"old"}
    edit(laposte, "old", hired_on=None)
    assert members(laposte, cohort) == set()


def test_the_outlook_is_what_then_happens(laposte: Organisation, cohort: Cohort) -> None:
    record(event("started", "Lyon-0001"))
    caught_up(laposte)
    nantes = [Rule("site", ("Nantes",))]
    with organisation_scope(laposte.pk):
        said = membership_outlook(laposte, membership=RULES, rules=nantes, cohort_id=cohort.pk)
    assert said == Outlook(named=1, join=1, leave=1, stay=1, kept_out=0)
    rule(laposte, cohort, *nantes)
    assert members(laposte, cohort) == {"Lyon-0001", "Nantes-0000"}


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([], "no_rule"),
        ([Rule("site")], "invalid_rule"),
        ([Rule("hired_from")], "invalid_rule"),
        ([LYON, LYON], "invalid_rule"),
        ([Rule("salary", ("1",))], "invalid_rule"),
        ([Rule("site", ("x" * 151,))], "invalid_rule"),
    ],
)
def test_rules_that_say_nothing_are_refused(laposte: Organisation, rules: list[Rule], code: str) -> None:
    cohort = make_cohort(laposte)
    with organisation_scope(laposte.pk), pytest.raises(Refusal) as refused:
        set_membership(actor=OPERATOR, organisation=laposte, cohort_id=cohort.pk, membership=RULES, rules=rules)
    assert refused.value.code == code


def test_people_are_named_by_number_or_address_and_never_guessed(laposte: Organisation) -> None:
    one = make_employee(laposte, "1", email="un@laposte.example")
    make_employee(laposte, "2", email="deux@laposte.example")
    make_employee(laposte, "3", email="deux@laposte.example")
    make_employee(laposte, "4", active=False)
    with organisation_scope(laposte.pk):
        found = people_named(laposte, ["1", " UN@laposte.example ", "deux@laposte.example", "4", "", "x"])
    assert found.employee_ids == (one.pk,)
    assert (found.several, found.unknown) == (("deux@laposte.example",), ("4", "x"))


# --- Any history ----------------------------------------------------------------------------------------------------

SITES = ("Lyon", "Nantes", "Brest")
NUMBERS = tuple(f"{number}" for number in range(5))


@dataclass
class Person:
    """What is known of one person without the product."""

    site: str = "Lyon"
    active: bool = True
    hired: int = 2020
    begun: bool = False
    inside: bool = False
    by_rule: bool = False
    kept_out: bool = False


@dataclass
class Model:
    """The rules evaluated afresh after every step, one person at a time."""

    people: dict[str, Person] = field(default_factory=lambda: {number: Person() for number in NUMBERS})
    membership: str = HAND
    sites: tuple[str, ...] = ()
    before: int = 0

    def names(self, person: Person) -> bool:
        if not person.active or self.membership == HAND:
            return False
        if self.membership == EVERYONE:
            return True
        return person.site in self.sites and (not self.before or person.hired < self.before)

    def settle(self) -> None:
        if self.membership == HAND:
            return
        for person in self.people.values():
            if self.names(person) and not person.inside and not person.kept_out:
                person.inside, person.by_rule = True, True
            elif person.inside and person.by_rule and person.active and not person.begun and not self.names(person):
                person.inside = False

    def members(self) -> set[str]:
        return {number for number, person in self.people.items() if person.inside}


STEPS = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(NUMBERS), st.sampled_from(SITES)),
    st.tuples(st.just("hire"), st.sampled_from(NUMBERS), st.sampled_from([2010, 2020, 2025])),
    st.tuples(st.just("leave"), st.sampled_from(NUMBERS), st.none()),
    st.tuples(st.just("return"), st.sampled_from(NUMBERS), st.none()),
    st.tuples(st.just("begin"), st.sampled_from(NUMBERS), st.none()),
    st.tuples(st.just("enrol"), st.sampled_from(NUMBERS), st.none()),
    st.tuples(st.just("withdraw"), st.sampled_from(NUMBERS), st.none()),
    st.tuples(st.just("rules"), st.lists(st.sampled_from(SITES), min_size=1, unique=True), st.sampled_from([0, 2015])),
    st.tuples(st.just("membership"), st.sampled_from([HAND, EVERYONE]), st.none()),
)


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def play(organisation: Organisation, cohort: Cohort, model: Model, step: tuple[str, Any, Any]) -> None:
    """Do the step in the product and in the model."""
    kind, first, _ = step
    with organisation_scope(organisation.pk):
        if kind in {"rules", "membership"}:
            rule_of_a_step(organisation, cohort, model, step)
        elif kind in {"enrol", "withdraw"}:
            hand_of_a_step(organisation, cohort, model.people[first], step)
        elif kind == "begin":
            record(event("started", str(first)))
            model.people[first].begun = True
        else:
            change_of_a_step(organisation, model.people[first], step)
    catch_up(actor=OPERATOR, organisation=organisation)
    model.settle()


def rule_of_a_step(organisation: Organisation, cohort: Cohort, model: Model, step: tuple[str, Any, Any]) -> None:
    kind, first, second = step
    membership, rules = (RULES, [Rule("site", tuple(first))]) if kind == "rules" else (first, [])
    if kind == "rules":
        rules += [Rule("hired_before", day=date(second, 1, 1))] if second else []
        model.sites, model.before = tuple(first), second
    model.membership = membership
    set_membership(actor=OPERATOR, organisation=organisation, cohort_id=cohort.pk, membership=membership, rules=rules)


def hand_of_a_step(organisation: Organisation, cohort: Cohort, person: Person, step: tuple[str, Any, Any]) -> None:
    kind, number, _ = step
    one = Employee.objects.get(employee_number=number).pk
    known = person.inside or Enrolment.objects.filter(employee_id=one).exists()
    act = enrol_by_hand if kind == "enrol" else withdraw_by_hand
    act(actor=OPERATOR, organisation=organisation, cohort=cohort, employee_ids=[one])
    if kind == "withdraw":
        person.inside, person.kept_out = False, person.kept_out or known
    elif person.active and not person.inside:
        person.inside, person.by_rule, person.kept_out = True, False, False


def change_of_a_step(organisation: Organisation, person: Person, step: tuple[str, Any, Any]) -> None:
    kind, number, detail = step
    changes: dict[str, Any] = {"active": kind == "return"}
    if kind == "move":
        changes, person.site = {"site": detail}, detail
    elif kind == "hire":
        changes, person.hired = {"hired_on": date(detail, 1, 1)}, detail
    else:
        person.active = kind == "return"
    one = Employee.objects.get(employee_number=number).pk
    edit_employee(actor=OPERATOR, organisation=organisation, employee_id=one, changes=changes)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_any_history_ends_where_the_rules_evaluated_afresh_do(
    laposte: Organisation, steps: Sequence[tuple[str, Any, Any]]
) -> None:
    with taken_back():
        for number in NUMBERS:
            make_employee(laposte, number, site="Lyon", hired_on=date(2020, 1, 1))
        cohort, model = make_cohort(laposte), Model()
        for step in steps:
            play(laposte, cohort, model, step)
            assert members(laposte, cohort) == model.members(), step
        # Following the rules once more changes nothing.
        with organisation_scope(laposte.pk):
            assert follow_rules(actor=OPERATOR, organisation=laposte) == 0
