"""Apply an import that was read, or take up one that was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imports.commands import ImportCommand
from imports.models import RosterImport

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor

State = RosterImport.State


class Command(ImportCommand):
    help = "Apply an import, or go on with one that was interrupted."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int)
        parser.add_argument("--approve-held", action="store_true", help="let go what is held as well")

    def work(self, *, actor: Actor, id: int, approve_held: bool, **_: Any) -> Any:  # noqa: A002, ANN401
        organisation = self.organisation_of(id)
        self.apply(actor=actor, organisation=organisation, import_id=id, approve=approve_held)
        return self.result(organisation=organisation, import_id=id, wanted=frozenset({State.APPLIED, State.HELD}))
