"""Record a file of completion events."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from portal.cohorts.models import DEFAULT_PROGRAMME
from portal.core.errors import Refusal
from portal.organisations.models import Organisation
from portal.people.commands import PortalCommand
from portal.progress.files import events_of_file
from portal.progress.services import catch_up, record_completions
from portal.progress.tally import Source

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Record completion events from an NDJSON, CSV or spreadsheet file. The same file again changes nothing."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--organisation", metavar="SLUG", help="whose facts a table without such a column has")
        parser.add_argument("--programme", default=DEFAULT_PROGRAMME, metavar="CODE", help="likewise its programme")

    def work(
        self,
        *,
        actor: Actor,
        file: Path,
        organisation: str | None,
        programme: str,
        **options: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        given = {"programme": programme, **({"organisation": organisation} if organisation else {})}
        events = events_of_file(file, given=given)
        recorded = record_completions(actor=actor, events=events, source=Source.FILE, name=file.name)
        if not recorded.received:
            raise Refusal("empty_file", _("The file is empty: there is no event in it."))
        for changed in Organisation.objects.filter(pk__in=recorded.organisation_ids).order_by("pk"):
            catch_up(actor=actor, organisation=changed)
        document = dataclasses.asdict(recorded)
        del document["organisation_ids"]
        return document
