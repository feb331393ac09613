"""What the pages of an import share: finding it, saying why something was refused, and handing the work on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from imports import tasks
from imports.models import RosterImport
from imports.selectors import import_numbered
from portal.core.errors import Refusal
from portal.core.tasks import enqueue_on_commit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponse

    from portal.core.http import OrganisationRequest

State = RosterImport.State

AT_WORK = (State.UPLOADED, State.PREPARING, State.PLANNING, State.APPLYING, State.UNDOING)
WAITING = (State.READY, State.HELD)
CLOSED = (State.FAILED, State.CANCELLED, State.SUPERSEDED)


def found(request: OrganisationRequest, import_id: int) -> RosterImport:
    """Return the import that the address names; another organisation's does not exist."""
    roster_import = import_numbered(request.organisation, import_id)
    if roster_import is None:
        raise Http404
    roster_import.organisation = request.organisation
    return roster_import


@contextmanager
def refusal_as_message(request: OrganisationRequest) -> Iterator[None]:
    """Say on the next page why something was refused; another organisation's import stays unknown."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code in {"unknown_import", "unknown_row"}:
            raise Http404 from None
        messages.error(request, str(refusal))


def hand_on(request: OrganisationRequest, import_id: int) -> None:
    """Hint to the workers that there is work on the import, of the kind that its state asks for."""
    state = found(request, import_id).state
    if state in AT_WORK:
        enqueue_on_commit(tasks.task_for(state), request.organisation.pk, import_id)


def to_import(request: OrganisationRequest, import_id: int) -> HttpResponse:
    return redirect("import_detail", org=request.organisation.slug, import_id=import_id)


def must_be_looked_at(roster_import: RosterImport) -> bool:
    """Whether a person who brought a file by a page has yet to say that it was read as it should be."""
    if roster_import.state == State.UNCLEAR:
        return True
    by_page = roster_import.channel == RosterImport.Channel.PAGE
    return by_page and roster_import.state in WAITING and roster_import.looked_at is None


def steps(roster_import: RosterImport, *, looking: bool = False) -> list[dict[str, str]]:
    """Upload, columns, review, apply: where the import is among them."""
    labels = (_("Upload"), _("Columns"), _("Review"), _("Applied"))
    at = {
        State.UPLOADED: 1,
        State.PREPARING: 1,
        State.UNCLEAR: 1,
        State.PLANNING: 2,
        State.READY: 2,
        State.HELD: 2,
        State.APPLYING: 3,
        State.APPLIED: 4,
    }.get(State(roster_import.state), 0)
    if not at:
        return []
    at = 1 if looking else at
    states = ["done" if place < at else "current" if place == at else "todo" for place in range(len(labels))]
    return [{"label": label, "state": state} for label, state in zip(labels, states, strict=True)]
