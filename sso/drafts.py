"""Setting a connection up, step by step: our side first, then theirs, read, looked at and confirmed.

All of it is for a connection that has never let anybody in. One that has is looked after elsewhere: to change who its
people are, or whom it believes, would be to change accounts.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.sealing import seal
from portal.organisations.models import DoorKind
from portal.organisations.services import open_door
from sso.connecting import make_key_pair
from sso.diagnosis import metadata_sentence
from sso.models import Connection, MetadataVersion
from sso.parties import KEY_PURPOSE, address
from sso.received import stop_tests_of
from sso.saml.attributes import PRESET
from sso.saml.errors import SAMLError
from sso.saml.metadata import described_provider
from sso.vendors import MAPPINGS, VENDORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation, SetupLink
    from sso.saml.config import IdentityProvider

FIRST_REFRESH: Final = timedelta(days=1)
UNFINISHED: Final = (Connection.State.DRAFT, Connection.State.CONFIGURED, Connection.State.TESTED)

# Names under which identity providers send what is handed on to others: an address, or a user name made of it.
_MUTABLE: Final = frozenset(
    {
        *PRESET["email"],
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    }
)


@transaction.atomic
def begin_setup(*, actor: Actor, organisation: Organisation, vendor: str, link: SetupLink | None = None) -> Connection:
    """Make our side of a connection: its addresses and keys, for the partner's IT to type in.

    A draft of the same way in that holds nothing yet is taken up again.

    Raises:
        Refusal: `unknown_vendor`.
    """
    _require_vendor(vendor)
    known = unfinished_draft(organisation, link)
    if known:
        choose_vendor(actor=actor, organisation=organisation, connection=known, vendor=vendor)
        return known
    public_id = uuid.uuid4()
    private_key, certificate = make_key_pair(organisation)
    connection = Connection.objects.create(
        organisation=organisation,
        public_id=public_id,
        state=Connection.State.DRAFT,
        vendor=vendor,
        setup_link=link,
        attribute_mapping=dict(MAPPINGS[vendor]),
        entity_id=address(public_id, "metadata"),
        sp_certificate=certificate,
        sp_private_key=seal(private_key.encode(), purpose=KEY_PURPOSE),
    )
    open_door(kind=DoorKind.CONNECTION, key=str(public_id), organisation_id=organisation.pk)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_CREATED,
        subject=str(public_id),
        data={"vendor": vendor, **({"setup_link": link.pk} if link else {})},
    )
    return connection


def unfinished_draft(organisation: Organisation, link: SetupLink | None) -> Connection | None:
    """Return the connection of a link, or the draft that an owner began and left empty."""
    drafts = Connection.objects.filter(organisation_id=organisation.pk, setup_link=link, closed_at=None)
    drafts = drafts if link else drafts.filter(state=Connection.State.DRAFT, idp_entity_id="")
    return drafts.order_by("-id").first()


@transaction.atomic
def choose_vendor(*, actor: Actor, organisation: Organisation, connection: Connection, vendor: str) -> None:
    """Say which product the identity provider is: whose steps are shown, and whose names of attributes are tried.

    Raises:
        Refusal: `unknown_vendor`, `in_use`.
    """
    _require_vendor(vendor)
    held = _held(connection)
    if held.vendor == vendor:
        return
    untouched = held.attribute_mapping in ({}, dict(MAPPINGS.get(held.vendor, {})))
    mapping = dict(MAPPINGS[vendor]) if untouched else held.attribute_mapping
    state = _after_change(held, changed=mapping != held.attribute_mapping)
    _write(connection, vendor=vendor, attribute_mapping=mapping, state=state)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_CHANGED,
        subject=str(connection.public_id),
        data={"vendor": vendor},
    )


def provider_described(*, entity_id: str, sso_url: str, certificate: str) -> IdentityProvider:
    """Return the identity provider of three fields.

    Raises:
        Refusal: `metadata_…`, with a sentence for whoever filled them in.
    """
    try:
        return described_provider(
            entity_id=entity_id,
            sso_url=sso_url,
            certificate=certificate,
            allow_loopback=settings.ALLOW_LOOPBACK_IDP,
        )
    except SAMLError as error:
        raise Refusal(error.code, metadata_sentence(error.code)) from None


@transaction.atomic
def propose_metadata(
    *, actor: Actor, organisation: Organisation, connection: Connection, idp: IdentityProvider, source: str
) -> MetadataVersion:
    """Keep what was read until somebody has looked at it. `source` is an address, "file" or "fields".

    Raises:
        Refusal: `in_use`; `already_connected`: another connection of this organisation has this identity provider.
    """
    _held(connection)
    others = Connection.objects.filter(organisation_id=organisation.pk, idp_entity_id=idp.entity_id)
    if others.exclude(pk=connection.pk).exists():
        raise _already_connected(idp.entity_id)
    # What was read before and never confirmed has never counted: it is not kept.
    waiting = MetadataVersion.objects.filter(organisation_id=organisation.pk, connection=connection)
    waiting.filter(state=MetadataVersion.State.PENDING).delete()
    by_address = source.startswith("http")
    version = MetadataVersion.objects.create(
        organisation_id=organisation.pk,
        connection=connection,
        state=MetadataVersion.State.PENDING,
        source="url" if by_address else source,
        url=source if by_address else "",
        idp_entity_id=idp.entity_id,
        idp_sso_url=idp.sso_url,
        idp_sso_binding=idp.sso_binding,
        idp_slo_url=idp.slo_url,
        idp_slo_binding=idp.slo_binding if idp.slo_url else "",
        idp_slo_response_url=idp.slo_response_url,
        idp_certificates=list(idp.certificates),
    )
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.METADATA_PROPOSED,
        subject=str(connection.public_id),
        data={"idp": idp.entity_id, "certificates": len(idp.certificates), "source": version.source},
    )
    return version


def metadata_proposed(connection: Connection) -> MetadataVersion | None:
    """Return what was read last and waits to be looked at."""
    versions = MetadataVersion.objects.filter(organisation_id=connection.organisation_id, connection=connection)
    return versions.filter(state=MetadataVersion.State.PENDING).order_by("-id").first()


@transaction.atomic
def confirm_metadata(*, actor: Actor, organisation: Organisation, connection: Connection, version_id: int) -> None:
    """Take what was read, once somebody has looked at it; a test that was passed before does not count any more.

    Raises:
        Refusal: `in_use`; `nothing_read`: something else was read meanwhile, or nothing; `already_connected`.
    """
    _held(connection)
    version = metadata_proposed(connection)
    if version is None or version.pk != version_id:
        message = _("Something else was read meanwhile. Look at it again before you confirm.")
        raise Refusal("nothing_read", message)
    now = timezone.now()
    versions = MetadataVersion.objects.filter(organisation_id=organisation.pk, connection=connection)
    versions.filter(state=MetadataVersion.State.IN_USE).update(state=MetadataVersion.State.PAST)
    versions.filter(pk=version.pk).update(
        state=MetadataVersion.State.IN_USE, decided_at=now, decided_by=actor.name[:200]
    )
    try:
        with transaction.atomic():
            _take(connection, version)
    except IntegrityError:
        # Another connection of this organisation took this identity provider first.
        raise _already_connected(version.idp_entity_id) from None
    stop_tests_of(connection)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.METADATA_ACCEPTED,
        subject=str(connection.public_id),
        data={
            "idp": version.idp_entity_id,
            "sso_url": version.idp_sso_url,
            "certificates": len(version.idp_certificates),
        },
    )


def _take(connection: Connection, version: MetadataVersion) -> None:
    now = timezone.now()
    _write(
        connection,
        idp_entity_id=version.idp_entity_id,
        idp_sso_url=version.idp_sso_url,
        idp_sso_binding=version.idp_sso_binding,
        idp_slo_url=version.idp_slo_url,
        idp_slo_binding=version.idp_slo_binding,
        idp_slo_response_url=version.idp_slo_response_url,
        idp_certificates=version.idp_certificates,
        state=Connection.State.CONFIGURED,
        tested_at=None,
        metadata_read_at=now,
        metadata_url=version.url,
        metadata_etag="",
        due_at=now + FIRST_REFRESH if version.url else None,
    )


def _already_connected(entity_id: str) -> Refusal:
    message = _("Your organisation has connected this identity provider already (%(entity)s).")
    return Refusal("already_connected", message % {"entity": entity_id})


@transaction.atomic
def change_mapping(
    *, actor: Actor, organisation: Organisation, connection: Connection, mapping: Mapping[str, list[str]]
) -> None:
    """Say in which attributes the identity provider sends what the portal reads; a target left out is automatic.

    Raises:
        Refusal: `in_use`; `mutable_subject`: an address, or a name made of it, is no identity.
    """
    held = _held(connection)
    wanted = {target: names for target, names in mapping.items() if target in PRESET and names}
    if set(wanted.get("subject", ())) & _MUTABLE:
        message = _("An e-mail address or a user name is handed on to others: choose an identifier that never changes.")
        raise Refusal("mutable_subject", message)
    if wanted == held.attribute_mapping:
        return
    _write(connection, attribute_mapping=wanted, state=_after_change(held, changed=True))
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.MAPPING_CHANGED,
        subject=str(connection.public_id),
        data={"mapping": wanted},
    )


@transaction.atomic
def freeze_subject(*, connection: Connection, source: str) -> None:
    """Keep to the attribute by which the test recognised a person: one that appears later must not win silently."""
    if connection.attribute_mapping.get("subject") != [source]:
        _write(connection, attribute_mapping={**connection.attribute_mapping, "subject": [source]})


def subject_source(connection: Connection) -> str:
    """Return the attribute that identifies people, "NameID", or "" while it is left to the test."""
    chosen = connection.attribute_mapping.get("subject") or [""]
    return str(chosen[0])


def _held(connection: Connection) -> Connection:
    """Return the connection as it is now, locked, if it may still be set up."""
    held = Connection.objects.select_for_update().filter(pk=connection.pk, closed_at=None).first()
    if held is None or held.state not in UNFINISHED or held.activated_at is not None:
        message = _("This connection has been switched on: it is looked after on the page of the company sign-in.")
        raise Refusal("in_use", message)
    return held


def _after_change(held: Connection, *, changed: bool) -> str:
    tested = held.state == Connection.State.TESTED
    return Connection.State.CONFIGURED if tested and changed else held.state


def _write(connection: Connection, **fields: object) -> None:
    """Write these fields, and let the object in hand say the same."""
    Connection.objects.filter(pk=connection.pk).update(**fields)
    for name, value in fields.items():
        setattr(connection, name, value)


def _require_vendor(vendor: str) -> None:
    if vendor not in VENDORS:
        raise Refusal("unknown_vendor", _("Choose your identity provider in the list."))
