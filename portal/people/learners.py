"""The person as the learning platform knows them: one reference, kept through links and employers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from portal.core.tenancy import cursor_rows
from portal.organisations.models import DoorKind
from portal.organisations.services import open_door, open_doors
from portal.people.models import Employee, LearnerReference, User

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
