"""The person as the learning platform knows them: one reference, kept through links and employers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Min

from portal.core.tenancy import cursor_rows
from portal.organisations.models import Door, DoorKind
from portal.organisations.selectors import door_digest
from portal.organisations.services import open_door, open_doors
from portal.people.models import Affiliation, Employee, LearnerReference, User

if TYPE_CHECKING:
    from datetime import date


@transaction.atomic
def ensure_learner(*, user: User, organisation_id: int) -> LearnerReference:
    """Return the reference of a login, made on first need, and let it lead to this organisation."""
    if user.learner is None:
        user.learner = LearnerReference.objects.create()
        user.save(update_fields=["learner"])
    open_door(kind=DoorKind.LEARNER, key=str(user.learner.reference), organisation_id=organisation_id)
    return user.learner


@transaction.atomic
def merge_learners(*, user: User, employee: Employee) -> None:
    """Make the login's reference the employee's: from a link on, both are one person with one date of certification."""
    kept = ensure_learner(user=user, organisation_id=employee.organisation_id)
    former = employee.learner
    if former and former.pk != kept.pk:
        LearnerReference.objects.filter(pk=former.pk).update(merged_into=kept)
        note_certified({kept.pk: former.first_certified_on} if former.first_certified_on else {})
    Employee.objects.filter(pk=employee.pk).update(learner=kept)


@transaction.atomic
def part_learners(*, user: User, employee: Employee) -> None:
    """Give back to an employee, who was taken for this login, the reference they had; a new one if it is not certain.

    The date of certification goes with the employee unless the login is an employee elsewhere, too.
    """
    kept = user.learner
    if kept is None or employee.learner_id != kept.pk:
        return
    own = _merged_by_a_link(kept, employee.organisation_id)
    if own is None:
        own = LearnerReference.objects.create()
    LearnerReference.objects.filter(pk=own.pk).update(merged_into=None)
    Employee.objects.filter(pk=employee.pk).update(learner=own)
    open_door(kind=DoorKind.LEARNER, key=str(own.reference), organisation_id=employee.organisation_id)
    if not Affiliation.objects.filter(user=user, employee__isnull=False).exists():
        others = LearnerReference.objects.filter(merged_into=kept, first_certified_on__isnull=False)
        earliest = others.aggregate(day=Min("first_certified_on"))["day"]
        LearnerReference.objects.filter(pk=kept.pk).update(first_certified_on=earliest)


def _merged_by_a_link(kept: LearnerReference, organisation_id: int) -> LearnerReference | None:
    """Return the one reference that a link in this organisation merged; those of joined accounts are no employee's."""
    logins = User.objects.filter(learner__merged_into=kept).values("learner")
    merged = list(LearnerReference.objects.filter(merged_into=kept).exclude(pk__in=logins))
    digests = {door_digest(str(each.reference)): each for each in merged}
    doors = Door.objects.filter(kind=DoorKind.LEARNER, digest__in=list(digests), organisation_id=organisation_id)
    found = [digests[bytes(digest)] for digest in doors.values_list("digest", flat=True)]
    return found[0] if len(found) == 1 else None


@transaction.atomic
def join_learners(*, kept: User, dropped: User) -> tuple[LearnerReference | None, LearnerReference | None]:
    """Make two logins' references one person's, and return the one that stays and the one that leads to it."""
    stays, goes = kept.learner, dropped.learner
    if goes is None or (stays and stays.pk == goes.pk):
        return stays, None
    if stays is None:
        kept.learner = LearnerReference.objects.create()
        kept.save(update_fields=["learner"])
        stays = kept.learner
    LearnerReference.objects.filter(pk=goes.pk).update(merged_into=stays)
    note_certified({stays.pk: goes.first_certified_on} if goes.first_certified_on else {})
    return stays, goes


def note_certified(dates: dict[int, date]) -> None:
    """Record on each reference the first day on which the person was certified, anywhere."""
    for learner_id, day in dates.items():
        cursor_rows(
            "UPDATE people_learnerreference SET first_certified_on = least(first_certified_on, %s) WHERE id = %s",
            [day, learner_id],
        )


def note_employees_certified(*, organisation_id: int, days: dict[int, date]) -> None:
    """Record the first day of certification of these employees, by employee id, on the persons that they are."""
    ensure_employee_learners(organisation_id=organisation_id, employee_ids=list(days))
    cursor_rows(
        """
        UPDATE people_learnerreference r SET first_certified_on = certified.day
        FROM (
            SELECT e.learner_id, min(given.day) AS day FROM unnest(%s::bigint[], %s::date[]) AS given (id, day)
            JOIN people_employee e ON e.id = given.id AND e.organisation_id = %s
            GROUP BY e.learner_id
        ) certified
        WHERE r.id = certified.learner_id AND coalesce(r.first_certified_on, 'infinity') > certified.day
        """,
        [list(days), list(days.values()), organisation_id],
    )


def correct_employees_certified(*, organisation_id: int, days: dict[int, date | None]) -> None:
    """Take a first day of certification back, or move it on, when a certificate was revoked or was another's.

    Only of those who are known to this organisation alone: what another employer's facts say is not known here.
    """
    cursor_rows(
        """
        UPDATE people_learnerreference r SET first_certified_on = given.day
        FROM unnest(%s::bigint[], %s::date[]) AS given (id, day)
        JOIN people_employee e ON e.id = given.id AND e.organisation_id = %s
        WHERE r.id = e.learner_id
          AND (SELECT count(*) FROM people_employee other
               WHERE other.organisation_id = e.organisation_id AND other.learner_id = r.id) = 1
          AND (SELECT count(*) FROM organisations_door d
               WHERE d.kind = 'learner' AND d.digest = sha256(convert_to(r.reference::text, 'UTF8'))) = 1
        """,
        [list(days), list(days.values()), organisation_id],
    )


def ensure_employee_learners(*, organisation_id: int, employee_ids: list[int]) -> None:
    """Give a reference to those employees who have none: at the first fact about them, in three statements."""
    made = cursor_rows(
        """
        WITH wanted AS (
            SELECT id, nextval(pg_get_serial_sequence('people_learnerreference', 'id')) AS learner_id,
                   gen_random_uuid() AS reference
            FROM people_employee WHERE organisation_id = %s AND id = ANY (%s) AND learner_id IS NULL
        ), created AS (
            INSERT INTO people_learnerreference (id, reference) SELECT learner_id, reference FROM wanted
        )
        SELECT id, learner_id, reference FROM wanted
        """,
        [organisation_id, employee_ids],
    )
    if not made:
        return
    cursor_rows(
        "UPDATE people_employee e SET learner_id = made.learner_id"
        " FROM unnest(%s::bigint[], %s::bigint[]) AS made (id, learner_id)"
        " WHERE e.organisation_id = %s AND e.id = made.id",
        [[row[0] for row in made], [row[1] for row in made], organisation_id],
    )
    open_doors(kind=DoorKind.LEARNER, keys=[str(row[2]) for row in made], organisation_id=organisation_id)
