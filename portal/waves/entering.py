"""Coming in by a printed code, or by the passkey that it made: one organisation's door, as a learner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.enrolments.services import activate_enrolments
from portal.people.codes import organisation_of_passkey, use_code
from portal.people.selectors import user_actor

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import User


@transaction.atomic
def enter_by_code(*, organisation: Organisation, code_id: int, user_id: int, credential: dict[str, Any]) -> User:
    """Use the code up, and count the person as having come.

    Raises:
        Refusal: `code_spent`.
    """
    with organisation_scope(organisation.pk):
        user, employee_id = use_code(organisation=organisation, code_id=code_id, user_id=user_id, credential=credential)
        activate_enrolments(actor=user_actor(user), organisation=organisation, employee_id=employee_id)
    return user


@transaction.atomic
def enter_by_passkey(*, user: User) -> Organisation:
    """Let in whoever has proved a passkey that a code made, and return where.

    Raises:
        Refusal: `passkey_closed`: it is another account's, or HR has withdrawn it, or the person has left.
    """
    found = organisation_of_passkey(user)
    if found is None:
        raise Refusal("passkey_closed", _("This passkey opens nothing here. Ask your HR for a new code."))
    organisation, employee_id = found
    actor = user_actor(user)
    with organisation_scope(organisation.pk):
        activate_enrolments(actor=actor, organisation=organisation, employee_id=employee_id)
        record_event(actor=actor, organisation_id=organisation.pk, action=Action.PASSKEY_USED, subject=str(employee_id))
    return organisation
