"""From facts to steps: order-free, repeatable, revocations included."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from portal.core.tenancy import organisation_scope
from portal.enrolments.models import Enrolment
from portal.organisations.models import DoorKind
from portal.organisations.services import open_door
from portal.people.models import LearnerReference
from tests.factories.progress import START, caught_up, enrol, event, make_cohort, record

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import Employee

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def steps(organisation: Organisation) -> tuple[object, ...]:
    with organisation_scope(organisation.pk):
        found = Enrolment.objects.get()
    return found.state, found.started_at, found.completed_at, found.certified_at, found.certificate_url, found.progress


def certificate(day: int, name: str) -> dict[str, object]:
    return event("certified", "00412877", day=day, certificate_url=f"https://c/{name}", progress=100)


@pytest.fixture(autouse=True)
def enrolled(laposte: Organisation, amelie: Employee) -> None:
    enrol(laposte, make_cohort(laposte), [amelie])


def test_a_certificate_counts_as_started_and_completed(laposte: Organisation) -> None:
    record(certificate(3, "a"))
    caught_up(laposte)
    at = START + 3 * DAY
    assert steps(laposte) == ("certified", at, at, at, "https://c/a", 100)


def test_a_revoked_certificate_does_not_count(laposte: Organisation) -> None:
    record(event("started", "00412877", progress=10), certificate(3, "a"))
    caught_up(laposte)
    record(event("revoked", "00412877", day=5))
    caught_up(laposte)
    assert steps(laposte) == ("active", START, None, None, "", 100)


def test_revoked_at_the_same_moment_does_not_count(laposte: Organisation) -> None:
    record(event("revoked", "00412877", day=3), certificate(3, "a"))
    caught_up(laposte)
    assert steps(laposte)[0] == "active"


def test_a_certificate_after_a_revocation_counts(laposte: Organisation) -> None:
    record(certificate(3, "a"), event("revoked", "00412877", day=5), certificate(7, "b"))
    caught_up(laposte)
    at = START + 7 * DAY
    assert steps(laposte) == ("certified", at, at, at, "https://c/b", 100)


def test_the_latest_certificate_is_the_one_shown(laposte: Organisation) -> None:
    record(certificate(7, "b"), certificate(3, "a"))
    caught_up(laposte)
    assert steps(laposte)[1:5] == (START + 3 * DAY, START + 3 * DAY, START + 7 * DAY, "https://c/b")
    assert LearnerReference.objects.get().first_certified_on == (START + 3 * DAY).date()


def test_a_revoked_certificate_is_none_of_the_million(laposte: Organisation, airbus: Organisation) -> None:
    record(certificate(3, "a"), certificate(7, "b"))
    caught_up(laposte)
    record(event("revoked", "00412877", day=5))
    caught_up(laposte)
    reference = LearnerReference.objects.get()
    assert reference.first_certified_on == (START + 7 * DAY).date()
    with organisation_scope(airbus.pk):
        open_door(kind=DoorKind.LEARNER, key=str(reference.reference), organisation_id=airbus.pk)
    record(event("revoked", "00412877", day=9))
    caught_up(laposte)
    # Another employer may know of a certificate: what is not known here is not taken back.
    assert LearnerReference.objects.get().first_certified_on == (START + 7 * DAY).date()


def test_the_order_of_arrival_does_not_matter(laposte: Organisation) -> None:
    events = [
        event("started", "00412877", day=1, progress=5),
        certificate(2, "a"),
        event("revoked", "00412877", day=3),
        event("completed", "00412877", day=4, progress=90),
    ]
    for number, order in enumerate(permutations(events)):
        renamed = [{**each, "event_id": f"{number}-{each['event_id']}"} for each in order]
        for each in renamed:
            record(each)
            caught_up(laposte)
        assert steps(laposte) == ("completed", START + DAY, START + 4 * DAY, None, "", 100)


def test_facts_count_in_every_cohort_of_the_programme(laposte: Organisation, amelie: Employee) -> None:
    enrol(laposte, make_cohort(laposte, "Vague 2"), [amelie])
    record(event("completed", "00412877"))
    caught_up(laposte)
    with organisation_scope(laposte.pk):
        assert list(Enrolment.objects.values_list("state", flat=True)) == ["completed", "completed"]


def test_who_was_withdrawn_stays_withdrawn(laposte: Organisation) -> None:
    with organisation_scope(laposte.pk):
        Enrolment.objects.update(state="withdrawn", withdrawn_at=START)
    record(event("completed", "00412877"))
    caught_up(laposte)
    assert steps(laposte)[0] == "withdrawn"
