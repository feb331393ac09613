"""Signing in by the company account: the request, its answer, and the login that comes of it."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cryptography.fernet import InvalidToken
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.sealing import seal, unseal
from portal.enrolments.services import activate_enrolments
from portal.people.learners import ensure_learner
from portal.people.models import Affiliation, Membership, User
from portal.people.selectors import has_left, user_actor
from portal.people.services import link_affiliation
from sso.codes import new_code
from sso.linking import certain_employee, trusted_email
from sso.models import Identity, SignInRequest, SignInTrace
from sso.parties import identity_provider, service_provider
from sso.replay import (
    REQUEST_LIFETIME,
    digest,
    remember_assertion,
    take_request,
    take_ticket,
    waiting_request,
)
from sso.saml.attributes import MappedPerson, mapped
from sso.saml.errors import SAMLError
from sso.saml.request import SignInRedirect, authn_request, new_request_id
from sso.saml.response import verify_response
from sso.selectors import OPEN_STATES

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from sso.models import Connection
    from sso.saml.response import VerifiedAssertion

ANSWER_PURPOSE = "sso-answer"
SIGN_IN = "sign-in"
TEST = "test"

_LONGEST_SUBJECT = 512
_LONGEST_NUMBER = 64
_LONGEST_NAME = 200
_LONGEST_PATH = 500
_KEPT_DETAILS = ("received", "expected", "reason")


@dataclass(frozen=True, slots=True)
class Answer:
    """What waits, sealed, between the POST that brought it and the GET of the browser that asked."""

    person: MappedPerson
    session_index: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ticket:
    code: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Login:
    """Who signed in, and where the browser goes."""

    user: User
    session_index: str
    next_path: str


@transaction.atomic
def begin_sign_in(*, connection: Connection, nonce: str, next_path: str = "", purpose: str = SIGN_IN) -> SignInRedirect:
    """Remember a new request of the browser that holds `nonce`, and return how it goes to the identity provider.

    Raises:
        SAMLError: `connection_closed`: only the test may use a connection that is not open yet.
    """
    _require_open(connection, purpose)
    now = timezone.now()
    request = SignInRequest.objects.create(
        organisation_id=connection.organisation_id,
        connection=connection,
        request_id=new_request_id(),
        browser=digest(nonce),
        next_path=next_path[:_LONGEST_PATH],
        purpose=purpose,
        expires_at=now + REQUEST_LIFETIME,
    )
    return authn_request(
        service_provider(connection),
        identity_provider(connection),
        request_id=request.request_id,
        # It means nothing: where the browser goes afterwards stands in the row.
        relay_state=secrets.token_urlsafe(16),
        now=now,
    )


@transaction.atomic
def answer_sign_in(*, connection: Connection, saml_response: str, request_id: str) -> Ticket:
    """Verify a posted response, keep what it says, and return the one-time ticket for the browser that asked.

    A message that is refused uses nothing up: whoever posts rubbish in someone's name spoils nothing.

    Raises:
        SAMLError: with the code of the catalogue.
    """
    now = timezone.now()
    request = waiting_request(connection, request_id, now=now)
    _require_open(connection, request.purpose)
    assertion = verify_response(
        saml_response,
        sp=service_provider(connection),
        idp=identity_provider(connection),
        request_id=request.request_id,
        now=now,
    )
    answer = _answer(connection, assertion)
    sealed = seal(json.dumps(asdict(answer)).encode(), purpose=ANSWER_PURPOSE)
    ticket = take_request(request, sealed, now=now)
    remember_assertion(connection, assertion)
    return Ticket(ticket, request.purpose)


@transaction.atomic
def take_answer(*, connection: Connection, ticket: str, nonce: str, purpose: str) -> tuple[SignInRequest, Answer]:
    """Exchange the ticket, once, for the answer that waits; a ticket of a test signs nobody in.

    Raises:
        SAMLError: `ticket_unknown`, `ticket_expired`, `ticket_used`, `browser_mismatch`, `connection_closed`.
    """
    request = take_ticket(connection, ticket, nonce, now=timezone.now())
    if request.purpose != purpose:
        raise SAMLError("ticket_unknown")
    _require_open(connection, purpose)
    try:
        content = json.loads(unseal(bytes(request.answer or b""), purpose=ANSWER_PURPOSE))
    except InvalidToken:
        # The portal's key changed within this minute.
        raise SAMLError("ticket_expired") from None
    return request, Answer(
        person=MappedPerson(**content["person"]),
        session_index=content["session_index"],
        attributes=tuple(content["attributes"]),
    )


@transaction.atomic
def complete_login(*, connection: Connection, ticket: str, nonce: str) -> Login:
    """Turn a waiting answer into a login: find or make the user, recognise the employee, start the enrolments.

    Raises:
        SAMLError: as `take_answer`, and `user_disabled`, `staff_account`.
    """
    request, answer = take_answer(connection=connection, ticket=ticket, nonce=nonce, purpose=SIGN_IN)
    organisation = connection.organisation
    email = trusted_email(organisation, answer.person)
    user, first = _signed_in_user(connection, answer.person, email)
    affiliation, _made = Affiliation.objects.get_or_create(user=user, organisation=organisation)
    actor = user_actor(user)
    recognise_person(
        actor=actor,
        organisation=organisation,
        affiliation=affiliation,
        number=_number(answer.person),
        email=email,
    )
    _require_welcome(organisation, affiliation)
    ensure_learner(user=user, organisation_id=organisation.pk)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.FIRST_SIGN_IN if first else Action.PERSON_SIGNED_IN,
        subject=str(user.pk),
        data={"connection": str(connection.public_id)},
    )
    next_path = request.next_path or _home(organisation, user)
    return Login(user=user, session_index=answer.session_index, next_path=next_path)


@transaction.atomic
def recognise_person(
    *, actor: Actor, organisation: Organisation, affiliation: Affiliation, number: str, email: str
) -> None:
    """Link a login to the employee that it certainly is, and record the sign-in on that person's enrolments."""
    employee_id = affiliation.employee_id
    if employee_id is None:
        employee = certain_employee(organisation, affiliation.user, number=number, email=email)
        if employee is None:
            return
        try:
            link_affiliation(actor=actor, organisation=organisation, affiliation=affiliation, employee=employee)
        except Refusal:
            # Somebody else was linked to this employee at the same moment: HR will say who it is.
            return
        affiliation.employee = employee
        employee_id = employee.pk
    activate_enrolments(actor=actor, organisation=organisation, employee_id=employee_id)


@transaction.atomic
def confirm_identity(*, actor: Actor, organisation: Organisation, identity_id: int) -> None:
    """Say that whoever signs in by this identity is still the person it stood for before its provider was replaced.

    Raises:
        Refusal: `unknown_identity`: there is none, or somebody else has said so already.
    """
    waiting = Identity.objects.filter(organisation_id=organisation.pk, pk=identity_id, suspended_at__isnull=False)
    user_id = waiting.values_list("user_id", flat=True).first()
    if user_id is None or not waiting.update(suspended_at=None):
        raise Refusal("unknown_identity", _("Nobody waits to be confirmed here any more."))
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.IDENTITY_CONFIRMED,
        subject=str(user_id),
        data={"identity": identity_id},
    )


@transaction.atomic
def record_failure(*, connection: Connection, error: SAMLError) -> SignInTrace:
    """Keep why a sign-in failed, without who it was, under the short code that the person is shown.

    The status message of an identity provider often names the person: it is not kept.
    """
    details = {name: error.details[name] for name in _KEPT_DETAILS if error.details.get(name)}
    while True:
        code = new_code(connection.organisation_id)
        trace, created = SignInTrace.objects.get_or_create(
            organisation_id=connection.organisation_id,
            code=code,
            defaults={"connection": connection, "error": error.code[:60], "details": details},
        )
        if created:
            return trace


def _require_open(connection: Connection, purpose: str) -> None:
    if purpose != TEST and connection.state not in OPEN_STATES:
        raise SAMLError("connection_closed", received=connection.state)


def _answer(connection: Connection, assertion: VerifiedAssertion) -> Answer:
    """Return what is kept of an assertion: the mapped values, and of the rest the names only."""
    person = mapped(assertion, connection.attribute_mapping)
    if len(person.subject) > _LONGEST_SUBJECT:
        raise SAMLError("nameid_too_long", received=str(len(person.subject)), expected=str(_LONGEST_SUBJECT))
    return Answer(person, assertion.session_index, tuple(sorted(assertion.attributes)))


def _signed_in_user(connection: Connection, person: MappedPerson, email: str) -> tuple[User, bool]:
    """Return the login of this identity, and whether it was made just now.

    Raises:
        SAMLError: `staff_account`, `user_disabled`.
    """
    identity, first = _identity(connection, person, email)
    user = identity.user
    if user.staff_role:
        # The programme's people sign in by password and second factor, never by a partner's word.
        raise SAMLError("staff_account")
    if not user.is_active:
        raise SAMLError("user_disabled")
    if not first:
        Identity.objects.filter(pk=identity.pk).update(
            email=email, employee_number=_number(person), last_seen_at=timezone.now()
        )
        _refresh_user(user, person, email)
    return user, first


def _identity(connection: Connection, person: MappedPerson, email: str) -> tuple[Identity, bool]:
    known = Identity.objects.select_related("user__learner").filter(
        organisation_id=connection.organisation_id, connection=connection, subject=person.subject
    )
    identity = known.first()
    if identity:
        return identity, False
    try:
        with transaction.atomic():
            return _new_identity(connection, person, email), True
    except IntegrityError:
        # The same person's other tab was first.
        return known.get(), False


def _new_identity(connection: Connection, person: MappedPerson, email: str) -> Identity:
    user = User(
        # Opaque: an address is no proof of who somebody is, and a name with "@" is one with a password.
        username=f"sso:{uuid.uuid4()}",
        email=email,
        name=_name(person),
        language=connection.organisation.language,
    )
    user.set_unusable_password()
    user.save()
    return Identity.objects.create(
        organisation_id=connection.organisation_id,
        connection=connection,
        subject=person.subject,
        user=user,
        email=email,
        employee_number=_number(person),
        last_seen_at=timezone.now(),
    )


def _refresh_user(user: User, person: MappedPerson, email: str) -> None:
    """Follow a change of name; an account with a password keeps what its owner gave it."""
    name = _name(person) or user.name
    if not user.has_usable_password() and (user.name, user.email) != (name, email):
        user.name, user.email = name, email
        user.save(update_fields=["name", "email"])


def _require_welcome(organisation: Organisation, affiliation: Affiliation) -> None:
    """Refuse whoever left. The last way in of an owner is not the roster's to close."""
    if has_left(organisation.pk, affiliation.user):
        raise SAMLError("user_disabled")


def _home(organisation: Organisation, user: User) -> str:
    """Return where somebody begins. The addresses are the contract's: the pages lie in apps above this one."""
    return f"/o/{organisation.slug}/" if _role(organisation, user) else "/me/"


def _role(organisation: Organisation, user: User) -> str:
    roles = Membership.objects.filter(organisation_id=organisation.pk, user=user)
    return roles.values_list("role", flat=True).first() or ""


def _name(person: MappedPerson) -> str:
    full = f"{person.first_name} {person.last_name}".strip() or person.display
    return " ".join(full.split())[:_LONGEST_NAME]


def _number(person: MappedPerson) -> str:
    return person.employee_number if len(person.employee_number) <= _LONGEST_NUMBER else ""
