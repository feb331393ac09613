"""The reconciliation desk: what waits, what contradicts itself, what is settled and taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.audit.actions import Action
from portal.audit.models import AuditEvent
from portal.cohorts.models import Programme
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.core.worklist import note_work
from portal.enrolments.models import Enrolment
from portal.people.models import LearnerReference
from portal.people.services import ROSTER_CHANGED
from portal.progress import services
from portal.progress.desk import leave_facts, match_facts, reopen_item, settle_item
from portal.progress.landing import SAYS
from portal.progress.models import CompletionEvent, Delivery, DeskItem, DeskSummary, UnplacedEvent
from portal.progress.refusing import HOMELESS
from tests.factories.people import make_employee, make_organisation
from tests.factories.progress import START, caught_up, enrol, event, make_cohort, record

if TYPE_CHECKING:
    from typing import Any

    from portal.organisations.models import Organisation
    from portal.people.models import Employee

pytestmark = pytest.mark.django_db


@pytest.fixture
def enrolled(laposte: Organisation, amelie: Employee) -> Employee:
    enrol(laposte, make_cohort(laposte), [amelie])
    caught_up(laposte)
    return amelie


def items(organisation: Organisation, *kinds: str, settled: bool = False) -> list[DeskItem]:
    with organisation_scope(organisation.pk):
        found = DeskItem.objects.filter(settled_at__isnull=not settled).order_by("id")
        return list(found.filter(kind__in=kinds) if kinds else found)


def keys(organisation: Organisation) -> list[str]:
    with organisation_scope(organisation.pk):
        said = SAYS.format("c")
        rows = cursor_rows(f"SELECT DISTINCT {said} FROM progress_completionevent c WHERE employee_id IS NULL")
    return [key for (key,) in rows]


def match(organisation: Organisation, employee: Employee, key: str) -> int:
    with organisation_scope(organisation.pk):
        return match_facts(actor=OPERATOR, organisation=organisation, key=key, employee_id=employee.pk)


def state(organisation: Organisation) -> str:
    with organisation_scope(organisation.pk):
        return Enrolment.objects.get().state


# --- None lost -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"occurred_at": "2096-01-01T00:00:00Z"}, "from_the_future"),
        ({"event": "finished"}, "unknown_kind"),
        ({"progress": 101}, "bad_progress"),
        ({"event_id": "\x00"}, "invalid_text"),
        ({"certificate_url": "javascript:x"}, "bad_certificate_url"),
    ],
)
def test_what_is_refused_stands_at_the_desk_once(laposte: Organisation, fields: dict[str, Any], code: str) -> None:
    wrong = {**event("started", "1"), **fields}
    for _ in range(2):
        assert [issue.code for issue in record(wrong).issues] == [code]
    (item,) = items(laposte)
    assert (item.kind, item.code) == ("refused", code)
    assert "1" in str(item.payload)
    with organisation_scope(laposte.pk):
        assert [delivery.rejected for delivery in Delivery.objects.order_by("id")] == [1, 1]


def test_an_event_before_the_programme_is_refused_and_kept(laposte: Organisation, amelie: Employee) -> None:
    Programme.objects.update(starts_on="2026-06-01")
    recorded = record({**event("started", "00412877"), "occurred_at": "2026-05-30T23:00:00Z"})
    assert [issue.code for issue in recorded.issues] == ["before_programme"]
    # Somewhere on earth the first day had begun.
    assert record({**event("started", "00412877"), "occurred_at": "2026-05-31T13:00:00Z"}).accepted == 1
    assert [item.code for item in items(laposte)] == ["before_programme"]


def test_other_content_under_the_same_id_is_kept(laposte: Organisation, amelie: Employee) -> None:
    first = event("started", "00412877")
    record(first)
    record({**first, "event": "certified"})
    (item,) = items(laposte)
    assert (item.kind, item.code, item.payload["event"]) == ("contradicted", "contradicts", "certified")


def test_what_is_refused_for_nobody_known_waits_for_its_organisation(db: None) -> None:
    record({"event_id": "x", "organisation": "newcomer"}, "no event at all")
    assert UnplacedEvent.objects.filter(event_id__startswith=HOMELESS).count() == 2
    newcomer = make_organisation("newcomer", "Newcomer")
    make_employee(newcomer, "1")
    record(event("started", "1", organisation="newcomer", programme="unheard-of"))
    record(event("started", "1", organisation="newcomer"))
    with organisation_scope(newcomer.pk):
        note_work(organisation_id=newcomer.pk, topic="unplaced")
    caught_up(newcomer)
    assert [item.code for item in items(newcomer)] == ["missing_programme"]
    assert UnplacedEvent.objects.filter(event_id__startswith=HOMELESS).count() == 1


def test_who_may_not_write_somewhere_leaves_nothing_there(laposte: Organisation, airbus: Organisation) -> None:
    allowed = frozenset({"airbus"})
    record({**event("started", "1"), "event": "finished"}, event("started", "1"), allowed=allowed)
    assert not items(laposte)
    assert not UnplacedEvent.objects.exists()
    with organisation_scope(laposte.pk):
        assert not Delivery.objects.exists()


def test_a_whole_batch_or_nothing(laposte: Organisation, amelie: Employee) -> None:
    good, bad = event("started", "00412877"), {**event("started", "00412877"), "progress": 101}
    recorded = record(good, bad, whole=True)
    assert (recorded.received, recorded.rejected) == (2, 2)
    assert [issue.code for issue in recorded.issues] == ["batch_refused", "bad_progress"]
    with organisation_scope(laposte.pk):
        assert not CompletionEvent.objects.exists()
    assert [item.code for item in items(laposte)] == ["bad_progress"]
    assert record(good, whole=True).accepted == 1


def test_every_arrival_is_written_down_for_each_organisation(laposte: Organisation, airbus: Organisation) -> None:
    make_employee(laposte, "1")
    once = event("started", "1")
    record(once, once, event("started", "2"), event("started", "1", organisation="airbus"), source="file", name="n.csv")
    with organisation_scope(laposte.pk):
        delivery = Delivery.objects.get()
    assert (delivery.source, delivery.name) == ("file", "n.csv")
    assert (delivery.accepted, delivery.duplicate, delivery.unmatched, delivery.rejected) == (1, 1, 1, 0)
    with organisation_scope(airbus.pk):
        assert Delivery.objects.get().unmatched == 1


# --- What contradicts itself ---------------------------------------------------------------------------------------


def clashes(organisation: Organisation) -> list[str]:
    caught_up(organisation)
    return sorted(item.code for item in items(organisation, "dates", "accounts"))


def test_a_certificate_long_before_the_start(laposte: Organisation, enrolled: Employee) -> None:
    record(event("certified", "00412877", day=1), event("started", "00412877", day=3))
    assert clashes(laposte) == ["certificate_before_start"]
    record(event("started", "00412877", day=1))
    # The earlier start came late: nothing clashes any more, and nobody had to say so.
    assert clashes(laposte) == []
    assert [item.answer for item in items(laposte, settled=True)] == ["gone"]


def test_a_certificate_a_day_before_the_start_is_the_clocks(laposte: Organisation, enrolled: Employee) -> None:
    record(event("certified", "00412877", day=1), event("started", "00412877", day=2))
    assert clashes(laposte) == []


def test_finished_before_hired(laposte: Organisation) -> None:
    make_employee(laposte, "1", hired_on="2030-01-01")
    record(event("completed", "1"))
    assert clashes(laposte) == ["finished_before_hired"]


def test_certified_twice_until_one_is_revoked(laposte: Organisation, enrolled: Employee) -> None:
    record(event("certified", "00412877", day=1), event("certified", "00412877", day=9))
    assert clashes(laposte) == ["certified_twice"]
    record(event("revoked", "00412877", day=1))
    assert clashes(laposte) == []


def test_a_certificate_for_somebody_withdrawn(laposte: Organisation, enrolled: Employee) -> None:
    with organisation_scope(laposte.pk):
        Enrolment.objects.update(withdrawn_at="2026-01-01T00:00Z", state="withdrawn")
    record(event("certified", "00412877", day=1))
    assert clashes(laposte) == ["finished_while_withdrawn"]
    assert state(laposte) == "withdrawn"


def test_two_accounts_of_one_person(laposte: Organisation, enrolled: Employee) -> None:
    record(event("started", "00412877", account="u-1"), event("completed", "00412877", account="u-1"))
    assert clashes(laposte) == []
    record(event("certified", "00412877", account="u-2"))
    assert clashes(laposte) == ["two_accounts"]


def test_what_was_looked_at_stays_off_the_desk_until_it_changes(laposte: Organisation, enrolled: Employee) -> None:
    record(event("certified", "00412877", day=1), event("certified", "00412877", day=9))
    caught_up(laposte)
    (item,) = items(laposte)
    with organisation_scope(laposte.pk):
        settle_item(actor=OPERATOR, organisation=laposte, item_id=item.pk)
        with pytest.raises(Refusal):
            settle_item(actor=OPERATOR, organisation=laposte, item_id=item.pk)
    record(event("progressed", "00412877", day=2))
    assert clashes(laposte) == []
    record(event("certified", "00412877", day=12))
    assert clashes(laposte) == ["certified_twice"]


# --- Settling ------------------------------------------------------------------------------------------------------


def test_one_word_matches_all_facts_that_say_the_same_now_and_later(laposte: Organisation, enrolled: Employee) -> None:
    home = "amelie@home.example"
    record(event("started", email=home), event("completed", day=2, email=home), event("started", "other"))
    caught_up(laposte)
    key = next(key for key in keys(laposte) if match_key(laposte, key) == "amelie@home.example")
    assert match(laposte, enrolled, key) == 2
    assert state(laposte) == "completed"
    assert record(event("certified", day=3, email=home)).accepted == 1
    caught_up(laposte)
    assert state(laposte) == "certified"
    with organisation_scope(laposte.pk):
        assert AuditEvent.objects.filter(action=Action.FACTS_MATCHED).count() == 1
        assert DeskSummary.objects.get().unmatched == 1


def match_key(organisation: Organisation, key: str) -> str:
    with organisation_scope(organisation.pk):
        said = SAYS.format("c")
        rows = cursor_rows(f"SELECT email FROM progress_completionevent c WHERE {said} = %s", [key])
    return str(rows[0][0])


def test_a_match_can_be_taken_back(laposte: Organisation, enrolled: Employee) -> None:
    record(event("certified", email="amelie@home.example"))
    caught_up(laposte)
    (key,) = keys(laposte)
    match(laposte, enrolled, key)
    (item,) = items(laposte, settled=True)
    with organisation_scope(laposte.pk):
        reopen_item(actor=OPERATOR, organisation=laposte, item_id=item.pk)
        assert Enrolment.objects.get().certified_at is None
        assert CompletionEvent.objects.get().employee_id is None
        assert not LearnerReference.objects.filter(first_certified_on__isnull=False).exists()
        with pytest.raises(Refusal):
            reopen_item(actor=OPERATOR, organisation=laposte, item_id=item.pk)
    caught_up(laposte)
    assert keys(laposte) == [key]
    assert services.rebuild(actor=OPERATOR, organisation=laposte, keep=False).different == 0


def test_what_is_left_aside_is_still_found_by_the_roster(laposte: Organisation) -> None:
    record(event("started", "77"))
    (key,) = keys(laposte)
    with organisation_scope(laposte.pk):
        leave_facts(actor=OPERATOR, organisation=laposte, key=key)
        assert DeskSummary.objects.get().unmatched == 0
    make_employee(laposte, "77")
    with organisation_scope(laposte.pk):
        note_work(organisation_id=laposte.pk, topic=ROSTER_CHANGED)
    caught_up(laposte)
    assert keys(laposte) == []


def test_what_does_not_wait_cannot_be_settled(laposte: Organisation, airbus: Organisation, amelie: Employee) -> None:
    stranger = make_employee(airbus, "7")
    record(event("started", "77"))
    (key,) = keys(laposte)
    for wrong_key, person, code in (("none", amelie, "nothing_waits"), (key, stranger, "unknown_person")):
        with pytest.raises(Refusal) as refused:
            match(laposte, person, wrong_key)
        assert refused.value.code == code


# --- Order and repetition ------------------------------------------------------------------------------------------

_FACTS = [
    event("started", "00412877", day=1),
    event("progressed", "00412877", day=2, progress=40, account="u-1"),
    event("completed", "00412877", day=3),
    event("certified", "00412877", day=4, certificate_url="https://c/1"),
    event("revoked", "00412877", day=5),
    event("certified", "00412877", day=6, account="u-2"),
    event("certified", email="amelie.lefevre@laposte.example", day=2),
]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_neither_order_nor_repetition_nor_cutting_matters(
    data: st.DataObject, laposte: Organisation, enrolled: Employee
) -> None:
    order = data.draw(st.permutations(_FACTS))
    again = data.draw(st.lists(st.sampled_from(_FACTS), max_size=4))
    cut = data.draw(st.integers(0, len(_FACTS)))
    # Every example begins with no facts.
    begun = transaction.savepoint()
    accepted = 0
    for part in (order[:cut], [*order[cut:], *again]):
        recorded = record(*part)
        accepted += recorded.accepted
        assert recorded.rejected == recorded.unmatched == 0
        caught_up(laposte)
    assert accepted == len(_FACTS)
    with organisation_scope(laposte.pk):
        enrolment = Enrolment.objects.get()
        found = (enrolment.state, enrolment.progress, enrolment.started_at, enrolment.certificate_url)
        open_codes = list(DeskItem.objects.filter(settled_at__isnull=True).values_list("code", flat=True))
    assert found == ("certified", 40, START + timedelta(days=1), "")
    assert open_codes == ["two_accounts"]
    transaction.savepoint_rollback(begun)
