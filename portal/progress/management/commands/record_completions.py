"""Record a file of completion events."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from portal.organisations.models import Organisation
from portal.people.commands import PortalCommand
from portal.progress.files import events_of_file
from portal.progress.services import catch_up, record_completions

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Record completion events from an NDJSON or CSV file. The same file again changes nothing."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def work(self, *, actor: Actor, file: Path, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        recorded = record_completions(actor=actor, events=events_of_file(file))
        if not recorded.received:
            raise Refusal("empty_file", _("The file is empty: there is no event in it."))
        for organisation in Organisation.objects.filter(pk__in=recorded.organisation_ids).order_by("pk"):
            catch_up(actor=actor, organisation=organisation)
        document = dataclasses.asdict(recorded)
        del document["organisation_ids"]
        return document
