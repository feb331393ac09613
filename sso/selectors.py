"""What is read of connections, identities and failed sign-ins, inside one organisation's scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Q
from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from portal.core.tenancy import platform_scope
from portal.people.models import Employee
from portal.people.selectors import roster
from sso.models import Connection, Identity, MetadataVersion, SignInRequest, SignInSession, SignInTrace

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from portal.organisations.models import Organisation
    from portal.people.models import Employee, User

OPEN_STATES = (Connection.State.ACTIVE, Connection.State.FAILING)
"""The states in which a connection lets people in; before them it only answers its test."""


def connections(organisation: Organisation) -> QuerySet[Connection]:
    return Connection.objects.filter(organisation_id=organisation.pk).order_by("id")


def open_connections(organisation_id: int) -> QuerySet[Connection]:
    """Return the connections by which people come in, the one that leads newcomers first."""
    opened = Connection.objects.filter(organisation_id=organisation_id, state__in=OPEN_STATES, closed_at__isnull=True)
    return opened.order_by(F("leads_since").desc(nulls_last=True), "activated_at", "id")


def open_connection(organisation_id: int) -> Connection | None:
    """Return the connection that new visitors are led to: the one chosen last, else the one that was opened first."""
    return open_connections(organisation_id).first()


def waiting_versions(organisation: Organisation) -> QuerySet[MetadataVersion]:
    """Return what waits for an owner's word, what could be somebody else's doing first."""
    waiting = (MetadataVersion.State.HELD, MetadataVersion.State.PENDING)
    return MetadataVersion.objects.filter(organisation_id=organisation.pk, state__in=waiting).order_by("state", "id")


def connection_chosen(organisation: Organisation, public_id: str = "") -> Connection:
    """Return the connection with this id, or the only one when no id is given.

    Raises:
        Refusal: `unknown_connection`, `connection_needed`.
    """
    known = list(connections(organisation))
    if public_id:
        known = [each for each in known if str(each.public_id) == public_id.strip().lower()]
    if not known:
        raise Refusal("unknown_connection", _("There is no such connection. Connect an identity provider first."))
    if len(known) > 1:
        message = _("There are several connections: choose one by its identifier (%(ids)s).")
        raise Refusal("connection_needed", message % {"ids": ", ".join(str(each.public_id) for each in known)})
    return known[0]


def connection_with(organisation: Organisation, public_id: UUID) -> Connection | None:
    return connections(organisation).filter(public_id=public_id).first()


def recent_failures(organisation: Organisation, *, limit: int = 20) -> list[SignInTrace]:
    """Return the newest failed sign-ins first."""
    failed = SignInTrace.objects.filter(organisation_id=organisation.pk).exclude(error="")
    return list(failed.defer("raw").order_by("-id")[:limit])


def traces(organisation: Organisation, *, connection: Connection | None = None) -> QuerySet[SignInTrace]:
    """Return every attempt, the newest first, without the messages: those are read by `sso.traces.read_message`.

    A user is set on those that signed somebody in; `error` is "" on those that were verified.
    """
    found = SignInTrace.objects.filter(organisation_id=organisation.pk)
    if connection is not None:
        found = found.filter(connection=connection)
    return found.defer("raw").select_related("connection", "user").order_by("-id")


def sessions_of(organisation: Organisation, user: User) -> QuerySet[SignInSession]:
    """Return the browser sessions of a login that began at an identity provider of this organisation."""
    found = SignInSession.objects.filter(organisation_id=organisation.pk, user=user)
    return found.select_related("connection").order_by("-id")


def purpose_of(connection: Connection, request_id: str) -> str:
    """Return what our request was for, or "" when it is not ours."""
    requests = SignInRequest.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, request_id=request_id
    )
    return requests.values_list("purpose", flat=True).first() or ""


def identities_of(organisation: Organisation, user: User) -> QuerySet[Identity]:
    return Identity.objects.filter(organisation_id=organisation.pk, user=user).order_by("-last_seen_at")


def suspended_identities(organisation: Organisation) -> QuerySet[Identity]:
    """Return who waits for an owner's word since their identity provider was replaced."""
    found = Identity.objects.filter(organisation_id=organisation.pk, suspended_at__isnull=False)
    return found.select_related("user", "connection").order_by("suspended_at", "id")


def employees_named(organisation: Organisation, *, number: str = "", email: str = "") -> list[Employee]:
    """Return the active employees with this number or this address."""
    return _named(organisation, {number} - {""}, {email} - {""})


def _named(organisation: Organisation, numbers: set[str], emails: set[str]) -> list[Employee]:
    found = roster(organisation).filter(Q(employee_number__in=numbers) | Q(email__in=emails), active=True)
    return list(found.order_by("sort_name", "id"))


def organisations_with_connections() -> list[int]:
    with platform_scope():
        rows = Connection.objects.order_by("organisation_id").values_list("organisation_id", flat=True)
        return list(rows.distinct())
