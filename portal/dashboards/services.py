"""What looking leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from portal.audit.actions import Action
from portal.audit.services import record_event

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from portal.people.models import Employee


@transaction.atomic
def note_person_seen(*, actor: Actor, organisation: Organisation, employee: Employee) -> None:
    """Record that somebody opened a person's page: the person sees who did, and when; so does the organisation."""
    record_event(actor=actor, organisation_id=organisation.pk, action=Action.EMPLOYEE_SEEN, subject=str(employee.pk))
