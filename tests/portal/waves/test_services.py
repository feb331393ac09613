from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.utils import timezone

from portal.core.actor import OPERATOR
from portal.core.delivery import deliver_mail
from portal.core.errors import Refusal
from portal.core.models import OutgoingMail
from portal.core.outbox import MAIL_CHANGED
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.core.worklist import note_work
from portal.enrolments.by_hand import withdraw_by_hand
from portal.enrolments.models import Enrolment, Invitation
from portal.enrolments.services import create_enrolment_intake, unenrol_employees
from portal.people.models import Employee
from portal.waves.models import Wave
from portal.waves.selectors import coming_reminders, invitation_states, organisations_with_waves, reach
from portal.waves.services import (
    change_wave,
    create_wave,
    pause_wave,
    plan_wave,
    release_due,
    resume_wave,
    settle_mails,
    stop_wave,
    try_wave,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db

NINE = dt.datetime(2026, 11, 30, 9, 0, tzinfo=ZoneInfo("Europe/Paris"))
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Refusal) as refusal:
        yield
    assert refusal.value.code == code


def draft(cohort: Cohort, **choices: Any) -> Wave:
    with organisation_scope(cohort.organisation_id):
        return create_wave(
            actor=OPERATOR,
            organisation=cohort.organisation,
            cohort=cohort,
            choices={"name": "Lyon", "starts_at": NINE, "reminders": 0, **choices},
        )


def tried(cohort: Cohort, **choices: Any) -> Wave:
    """A draft that somebody has received."""
    wave = draft(cohort, **choices)
    with organisation_scope(cohort.organisation_id):
        Wave.objects.filter(pk=wave.pk).update(tried_at=NINE - DAY)
        wave.refresh_from_db()
    return wave


def planned(cohort: Cohort, **choices: Any) -> Wave:
    wave = tried(cohort, **choices)
    with organisation_scope(cohort.organisation_id):
        plan_wave(actor=OPERATOR, organisation=cohort.organisation, wave=wave, now=NINE - DAY)
    return wave


def release(organisation: Organisation, now: dt.datetime) -> None:
    """What the workers do: queue, send, and follow."""
    release_due(actor=OPERATOR, organisation=organisation, now=now)
    deliver_mail(organisation_id=organisation.pk, now=now)
    settle_mails(actor=OPERATOR, organisation=organisation)


def states(wave: Wave) -> dict[str, int]:
    with organisation_scope(wave.organisation_id):
        return invitation_states(wave)


def enrolment_states(cohort: Cohort) -> dict[str, str]:
    with organisation_scope(cohort.organisation_id):
        rows = Enrolment.objects.filter(cohort=cohort).select_related("employee")
        return {row.employee.employee_number: row.state for row in rows}


def test_who_can_be_reached(laposte: Organisation, cohort: Cohort) -> None:
    wave = draft(cohort)
    with organisation_scope(laposte.pk):
        reached = reach(laposte, wave)
    assert (reached.by_site, reached.without_address) == ({"Lyon": 3, "Brest": 1}, 1)


def test_a_planned_wave_sends_nothing_before_its_hold_has_passed(laposte: Organisation, cohort: Cohort) -> None:
    wave = tried(cohort)
    with organisation_scope(laposte.pk):
        plan_wave(actor=OPERATOR, organisation=laposte, wave=wave, now=NINE)
    release(laposte, NINE + HOUR - dt.timedelta(minutes=1))
    assert mail.outbox == []
    assert organisations_with_waves(now=NINE + HOUR) == [laposte.pk]
    release(laposte, NINE + 2 * HOUR)
    assert sorted(message.to[0] for message in mail.outbox) == [f"p{n}@laposte.example" for n in (1, 2, 3, 4)]


def test_people_are_written_to_in_their_language_with_a_link_that_holds_no_secret(
    laposte: Organisation, cohort: Cohort
) -> None:
    planned(cohort, subjects={"fr": "Venez !"}, bodies={"fr": "Nos mots."})
    release(laposte, NINE + HOUR)
    by_address = {message.to[0]: message for message in mail.outbox}
    french, english = by_address["p1@laposte.example"], by_address["p4@laposte.example"]
    assert french.subject == "Venez !"
    assert "Nos mots." in french.body
    assert english.subject.startswith("La Poste invites you")
    assert "Nos mots." not in english.body
    links = {word for word in f"{french.body}{english.body}".split() if word.startswith("http")}
    assert {link.partition("/o/")[2] for link in links} == {"laposte/start/"}


def test_nobody_is_written_to_twice_by_another_wave(laposte: Organisation, cohort: Cohort) -> None:
    planned(cohort, sites=["Lyon"])
    release(laposte, NINE + HOUR)
    again = planned(cohort)
    release(laposte, NINE + DAY)
    assert states(again) == {"sent": 1}
    assert sorted(message.to[0] for message in mail.outbox) == [f"p{n}@laposte.example" for n in (1, 2, 3, 4)]
    with organisation_scope(laposte.pk), refused("nobody_to_invite"):
        plan_wave(actor=OPERATOR, organisation=laposte, wave=tried(cohort), now=NINE)


def test_those_who_were_written_to_are_invited_from_then_on(laposte: Organisation, cohort: Cohort) -> None:
    wave = planned(cohort)
    release(laposte, NINE + HOUR)
    assert states(wave) == {"sent": 4}
    assert enrolment_states(cohort) == {"1": "invited", "2": "invited", "3": "invited", "4": "invited", "5": "enrolled"}
    with organisation_scope(laposte.pk):
        wave.refresh_from_db()
        told = Enrolment.objects.filter(cohort=cohort, invited_at__isnull=False)
        assert all(enrolment.delivered_at == enrolment.invited_at for enrolment in told)
    release(laposte, NINE + 2 * HOUR)
    with organisation_scope(laposte.pk):
        wave.refresh_from_db()
    assert wave.state == Wave.State.DONE


def test_paused_at_once_and_resumed_without_a_crowd(laposte: Organisation, cohort: Cohort) -> None:
    """What was in the outbox comes back from it, and leaves later at the wave's pace."""
    wave = planned(cohort, per_hour=2)
    release_due(actor=OPERATOR, organisation=laposte, now=NINE + HOUR / 2)
    assert states(wave) == {"queued": 2, "planned": 2}
    with organisation_scope(laposte.pk):
        assert pause_wave(actor=OPERATOR, organisation=laposte, wave=wave) == 4
    release(laposte, NINE + DAY)
    assert mail.outbox == []
    with organisation_scope(laposte.pk):
        resume_wave(actor=OPERATOR, organisation=laposte, wave=wave, now=NINE + DAY)
    release(laposte, NINE + DAY + HOUR / 2)
    assert len(mail.outbox) == 2
    release(laposte, NINE + DAY + 2 * HOUR)
    assert len(mail.outbox) == 4
    assert states(wave) == {"sent": 4}


def test_stopped_at_once_and_free_for_another_wave(laposte: Organisation, cohort: Cohort) -> None:
    wave = planned(cohort)
    release_due(actor=OPERATOR, organisation=laposte, now=NINE + HOUR)
    with organisation_scope(laposte.pk):
        assert stop_wave(actor=OPERATOR, organisation=laposte, wave=wave) == 4
    release(laposte, NINE + DAY)
    assert mail.outbox == []
    assert states(wave) == {"withdrawn": 4}
    other = planned(cohort)
    release(laposte, NINE + DAY)
    assert (len(mail.outbox), states(other)) == (4, {"sent": 4})


def test_an_undone_import_sends_nothing(laposte: Organisation, cohort: Cohort) -> None:
    planned(cohort)
    release_due(actor=OPERATOR, organisation=laposte, now=NINE + HOUR)
    with organisation_scope(laposte.pk):
        create_enrolment_intake()
        for employee in Employee.objects.all():
            cursor_rows("INSERT INTO enrolment_intake VALUES (%s, %s)", [employee.pk, cohort.pk])
        unenrol_employees(actor=OPERATOR, organisation=laposte)
        assert Invitation.objects.count() == 0
        assert set(OutgoingMail.objects.values_list("state", flat=True)) == {"withdrawn"}
    release(laposte, NINE + DAY)
    assert mail.outbox == []


def test_a_mail_in_the_outbox_does_not_leave_to_the_withdrawn(laposte: Organisation, cohort: Cohort) -> None:
    """One that is being sent already cannot be called back, and is told as what it is."""
    wave = planned(cohort)
    release_due(actor=OPERATOR, organisation=laposte, now=NINE + HOUR)
    with organisation_scope(laposte.pk):
        OutgoingMail.objects.filter(address="p4@laposte.example").update(state="sending")
        people = list(Employee.objects.filter(employee_number__in=["1", "4"]).values_list("pk", flat=True))
        assert withdraw_by_hand(actor=OPERATOR, organisation=laposte, cohort=cohort, employee_ids=people) == 2
        assert OutgoingMail.objects.get(address="p1@laposte.example").state == "withdrawn"
        assert OutgoingMail.objects.get(address="p4@laposte.example").state == "sending"
    assert states(wave) == {"queued": 3, "withdrawn": 1}


def test_whoever_left_or_has_begun_meanwhile_is_not_written_to(laposte: Organisation, cohort: Cohort) -> None:
    wave = planned(cohort)
    with organisation_scope(laposte.pk):
        Employee.objects.filter(employee_number="1").update(active=False)
        Enrolment.objects.filter(employee__employee_number="2").update(started_at=NINE)
        Enrolment.objects.filter(employee__employee_number="3").update(withdrawn_at=NINE)
    release(laposte, NINE + HOUR)
    assert [message.to[0] for message in mail.outbox] == ["p4@laposte.example"]
    assert states(wave) == {"sent": 1, "withdrawn": 3}


def test_reminders_go_to_those_who_have_not_begun_and_at_most_n_times(laposte: Organisation, cohort: Cohort) -> None:
    wave = planned(cohort, reminders=2, reminder_days=7, sites=["Lyon"])
    release(laposte, NINE + HOUR)
    with organisation_scope(laposte.pk):
        Enrolment.objects.filter(employee__employee_number="1").update(started_at=NINE)
        # The mails left at the real time of this test: the clock of the wave is moved with them.
        Invitation.objects.update(sent_at=NINE)
    for week in range(1, 6):
        for later in (dt.timedelta(), HOUR):
            release(laposte, NINE + week * 7 * DAY + later)
        with organisation_scope(laposte.pk):
            Invitation.objects.filter(sent_at__gt=NINE + week * 7 * DAY).update(sent_at=NINE + week * 7 * DAY)
            Invitation.objects.filter(number=week).update(sent_at=NINE + week * 7 * DAY)
    received = [message.to[0] for message in mail.outbox]
    assert [received.count(f"p{n}@laposte.example") for n in (1, 2, 3)] == [1, 3, 3]
    assert {message.subject for message in mail.outbox[3:]} == {"« Objectif IA » vous attend toujours"}
    with organisation_scope(laposte.pk):
        wave.refresh_from_db()
    assert wave.state == Wave.State.DONE


def test_a_mail_that_comes_back_is_not_delivered(laposte: Organisation, cohort: Cohort) -> None:
    wave = planned(cohort, sites=["Brest"])
    release(laposte, NINE + HOUR)
    with organisation_scope(laposte.pk):
        OutgoingMail.objects.update(state="bounced", answered_at=NINE + 2 * HOUR)
        note_work(
            organisation_id=laposte.pk,
            topic=MAIL_CHANGED,
            subject_ids=OutgoingMail.objects.values_list("pk", flat=True),
        )
    settle_mails(actor=OPERATOR, organisation=laposte)
    assert states(wave) == {"bounced": 1}
    with organisation_scope(laposte.pk):
        enrolment = Enrolment.objects.get(employee__employee_number="4")
    assert enrolment.invited_at is not None
    assert enrolment.delivered_at is None


def test_a_draft_is_changed_and_a_planned_wave_is_not(laposte: Organisation, cohort: Cohort) -> None:
    wave = tried(cohort)
    with organisation_scope(laposte.pk):
        change_wave(actor=OPERATOR, organisation=laposte, wave=wave, changes={"per_hour": 3})
        wave.refresh_from_db()
        assert wave.per_hour == 3
        plan_wave(actor=OPERATOR, organisation=laposte, wave=wave, now=NINE)
        with refused("wave_planned"):
            change_wave(actor=OPERATOR, organisation=laposte, wave=wave, changes={"per_hour": 4})
        with refused("wave_moved"):
            plan_wave(actor=OPERATOR, organisation=laposte, wave=wave, now=NINE)


def test_it_is_tried_on_oneself_first(laposte: Organisation, cohort: Cohort) -> None:
    wave = draft(cohort)
    with organisation_scope(laposte.pk):
        with refused("no_address"):
            try_wave(actor=OPERATOR, organisation=laposte, wave=wave, address="", language="fr")
        try_wave(actor=OPERATOR, organisation=laposte, wave=wave, address="helene@laposte.example", language="fr")
    deliver_mail(organisation_id=laposte.pk)
    assert [message.to for message in mail.outbox] == [["helene@laposte.example"]]
    assert states(wave) == {}


def test_what_nobody_has_received_is_not_planned_and_other_words_are_tried_anew(
    laposte: Organisation, cohort: Cohort
) -> None:
    wave = draft(cohort)
    with organisation_scope(laposte.pk):
        with refused("wave_not_tried"):
            plan_wave(actor=OPERATOR, organisation=laposte, wave=wave, now=NINE)
        try_wave(actor=OPERATOR, organisation=laposte, wave=wave, address="helene@laposte.example", language="fr")
        change_wave(actor=OPERATOR, organisation=laposte, wave=wave, changes={"per_hour": 3, "subjects": {}})
        wave.refresh_from_db()
        assert wave.tried_at is not None
        change_wave(actor=OPERATOR, organisation=laposte, wave=wave, changes={"subjects": {"fr": "Venez !"}})
        wave.refresh_from_db()
        with refused("wave_not_tried"):
            plan_wave(actor=OPERATOR, organisation=laposte, wave=wave, now=NINE)


def test_who_is_reminded_next_and_when(laposte: Organisation, cohort: Cohort) -> None:
    wave = planned(cohort, reminders=1, reminder_days=7)
    release(laposte, NINE + HOUR)
    now = timezone.now()
    with organisation_scope(laposte.pk):
        Enrolment.objects.filter(employee__employee_number="1").update(started_at=NINE)
        OutgoingMail.objects.filter(address="p2@laposte.example").update(error="complained")
        Invitation.objects.update(sent_at=now)
        Invitation.objects.filter(enrolment__employee__employee_number="4").update(sent_at=now + DAY)
        wave.refresh_from_db()
        coming = coming_reminders(laposte, wave)
    expected = [(now + 7 * DAY, 1), (now + 8 * DAY, 1)]
    paris = ZoneInfo("Europe/Paris")
    assert [(each.day, each.people) for each in coming.days] == [(at.astimezone(paris).date(), n) for at, n in expected]
    assert [employee.employee_number for employee in coming.first] == ["3", "4"]
    assert coming.people == 2


def test_whoever_wants_no_mail_is_not_reminded_and_the_wave_ends(laposte: Organisation, cohort: Cohort) -> None:
    wave = planned(cohort, sites=["Brest"], reminders=2)
    release(laposte, NINE + HOUR)
    with organisation_scope(laposte.pk):
        OutgoingMail.objects.update(error="complained")
        Invitation.objects.update(sent_at=NINE)
    for weeks in (2, 4):
        release(laposte, NINE + weeks * 7 * DAY)
    assert len(mail.outbox) == 1
    with organisation_scope(laposte.pk):
        wave.refresh_from_db()
    assert wave.state == Wave.State.DONE
