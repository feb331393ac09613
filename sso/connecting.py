"""Connecting an identity provider: from its metadata to a connection that lets people in."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.sealing import seal
from portal.organisations.models import DoorKind
from portal.organisations.services import open_door
from portal.organisations.setup_links import complete_setup_link
from sso.diagnosis import metadata_sentence
from sso.models import Connection, MetadataVersion
from sso.parties import KEY_PURPOSE, address, identity_provider
from sso.saml.config import IdentityProvider, new_key_pair
from sso.saml.errors import SAMLError
from sso.saml.metadata import parse_metadata
from sso.versions import record_replacement, version_in_use

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

_UNTESTED = (Connection.State.DRAFT, Connection.State.CONFIGURED)


@transaction.atomic
def connect_idp(*, actor: Actor, organisation: Organisation, metadata_xml: bytes, activate: bool = False) -> Connection:
    """Connect the identity provider that this metadata describes; the same metadata again changes nothing.

    `activate` is the operator's word in place of the test sign-in.

    Raises:
        Refusal: `metadata_…`: what is wrong with the document; `exists_differently`.
    """
    idp = read_metadata(metadata_xml)
    existing = Connection.objects.filter(organisation_id=organisation.pk, idp_entity_id=idp.entity_id).first()
    connection = existing or _create(actor, organisation, idp)
    if existing and not _same(existing, idp):
        page = f"{settings.BASE_URL}{reverse('sign_in_settings', args=[organisation.slug])}"
        message = _(
            "This identity provider is already connected, with other addresses or certificates. Nothing was changed:"
            " compare them and accept the new ones on the page %(page)s"
        )
        raise Refusal("exists_differently", message % {"page": page})
    if activate:
        activate_connection(actor=actor, organisation=organisation, connection=connection, untested=True)
    return connection


def read_metadata(metadata_xml: bytes) -> IdentityProvider:
    """Return the identity provider of a document.

    Raises:
        Refusal: `metadata_…`, with a sentence for whoever chose the file.
    """
    try:
        return parse_metadata(metadata_xml, allow_loopback=settings.ALLOW_LOOPBACK_IDP)
    except SAMLError as error:
        raise Refusal(error.code, metadata_sentence(error.code)) from None


@transaction.atomic
def replace_metadata(
    *,
    actor: Actor,
    organisation: Organisation,
    connection: Connection,
    metadata_xml: bytes,
    untested: bool = False,
) -> None:
    """Take the new addresses and certificates of the same identity provider; people keep signing in.

    Another host, or no certificate that is known, could as well be somebody else's: then nobody is let in before a
    new test sign-in, unless the operator vouches for it (`untested`).

    Raises:
        Refusal: `metadata_…`; `other_identity_provider`.
    """
    idp = read_metadata(metadata_xml)
    if idp.entity_id != connection.idp_entity_id:
        message = _("This metadata is of another identity provider (%(entity)s). Nothing was changed.")
        raise Refusal("other_identity_provider", message % {"entity": idp.entity_id})
    if _same(connection, idp):
        return
    before = _facts(identity_provider(connection))
    version = record_replacement(
        actor=actor, organisation=organisation, connection=connection, idp=idp, untested=untested
    )
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_CHANGED,
        subject=str(connection.public_id),
        data={"version": version.pk, "before": before, "after": _facts(idp)},
    )


@transaction.atomic
def activate_connection(
    *, actor: Actor, organisation: Organisation, connection: Connection, untested: bool = False
) -> None:
    """Let people in through a connection; on one that is active this changes nothing.

    Raises:
        Refusal: `not_tested`: nobody has signed in by it yet, and only the operator may vouch for it.
    """
    # As it is now: other metadata may have been given since it was looked at.
    state = Connection.objects.select_for_update().values_list("state", flat=True).get(pk=connection.pk)
    if state in _UNTESTED and not untested:
        message = _("Make a successful test sign-in first: nothing is switched on before it.")
        raise Refusal("not_tested", message)
    before = Connection.objects.filter(pk=connection.pk).exclude(state=Connection.State.ACTIVE)
    if not before.update(state=Connection.State.ACTIVE, activated_at=timezone.now()):
        return
    connection.state = Connection.State.ACTIVE
    # What the set-up proposed and nobody confirmed; what was read from the address since has its reasons.
    proposed = MetadataVersion.objects.filter(organisation_id=organisation.pk, connection=connection, reasons=[])
    proposed.filter(state=MetadataVersion.State.PENDING).delete()
    if connection.setup_link_id:
        # Whoever switches it on: the link has done its work.
        complete_setup_link(organisation=organisation, link_id=connection.setup_link_id)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_ACTIVATED,
        subject=str(connection.public_id),
        data={"untested": untested},
    )


@transaction.atomic
def note_test_passed(*, actor: Actor, organisation: Organisation, connection: Connection) -> None:
    """Record a successful test sign-in; it opens nothing by itself."""
    now = timezone.now()
    Connection.objects.filter(pk=connection.pk).update(tested_at=now)
    Connection.objects.filter(pk=connection.pk, state__in=_UNTESTED).update(state=Connection.State.TESTED)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_TESTED,
        subject=str(connection.public_id),
    )


@transaction.atomic
def note_test_failed(*, actor: Actor, organisation: Organisation, connection: Connection, code: str) -> None:
    """Ask for a new test where nobody has been let in yet: what worked once does not now. The trace says why."""
    unfinished = Connection.objects.filter(pk=connection.pk, activated_at=None, state=Connection.State.TESTED)
    if not unfinished.update(state=Connection.State.CONFIGURED, tested_at=None):
        return
    connection.state, connection.tested_at = Connection.State.CONFIGURED, None
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_TESTED,
        subject=str(connection.public_id),
        data={"refused": code},
    )


def make_key_pair(organisation: Organisation) -> tuple[str, str]:
    """Return a private key and a certificate of ours, made for one connection of this organisation."""
    return new_key_pair(f"Objectif IA {organisation.slug}")


def _create(actor: Actor, organisation: Organisation, idp: IdentityProvider) -> Connection:
    public_id = uuid.uuid4()
    private_key, certificate = make_key_pair(organisation)
    try:
        with transaction.atomic():
            connection = Connection.objects.create(
                organisation=organisation,
                public_id=public_id,
                idp_entity_id=idp.entity_id,
                # Fixed here for good: the partner types it into its identity provider.
                entity_id=address(public_id, "metadata"),
                sp_certificate=certificate,
                sp_private_key=seal(private_key.encode(), purpose=KEY_PURPOSE),
                **_fields(idp),
            )
    except IntegrityError:
        raise Refusal("exists_differently", _("Somebody has just connected this identity provider.")) from None
    version_in_use(connection)
    open_door(kind=DoorKind.CONNECTION, key=str(public_id), organisation_id=organisation.pk)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_CREATED,
        subject=str(public_id),
        data=_facts(idp),
    )
    return connection


def _fields(idp: IdentityProvider) -> dict[str, str | list[str]]:
    return {
        "idp_sso_url": idp.sso_url,
        "idp_sso_binding": idp.sso_binding,
        "idp_slo_url": idp.slo_url,
        "idp_slo_binding": idp.slo_binding if idp.slo_url else "",
        "idp_slo_response_url": idp.slo_response_url,
        "idp_certificates": list(idp.certificates),
    }


def _same(connection: Connection, idp: IdentityProvider) -> bool:
    """Compare without the order of the certificates: some identity providers shuffle them."""
    known = identity_provider(connection)
    return _facts(known) == _facts(idp) and set(known.certificates) == set(idp.certificates)


def _facts(idp: IdentityProvider) -> dict[str, str | int]:
    """Return what the audit keeps of an identity provider."""
    return {
        "idp": idp.entity_id,
        "sso_url": idp.sso_url,
        "binding": idp.sso_binding,
        "slo_url": idp.slo_url,
        "slo_binding": idp.slo_binding if idp.slo_url else "",
        "slo_response_url": idp.slo_response_url,
        "certificates": len(idp.certificates),
    }
