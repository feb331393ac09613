"""What is read of waves: whom one would write to, what has left of it, and which have something to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count
from django.utils import timezone

from portal.core.tenancy import cursor_rows, platform_scope
from portal.enrolments.models import Invitation
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
