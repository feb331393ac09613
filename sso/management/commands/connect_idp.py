"""Connect an organisation's identity provider."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.selectors import organisation_named
from portal.people.commands import PortalCommand
from sso.connecting import connect_idp
from sso.fetching import fetched_metadata
from sso.parties import connection_card
from sso.reading import follow_metadata
from sso.saml.metadata import LARGEST_METADATA

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Connect an organisation's identity provider by its SAML metadata."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--metadata", required=True, metavar="FILE_OR_URL")
        parser.add_argument("--activate", action="store_true", help="let people in now, without a test sign-in")

    def work(self, *, actor: Actor, slug: str, metadata: str, activate: bool, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        organisation = organisation_named(slug)
        document = _document(metadata)
        with organisation_scope(organisation.pk):
            connection = connect_idp(actor=actor, organisation=organisation, metadata_xml=document, activate=activate)
            if _is_address(metadata):
                follow_metadata(
                    actor=actor, organisation=organisation, connection=connection, url=metadata, just_read=True
                )
        card = connection_card(connection)
        return {
            "connection": str(connection.public_id),
            "state": str(connection.state),
            "login_url": card.login_url,
            "acs_url": card.acs_url,
            "metadata_url": card.metadata_url,
            "sls_url": card.sls_url,
            "entity_id": connection.entity_id,
        }


def _is_address(source: str) -> bool:
    return source.lower().startswith(("https://", "http://"))


def _document(source: str) -> bytes:
    if _is_address(source):
        return fetched_metadata(source)
    try:
        with Path(source).open("rb") as file:
            return file.read(LARGEST_METADATA + 1)
    except (OSError, ValueError):
        message = _("The file %(file)s cannot be read.")
        raise Refusal("unreadable_file", message % {"file": source}) from None
