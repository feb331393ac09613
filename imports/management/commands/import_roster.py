"""Import a roster: read the file, show what it would change, and with --apply change it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from imports.commands import ImportCommand
from imports.models import RosterImport
from imports.runs import prepare_import
from imports.services import open_import
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.selectors import organisation_named

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

State = RosterImport.State


class Command(ImportCommand):
    help = "Read a roster and show what it would change; with --apply, change it. An unknown cohort is created."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file", type=Path)
        parser.add_argument("--sheet", default="", metavar="NAME")
        parser.add_argument("--mode", choices=RosterImport.Mode.values, default=RosterImport.Mode.DELTA.value)
        parser.add_argument("--cohort", default="", metavar="NAME", help="everyone in the file joins it")
        parser.add_argument("--apply", action="store_true")
        parser.add_argument("--approve-held", action="store_true", help="let go what is held as well")

    def work(self, *, actor: Actor, slug: str, **options: Any) -> Any:  # noqa: ANN401
        organisation = organisation_named(slug)
        import_id = self._open(actor, organisation, options)
        prepare_import(actor=actor, organisation=organisation, import_id=import_id)
        with organisation_scope(organisation.pk):
            state = self.found(organisation, import_id).state
        approve = options["approve_held"]
        if options["apply"] and (state == State.READY or (state == State.HELD and approve)):
            self.apply(actor=actor, organisation=organisation, import_id=import_id, approve=approve)
        done = State.APPLIED if options["apply"] else State.READY
        return self.result(organisation=organisation, import_id=import_id, wanted=frozenset({done, State.HELD}))

    def _open(self, actor: Actor, organisation: Organisation, options: dict[str, Any]) -> int:
        path: Path = options["file"]
        try:
            with path.open("rb") as file, organisation_scope(organisation.pk):
                opened = open_import(
                    actor=actor,
                    organisation=organisation,
                    file=file,
                    file_name=path.name,
                    mode=options["mode"],
                    cohort_name=options["cohort"],
                    sheet=options["sheet"],
                )
        except OSError as error:
            message = _("The file “%(path)s” cannot be opened: %(why)s.")
            raise Refusal("unreadable_path", message % {"path": path, "why": error.strerror}) from None
        return opened.pk
