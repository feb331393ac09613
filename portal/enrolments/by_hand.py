"""Enrolling and withdrawing by hand: one person or a selection, each act recorded with who did it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.tenancy import cursor_rows
from portal.enrolments.models import Enrolment
from portal.enrolments.services import (
    STATE,
    create_enrolment_intake,
    enrol_employees,
    note_enrolments_changed,
)
from portal.enrolments.unsent import withdraw_unsent
from portal.people.models import Employee

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from portal.cohorts.models import Cohort
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """The people of a list typed by hand: who they are, and the lines that name nobody, or several, of the roster."""

    employee_ids: tuple[int, ...]
    unknown: tuple[str, ...]
    several: tuple[str, ...]


def people_named(organisation: Organisation, lines: Iterable[str]) -> Found:
    """Find active people by employee number or e-mail address, one per line; nothing is guessed."""
    keys = list(dict.fromkeys(key for line in lines if (key := line.strip())))
    active = Employee.objects.filter(organisation_id=organisation.pk, active=True)
    by_number = dict(active.filter(employee_number__in=keys).values_list("employee_number", "pk"))
    addresses = {key.lower() for key in keys if "@" in key}
    by_address: dict[str, list[int]] = {}
    for address, pk in active.filter(email__in=addresses).values_list("email", "pk"):
        by_address.setdefault(address, []).append(pk)
    ids: dict[int, None] = {}
    unknown: list[str] = []
    several: list[str] = []
    for key in keys:
        known = [by_number[key]] if key in by_number else by_address.get(key.lower(), [])
        if len(known) == 1:
            ids[known[0]] = None
        else:
            (several if known else unknown).append(key)
    return Found(tuple(ids), tuple(unknown), tuple(several))


@transaction.atomic
def enrol_by_hand(*, actor: Actor, organisation: Organisation, cohort: Cohort, employee_ids: Collection[int]) -> int:
    """Enrol these active people, whoever had withdrawn them; return how many were not in the cohort."""
    if not employee_ids:
        return 0
    params = {
        "organisation": organisation.pk,
        "cohort": cohort.pk,
        "people": list(employee_ids),
        "cause": Enrolment.Cause.HAND.value,
    }
    back = cursor_rows(
        "UPDATE enrolments_enrolment e SET withdrawn_at = NULL, withdrawn_by = '', enrolled_by = %(cause)s,"  # noqa: S608
        f" state = (SELECT {STATE} FROM (SELECT NULL::timestamptz AS withdrawn_at, e.certified_at, e.completed_at,"
        " e.activated_at, e.invited_at) steps)"
        " FROM people_employee p WHERE e.organisation_id = %(organisation)s AND e.cohort_id = %(cohort)s"
        " AND e.employee_id = ANY (%(people)s) AND e.withdrawn_at IS NOT NULL"
        " AND p.organisation_id = %(organisation)s AND p.id = e.employee_id AND p.active RETURNING e.employee_id",
        params,
    )
    note_enrolments_changed(organisation_id=organisation.pk, pairs=[(person, cohort.pk) for (person,) in back])
    create_enrolment_intake()
    cursor_rows(
        "INSERT INTO enrolment_intake (employee_id, cohort_id) SELECT id, %(cohort)s FROM people_employee"
        " WHERE organisation_id = %(organisation)s AND id = ANY (%(people)s) AND active",
        params,
    )
    count = len(back) + enrol_employees(actor=actor, organisation=organisation, cause=Enrolment.Cause.HAND)
    if count:
        _record(actor, Action.PEOPLE_ENROLLED, cohort, count, employee_ids)
    return count


@transaction.atomic
def withdraw_by_hand(*, actor: Actor, organisation: Organisation, cohort: Cohort, employee_ids: Collection[int]) -> int:
    """Withdraw these people until somebody enrols them again by hand; return how many were in the cohort.

    Invitations that have not left do not leave. What they have done in the course stays recorded.
    """
    gone = cursor_rows(
        "UPDATE enrolments_enrolment SET withdrawn_at = statement_timestamp(), withdrawn_by = 'hand',"
        " state = 'withdrawn' WHERE organisation_id = %s AND cohort_id = %s AND employee_id = ANY (%s)"
        " AND (withdrawn_at IS NULL OR withdrawn_by = 'rule') RETURNING employee_id",
        [organisation.pk, cohort.pk, list(employee_ids)],
    )
    people = [employee_id for (employee_id,) in gone]
    if people:
        withdraw_unsent(actor=actor, organisation=organisation, cohort_id=cohort.pk, employee_ids=people)
        note_enrolments_changed(organisation_id=organisation.pk, pairs=[(person, cohort.pk) for person in people])
        _record(actor, Action.PEOPLE_WITHDRAWN, cohort, len(people), people)
    return len(people)


def _record(actor: Actor, action: Action, cohort: Cohort, count: int, employee_ids: Collection[int]) -> None:
    """Name the people by their ids: which names they have is the roster's to say, and to forget."""
    data = {"name": cohort.name, "people": count, "employees": sorted(employee_ids)[:MOST_AT_ONCE]}
    record_event(actor=actor, organisation_id=cohort.organisation_id, action=action, subject=str(cohort.pk), data=data)
