"""Make a link by which a partner's IT sets up the company sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.tenancy import organisation_scope
from portal.organisations.selectors import organisation_named
from portal.organisations.setup_links import create_setup_link
from portal.people.commands import PortalCommand
from sso.setup_cards import setup_url

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Make a link by which a partner's IT sets up the company sign-in; it is shown once and lives 14 days."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--recipient", default="", help="a word that says whom the link is for")

    def work(self, *, actor: Actor, slug: str, recipient: str, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        organisation = organisation_named(slug)
        with organisation_scope(organisation.pk):
            link, token = create_setup_link(actor=actor, organisation=organisation, recipient=recipient)
        return {
            "link": link.pk,
            "url": setup_url(token),
            "expires_at": link.expires_at.isoformat(),
            "recipient": link.recipient,
        }
