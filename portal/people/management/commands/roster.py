"""Print an organisation's roster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.tenancy import organisation_scope
from portal.organisations.selectors import organisation_named
from portal.people.commands import PortalCommand
from portal.people.selectors import roster_lines

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor
    from portal.people.selectors import RosterLine


class Command(PortalCommand):
    help = "Print the roster, inactive people included, by employee number then e-mail."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")

    def work(self, *, actor: Actor, slug: str, **_: Any) -> list[RosterLine]:  # noqa: ANN401
        del actor
        organisation = organisation_named(slug)
        with organisation_scope(organisation.pk):
            return list(roster_lines(organisation))
