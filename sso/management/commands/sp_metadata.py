"""Print our metadata for one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.selectors import organisation_named
from portal.people.commands import PortalCommand
from sso.diagnosis import plain_sentence
from sso.parties import service_provider
from sso.saml.errors import SAMLError
from sso.saml.metadata import service_provider_metadata
from sso.selectors import connection_chosen

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Print the metadata that a partner gives to its identity provider."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--connection", default="", metavar="ID", help="needed when there are several")

    def work(self, *, actor: Actor, slug: str, connection: str, **_: Any) -> dict[str, str]:  # noqa: ANN401
        del actor
        organisation = organisation_named(slug)
        with organisation_scope(organisation.pk):
            chosen = connection_chosen(organisation, connection)
        try:
            return {"xml": service_provider_metadata(service_provider(chosen)).decode()}
        except SAMLError as error:
            raise Refusal(error.code, plain_sentence(error.code)) from None

    def render(self, document: dict[str, str]) -> str:
        return document["xml"]
