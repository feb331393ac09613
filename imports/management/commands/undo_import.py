"""Undo an import, or take up an undo that was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imports.commands import ImportCommand
from imports.models import RosterImport
from imports.runs import run_undo
from imports.services import undo_import
from portal.core.tenancy import organisation_scope

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor

State = RosterImport.State


class Command(ImportCommand):
    help = "Take back what an import changed, where nothing else happened since."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int)

    def work(self, *, actor: Actor, id: int, **_: Any) -> Any:  # noqa: A002, ANN401
        organisation = self.organisation_of(id)
        with organisation_scope(organisation.pk):
            if self.found(organisation, id).state not in (State.UNDOING, State.UNDONE):
                undo_import(actor=actor, organisation=organisation, import_id=id)
        run_undo(actor=actor, organisation=organisation, import_id=id)
        return self.result(organisation=organisation, import_id=id, wanted=frozenset({State.UNDONE}))
