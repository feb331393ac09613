"""HR's word about who somebody is: yes, no, and each taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.actor import ActorKind
from portal.core.errors import Refusal
from portal.enrolments.services import activate_enrolments, take_back_activation
from portal.people.links import unlink_affiliation
from portal.people.models import Affiliation, Employee, Membership
from portal.people.selectors import roster
from portal.people.services import link_affiliation
from sso.models import DeclinedMatch

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

_LONGEST_REASON = 200


@transaction.atomic
def match_person(
    *, actor: Actor, organisation: Organisation, affiliation_id: int, employee_id: int, reason: str = ""
) -> Employee:
    """Link somebody who signed in to the employee whom HR says they are.

    Whoever holds a role here is linked by an owner, who says why: the record that they get decides what they keep when
    the roster changes, and an identity provider's administrator must not choose it through HR.

    Raises:
        Refusal: `unknown_person`, `unknown_employee`, `already_linked`, `owner_needed`, `reason_needed`.
    """
    affiliation = _affiliation(organisation, affiliation_id)
    if affiliation.employee_id is not None:
        raise Refusal("already_linked", _("This person is already linked to another account."))
    reason = _reason(actor, organisation, affiliation, reason)
    employee = roster(organisation).filter(pk=employee_id, active=True).first()
    if employee is None:
        raise Refusal("unknown_employee", _("This person is not on the roster any more, or is inactive."))
    link_affiliation(actor=actor, organisation=organisation, affiliation=affiliation, employee=employee, reason=reason)
    DeclinedMatch.objects.filter(
        organisation_id=organisation.pk, affiliation_id=affiliation.pk, employee_id=employee.pk
    ).delete()
    activate_enrolments(actor=actor, organisation=organisation, employee_id=employee.pk)
    return employee


@transaction.atomic
def decline_match(*, actor: Actor, organisation: Organisation, affiliation_id: int, employee_id: int) -> None:
    """Say that somebody is not this employee: they are not proposed again, and the sign-in does not link them.

    Raises:
        Refusal: `unknown_person`, `unknown_employee`.
    """
    affiliation = _affiliation(organisation, affiliation_id)
    if not roster(organisation).filter(pk=employee_id).exists():
        raise Refusal("unknown_employee", _("This person is not on the roster any more, or is inactive."))
    _said, new = DeclinedMatch.objects.get_or_create(
        organisation_id=organisation.pk, affiliation=affiliation, employee_id=employee_id
    )
    if new:
        _record(actor, organisation, Action.MATCH_DECLINED, employee_id, affiliation)


@transaction.atomic
def reconsider_match(*, actor: Actor, organisation: Organisation, affiliation_id: int, employee_id: int) -> None:
    """Take a "no" back; one that nobody said changes nothing.

    Raises:
        Refusal: `unknown_person`.
    """
    affiliation = _affiliation(organisation, affiliation_id)
    said = DeclinedMatch.objects.filter(
        organisation_id=organisation.pk, affiliation=affiliation, employee_id=employee_id
    )
    if said.delete()[0]:
        _record(actor, organisation, Action.MATCH_RECONSIDERED, employee_id, affiliation)


@transaction.atomic
def unlink_person(*, actor: Actor, organisation: Organisation, affiliation_id: int, reason: str = "") -> None:
    """Take a link back that was wrong; the next sign-in does not make it again.

    What the person did as a learner goes with them and waits for the right link; what the platform said of the
    employee by number or address stays with the employee.

    Raises:
        Refusal: `unknown_person`, `not_linked`, `owner_needed`, `reason_needed`.
    """
    affiliation = _affiliation(organisation, affiliation_id)
    employee_id = affiliation.employee_id
    if employee_id is None:
        raise Refusal("not_linked", _("This person is not linked to anybody on the roster."))
    reason = _reason(actor, organisation, affiliation, reason)
    if not unlink_affiliation(actor=actor, organisation=organisation, affiliation=affiliation, reason=reason):
        raise Refusal("not_linked", _("This person is not linked to anybody on the roster."))
    DeclinedMatch.objects.get_or_create(
        organisation_id=organisation.pk, affiliation=affiliation, employee_id=employee_id
    )
    take_back_activation(actor=actor, organisation=organisation, employee_id=employee_id)


def _affiliation(organisation: Organisation, affiliation_id: int) -> Affiliation:
    found = Affiliation.objects.filter(organisation=organisation, pk=affiliation_id)
    affiliation = found.select_related("user__learner", "employee").first()
    if affiliation is None:
        raise Refusal("unknown_person", _("This person is not waiting any more."))
    return affiliation


def _reason(actor: Actor, organisation: Organisation, affiliation: Affiliation, given: str) -> str:
    """Return the owner's reason where the person holds a role; of anybody else none is asked."""
    roles = Membership.objects.filter(organisation_id=organisation.pk)
    if not roles.filter(user_id=affiliation.user_id).exists():
        return ""
    by_owner = roles.filter(user_id=actor.user_id or 0, role=Membership.Role.OWNER).exists()
    if actor.kind is not ActorKind.OPERATOR and not by_owner:
        raise Refusal("owner_needed", _("This person holds a role here: only an owner may say who they are."))
    reason = " ".join(given.split())[:_LONGEST_REASON]
    if not reason:
        raise Refusal("reason_needed", _("This person holds a role here: say how you know who they are."))
    return reason


def _record(
    actor: Actor, organisation: Organisation, action: Action, employee_id: int, affiliation: Affiliation
) -> None:
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=action,
        subject=str(employee_id),
        data={"user": affiliation.user_id},
    )
