"""Say where a programme's course opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.cohorts.models import DEFAULT_PROGRAMME
from portal.cohorts.services import configure_programme
from portal.people.commands import PortalCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Say where a programme's course opens on the learning platform."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--programme", default=DEFAULT_PROGRAMME, metavar="CODE")
        parser.add_argument("--launch-url", required=True, metavar="URL")

    def work(self, *, actor: Actor, programme: str, launch_url: str, **_: Any) -> dict[str, str]:  # noqa: ANN401
        configured = configure_programme(actor=actor, code=programme, launch_url=launch_url)
        return {"programme": configured.code, "launch_url": configured.launch_url}
