"""Create a token for another system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.api.services import create_api_token
from portal.people.commands import PortalCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Create a token for another system. It is shown once."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--scope",
            action="extend",
            nargs="+",
            required=True,
            metavar="SCOPE",
            help="completions:write, organisation:SLUG",
        )

    def work(self, *, actor: Actor, name: str, scope: list[str], **_: Any) -> dict[str, str]:  # noqa: ANN401
        return {"token": create_api_token(actor=actor, name=name, scopes=scope)}
