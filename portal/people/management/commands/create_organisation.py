"""Create an organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.organisations.services import create_organisation
from portal.people.commands import PortalCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Create an organisation. A domain given here counts as verified."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", required=True)
        parser.add_argument("--domain", action="append", default=[], metavar="example.fr")

    def work(self, *, actor: Actor, slug: str, name: str, domain: list[str], **_: Any) -> dict[str, Any]:  # noqa: ANN401
        organisation = create_organisation(actor=actor, slug=slug, name=name, domains=domain)
        domains = organisation.email_domains.order_by("domain").values_list("domain", flat=True)
        return {"slug": organisation.slug, "name": organisation.name, "domains": list(domains)}
