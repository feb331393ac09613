"""Personal printed codes: how people without a company account come in.

A code is printed once, on paper, for one employee of the roster; only its digest is kept. Used once, it makes a passkey
of a login that is this employee, in this organisation, and never anything else: a learner without a role. HR may
withdraw the code, or what it made, at any time; whoever lost their phone is printed another and is the same person.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.sealing import keyed_digest
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.organisations.models import Door, DoorKind, Organisation
from portal.organisations.selectors import door_digest, organisations_behind
from portal.organisations.services import open_doors
from portal.people.arrival import welcome_newcomer
from portal.people.models import BY_CODE, AccessCode, Affiliation, Employee, User
from portal.people.selectors import has_left, user_actor

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet

    from portal.core.actor import Actor

ALPHABET: Final = "23456789BCDFGHJKMNPQRTVWXY"
"""No letter that is taken for a digit, and no vowel, so that no word comes out."""

LENGTH: Final = 12
LIFETIME: Final = timedelta(days=60)
MOST_AT_ONCE: Final = 2_000

_PURPOSE: Final = "access-code"


@dataclass(frozen=True, slots=True)
class Slip:
    """What is printed for one person: the only place where the code stands."""

    name: str
    employee_number: str
    site: str
    code: str


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a valid code lets in: the employee, and the login that it makes or that was theirs before."""

    organisation: Organisation
    code_id: int
    employee: Employee
    user_id: int | None


def written_code(code: str) -> str:
    """Return a code as it is printed: in groups of four."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def read_code(typed: str) -> str:
    """Return what was meant: spaces, hyphens and small letters do not matter."""
    return re.sub(r"[\W_]+", "", typed).upper()[:100]


def code_key(code: str) -> str:
    """Return what leads to the organisation: keyed, so that nobody who reads the table can try codes against it."""
    return keyed_digest(code, purpose=_PURPOSE).hex()


def access_codes(organisation: Organisation) -> QuerySet[AccessCode]:
    codes = AccessCode.objects.filter(organisation_id=organisation.pk).select_related("employee", "user")
    return codes.order_by("-id")


def code_state(code: AccessCode) -> str:
    """Return `revoked`, `used`, `expired` or `open`."""
    if code.revoked_at:
        return "revoked"
    if code.used_at:
        return "used"
    return "expired" if code.expires_at <= timezone.now() else "open"


def employees_without_login(organisation: Organisation, *, site: str, without_address: bool) -> QuerySet[Employee]:
    """Return the active people of a site who have no way in: no company account, and no passkey that still opens."""
    linked = Affiliation.objects.filter(organisation=organisation, employee=OuterRef("pk"))
    passkeys = Authenticator.objects.filter(user=OuterRef("user"))
    with_a_way_in = linked.filter(~Q(user__username__startswith=BY_CODE) | Exists(passkeys))
    people = Employee.objects.filter(organisation_id=organisation.pk, active=True, site=site)
    if without_address:
        people = people.filter(email="")
    return people.exclude(Exists(with_a_way_in)).order_by("sort_name", "id")


@transaction.atomic
def print_codes(
    *, actor: Actor, organisation: Organisation, site: str, without_address: bool, now: dt.datetime | None = None
) -> list[Slip]:
    """Make a code for each person of a site who has no way in, and return them to be printed, this once.

    A code that somebody had and did not use is replaced: the slip that was lost opens nothing.

    Raises:
        Refusal: `nobody_to_print_for`, `too_many_codes`.
    """
    moment = now or timezone.now()
    people = list(employees_without_login(organisation, site=site, without_address=without_address)[: MOST_AT_ONCE + 1])
    if not people:
        raise Refusal("nobody_to_print_for", _("Nobody at this site needs a code: everyone has a way in."))
    if len(people) > MOST_AT_ONCE:
        message = _("More than %(most)s people need a code at this site. Divide it into smaller sites first.")
        raise Refusal("too_many_codes", message % {"most": MOST_AT_ONCE})
    former = AccessCode.objects.filter(
        organisation_id=organisation.pk, employee__in=[person.pk for person in people], used_at=None, revoked_at=None
    )
    _withdraw(organisation, former, moment)
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in people]
    keys = [code_key(code) for code in codes]
    AccessCode.objects.bulk_create(
        AccessCode(
            organisation=organisation,
            employee=person,
            digest=door_digest(key),
            printed_by=actor.name[:200],
            expires_at=moment + LIFETIME,
        )
        for person, key in zip(people, keys, strict=True)
    )
    open_doors(kind=DoorKind.CODE, keys=keys, organisation_id=organisation.pk)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CODES_PRINTED,
        data={"people": len(people), "site": site},
    )
    return [
        Slip(str(person), person.employee_number, person.site, written_code(code))
        for person, code in zip(people, codes, strict=True)
    ]


def bearer_of(typed: str) -> Bearer | None:
    """Return whom a typed code lets in; None for one that is unknown, used, withdrawn or too old, all alike."""
    code = read_code(typed)
    if len(code) != LENGTH:
        return None
    key = code_key(code)
    for organisation in Organisation.objects.filter(pk__in=organisations_behind(DoorKind.CODE, key)):
        with organisation_scope(organisation.pk):
            held = AccessCode.objects.filter(organisation_id=organisation.pk, digest=door_digest(key)).first()
            if held is not None:
                return _bearer(organisation, held)
    return None


def bearer_numbered(organisation: Organisation, code_id: int) -> Bearer | None:
    """Return whom a code lets in that was typed a moment ago, inside the organisation's scope."""
    held = AccessCode.objects.filter(organisation_id=organisation.pk, pk=code_id).first()
    return _bearer(organisation, held) if held else None


def set_login_aside(organisation: Organisation) -> int:
    """Return the id that a login will have: a passkey is made for it before it exists."""
    with organisation_scope(organisation.pk):
        ((user_id,),) = cursor_rows("SELECT nextval(pg_get_serial_sequence('people_user', 'id'))")
    return int(user_id)


@transaction.atomic
def use_code(*, organisation: Organisation, code_id: int, user_id: int, credential: dict[str, Any]) -> tuple[User, int]:
    """Make the passkey and, the first time, the login that it opens; return it with its employee's id.

    The code is used up by whoever comes first. `user_id` was set aside before the passkey was made for it.

    Raises:
        Refusal: `code_spent`.
    """
    held = AccessCode.objects.select_for_update().filter(organisation_id=organisation.pk, pk=code_id).first()
    bearer = _bearer(organisation, held) if held else None
    if held is None or bearer is None or (bearer.user_id or user_id) != user_id:
        raise _spent()
    employee = bearer.employee
    if bearer.user_id is None:
        arrival = welcome_newcomer(
            organisation=organisation,
            user_id=user_id,
            email="",
            name=str(employee)[:200],
            employee_id=employee.pk,
            by=BY_CODE.rstrip(":"),
        )
        if arrival.employee_id is None:
            raise _spent()
    user = User.objects.get(pk=user_id)
    AccessCode.objects.filter(pk=held.pk).update(used_at=timezone.now(), user=user)
    _close_doors(organisation, [bytes(held.digest)])
    WebAuthn.add(user, _("Passkey"), credential)
    record_event(
        actor=user_actor(user),
        organisation_id=organisation.pk,
        action=Action.CODE_USED,
        subject=str(employee.pk),
        data={"user": user.pk, "code": held.pk},
    )
    return user, employee.pk


@transaction.atomic
def revoke_code(*, actor: Actor, organisation: Organisation, code_id: int) -> None:
    """Withdraw a code, or what was made with it: the passkeys of its login go, and its sessions end at once.

    Raises:
        Refusal: `unknown_code`.
    """
    codes = AccessCode.objects.select_for_update(of=("self",)).select_related("user")
    held = codes.filter(organisation_id=organisation.pk, pk=code_id).first()
    if held is None:
        raise Refusal("unknown_code", _("There is no such code."))
    if held.revoked_at:
        return
    now = timezone.now()
    if held.user is None:
        _withdraw(organisation, AccessCode.objects.filter(pk=held.pk), now)
    else:
        AccessCode.objects.filter(organisation_id=organisation.pk, user=held.user, revoked_at=None).update(
            revoked_at=now
        )
        Authenticator.objects.filter(user=held.user).delete()
        # Sessions hold a digest of the password, and there is none but this mark: a new one ends them.
        held.user.set_unusable_password()
        held.user.save(update_fields=["password"])
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CODE_REVOKED,
        subject=str(held.employee_id),
        data={"code": held.pk, **({"user": held.user_id} if held.user_id else {})},
    )


def organisation_of_passkey(user: User) -> tuple[Organisation, int] | None:
    """Return where a passkey that a code made lets in, and as which employee; None when it does not, or no longer."""
    if not user.username.startswith(BY_CODE) or not user.is_active:
        return None
    known = Affiliation.objects.select_related("organisation").filter(user=user, organisation__active=True).first()
    if known is None or known.employee_id is None:
        return None
    organisation = known.organisation
    with organisation_scope(organisation.pk):
        opened = AccessCode.objects.filter(
            organisation_id=organisation.pk, user=user, employee=known.employee_id, revoked_at=None
        )
        if not opened.exists() or has_left(organisation.pk, user):
            return None
    return organisation, known.employee_id


def _bearer(organisation: Organisation, held: AccessCode) -> Bearer | None:
    if code_state(held) != "open":
        return None
    employee = Employee.objects.filter(organisation_id=organisation.pk, pk=held.employee_id, active=True).first()
    if employee is None:
        return None
    known = Affiliation.objects.select_related("user").filter(organisation=organisation, employee=employee).first()
    if known is None:
        return Bearer(organisation, held.pk, employee, None)
    theirs = known.user.username.startswith(BY_CODE) and known.user.is_active
    if not theirs or Authenticator.objects.filter(user=known.user).exists():
        return None
    return Bearer(organisation, held.pk, employee, known.user_id)


def _withdraw(organisation: Organisation, codes: QuerySet[AccessCode], now: dt.datetime) -> None:
    digests = [bytes(digest) for digest in codes.values_list("digest", flat=True)]
    codes.update(revoked_at=now)
    _close_doors(organisation, digests)


def _close_doors(organisation: Organisation, digests: list[bytes]) -> None:
    Door.objects.filter(kind=DoorKind.CODE, organisation=organisation, digest__in=digests).delete()


def _spent() -> Refusal:
    return Refusal("code_spent", _("This code no longer opens anything. Ask your HR for another."))
