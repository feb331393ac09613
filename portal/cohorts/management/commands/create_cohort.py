"""Create a cohort."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from portal.cohorts.models import DEFAULT_PROGRAMME
from portal.cohorts.selectors import programme_coded
from portal.cohorts.services import create_cohort
from portal.core.tenancy import organisation_scope
from portal.organisations.selectors import organisation_named
from portal.people.commands import PortalCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Create a cohort of a programme for an organisation."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name")
        parser.add_argument("--programme", default=DEFAULT_PROGRAMME, metavar="CODE")
        parser.add_argument("--starts", type=date.fromisoformat, default=None, metavar="YYYY-MM-DD")
        parser.add_argument("--ends", type=date.fromisoformat, default=None, metavar="YYYY-MM-DD")

    def work(
        self,
        *,
        actor: Actor,
        slug: str,
        name: str,
        programme: str,
        starts: date | None,
        ends: date | None,
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        organisation = organisation_named(slug)
        with organisation_scope(organisation.pk):
            cohort = create_cohort(
                actor=actor,
                organisation=organisation,
                name=name,
                programme=programme_coded(programme),
                starts_on=starts,
                ends_on=ends,
            )
        return {"cohort": cohort.pk, "name": cohort.name}
