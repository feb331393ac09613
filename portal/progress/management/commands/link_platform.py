"""Say how a programme's learning platform is spoken with."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from portal.cohorts.models import DEFAULT_PROGRAMME
from portal.people.commands import PortalCommand
from portal.progress.telling import link_platform

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Say which kind of platform a programme runs on, and where enrolments are told to it, if they are."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--programme", default=DEFAULT_PROGRAMME, metavar="CODE")
        parser.add_argument("--platform", required=True, help="rest, xapi or file")
        parser.add_argument("--endpoint", default="", metavar="URL", help="without it enrolments are not told")
        parser.add_argument("--secret-stdin", action="store_true", help="read the bearer secret from standard input")
        parser.add_argument("--personal", nargs="*", default=[], metavar="FIELD", help="beside the reference; none")

    def work(
        self,
        *,
        actor: Actor,
        programme: str,
        platform: str,
        endpoint: str,
        secret_stdin: bool,
        personal: list[str],
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        linked = link_platform(
            actor=actor,
            programme_code=programme,
            platform=platform,
            endpoint=endpoint,
            secret=sys.stdin.readline().strip() if secret_stdin else "",
            personal=personal,
        )
        return {"programme": linked.code, "platform": linked.platform, "endpoint": endpoint}
