"""Asking again, by the company: the person shows at their identity provider that it is still them (ForceAuthn)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from sso.models import Connection, Identity
from sso.saml.errors import SAMLError
from sso.services import CONFIRM, CONFIRMABLE_STATES, begin_sign_in, take_answer

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import User
    from sso.saml.bindings import SignInRedirect


@transaction.atomic
def begin_confirmation(
    *, organisation: Organisation, user: User, nonce: str, next_path: str
) -> tuple[Connection, SignInRedirect]:
    """Ask the identity provider by which the person came last to authenticate them anew.

    Raises:
        Refusal: `cannot_be_asked`: none of those by which they are known can be asked now.
        SAMLError: as `begin_sign_in`.
    """
    known = Identity.objects.filter(
        organisation_id=organisation.pk,
        user=user,
        suspended_at__isnull=True,
        connection__state__in=CONFIRMABLE_STATES,
        connection__closed_at__isnull=True,
    )
    identity = known.select_related("connection__organisation").order_by("-last_seen_at").first()
    if identity is None:
        message = _("Your company account cannot be asked again now. Ask an owner with emergency access to do this.")
        raise Refusal("cannot_be_asked", message)
    connection = identity.connection
    return connection, begin_sign_in(connection=connection, nonce=nonce, next_path=next_path, purpose=CONFIRM)


@transaction.atomic
def complete_confirmation(*, connection: Connection, user: User, ticket: str, nonce: str) -> str:
    """Return where the person goes on, once the answer is about the very person who is signed in here.

    Raises:
        SAMLError: as `take_answer`, and `another_person`.
    """
    request, answer = take_answer(connection=connection, ticket=ticket, nonce=nonce, purpose=CONFIRM)
    same = Identity.objects.filter(
        organisation_id=connection.organisation_id,
        connection=connection,
        subject=answer.person.subject,
        user=user,
        suspended_at__isnull=True,
    )
    if not same.exists():
        somebody_else = SAMLError("another_person")
        somebody_else.trace = answer.trace
        raise somebody_else
    return request.next_path
