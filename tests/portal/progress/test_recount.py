"""After any history, what was counted step by step is what an independent script counts from the raw rows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.cohorts.models import Cohort
from portal.cohorts.rules import Rule
from portal.cohorts.services import set_membership
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.enrolments.by_hand import enrol_by_hand, withdraw_by_hand
from portal.enrolments.models import Enrolment, Invitation
from portal.enrolments.services import activate_enrolments
from portal.people.models import Employee
from portal.people.services import edit_employee
from portal.progress.models import CohortRollup, CohortSite, CohortSummary, RosterRollup
from portal.progress.rollups import STEPS, Comparison
from portal.progress.services import rebuild
from tests.factories.people import make_employee
from tests.factories.progress import caught_up, event, invite, make_cohort, make_wave, record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.organisations.models import Organisation
    from portal.waves.models import Wave

pytestmark = pytest.mark.django_db

RECOUNT = Path(__file__).with_name("independent_recount.sql").read_text()
SITES = ("Lyon", "Nantes", "")
NUMBERS = tuple(f"{number}" for number in range(6))
Count = tuple[str, int, str, str, int]


def counted_from_raw_rows(organisation: Organisation) -> set[Count]:
    with organisation_scope(organisation.pk):
        rows = cursor_rows(
            RECOUNT, {"organisation": organisation.pk, "zone": organisation.time_zone, "now": timezone.now()}
        )
    return {(what, cohort_id, site, name, people) for what, cohort_id, site, name, people in rows}


def counted_by_the_product(organisation: Organisation) -> set[Count]:
    counts: set[Count] = set()
    with organisation_scope(organisation.pk):
        for line in CohortRollup.objects.all():
            for step in STEPS:
                if people := getattr(line, step):
                    counts.add(("step", line.cohort_id, line.site, f"{step} {line.day}", people))
        for place in CohortSite.objects.all():
            counts |= {("loss", place.cohort_id, place.site, cause, people) for cause, people in place.losses.items()}
        counts |= {("roster", 0, line.site, "", line.active) for line in RosterRollup.objects.all()}
    return counts


def assert_totals_are_sums(organisation: Organisation) -> None:
    with organisation_scope(organisation.pk):
        for summary in CohortSummary.objects.all():
            days = CohortRollup.objects.filter(cohort_id=summary.cohort_id)
            sites = CohortSite.objects.filter(cohort_id=summary.cohort_id)
            for step in STEPS:
                total = getattr(summary, step)
                assert total == sum(days.values_list(step, flat=True)) == sum(sites.values_list(step, flat=True)), step
            assert sum(summary.weeks.values()) == summary.certified
            assert sum(summary.losses.values()) == summary.enrolled - summary.certified


def act(organisation: Organisation, wave: Wave, step: tuple[str, str, Any]) -> None:
    kind, number, detail = step
    if kind == "fact":
        name, days = detail
        record(event(name, number, occurred_at=(timezone.now() - timedelta(days=days, hours=1)).isoformat()))
        return
    where: dict[str, Any] = {"actor": OPERATOR, "organisation": organisation}
    with organisation_scope(organisation.pk):
        person = Employee.objects.get(employee_number=number)
        deeds: dict[str, Callable[[], object]] = {
            "move": lambda: edit_employee(**where, employee_id=person.pk, changes={"site": detail}),
            "employ": lambda: edit_employee(**where, employee_id=person.pk, changes={"active": detail}),
            "enrol": lambda: enrol_by_hand(**where, cohort=wave.cohort, employee_ids=[person.pk]),
            "withdraw": lambda: withdraw_by_hand(**where, cohort=wave.cohort, employee_ids=[person.pk]),
            "sign in": lambda: activate_enrolments(**where, employee_id=person.pk),
            "mail": lambda: mail(organisation, wave, person, detail),
            "rules": lambda: set_membership(
                **where, cohort_id=wave.cohort_id, membership=Cohort.Membership.RULES, rules=[Rule("site", (detail,))]
            ),
        }
        deeds[kind]()


def mail(organisation: Organisation, wave: Wave, person: Employee, state: str) -> None:
    known = Enrolment.objects.filter(cohort_id=wave.cohort_id, employee=person).first()
    if known:
        invite(organisation, wave, person, state, Invitation.objects.filter(enrolment=known).count())


ACTS = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(NUMBERS), st.sampled_from(SITES)),
    st.tuples(st.just("employ"), st.sampled_from(NUMBERS), st.booleans()),
    st.tuples(st.just("enrol"), st.sampled_from(NUMBERS), st.none()),
    st.tuples(st.just("withdraw"), st.sampled_from(NUMBERS), st.none()),
    st.tuples(st.just("sign in"), st.sampled_from(NUMBERS), st.none()),
    st.tuples(
        st.just("mail"),
        st.sampled_from(NUMBERS),
        st.sampled_from(["planned", "sent", "delivered", "bounced", "failed"]),
    ),
    st.tuples(st.just("rules"), st.just("0"), st.sampled_from(["Lyon", "Nantes"])),
    st.tuples(
        st.just("fact"),
        st.sampled_from([*NUMBERS, "nobody"]),
        st.tuples(
            st.sampled_from(["started", "progressed", "completed", "certified", "revoked"]),
            st.sampled_from([0, 3, 20, 40]),
        ),
    ),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(ACTS, st.booleans()), min_size=6, max_size=25))
def test_counts_equal_an_independent_recount(
    laposte: Organisation, acts: Sequence[tuple[tuple[str, str, Any], bool]]
) -> None:
    with transaction.atomic():
        for index, number in enumerate(NUMBERS):
            make_employee(
                laposte, number, site=SITES[index % 2], email=f"{number}@laposte.example" if index % 3 else ""
            )
        cohort = make_cohort(laposte)
        with organisation_scope(laposte.pk):
            set_membership(
                actor=OPERATOR, organisation=laposte, cohort_id=cohort.pk, membership=Cohort.Membership.EVERYONE
            )
        wave = make_wave(laposte, cohort)
        rebuild(actor=OPERATOR, organisation=laposte)
        caught_up(laposte)
        for step, then_count in acts:
            act(laposte, wave, step)
            if then_count:
                caught_up(laposte)
                assert counted_by_the_product(laposte) == counted_from_raw_rows(laposte), step
        caught_up(laposte)
        assert counted_by_the_product(laposte) == counted_from_raw_rows(laposte)
        assert_totals_are_sums(laposte)
        checked = rebuild(actor=OPERATOR, organisation=laposte, keep=False)
        assert checked == Comparison(checked.checked, 0)
        transaction.set_rollback(True)
