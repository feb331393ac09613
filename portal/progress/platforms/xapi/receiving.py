"""Taking statements in: all of a request or none, each once, and what is refused stands at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.cohorts.models import Programme
from portal.organisations.models import EmailDomain
from portal.progress.platforms.xapi import formats
from portal.progress.platforms.xapi.facts import Ways, event_of, is_voiding
from portal.progress.platforms.xapi.statements import StatementError, check_statement
from portal.progress.platforms.xapi.voiding import void_facts, void_what_waited
from portal.progress.platforms.xapi.words import SENTENCES
from portal.progress.refusing import Arrival, Refused, keep_refused, note_deliveries
from portal.progress.services import record_completions
from portal.progress.tally import Outcome, Source, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.core.actor import Actor
    from portal.progress.tally import Issue


class Fault(NamedTuple):
    """Why one statement of a request was refused; `row` counts from 1."""

    row: int
    id: str
    code: str
    where: str
    message: str


class Received(NamedTuple):
    """The ids of a request's statements, in its order; with faults, nothing of it was recorded."""

    ids: list[str]
    faults: list[Fault]
    organisation_ids: tuple[int, ...] = ()


@transaction.atomic
def receive_statements(
    *, actor: Actor, statements: Sequence[object], allowed: frozenset[str] | None = None
) -> Received:
    """Record the facts that these statements are.

    Statements of other verbs are taken and leave nothing. An id that was received before with the same content
    changes nothing; with other content it is the fault `contradicts`.
    """
    checked, faults = _checked(statements)
    if faults:
        _keep(actor, allowed, statements, faults)
        return Received([], faults)
    ids = [statement["id"].lower() for statement in checked]
    ways, now = _ways(checked, allowed), timezone.now()
    steps = ((row, event_of(found, ways, now=now)) for row, found in enumerate(checked, 1) if not is_voiding(found))
    events = [(row, event) for row, event in steps if event is not None]
    recorded = record_completions(
        actor=actor, events=events, allowed=allowed, issues_shown=len(events), source=Source.XAPI, whole=True
    )
    if recorded.rejected:
        return Received([], [_fault(issue, ids) for issue in recorded.issues])
    came = [str(event["event_id"]) for _row, event in events]
    targets = {found["object"]["id"].lower() for found in checked if is_voiding(found)}
    changed = set(recorded.organisation_ids)
    changed |= void_what_waited(actor=actor, came=came, allowed=allowed)
    changed |= void_facts(actor=actor, targets=targets, allowed=allowed)
    return Received(ids, [], tuple(sorted(changed)))


def _fault(issue: Issue, ids: list[str]) -> Fault:
    return Fault(issue.row, ids[issue.row - 1], issue.code, "", issue.message)


def _checked(statements: Sequence[object]) -> tuple[list[dict[str, Any]], list[Fault]]:
    """Return the statements with their ids, made where there was none; and what is wrong with the others."""
    checked, faults, seen = [], [], set[str]()
    for row, statement in enumerate(statements, 1):
        try:
            found = {"id": formats.new_id(), **check_statement(statement)}
            _check_receivable(found, seen)
        except StatementError as wrong:
            faults.append(Fault(row, _id(statement), wrong.code, wrong.where, str(SENTENCES[wrong.code])))
            continue
        seen.add(found["id"].lower())
        checked.append(found)
    return checked, faults


def _check_receivable(statement: dict[str, Any], seen: set[str]) -> None:
    if "attachments" in statement:
        raise StatementError("attachments_refused", "attachments")
    if statement["id"].lower() in seen:
        raise StatementError("duplicate_id", "id")


def _id(statement: object) -> str:
    stated = statement.get("id") if isinstance(statement, dict) else None
    return stated if isinstance(stated, str) and formats.is_uuid(stated) else ""


def _keep(actor: Actor, allowed: frozenset[str] | None, statements: Sequence[object], faults: list[Fault]) -> None:
    refused = []
    for fault in faults:
        statement = statements[fault.row - 1]
        event = {**statement, "event_id": fault.id} if isinstance(statement, dict) else statement
        refused.append(Refused(fault.row, fault.code, event))
    with transaction.atomic():
        arrival = Arrival(actor, Source.XAPI, "", allowed, Tally(0))
        arrival.tally.add(Outcome.REJECTED, len(faults))
        keep_refused(arrival, refused)
        note_deliveries(arrival)


def _ways(statements: Sequence[dict[str, Any]], allowed: frozenset[str] | None) -> Ways:
    """Look up what these statements may name; two queries."""
    here = settings.BASE_URL
    activities = {}
    for code, launch_url in Programme.objects.values_list("code", "launch_url"):
        activities[f"{here}/programmes/{code}"] = code
        if launch_url:
            activities[launch_url.split("?", 1)[0].split("#", 1)[0].rstrip("/")] = code
    boxes = [statement["actor"].get("mbox", "") for statement in statements]
    domains = {box.rpartition("@")[2].lower() for box in boxes if box}
    owned = EmailDomain.objects.filter(domain__in=domains, verified_at__isnull=False)
    only = next(iter(allowed)) if allowed and len(allowed) == 1 else ""
    return Ways(here, activities, dict(owned.values_list("domain", "organisation__slug")), only)
