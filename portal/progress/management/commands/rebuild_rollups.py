"""Compute every count anew from the recorded facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.organisations.models import Organisation
from portal.people.commands import PortalCommand, Unsatisfied
from portal.progress.rollups import Comparison
from portal.progress.services import catch_up, rebuild

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Compute steps and counts anew from the recorded facts; with --check only say whether they differ."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when counts differ")

    def work(self, *, actor: Actor, check: bool, **options: Any) -> dict[str, int] | Unsatisfied:  # noqa: ANN401
        compared = Comparison()
        for organisation in Organisation.objects.order_by("pk"):
            # What merely waits to be counted is no difference.
            catch_up(actor=actor, organisation=organisation)
            compared += rebuild(actor=actor, organisation=organisation, keep=not check)
        document = {"checked": compared.checked, "different": compared.different}
        return Unsatisfied(document) if check and compared.different else document
