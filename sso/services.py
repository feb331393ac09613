"""Signing in by the company account: the request, its answer, and the login that comes of it."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import Fact, record_event, record_events
from portal.core.errors import Refusal
from portal.core.sealing import seal, unseal
from portal.enrolments.services import activate_enrolments
from portal.organisations.models import DoorKind
from portal.organisations.selectors import organisations_behind
from portal.people.arrival import welcome_newcomer
from portal.people.learners import ensure_learner
from portal.people.models import Affiliation
from portal.people.selectors import has_left, user_actor
from portal.people.services import link_affiliation
from sso.health import note_success
from sso.identities import KnownPerson, claim_identity, known_person, pass_on_identity
from sso.linking import certain_employee, free_employee_id, trusted_email
from sso.models import Connection, Identity, SignInRequest
from sso.parties import identity_provider, service_provider
from sso.received import sealed_answer
from sso.replay import REQUEST_LIFETIME, digest, keep_answer, require_waiting, take_ticket
from sso.saml.attributes import MappedPerson, mapped
from sso.saml.errors import SAMLError
from sso.saml.logout import SignOutName
from sso.saml.profile import require_recent
from sso.saml.request import authn_request, new_request_id
from sso.saml.response import posted_response, verify_response
from sso.selectors import OPEN_STATES
from sso.traces import verified_trace

if TYPE_CHECKING:
    import datetime as dt

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from portal.people.models import User
    from sso.replay import Ticket
    from sso.saml.bindings import SignInRedirect
    from sso.saml.response import PostedResponse, VerifiedAssertion

ANSWER_PURPOSE = "sso-answer"
SIGN_IN = "sign-in"
TEST = "test"
CONFIRM = "confirm"

CONFIRMABLE_STATES = (Connection.State.TESTED, *OPEN_STATES)
"""Where somebody may be asked again: also by what was replaced and tested, for its owner has yet to switch it on."""

_LONGEST_SUBJECT = 512
_LONGEST_NUMBER = 64
_LONGEST_NAME = 200
_LONGEST_PATH = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What waits, sealed, between the POST that brought it and the GET of the browser that asked.

    `name` is the NameID as a sign-out repeats it; `session_end` is when the identity provider's own session ends, or
    ""; `trace` is the code of what the attempt has left already.
    """

    person: MappedPerson
    session_index: str
    attributes: tuple[str, ...]
    name: SignOutName
    session_end: str
    trace: str


@dataclass(frozen=True, slots=True)
class Login:
    """Who signed in, where the browser goes, and what `sso.session` keeps of it."""

    user: User
    identity_id: int
    email: str
    number: str
    answer: Answer
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
        force_authn=purpose == CONFIRM,
    )


@transaction.atomic(savepoint=False)
def answer_sign_in(
    *, connection: Connection, saml_response: str | PostedResponse, request_id: str, client_address: str = ""
) -> Ticket:
    """Verify a posted response, keep what it says, and return the one-time ticket for the browser that asked.

    A message that is refused uses nothing up: whoever posts rubbish in someone's name spoils nothing. The caller's
    whole transaction is undone.

    Raises:
        SAMLError: with the code of the catalogue.
    """
    now = timezone.now()
    posted = posted_response(saml_response) if isinstance(saml_response, str) else saml_response
    only = "" if _is_open(connection) else require_waiting(connection, request_id, now=now).purpose
    _require_open(connection, only or SIGN_IN)
    try:
        assertion = verify_response(
            posted,
            sp=service_provider(connection),
            idp=identity_provider(connection),
            request_id=request_id,
            now=now,
        )
    except SAMLError:
        # What is wrong with the request itself says more. It is looked up only now: the answer that is right, and
        # most are, finds its request in the statement that uses it up.
        require_waiting(connection, request_id, now=now)
        raise
    trace = verified_trace(
        organisation_id=connection.organisation_id,
        posted=posted.raw,
        name_id=assertion.name_id,
        client_address=client_address,
        now=now,
    )
    sealed = b"" if only == TEST else _sealed(connection, assertion, trace.code, request_id, now)
    ticket = keep_answer(connection, assertion, sealed, trace, test=sealed_answer(assertion), only=only, now=now)
    if ticket.purpose == CONFIRM:
        require_recent(assertion.authn_instant, now=now)
    return ticket


@transaction.atomic
def take_answer(*, connection: Connection, ticket: str, nonce: str, purpose: str) -> tuple[SignInRequest, Answer]:
    """Exchange the ticket, once, for the answer that waits; a ticket of a test signs nobody in.

    Raises:
        SAMLError: `ticket_unknown`, `ticket_expired`, `ticket_used`, `browser_mismatch`, `connection_closed`.
    """
    return _taken_answer(connection, ticket, nonce, purpose)


def _taken_answer(connection: Connection, ticket: str, nonce: str, purpose: str) -> tuple[SignInRequest, Answer]:
    taken = take_ticket(connection, ticket, nonce, purpose, now=timezone.now())
    _require_open(connection, purpose)
    try:
        content = json.loads(unseal(taken.answer, purpose=ANSWER_PURPOSE))
    except InvalidToken:
        # The portal's key changed within this minute.
        raise SAMLError("ticket_expired") from None
    answer = Answer(
        person=MappedPerson(**content.pop("person")),
        name=SignOutName(**content.pop("name")),
        attributes=tuple(content.pop("attributes")),
        **content,
    )
    return taken.request, answer


@transaction.atomic(savepoint=False)
def complete_login(*, connection: Connection, ticket: str, nonce: str) -> Login:
    """Turn a waiting answer into a login: find or make the user, recognise the employee, start the enrolments.

    Raises:
        SAMLError: as `take_answer`, and `user_disabled`, `staff_account`, `identity_suspended`.
    """
    request, answer = _taken_answer(connection, ticket, nonce, SIGN_IN)
    try:
        return _login(connection, request, answer)
    except SAMLError as error:
        error.trace = answer.trace
        raise


def _login(connection: Connection, request: SignInRequest, answer: Answer) -> Login:
    organisation = connection.organisation
    person = answer.person
    email = trusted_email(organisation, person)
    known = known_person(connection, person.subject)
    facts: list[Fact] = []
    first = known is None
    if known is None:
        known, first = _newcomer(connection, person, email, facts)
    if known.suspended:
        known, first = _settled(connection, known, person, email, facts)
    _require_welcome(organisation, known)
    actor = user_actor(known.user)
    if not first:
        _refresh_user(organisation, known.user, person, email)
        known = _recognised(actor, organisation, known, number=_number(person), email=email)
    if known.employee_id is not None:
        activate_enrolments(actor=actor, organisation=organisation, employee_id=known.employee_id)
    action = Action.FIRST_SIGN_IN if first else Action.PERSON_SIGNED_IN
    facts.append(Fact(action, str(known.user.pk), {"connection": str(connection.public_id)}))
    record_events(actor=actor, organisation_id=organisation.pk, facts=facts)
    note_success(actor=actor, connection=connection)
    next_path = request.next_path or (f"/o/{organisation.slug}/" if known.role else "/me/")
    return Login(
        user=known.user,
        identity_id=known.identity_id,
        email=email,
        number=_number(person),
        answer=answer,
        next_path=next_path,
    )


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


def _sealed(
    connection: Connection, assertion: VerifiedAssertion, trace: str, request_id: str, now: dt.datetime
) -> bytes:
    """Return what a sign-in keeps, sealed. An answer that names nobody is refused, unless it is that of a test."""
    try:
        answer = _answer(connection, assertion, trace)
    except SAMLError:
        if require_waiting(connection, request_id, now=now).purpose == TEST:
            return b""
        raise
    content = {name: getattr(answer, name) for name in Answer.__slots__}
    content |= {"person": vars(answer.person), "name": vars(answer.name)}
    return seal(json.dumps(content).encode(), purpose=ANSWER_PURPOSE)


def _is_open(connection: Connection) -> bool:
    return connection.state in OPEN_STATES and connection.closed_at is None


def _require_open(connection: Connection, purpose: str) -> None:
    """The test may use what is not open yet; nobody else what is not, or not any more."""
    allowed = CONFIRMABLE_STATES if purpose == CONFIRM else OPEN_STATES
    if not connection.idp_sso_url:
        # A draft: there is nowhere to send anybody.
        raise SAMLError("connection_closed", received=connection.state)
    if purpose != TEST and (connection.state not in allowed or connection.closed_at is not None):
        raise SAMLError("connection_closed", received="closed" if connection.closed_at else connection.state)


def _answer(connection: Connection, assertion: VerifiedAssertion, trace: str) -> Answer:
    """Return what is kept of an assertion: the mapped values, and of the rest the names only."""
    person = mapped(assertion, connection.attribute_mapping)
    if len(person.subject) > _LONGEST_SUBJECT:
        raise SAMLError("nameid_too_long", received=str(len(person.subject)), expected=str(_LONGEST_SUBJECT))
    return Answer(
        person=person,
        session_index=assertion.session_index,
        attributes=tuple(sorted(assertion.attributes)),
        name=SignOutName(
            assertion.name_id, assertion.name_id_format, assertion.name_qualifier, assertion.sp_name_qualifier
        ),
        session_end=assertion.session_end.isoformat() if assertion.session_end else "",
        trace=trace,
    )


def _newcomer(connection: Connection, person: MappedPerson, email: str, facts: list[Fact]) -> tuple[KnownPerson, bool]:
    """Return the new person of an identity, or the one whom their other tab has just made."""
    number = _number(person)
    claimed = claim_identity(connection, person.subject, email=email, number=number, now=timezone.now())
    if claimed is None:
        known = known_person(connection, person.subject)
        if known is None:
            raise SAMLError("request_used")
        return known, False
    identity_id, user_id = claimed
    employee_id = free_employee_id(connection.organisation, number=number, email=email)
    return _welcomed(connection, identity_id, user_id, person, email, employee_id, facts), True


def _welcomed(  # noqa: PLR0917  The parts of one new person.
    connection: Connection,
    identity_id: int,
    user_id: int,
    person: MappedPerson,
    email: str,
    employee_id: int | None,
    facts: list[Fact],
) -> KnownPerson:
    arrival = welcome_newcomer(
        organisation=connection.organisation,
        user_id=user_id,
        email=email,
        name=_name(person),
        employee_id=employee_id,
    )
    if arrival.employee_id is not None:
        facts.append(Fact(Action.EMPLOYEE_LINKED, str(arrival.employee_id), {"user": arrival.user.pk}))
    return KnownPerson(
        identity_id=identity_id,
        user=arrival.user,
        affiliation_id=arrival.affiliation_id,
        employee_id=arrival.employee_id,
    )


def _settled(
    connection: Connection, known: KnownPerson, person: MappedPerson, email: str, facts: list[Fact]
) -> tuple[KnownPerson, bool]:
    """Say who comes by an identity whose provider was replaced: the same person, or a new one.

    Whoever administers the new provider can assert anything: a role is never given back on its word. A learner whose
    number or address still names their employee is taken for the same; anybody else begins anew, and waits at HR's
    desk.

    Raises:
        SAMLError: `identity_suspended`: an owner has to say that it is still this person.
    """
    if known.role:
        raise SAMLError("identity_suspended")
    number = _number(person)
    by_number = bool(number and known.employee_number)
    same = number == known.employee_number if by_number else bool(email) and email == known.employee_email
    if known.employee_id is None or not same:
        user_id = pass_on_identity(connection, known.identity_id)
        return _welcomed(connection, known.identity_id, user_id, person, email, None, facts), True
    Identity.objects.filter(organisation_id=connection.organisation_id, pk=known.identity_id).update(suspended_at=None)
    by = "employee_number" if by_number else "email"
    facts.append(Fact(Action.IDENTITY_CONFIRMED, str(known.user.pk), {"identity": known.identity_id, "by": by}))
    return known, False


def _recognised(
    actor: Actor, organisation: Organisation, known: KnownPerson, *, number: str, email: str
) -> KnownPerson:
    """Return somebody who has been here before, linked by now when it is certain who they are."""
    if known.affiliation_id is not None and known.employee_id is not None and known.door:
        return known
    ensure_learner(user=known.user, organisation_id=organisation.pk)
    affiliation, _made = Affiliation.objects.get_or_create(user=known.user, organisation=organisation)
    employee = None
    if known.employee_id is None and not known.role:
        employee = certain_employee(organisation, known.user, number=number, email=email)
    if employee is None:
        return known
    try:
        link_affiliation(actor=actor, organisation=organisation, affiliation=affiliation, employee=employee)
    except Refusal:
        # Somebody else was linked to this employee at the same moment: HR will say who it is.
        return known
    return replace(known, affiliation_id=affiliation.pk, employee_id=employee.pk)


def _refresh_user(organisation: Organisation, user: User, person: MappedPerson, email: str) -> None:
    """Follow a change of name; an account with a password keeps what its owner gave it.

    So does one with a role at another organisation, whose journal shows the name and whose mail goes to the address.
    """
    name = _name(person) or user.name
    if user.has_usable_password() or (user.name, user.email) == (name, email):
        return
    if set(organisations_behind(DoorKind.MEMBER, str(user.pk))) <= {organisation.pk}:
        user.name, user.email = name, email
        user.save(update_fields=["name", "email"])


def _require_welcome(organisation: Organisation, known: KnownPerson) -> None:
    """Refuse whoever left. The last way in of an owner is not the roster's to close.

    Raises:
        SAMLError: `staff_account`, `user_disabled`.
    """
    if known.user.staff_role:
        # The programme's people sign in by password and second factor, never by a partner's word.
        raise SAMLError("staff_account")
    if not known.user.is_active or (not known.employee_active and has_left(organisation.pk, known.user)):
        raise SAMLError("user_disabled")


def _name(person: MappedPerson) -> str:
    full = f"{person.first_name} {person.last_name}".strip() or person.display
    return " ".join(full.split())[:_LONGEST_NAME]


def _number(person: MappedPerson) -> str:
    return person.employee_number if len(person.employee_number) <= _LONGEST_NUMBER else ""
