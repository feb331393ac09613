"""Recording: exactly once, none lost; and catching up with the roster and the cohorts."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from portal.audit.actions import Action
from portal.audit.models import AuditEvent
from portal.cohorts.models import Programme
from portal.core.actor import OPERATOR
from portal.core.models import PendingWork
from portal.core.tenancy import organisation_scope
from portal.enrolments.models import Enrolment
from portal.organisations.models import DoorKind
from portal.organisations.services import open_door
from portal.people.learners import ensure_employee_learners, merge_learners
from portal.people.models import Employee, LearnerReference
from portal.people.services import edit_employee
from portal.progress import services
from portal.progress.models import CompletionEvent, UnplacedEvent
from portal.progress.refusing import HOMELESS
from tests.factories.people import make_employee, make_organisation, make_user
from tests.factories.progress import START, caught_up, enrol, event, make_cohort, make_people, record

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.progress.tally import Recorded

pytestmark = pytest.mark.django_db


def counts(recorded: Recorded) -> tuple[int, int, int, int]:
    assert recorded.received == recorded.accepted + recorded.duplicate + recorded.unmatched + recorded.rejected
    return recorded.accepted, recorded.duplicate, recorded.unmatched, recorded.rejected


def codes(recorded: Recorded) -> list[str]:
    return [issue.code for issue in recorded.issues]


def the_enrolment(organisation: Organisation) -> Enrolment:
    with organisation_scope(organisation.pk):
        return Enrolment.objects.get()


@pytest.fixture
def enrolled(laposte: Organisation, amelie: Employee) -> Employee:
    """Amélie, in a cohort."""
    enrol(laposte, make_cohort(laposte), [amelie])
    caught_up(laposte)
    return amelie


# --- Recording ---------------------------------------------------------------------------------------------------


def test_the_same_delivery_again_changes_nothing(laposte: Organisation, enrolled: Employee) -> None:
    events = [event("started", "00412877"), event("completed", "00412877", day=2), event("started", "stranger")]
    assert counts(record(*events)) == (2, 0, 1, 0)
    assert counts(record(*events)) == (0, 3, 0, 0)
    with organisation_scope(laposte.pk):
        assert CompletionEvent.objects.count() == 3
        assert AuditEvent.objects.filter(action=Action.COMPLETIONS_RECORDED).count() == 1


def test_a_repeat_within_a_delivery_is_a_duplicate(enrolled: Employee) -> None:
    once = event("started", "00412877")
    assert counts(record(once, once)) == (1, 1, 0, 0)


def test_other_content_under_the_same_id_is_rejected(laposte: Organisation, enrolled: Employee) -> None:
    first = event("started", "00412877")
    record(first)
    again = record({**first, "event": "certified"}, first)
    assert counts(again) == (0, 1, 0, 1)
    assert codes(again) == ["contradicts"]
    with organisation_scope(laposte.pk):
        assert CompletionEvent.objects.get().kind == "started"


def test_a_contradiction_within_a_delivery_keeps_the_first(laposte: Organisation, enrolled: Employee) -> None:
    first = event("started", "00412877")
    assert counts(record(first, {**first, "progress": 3})) == (1, 0, 0, 1)


def test_one_bad_event_does_not_stop_the_others(enrolled: Employee) -> None:
    recorded = record(event("started", "00412877"), {"event_id": "bad"}, None, event("completed", "00412877"))
    assert counts(recorded) == (2, 0, 0, 2)
    assert [(issue.row, issue.event_id) for issue in recorded.issues] == [(2, "bad"), (3, "")]


def test_issues_beyond_the_limit_are_counted(db: None) -> None:
    recorded = record(None, None, None, issues_shown=2)
    assert (len(recorded.issues), recorded.issues_total, recorded.rejected) == (2, 3, 3)


def test_batches_make_one_tally(monkeypatch: pytest.MonkeyPatch, enrolled: Employee) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    once = event("started", "00412877")
    assert counts(record(once, event("started", "stranger"), once, event("completed", "00412877"), once)) == (
        2,
        2,
        1,
        0,
    )


def test_one_delivery_serves_several_organisations(laposte: Organisation, airbus: Organisation) -> None:
    make_employee(laposte, "7")
    make_employee(airbus, "7")
    recorded = record(event("started", "7"), event("started", "7", organisation="airbus"))
    assert recorded.organisation_ids == (laposte.pk, airbus.pk)
    for organisation in (laposte, airbus):
        with organisation_scope(organisation.pk):
            assert CompletionEvent.objects.get().employee_id is not None


def test_an_event_id_is_the_organisations_own(laposte: Organisation, airbus: Organisation) -> None:
    """Whether another organisation has an event of this id must not show."""
    here = event("started", "7")
    record(here)
    assert counts(record({**here, "organisation": "airbus", "event": "completed"})) == (0, 0, 1, 0)


# --- Whom an event is about --------------------------------------------------------------------------------------


def test_an_address_counts_when_one_person_carries_it(laposte: Organisation) -> None:
    make_employee(laposte, "1", email="amelie@laposte.example")
    make_employee(laposte, "2", email="accueil@laposte.example")
    make_employee(laposte, "3", email="accueil@laposte.example")
    recorded = record(event(email="Amelie@laposte.example"), event(email="accueil@laposte.example"))
    assert counts(recorded) == (1, 0, 1, 0)
    assert codes(recorded) == ["unknown_person"]


def test_a_number_is_stronger_than_an_address(laposte: Organisation) -> None:
    numbered = make_employee(laposte, "1", email="one@laposte.example")
    unnumbered = make_employee(laposte, "", email="two@laposte.example")
    record(event(number="1", email="two@laposte.example"), event(number="9", email="two@laposte.example"))
    # 9 is nobody's number, and the employee with that address has another: nothing is guessed.
    assert counts(record(event(number="9", email="one@laposte.example"))) == (0, 0, 1, 0)
    with organisation_scope(laposte.pk):
        found = CompletionEvent.objects.order_by("id").values_list("employee_id", flat=True)
        assert list(found) == [numbered.pk, unnumbered.pk, None]


def test_a_learner_is_found_without_organisation(laposte: Organisation, amelie: Employee) -> None:
    with organisation_scope(laposte.pk):
        ensure_employee_learners(organisation_id=laposte.pk, employee_ids=[amelie.pk])
        learner = Employee.objects.select_related("learner").get(pk=amelie.pk).learner
    assert learner
    assert counts(record(event(learner=str(learner.reference), organisation=None))) == (1, 0, 0, 0)


def test_a_reference_that_was_merged_still_finds_the_person(laposte: Organisation, amelie: Employee) -> None:
    with organisation_scope(laposte.pk):
        ensure_employee_learners(organisation_id=laposte.pk, employee_ids=[amelie.pk])
        employee = Employee.objects.select_related("learner").get(pk=amelie.pk)
        assert employee.learner
        former = employee.learner.reference
        merge_learners(user=make_user("Amélie"), employee=employee)
    assert counts(record(event(learner=str(former)))) == (1, 0, 0, 0)


def test_an_inactive_person_is_matched(laposte: Organisation) -> None:
    make_employee(laposte, "1", active=False)
    assert counts(record(event(number="1"))) == (1, 0, 0, 0)


# --- None is lost ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"organisation": "nowhere", "employee_number": "1"}, "unknown_organisation"),
        ({"organisation": None, "learner": str(uuid.uuid4())}, "unknown_learner"),
        ({"programme": "another", "employee_number": "1"}, "unknown_programme"),
    ],
)
def test_an_event_without_a_place_is_kept(laposte: Organisation, fields: dict[str, Any], code: str) -> None:
    stray = event(**fields)
    first = record(stray)
    assert (counts(first), codes(first)) == ((0, 0, 1, 0), [code])
    assert counts(record(stray)) == (0, 1, 0, 0)
    assert counts(record({**stray, "event": "completed"})) == (0, 0, 0, 1)
    # What contradicts it is not lost either: it is set aside, once, until the organisation is known.
    assert counts(record({**stray, "event": "completed"})) == (0, 0, 0, 1)
    aside = UnplacedEvent.objects.filter(event_id__startswith=HOMELESS).count()
    assert (UnplacedEvent.objects.count() - aside, aside) == (1, 0 if code == "unknown_programme" else 1)


def test_a_learner_of_several_organisations_must_be_placed(laposte: Organisation, airbus: Organisation) -> None:
    reference = LearnerReference.objects.create()
    for organisation in (laposte, airbus):
        make_employee(organisation, "1", learner=reference)
        with organisation_scope(organisation.pk):
            open_door(kind=DoorKind.LEARNER, key=str(reference.reference), organisation_id=organisation.pk)
    stray = event(learner=str(reference.reference), organisation=None)
    assert codes(record(stray)) == ["several_organisations"]
    assert counts(record(event(learner=str(reference.reference)))) == (1, 0, 0, 0)


def test_a_kept_event_does_not_block_another_organisations(laposte: Organisation, airbus: Organisation) -> None:
    """Whoever may write for one organisation only must not be able to have another's facts refused."""
    make_employee(airbus, "7")
    stray = event("started", "7", programme="unheard-of")
    allowed = frozenset({"laposte"})
    assert counts(record(stray, allowed=allowed)) == (0, 0, 1, 0)
    assert counts(record({**event("started", "7", organisation="airbus"), "event_id": stray["event_id"]})) == (
        1,
        0,
        0,
        0,
    )


def test_kept_events_of_two_organisations_share_an_id(laposte: Organisation, airbus: Organisation) -> None:
    stray = event("started", "7", programme="unheard-of")
    other = {**stray, "organisation": "airbus", "event": "completed"}
    assert counts(record(stray, other)) == (0, 0, 2, 0)
    assert counts(record(stray, other)) == (0, 2, 0, 0)
    kept = UnplacedEvent.objects.values_list("organisation_slug", "event_id")
    assert set(kept) == {("laposte", stray["event_id"]), ("airbus", stray["event_id"])}


def test_a_new_organisation_finds_its_events(db: None) -> None:
    stray = event("started", "1", organisation="newcomer")
    record(stray)
    newcomer = make_organisation("newcomer", "Newcomer")
    make_employee(newcomer, "1")
    assert counts(record(stray)) == (0, 1, 0, 0)
    caught_up(newcomer)
    with organisation_scope(newcomer.pk):
        assert CompletionEvent.objects.get().employee_id is not None
    assert not UnplacedEvent.objects.exists()
    assert counts(record(stray)) == (0, 1, 0, 0)


def test_a_new_programme_finds_its_events(laposte: Organisation, amelie: Employee) -> None:
    stray = event("started", "00412877", programme="objectif-droit")
    record(stray)
    Programme.objects.create(code="objectif-droit", name_fr="Droit", name_en="Law")
    assert counts(record(stray)) == (0, 1, 0, 0)
    caught_up(laposte)
    with organisation_scope(laposte.pk):
        assert CompletionEvent.objects.get().programme.code == "objectif-droit"


# --- Catching up -------------------------------------------------------------------------------------------------


def test_facts_reach_the_enrolment(laposte: Organisation, enrolled: Employee) -> None:
    record(
        event("started", "00412877", progress=30), event("certified", "00412877", day=4, certificate_url="https://c/1")
    )
    caught_up(laposte)
    enrolment = the_enrolment(laposte)
    assert enrolment.state == "certified"
    assert (enrolment.started_at, enrolment.completed_at) == (START, START + timedelta(days=4))
    assert (enrolment.certificate_url, enrolment.progress) == ("https://c/1", 30)
    with organisation_scope(laposte.pk):
        assert not PendingWork.objects.exists()


def test_someone_who_arrives_later_gets_their_facts(laposte: Organisation) -> None:
    record(event("completed", "late"))
    newcomer = make_employee(laposte, "early")
    with organisation_scope(laposte.pk):
        edit_employee(
            actor=OPERATOR, organisation=laposte, employee_id=newcomer.pk, changes={"employee_number": "late"}
        )
    enrol(laposte, make_cohort(laposte), [newcomer])
    caught_up(laposte)
    assert the_enrolment(laposte).state == "completed"


def test_someone_enrolled_after_their_facts_gets_them(laposte: Organisation, amelie: Employee) -> None:
    record(event("completed", "00412877"))
    caught_up(laposte)
    enrol(laposte, make_cohort(laposte), [amelie])
    caught_up(laposte)
    assert the_enrolment(laposte).state == "completed"


def test_many_people_at_once(laposte: Organisation) -> None:
    """Beyond a few rows statements are planned for whole sets: the same result is due."""
    people = make_people(laposte, 150, site="Lyon")
    cohort = make_cohort(laposte)
    enrol(laposte, cohort, people)
    assert counts(record(*[event("certified", person.employee_number) for person in people])) == (150, 0, 0, 0)
    caught_up(laposte)
    with organisation_scope(laposte.pk):
        assert Enrolment.objects.filter(state="certified").count() == 150
        certified = LearnerReference.objects.filter(first_certified_on=START.date()).count()
        assert certified == 150


def test_catching_up_leaves_nothing_to_rebuild(laposte: Organisation, enrolled: Employee) -> None:
    record(event("completed", "00412877"))
    caught_up(laposte)
    caught_up(laposte)
    assert services.rebuild(actor=OPERATOR, organisation=laposte, keep=False).different == 0


def test_what_cannot_be_placed_does_not_stand_before_what_can(
    laposte: Organisation, amelie: Employee, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = amelie.employee_number
    record(event("started", number, programme="never"), event("started", number, programme="later"))
    Programme.objects.create(code="later", name_fr="Plus tard", name_en="Later")
    monkeypatch.setattr(services, "BATCH", 1)
    with organisation_scope(laposte.pk):
        edit_employee(actor=OPERATOR, organisation=laposte, employee_id=amelie.pk, changes={"site": "Brest"})
    caught_up(laposte)
    with organisation_scope(laposte.pk):
        assert [fact.programme.code for fact in CompletionEvent.objects.select_related("programme")] == ["later"]
    assert [kept.payload["programme"] for kept in UnplacedEvent.objects.all()] == ["never"]
