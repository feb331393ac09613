"""Somebody signs in for the first time: their login, their learner's reference and what ties them to the organisation.

Seventy thousand people may arrive in one hour: it is one statement for each, not one for each row.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.utils import timezone

from portal.core.tenancy import cursor_rows
from portal.core.worklist import note_work
from portal.organisations.models import DoorKind
from portal.organisations.services import open_door
from portal.people.learners import merge_learners
from portal.people.models import Employee, LearnerReference, User
from portal.people.services import ROSTER_CHANGED

if TYPE_CHECKING:
    from portal.organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new login and, when it was certain, the employee that it is."""

    user: User
    affiliation_id: int
    employee_id: int | None


@transaction.atomic(savepoint=False)
def welcome_newcomer(
    *, organisation: Organisation, user_id: int, email: str, name: str, employee_id: int | None, by: str = "sso"
) -> Arrival:
    """Make the login that this id was set aside for. The sign-in that brings the person is the event of the audit.

    When somebody else was linked to the employee at the same moment, the newcomer stays unlinked: HR will say who
    it is. `by` says by which way they came, for good: an account made by a printed code never becomes another.
    """
    user = User(
        pk=user_id,
        # Opaque: an address is no proof of who somebody is, and a name with "@" is one with a password.
        username=f"{by}:{uuid.uuid4()}",
        email=email,
        name=name,
        language=organisation.language,
        date_joined=timezone.now(),
    )
    # As Django marks it, without drawing forty letters one by one.
    user.password = f"{UNUSABLE_PASSWORD_PREFIX}{secrets.token_urlsafe(30)}"
    learner = LearnerReference(reference=uuid.uuid4())
    values = {
        "reference": learner.reference,
        "user": user.pk,
        "password": user.password,
        "username": user.username,
        "email": user.email,
        "name": user.name,
        "language": user.language,
        "now": user.date_joined,
        "organisation": organisation.pk,
        "employee": employee_id,
    }
    ((learner.pk, affiliation_id, adopted),) = cursor_rows(
        """
        WITH learner AS (
            INSERT INTO people_learnerreference (reference) VALUES (%(reference)s) RETURNING id
        ), login AS (
            INSERT INTO people_user (id, password, username, email, name, staff_role, learner_id, language, is_active,
                                     date_joined)
            SELECT %(user)s, %(password)s, %(username)s, %(email)s, %(name)s, '', learner.id, %(language)s, true,
                   %(now)s
            FROM learner
        ), known AS (
            INSERT INTO people_affiliation (user_id, organisation_id, employee_id, created_at)
            VALUES (%(user)s, %(organisation)s, %(employee)s, %(now)s) ON CONFLICT DO NOTHING RETURNING id
        ), adopted AS (
            UPDATE people_employee SET learner_id = learner.id FROM learner
            WHERE people_employee.organisation_id = %(organisation)s AND people_employee.id = %(employee)s
              AND people_employee.learner_id IS NULL AND EXISTS (SELECT FROM known)
            RETURNING 1
        )
        SELECT (SELECT id FROM learner), (SELECT id FROM known), (SELECT count(*) FROM adopted)
        """,
        values,
    )
    user.learner = learner
    if affiliation_id is None:
        employee_id = None
        ((affiliation_id,),) = cursor_rows(
            "INSERT INTO people_affiliation (user_id, organisation_id, created_at)"
            " VALUES (%(user)s, %(organisation)s, %(now)s) RETURNING id",
            values,
        )
    open_door(kind=DoorKind.LEARNER, key=str(learner.reference), organisation_id=organisation.pk)
    if employee_id is not None:
        if not adopted:
            # Facts came before the person: the two references become one.
            merge_learners(user=user, employee=Employee.objects.get(organisation_id=organisation.pk, pk=employee_id))
        note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)
    return Arrival(user, affiliation_id, employee_id)
