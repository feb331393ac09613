"""Taking a link back: a login that was said to be an employee, and is somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.worklist import note_work
from portal.people.learners import part_learners
from portal.people.models import Affiliation
from portal.people.services import ROSTER_CHANGED

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

PERSON_PARTED = "parted"
"""A login was taken from an employee: facts that came under the login's reference are not the employee's any more."""


@transaction.atomic
def unlink_affiliation(*, actor: Actor, organisation: Organisation, affiliation: Affiliation, reason: str = "") -> bool:
    """Take an employee's login away, and give each their own reference again; False when it was not linked."""
    employee = affiliation.employee
    linked = Affiliation.objects.filter(pk=affiliation.pk, organisation=organisation, employee=employee)
    if employee is None or not linked.update(employee=None):
        return False
    part_learners(user=affiliation.user, employee=employee)
    note_work(organisation_id=organisation.pk, topic=PERSON_PARTED, subject_ids=[employee.pk])
    note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.EMPLOYEE_UNLINKED,
        subject=str(employee.pk),
        data={"user": affiliation.user_id, **({"reason": reason} if reason else {})},
    )
    return True
