"""Whether a connection works: failures in a row without a success, by several people, make it `failing`.

In the way of a sign-in this is one statement, and on a busy morning none: a success is written every few minutes, or
70,000 people would wait for one row.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.urls import reverse
from django.utils import timezone

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.people.notices import write_to_owners
from sso.models import Connection, SignInRequest, SignInTrace

if TYPE_CHECKING:
    from portal.core.actor import Actor

FAILURES: Final = 20
DIFFERENT: Final = 3
"""One person who tries all morning is not a company that cannot sign in."""

SUCCESS_WRITTEN_EVERY: Final = timedelta(minutes=5)

# What anyone can cause by posting rubbish, or by an old page or a second click, says nothing of the connection; neither
# does what concerns one person alone.
_SAYS_NOTHING: Final = frozenset(
    {
        *("malformed", "forbidden_xml", "too_large", "unsolicited", "replay"),
        *("request_unknown", "request_expired", "request_used", "browser_mismatch"),
        *("ticket_unknown", "ticket_expired", "ticket_used"),
        *("user_disabled", "staff_account", "another_person", "identity_suspended", "authn_too_old"),
        *("connection_closed", "status_authn_failed", "status_no_passive"),
    }
)


@transaction.atomic
def note_failure(*, actor: Actor, connection: Connection, code: str) -> None:
    """Count a failed sign-in; the twentieth in a row, if several people are among them, is told to the owners."""
    if code in _SAYS_NOTHING or connection.state not in {Connection.State.ACTIVE, Connection.State.FAILING}:
        return
    here = Connection.objects.filter(organisation_id=connection.organisation_id, pk=connection.pk)
    here.update(failures=F("failures") + 1)
    if connection.state == Connection.State.FAILING or connection.failures + 1 < FAILURES:
        return
    now_failing = here.filter(state=Connection.State.ACTIVE, failures__gte=FAILURES)
    if not _several_people(connection) or not now_failing.update(state=Connection.State.FAILING):
        return
    record_event(
        actor=actor,
        organisation_id=connection.organisation_id,
        action=Action.CONNECTION_FAILING,
        subject=str(connection.public_id),
        data={"failures": connection.failures + 1},
    )
    organisation = connection.organisation
    write_to_owners(
        organisation=organisation,
        # Once a day at most: whoever likes can make sign-ins fail.
        key=f"failing:{connection.pk}:{timezone.now():%Y-%m-%d}",
        name="sign-in-failing",
        path=reverse("sign_in_connection", args=[organisation.slug, connection.public_id]),
        context={"failures": connection.failures + 1},
    )


@transaction.atomic
def note_success(*, actor: Actor, connection: Connection) -> None:
    """Say that somebody came in; a connection that failed works again."""
    now = timezone.now()
    stale = now - SUCCESS_WRITTEN_EVERY
    recent = connection.last_success_at is not None and connection.last_success_at > stale
    if recent and not connection.failures and connection.state != Connection.State.FAILING:
        return
    worth_writing = Q(failures__gt=0) | Q(last_success_at__isnull=True) | Q(last_success_at__lte=stale)
    written = Connection.objects.filter(
        worth_writing, organisation_id=connection.organisation_id, pk=connection.pk
    ).update(
        failures=0,
        last_success_at=now,
        state=Case(
            When(state=Connection.State.FAILING, then=Value(Connection.State.ACTIVE)),
            default=F("state"),
        ),
    )
    if written and connection.state == Connection.State.FAILING:
        record_event(
            actor=actor,
            organisation_id=connection.organisation_id,
            action=Action.CONNECTION_RECOVERED,
            subject=str(connection.public_id),
        )


def _several_people(connection: Connection) -> bool:
    """Say whether the last failures are of several browsers; where that is not known, of several addresses."""
    traces = SignInTrace.objects.filter(organisation_id=connection.organisation_id, connection=connection)
    latest = list(traces.exclude(error="").exclude(error__in=_SAYS_NOTHING).order_by("-id")[:FAILURES])
    browsers = {
        request_id: bytes(browser)
        for request_id, browser in SignInRequest.objects.filter(
            organisation_id=connection.organisation_id,
            connection=connection,
            request_id__in=[trace.request_id for trace in latest if trace.request_id],
        ).values_list("request_id", "browser")
    }
    people = {browsers.get(trace.request_id) or trace.client_address or trace.code for trace in latest}
    return len(people) >= DIFFERENT
