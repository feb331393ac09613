"""Two logins of one person become one: what people knows of them, organisation by organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from portal.core.worklist import note_work
from portal.organisations.models import DoorKind
from portal.organisations.services import open_door
from portal.people.models import Affiliation, Employee, User
from portal.people.services import ROSTER_CHANGED

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import LearnerReference


@transaction.atomic
def bring_affiliation(
    *,
    organisation: Organisation,
    kept: User,
    dropped: User,
    stays: LearnerReference | None,
    goes: LearnerReference | None,
) -> None:
    """Let the login that stays be known where the other was, as the same employee; call it in the scope.

    Where both were known, at most one was linked: the caller has seen to it.
    """
    theirs = Affiliation.objects.filter(organisation=organisation, user=dropped).first()
    if theirs is None:
        return
    ours = Affiliation.objects.filter(organisation=organisation, user=kept).first()
    if ours is None:
        Affiliation.objects.filter(pk=theirs.pk).update(user=kept)
    else:
        employee_id = theirs.employee_id
        theirs.delete()
        if employee_id is not None:
            Affiliation.objects.filter(pk=ours.pk, employee__isnull=True).update(employee_id=employee_id)
    if stays is None:
        return
    if goes is not None:
        Employee.objects.filter(organisation_id=organisation.pk, learner=goes).update(learner=stays)
    open_door(kind=DoorKind.LEARNER, key=str(stays.reference), organisation_id=organisation.pk)
    note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)


@transaction.atomic
def retire_login(*, dropped: User) -> None:
    """Close a login for good, whose identities now lead to another. Its reference still leads to that of the person."""
    User.objects.filter(pk=dropped.pk).update(is_active=False, name="", email="")
