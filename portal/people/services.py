"""Writing people: accounts, roles, employees."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event, record_platform_event
from portal.core.errors import Refusal
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.core.text import fold
from portal.core.worklist import note_work
from portal.organisations.models import DoorKind
from portal.organisations.services import close_door, open_door
from portal.people.break_glass import keep_a_way_in
from portal.people.intake import compare_intake, write_outcome
from portal.people.learners import merge_learners
from portal.people.models import BY_CODE, Affiliation, Employee, Membership, StaffRole, SupportAccess, User

if TYPE_CHECKING:
    from datetime import date

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from portal.people.intake import Intake

ROSTER_CHANGED = "roster"
SUPPORT_DURATION = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `upsert_employees` did; who and what exactly stands in the relation `employee_outcome`."""

    created: int
    updated: int
    unchanged: int


@transaction.atomic
def upsert_employees(*, actor: Actor, organisation: Organisation, intake: Intake) -> Outcome:
    """Write the rows of `employee_intake`, already matched, as one atomic chunk. The chunked job's end is audited.

    Raises:
        Refusal: `roster_changed`: somebody added one of these people since they were matched. Nothing was written.
    """
    del actor  # One event per import is written by the service that finishes it.
    compare_intake(intake, organisation.pk, name_newcomers=True)
    counts: Counter[str] = Counter(dict(cursor_rows("SELECT action, count(*) FROM employee_outcome GROUP BY action")))
    try:
        with transaction.atomic():
            write_outcome(intake, organisation.pk, updates=bool(counts["update"]))
    except IntegrityError:
        raise Refusal("roster_changed", _("The roster changed meanwhile. Nothing was written.")) from None
    if counts["create"] or counts["update"]:
        note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)
    return Outcome(created=counts["create"], updated=counts["update"], unchanged=counts["unchanged"])


@transaction.atomic
def deactivate_employees(*, actor: Actor, organisation: Organisation, employee_ids: list[int]) -> list[int]:
    """Make these people inactive and return the ids of those who were active. The chunked job's end is audited."""
    del actor
    changed = cursor_rows(
        "UPDATE people_employee SET active = false, changed_at = statement_timestamp()"
        " WHERE organisation_id = %s AND id = ANY (%s) AND active RETURNING id",
        [organisation.pk, employee_ids],
    )
    if changed:
        note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)
    return [employee_id for (employee_id,) in changed]


@transaction.atomic
def edit_employee(
    *, actor: Actor, organisation: Organisation, employee_id: int, changes: dict[str, str | date | bool | None]
) -> Employee:
    """Change an employee by hand. The fields changed are remembered: the next file does not overwrite them.

    Raises:
        Refusal: `unknown_employee`, `key_taken`.
    """
    employee = Employee.objects.select_for_update().filter(organisation_id=organisation.pk, pk=employee_id).first()
    if employee is None:
        raise Refusal("unknown_employee", _("This person is not on the roster."))
    different = [name for name, value in changes.items() if getattr(employee, name) != value]
    if not different:
        return employee
    for name in different:
        setattr(employee, name, changes[name])
    employee.sort_name = fold(f"{employee.last_name} {employee.first_name}")
    employee.edited = sorted({*employee.edited, *different})
    try:
        with transaction.atomic():
            employee.save()
    except IntegrityError:
        message = _("Another person has this employee number or this e-mail address. Nothing was changed.")
        raise Refusal("key_taken", message) from None
    note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.EMPLOYEE_EDITED,
        subject=str(employee.pk),
        data={"fields": different},
    )
    return employee


@transaction.atomic
def create_user(
    *,
    actor: Actor,
    email: str,
    role: str,
    name: str = "",
    organisation: Organisation | None = None,
    password: str = "",
) -> User:
    """Create an account with a password; the same call again changes nothing.

    An account manager belongs to no organisation, every other role to one. Without a password the account exists but
    cannot sign in.

    Raises:
        Refusal: `invalid_email`, `weak_password`, `organisation_needed`, `exists_differently`.
    """
    username = _checked_email(email)
    is_staff = role == StaffRole.ACCOUNT_MANAGER
    if is_staff is not (organisation is None):
        message = _("An account manager belongs to no organisation; every other role needs one.")
        raise Refusal("organisation_needed", message)
    existing = User.objects.filter(username=username).first()
    if existing:
        return _existing_user(existing, actor=actor, role=role, organisation=organisation)
    user = User(username=username, email=username, name=name[:200], staff_role=role if is_staff else StaffRole.NONE)
    _set_password(user, password)
    user.save()
    if organisation:
        with organisation_scope(organisation.pk):
            grant_role(actor=actor, organisation=organisation, user=user, role=role)
    record_platform_event(actor=actor, action=Action.USER_CREATED, subject=str(user.pk), data={"role": role})
    return user


@transaction.atomic
def grant_role(*, actor: Actor, organisation: Organisation, user: User, role: str) -> Membership:
    """Give a login a role here; its former role here is replaced.

    Raises:
        Refusal: `last_owner`: the change would leave the organisation without an owner; `last_way_in`; `learner_only`:
            the login was made by a printed code.
    """
    if user.username.startswith(BY_CODE):
        message = _("This person comes by a printed code, which is for learners: a role needs the company account.")
        raise Refusal("learner_only", message)
    membership = Membership.objects.filter(organisation_id=organisation.pk, user=user).first()
    if membership and membership.role == role:
        return membership
    if membership:
        _keep_an_owner(organisation, membership)
        keep_a_way_in(organisation, without=user.pk)
    # Emergency access belongs to the role: whoever is given it again is given it knowingly.
    membership, _created = Membership.objects.update_or_create(
        organisation_id=organisation.pk, user=user, defaults={"role": role, "break_glass": False}
    )
    open_door(kind=DoorKind.MEMBER, key=str(user.pk), organisation_id=organisation.pk)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.ROLE_GRANTED,
        subject=str(user.pk),
        data={"role": role},
    )
    return membership


@transaction.atomic
def withdraw_role(*, actor: Actor, organisation: Organisation, user_id: int) -> None:
    """Take a login's role away.

    Raises:
        Refusal: `last_owner`, `last_way_in`, `own_role`.
    """
    membership = Membership.objects.filter(organisation_id=organisation.pk, user_id=user_id).first()
    if membership is None:
        return
    if actor.user_id == user_id:
        raise Refusal("own_role", _("You cannot take your own role away: another owner can."))
    _keep_an_owner(organisation, membership)
    keep_a_way_in(organisation, without=user_id)
    membership.delete()
    close_door(kind=DoorKind.MEMBER, key=str(user_id), organisation_id=organisation.pk)
    record_event(actor=actor, organisation_id=organisation.pk, action=Action.ROLE_WITHDRAWN, subject=str(user_id))


@transaction.atomic
def open_support_access(*, actor: Actor, organisation: Organisation, user: User, reason: str) -> SupportAccess:
    """Let an account manager in for an hour, for a stated reason that the organisation reads.

    Raises:
        Refusal: `reason_needed`.
    """
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise Refusal("reason_needed", _("Say why: the organisation will read it."))
    access = SupportAccess.objects.create(
        organisation=organisation, user=user, reason=reason, expires_at=timezone.now() + SUPPORT_DURATION
    )
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.SUPPORT_OPENED,
        subject=str(user.pk),
        data={"reason": reason, "until": access.expires_at.isoformat()},
    )
    return access


@transaction.atomic
def close_support_access(*, actor: Actor, organisation: Organisation, user: User) -> None:
    """Leave the organisation before the hour is over."""
    now = timezone.now()
    open_now = SupportAccess.objects.filter(organisation_id=organisation.pk, user=user, expires_at__gt=now)
    if open_now.update(expires_at=now):
        record_event(actor=actor, organisation_id=organisation.pk, action=Action.SUPPORT_CLOSED, subject=str(user.pk))


@transaction.atomic
def link_affiliation(
    *, actor: Actor, organisation: Organisation, affiliation: Affiliation, employee: Employee, reason: str = ""
) -> None:
    """Say that this login is this employee; `reason` is an owner's, where one is asked for.

    Raises:
        Refusal: `already_linked`: one of the two is linked to another.
    """
    try:
        with transaction.atomic():
            linked = Affiliation.objects.filter(pk=affiliation.pk, employee__isnull=True).update(employee=employee)
    except IntegrityError:
        linked = 0
    if not linked:
        raise Refusal("already_linked", _("This person is already linked to another account."))
    merge_learners(user=affiliation.user, employee=employee)
    note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.EMPLOYEE_LINKED,
        subject=str(employee.pk),
        data={"user": affiliation.user_id, **({"reason": reason} if reason else {})},
    )


def _checked_email(email: str) -> str:
    username = email.strip().lower()
    try:
        validate_email(username)
    except ValidationError:
        message = _("“%(email)s” is not an e-mail address.")
        raise Refusal("invalid_email", message % {"email": email}) from None
    return username


def _set_password(user: User, password: str) -> None:
    if not password:
        user.set_unusable_password()
        return
    try:
        validate_password(password, user)
    except ValidationError as weak:
        raise Refusal("weak_password", " ".join(weak.messages)) from None
    user.set_password(password)


def _existing_user(user: User, *, actor: Actor, role: str, organisation: Organisation | None) -> User:
    """Return the account as it is; one whose role in the organisation was taken away gets it again."""
    current: str | None = user.staff_role
    if organisation:
        with organisation_scope(organisation.pk):
            found = Membership.objects.filter(organisation_id=organisation.pk, user=user).first()
            current = found.role if found else None
            if current is None and not user.staff_role:
                grant_role(actor=actor, organisation=organisation, user=user, role=role)
                return user
    if current != role:
        message = _("“%(email)s” exists with another role. Nothing was changed.")
        raise Refusal("exists_differently", message % {"email": user.username})
    return user


def _keep_an_owner(organisation: Organisation, leaving: Membership) -> None:
    """Owners are locked first: two owners who withdraw each other at once must not both succeed."""
    owners = Membership.objects.select_for_update().filter(organisation_id=organisation.pk, role=Membership.Role.OWNER)
    if leaving.role == Membership.Role.OWNER and not [owner for owner in owners if owner.pk != leaving.pk]:
        message = _("This is the organisation's last owner: name another one first.")
        raise Refusal("last_owner", message)
