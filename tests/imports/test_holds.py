"""The circuit breaker: who leaves at once is held, and nobody who matters leaves unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imports.corrections import bring_corrections
from imports.models import RosterImport
from imports.runs import prepare_import, run_apply, run_plan
from imports.services import approve_held, confirm_import, plan_again, plan_token
from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR, SYSTEM
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.people.models import Affiliation, Employee, Membership
from portal.people.selectors import user_actor
from portal.people.services import edit_employee
from tests.factories.people import make_learner, make_user
from tests.imports.rosters import (
    apply_roster,
    confirm_and_apply,
    employees,
    issue_codes,
    people,
    person,
    prepare_roster,
    reread,
    roster_file,
)

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import User

FULL = RosterImport.Mode.FULL


def test_departures_over_the_threshold_hold_the_whole_import(laposte: Organisation) -> None:
    apply_roster(laposte, people(30))

    found = prepare_roster(laposte, people(26), mode=FULL)

    assert (found.state, found.held_whole, found.counts["held"]) == ("held", True, 4)
    with organisation_scope(laposte.pk), pytest.raises(Refusal) as refused:
        confirm_import(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    assert refused.value.code == "needs_approval"


@pytest.mark.parametrize(("roster", "stay"), [(30, 27), (5, 3)], ids=["exactly 10 %", "fewer than three people"])
def test_departures_up_to_the_threshold_go_through(laposte: Organisation, roster: int, stay: int) -> None:
    apply_roster(laposte, people(roster))

    found = prepare_roster(laposte, people(stay), mode=FULL)

    assert (found.state, found.counts["held"]) == ("ready", 0)


def test_departures_by_date_count_without_a_full_file(laposte: Organisation) -> None:
    apply_roster(laposte, people(30))
    leavers = [person(f"{n:05d}", f"Martin{n}", "Zoé", "", "Lyon", "", "01/02/2020") for n in range(1, 5)]

    assert prepare_roster(laposte, leavers).state == "held"


def test_a_site_that_empties_is_held_and_the_rest_goes(laposte: Organisation) -> None:
    apply_roster(laposte, people(60) + people(10, site="Brest", first=100))
    moved = people(4, site="Rennes", first=100)
    newcomer = person("00200", "Neuf", "Ana", "", "Lyon")

    found = prepare_roster(laposte, [*moved, newcomer])
    assert (found.state, found.held_sites, found.counts["held"]) == ("ready", ["Brest"], 4)

    applied = confirm_and_apply(laposte, found.pk)
    assert (applied.state, applied.counts["held"]) == ("applied", 4)
    sites = [site for (site,) in employees(laposte, "site")]
    assert (sites.count("Brest"), sites.count("Rennes"), sites.count("Lyon")) == (10, 0, 61)

    with organisation_scope(laposte.pk):
        approve_held(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    run_apply(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    rest = reread(laposte, found.pk)
    assert (rest.state, rest.counts["held"], rest.held_sites) == ("applied", 0, [])
    assert [site for (site,) in employees(laposte, "site")].count("Rennes") == 4


def test_whoever_uploaded_cannot_approve(laposte: Organisation, helene: User, odile: User) -> None:
    apply_roster(laposte, people(30))
    found = prepare_roster(laposte, people(10), mode=FULL, actor=user_actor(helene))

    with organisation_scope(laposte.pk):
        with pytest.raises(Refusal) as refused:
            approve_held(actor=user_actor(helene), organisation=laposte, import_id=found.pk)
        approve_held(actor=user_actor(odile), organisation=laposte, import_id=found.pk)

    assert refused.value.code == "same_person"
    approved = reread(laposte, found.pk)
    assert (approved.state, approved.approved_by) == ("applying", user_actor(odile).pseudonym)


def test_whoever_corrected_cannot_approve(laposte: Organisation, helene: User, odile: User) -> None:
    apply_roster(laposte, people(30))
    found = prepare_roster(laposte, people(30), actor=user_actor(odile))
    leaving = [
        person(f"{number:05d}", f"Martin{number}", "Zoé", "", "Lyon", "", "01/02/2020") for number in range(1, 31)
    ]
    with organisation_scope(laposte.pk):
        bring_corrections(actor=user_actor(helene), organisation=laposte, import_id=found.pk, file=roster_file(leaving))
    prepare_import(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    assert reread(laposte, found.pk).state == "held"

    for hand in (helene, odile):
        with organisation_scope(laposte.pk), pytest.raises(Refusal) as refused:
            approve_held(actor=user_actor(hand), organisation=laposte, import_id=found.pk)
        assert refused.value.code == "same_person"


def test_what_is_approved_is_what_was_seen(laposte: Organisation, odile: User) -> None:
    apply_roster(laposte, people(30))
    found = prepare_roster(laposte, people(10), mode=FULL)
    seen = plan_token(found)
    with organisation_scope(laposte.pk):
        plan_again(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    run_plan(actor=OPERATOR, organisation=laposte, import_id=found.pk)

    with organisation_scope(laposte.pk), pytest.raises(Refusal) as refused:
        approve_held(actor=user_actor(odile), organisation=laposte, import_id=found.pk, seen=seen)
    assert refused.value.code == "plan_changed"


def test_an_approval_is_in_the_journal_under_the_approvers_name(laposte: Organisation, odile: User) -> None:
    apply_roster(laposte, people(30))
    found = prepare_roster(laposte, people(10), mode=FULL)
    apply_roster(laposte, people(1, first=90))
    with organisation_scope(laposte.pk):
        approve_held(actor=user_actor(odile), organisation=laposte, import_id=found.pk)
        (event,) = AuditEvent.objects.filter(action="imports:import:approve")
    assert event.actor == user_actor(odile).pseudonym

    run_plan(actor=SYSTEM, organisation=laposte, import_id=found.pk)
    with organisation_scope(laposte.pk):
        assert AuditEvent.objects.filter(action="imports:import:approve").count() == 1


def test_what_is_held_does_not_undo_what_was_done_by_hand_since(laposte: Organisation) -> None:
    apply_roster(laposte, people(60) + people(10, site="Brest", first=100))
    found = prepare_roster(laposte, people(4, site="Rennes", first=100))
    confirm_and_apply(laposte, found.pk)
    with organisation_scope(laposte.pk):
        known = Employee.objects.get(employee_number="00100")
        edit_employee(actor=OPERATOR, organisation=laposte, employee_id=known.pk, changes={"department": "Colis"})
        with pytest.raises(Refusal) as refused:
            approve_held(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    assert refused.value.code == "plan_outdated"


def test_there_must_be_something_to_approve(laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(1))

    with organisation_scope(laposte.pk), pytest.raises(Refusal) as refused:
        approve_held(actor=OPERATOR, organisation=laposte, import_id=found.pk)
    assert refused.value.code == "nothing_held"


def test_the_last_owner_and_the_uploader_leave_only_with_a_warning(laposte: Organisation, amelie: Employee) -> None:
    owner = make_learner(laposte, amelie, "Amélie Lefèvre")
    with organisation_scope(laposte.pk):
        Membership.objects.create(organisation=laposte, user=owner, role=Membership.Role.OWNER)

    found = prepare_roster(laposte, people(20), mode=FULL, actor=user_actor(owner))

    assert issue_codes(laposte, found) == [(0, "last_owner"), (0, "uploader_leaves")]


def test_another_owner_makes_it_no_matter(laposte: Organisation, amelie: Employee) -> None:
    owner, other = make_learner(laposte, amelie, "Amélie Lefèvre"), make_user("Odile Garnier")
    Affiliation.objects.create(organisation=laposte, user=other)
    with organisation_scope(laposte.pk):
        for user in (owner, other):
            Membership.objects.create(organisation=laposte, user=user, role=Membership.Role.OWNER)

    assert issue_codes(laposte, prepare_roster(laposte, people(20), mode=FULL)) == []
