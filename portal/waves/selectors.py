"""What is read of waves: whom one would write to, what has left of it, and which have something to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Count
from django.utils import timezone

from portal.core.mail_reports import UNWANTED
from portal.core.tenancy import cursor_rows, platform_scope
from portal.enrolments.models import Invitation
from portal.people.models import Employee
from portal.waves.models import Wave, WaveSlot

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation

AT_WORK = (Wave.State.HELD, Wave.State.RUNNING)

# Whoever was never written to, can be, and has not begun. `sites` is empty for all of them.
REACHABLE = """
    SELECT e.id AS enrolment_id, p.site, e.employee_id
    FROM enrolments_enrolment e
    JOIN people_employee p ON p.organisation_id = e.organisation_id AND p.id = e.employee_id
    WHERE e.organisation_id = %(organisation)s AND e.cohort_id = %(cohort)s
      AND e.withdrawn_at IS NULL AND e.started_at IS NULL AND p.active AND p.email <> ''
      AND (%(sites)s::text[] = '{}' OR p.site = ANY (%(sites)s))
      AND NOT EXISTS (
          SELECT FROM enrolments_invitation i
          WHERE i.organisation_id = e.organisation_id AND i.enrolment_id = e.id AND i.number = 0
            AND i.state <> 'withdrawn'
      )
"""

# Whoever was written to, has not begun, has a reminder left, and has not asked for no more.
REMINDABLE = """
    SELECT last.enrolment_id, last.number + 1 AS number, p.site, last.sent_at, p.id AS employee_id
    FROM (
        SELECT DISTINCT ON (i.enrolment_id) i.enrolment_id, i.number, i.state, i.sent_at, i.mail_id
        FROM enrolments_invitation i
        WHERE i.organisation_id = %(organisation)s AND i.wave_id = %(wave)s
        ORDER BY i.enrolment_id, i.number DESC
    ) last
    JOIN enrolments_enrolment e ON e.organisation_id = %(organisation)s AND e.id = last.enrolment_id
    JOIN people_employee p ON p.organisation_id = %(organisation)s AND p.id = e.employee_id
    WHERE last.state IN ('sent', 'delivered') AND last.sent_at <= coalesce(%(before)s::timestamptz, 'infinity')
      AND last.number < %(most)s
      AND e.started_at IS NULL AND e.withdrawn_at IS NULL AND p.active AND p.email <> ''
      AND NOT EXISTS (
          SELECT FROM core_outgoingmail m
          WHERE m.organisation_id = %(organisation)s AND m.id = last.mail_id AND m.error = ANY (%(unwanted)s)
      )
"""
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ReminderDay:
    """How many people would be reminded from this day on, if they do not begin before."""

    day: dt.date
    people: int


@dataclass(frozen=True, slots=True)
class ComingReminders:
    """When the next reminders leave, and who is first."""

    days: list[ReminderDay]
    first: list[Employee]

    @property
    def people(self) -> int:
        return sum(day.people for day in self.days)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a wave can write to, by site, and how many of its people have no address."""

    by_site: dict[str, int]
    without_address: int

    @property
    def people(self) -> int:
        return sum(self.by_site.values())


def waves(organisation: Organisation, cohort: Cohort | None = None) -> QuerySet[Wave]:
    known = Wave.objects.filter(organisation_id=organisation.pk).select_related("cohort__programme")
    return (known.filter(cohort=cohort) if cohort else known).order_by("-id")


def wave_numbered(organisation: Organisation, wave_id: int) -> Wave | None:
    return waves(organisation).filter(pk=wave_id).first()


def reach(organisation: Organisation, wave: Wave) -> Reach:
    parameters = {"organisation": organisation.pk, "cohort": wave.cohort_id, "sites": list(wave.sites)}
    by_site = cursor_rows(f"SELECT site, count(*) FROM ({REACHABLE}) r GROUP BY site", parameters)  # noqa: S608
    ((without,),) = cursor_rows(
        "SELECT count(*) FROM enrolments_enrolment e"
        " JOIN people_employee p ON p.organisation_id = e.organisation_id AND p.id = e.employee_id"
        " WHERE e.organisation_id = %(organisation)s AND e.cohort_id = %(cohort)s AND e.withdrawn_at IS NULL"
        " AND e.started_at IS NULL AND p.active AND p.email = ''"
        " AND (%(sites)s::text[] = '{}' OR p.site = ANY (%(sites)s))",
        parameters,
    )
    return Reach(dict(by_site), without)


def remindable_parameters(organisation: Organisation, wave: Wave, *, before: dt.datetime | None) -> dict[str, object]:
    """Return what `REMINDABLE` is given; without `before`, whenever they were written to."""
    return {
        "organisation": organisation.pk,
        "wave": wave.pk,
        "before": before,
        "most": wave.reminders,
        "unwanted": list(UNWANTED.values()),
    }


def coming_reminders(organisation: Organisation, wave: Wave) -> ComingReminders:
    """Return the reminders that stand in the plan, and those that would, for people who do not begin before."""
    if not wave.reminders or wave.state not in AT_WORK:
        return ComingReminders([], [])
    coming = f"""
        SELECT employee_id, greatest(sent_at + %(wait)s, %(now)s) AS at FROM ({REMINDABLE}) r
        UNION ALL
        SELECT e.employee_id, i.due_at FROM enrolments_invitation i
        JOIN enrolments_enrolment e ON e.organisation_id = %(organisation)s AND e.id = i.enrolment_id
        WHERE i.organisation_id = %(organisation)s AND i.wave_id = %(wave)s AND i.number > 0
          AND i.state IN ('planned', 'queued')
    """  # noqa: S608  The fragment is a constant.
    parameters = remindable_parameters(organisation, wave, before=None) | {
        "wait": timedelta(days=wave.reminder_days),
        "zone": organisation.time_zone,
        "now": timezone.now(),
        "shown": _SHOWN,
    }
    days = cursor_rows(
        f"SELECT (at AT TIME ZONE %(zone)s)::date AS day, count(*) FROM ({coming}) c GROUP BY day ORDER BY day",  # noqa: S608
        parameters,
    )
    first = cursor_rows(f"SELECT employee_id FROM ({coming}) c ORDER BY at, employee_id LIMIT %(shown)s", parameters)  # noqa: S608
    people = Employee.objects.filter(organisation_id=organisation.pk).in_bulk([pk for (pk,) in first])
    return ComingReminders([ReminderDay(*row) for row in days], [people[pk] for (pk,) in first])


def planned_slots(wave: Wave) -> list[WaveSlot]:
    return list(WaveSlot.objects.filter(organisation_id=wave.organisation_id, wave=wave).order_by("opens_at", "site"))


def invitation_states(wave: Wave) -> dict[str, int]:
    """Return how many of the wave's invitations and reminders are in each state."""
    counted = (
        Invitation.objects.filter(organisation_id=wave.organisation_id, wave_id=wave.pk)
        .values("state")
        .annotate(count=Count("id"))
    )
    return dict(counted.values_list("state", "count"))


def organisations_with_waves(*, now: dt.datetime | None = None) -> list[int]:
    """Return whose waves have something to do now."""
    with platform_scope():
        due = Wave.objects.filter(state__in=AT_WORK, due_at__lte=now or timezone.now())
        return list(due.order_by("organisation_id").values_list("organisation_id", flat=True).distinct())
