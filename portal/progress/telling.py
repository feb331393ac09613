"""Telling the platform who is enrolled: rows of what has to be told, and one parcel after the other until it took them.

A parcel is claimed, posted outside of any transaction, and settled. A worker that dies in between leaves the claim to
run out, and the same seats are told again: the platform knows a seat by its reference and programme.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_platform_event
from portal.cohorts.selectors import programme_coded
from portal.core.errors import Refusal
from portal.core.sealing import seal, unseal
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.people.learners import ensure_employee_learners
from portal.people.models import Employee
from portal.progress.models import EnrolmentOut, PlatformLink
from portal.progress.platforms.adapters import ADAPTERS, platform_of
from portal.progress.platforms.posting import post_parcel
from portal.progress.platforms.protocol import Seat

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from portal.cohorts.models import Programme
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

PERSONAL = ("email", "employee_number", "first_name", "last_name", "language")
"""What a platform may be told of a person when its configuration demands it."""

MOST_SEATS = 1_000
MOST_ATTEMPTS = 20
CLAIMED = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)
_PURPOSE = "platform-link"


@transaction.atomic
def link_platform(
    *,
    actor: Actor,
    programme_code: str,
    platform: str,
    endpoint: str = "",
    secret: str = "",
    personal: Collection[str] = (),
) -> Programme:
    """Say which adapter a programme's platform needs and, with an endpoint, that enrolments are told to it.

    Raises:
        Refusal: `unknown_programme`, `unknown_platform`, `invalid_address`, `unknown_field`.
    """
    programme = programme_coded(programme_code)
    if platform not in ADAPTERS:
        raise Refusal(
            "unknown_platform", _("There is no such kind of platform: %(all)s.") % {"all": ", ".join(ADAPTERS)}
        )
    if strange := set(personal) - set(PERSONAL):
        message = _("A platform cannot be told %(fields)s.")
        raise Refusal("unknown_field", message % {"fields": ", ".join(sorted(strange))})
    programme.platform = platform
    programme.save(update_fields=["platform"])
    if endpoint:
        _check_endpoint(endpoint)
        PlatformLink.objects.update_or_create(
            programme=programme,
            defaults={
                "endpoint": endpoint,
                "secret": seal(secret.encode(), purpose=_PURPOSE) if secret else b"",
                "personal": sorted(personal),
                "enabled": True,
            },
        )
    else:
        PlatformLink.objects.filter(programme=programme).update(enabled=False)
    record_platform_event(
        actor=actor,
        action=Action.PLATFORM_LINKED,
        subject=programme.code,
        data={"platform": platform, "endpoint": endpoint, "personal": sorted(personal)},
    )
    return programme


def _check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    local = settings.ON_LOOPBACK and parts.scheme == "http"
    if not (parts.scheme == "https" or local) or not parts.hostname or parts.username or len(endpoint) > 500:
        raise Refusal("invalid_address", _("Give the platform’s address, beginning with https://."))


def note_enrolments(*, organisation_id: int) -> None:
    """Write down which enrolments, and which ends of enrolments, are still to be told; two statements.

    Who is enrolled in several cohorts of a programme has one seat on its platform.
    """
    if not PlatformLink.objects.filter(enabled=True).exists():
        return
    cursor_rows(
        """
        WITH seats AS (
            SELECT c.programme_id, e.employee_id, bool_or(e.withdrawn_at IS NULL) AS enrolled
            FROM enrolments_enrolment e
            JOIN cohorts_cohort c ON c.organisation_id = e.organisation_id AND c.id = e.cohort_id
            JOIN progress_platformlink k ON k.programme_id = c.programme_id AND k.enabled
            WHERE e.organisation_id = %(organisation)s
            GROUP BY c.programme_id, e.employee_id
        ), ended AS (
            UPDATE progress_enrolmentout o SET enrolled = s.enrolled, state = 'waiting', attempts = 0,
                   due_at = statement_timestamp(), failure = ''
            FROM seats s WHERE o.organisation_id = %(organisation)s AND o.programme_id = s.programme_id
              AND o.employee_id = s.employee_id AND o.enrolled <> s.enrolled
        )
        INSERT INTO progress_enrolmentout
            (organisation_id, programme_id, employee_id, enrolled, state, attempts, due_at, failure)
        SELECT %(organisation)s, programme_id, employee_id, true, 'waiting', 0, statement_timestamp(), ''
        FROM seats WHERE enrolled ON CONFLICT (organisation_id, employee_id, programme_id) DO NOTHING
        """,
        {"organisation": organisation_id},
    )


def tell_platforms(*, organisation: Organisation) -> int:
    """Tell each platform of what is due for this organisation; return how many seats were taken."""
    told = 0
    for link in PlatformLink.objects.filter(enabled=True).select_related("programme").order_by("pk"):
        while claimed := _claim(organisation, link.programme):
            taken = _tell(organisation, link, claimed)
            told += taken
            if not taken:
                break
    return told


def _claim(organisation: Organisation, programme: Programme) -> list[EnrolmentOut]:
    """Take what is due for five minutes: others pass over it, and what is not settled by then is due again."""
    now = timezone.now()
    with organisation_scope(organisation.pk):
        due = EnrolmentOut.objects.select_for_update(skip_locked=True).filter(
            organisation_id=organisation.pk, programme=programme, state=EnrolmentOut.State.WAITING, due_at__lte=now
        )
        claimed = list(due.order_by("due_at", "pk")[:MOST_SEATS])
        rows = EnrolmentOut.objects.filter(organisation_id=organisation.pk, pk__in=[seat.pk for seat in claimed])
        rows.update(due_at=now + CLAIMED)
    return claimed


def _tell(organisation: Organisation, link: PlatformLink, claimed: list[EnrolmentOut]) -> int:
    parcel = platform_of(link.programme).parcel(_seats(organisation, link, claimed))
    secret = unseal(bytes(link.secret), purpose=_PURPOSE).decode() if link.secret else ""
    failure = post_parcel(link.endpoint, parcel, secret=secret) if parcel else ""
    now = timezone.now()
    with organisation_scope(organisation.pk):
        for enrolled in (True, False):
            # What changed meanwhile was told as it was, and is to be told again.
            same = EnrolmentOut.objects.filter(
                organisation_id=organisation.pk,
                pk__in=[seat.pk for seat in claimed if seat.enrolled is enrolled],
                enrolled=enrolled,
            )
            if not failure:
                same.update(state=EnrolmentOut.State.TOLD, told_at=now, failure="")
                continue
            same.update(attempts=F("attempts") + 1, failure=failure, due_at=now + _wait(claimed[0].attempts))
            same.filter(attempts__gte=MOST_ATTEMPTS).update(state=EnrolmentOut.State.GIVEN_UP)
    return 0 if failure else len(claimed)


def _seats(organisation: Organisation, link: PlatformLink, claimed: list[EnrolmentOut]) -> list[Seat]:
    ids = [seat.employee_id for seat in claimed]
    with organisation_scope(organisation.pk):
        ensure_employee_learners(organisation_id=organisation.pk, employee_ids=ids)
        employees = Employee.objects.filter(organisation_id=organisation.pk, pk__in=ids).select_related("learner")
        known = {employee.pk: employee for employee in employees}
    seats = []
    for seat in claimed:
        employee = known[seat.employee_id]
        assert employee.learner is not None
        personal = {name: value for name in link.personal if (value := str(getattr(employee, name)))}
        seats.append(Seat(employee.learner.reference, link.programme.code, seat.enrolled, personal))
    return seats


def _wait(attempts: int) -> timedelta:
    """One minute, then twice as long each time."""
    return min(timedelta(minutes=2 ** min(attempts, 12)), LONGEST_WAIT)


def due_organisations(now: datetime) -> list[int]:
    """Return who has something to be told; read in the platform's scope."""
    rows = EnrolmentOut.objects.filter(state=EnrolmentOut.State.WAITING, due_at__lte=now)
    return list(rows.order_by("organisation_id").values_list("organisation_id", flat=True).distinct())
