"""The history of an identity provider's metadata: what was read, what waits for a person, what is in use.

Nothing here fetches or parses: what comes in was validated. Every way by which a connection gets other addresses or
certificates passes through `_put_in_use`, so that each of them can be taken back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.people.notices import write_to_owners
from sso.judging import judged
from sso.models import Connection, Identity, MetadataVersion
from sso.parties import certificates_until, identity_provider
from sso.received import stop_tests_of
from sso.saml.config import IdentityProvider
from sso.saml.names import BINDING_REDIRECT

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

ABSENT_DAYS: Final = timedelta(days=7)
"""A certificate that left the metadata is trusted so much longer: identity providers publish first and switch later."""

BY_URL = "url"
BY_HAND = "hand"

_State = MetadataVersion.State
_WAITING = (_State.PENDING, _State.HELD)


@transaction.atomic
def record_reading(
    *, actor: Actor, organisation: Organisation, connection: Connection, idp: IdentityProvider, known_address: bool
) -> MetadataVersion | None:
    """Compare what an address says today with what is in use, and do or propose what follows.

    `known_address`: it was read by TLS from an address from which it had been read before.

    Returns the version that came of it, or None when there is nothing new. A version that a person declined is not
    proposed again, and one that its identity provider took back is not kept waiting.
    """
    connection = _locked(connection)
    in_use = version_in_use(connection)
    if _says(in_use, idp):
        _withdraw(connection)
        _drop_the_absent(actor, organisation, connection, in_use)
        return None
    if any(_says(version, idp) for version in _versions(connection).filter(state__in=_WAITING)):
        return None
    _withdraw(connection)
    declined = _versions(connection).filter(state=_State.DECLINED).exclude(decided_by="")
    if any(_says(version, idp) for version in declined):
        return None
    judgement = judged(identity_provider(connection), idp)
    if judgement.trusted_by_itself(known_address=known_address):
        version = _add(connection, idp, _State.PENDING, BY_URL, judgement.reasons)
        _put_in_use(actor, connection, version, timezone.now(), keep=True)
        _record(actor, organisation, connection, Action.METADATA_ACCEPTED, version)
        return version
    state = _State.HELD if judgement.dangerous else _State.PENDING
    version = _add(connection, idp, state, BY_URL, judgement.reasons)
    _record(actor, organisation, connection, Action.METADATA_PROPOSED, version)
    write_to_owners(
        organisation=organisation,
        key=f"metadata:{version.pk}",
        name="metadata-waits",
        path=_page(organisation, connection),
        context={"held": judgement.dangerous},
    )
    return version


@transaction.atomic
def record_replacement(
    *, actor: Actor, organisation: Organisation, connection: Connection, idp: IdentityProvider, untested: bool = False
) -> MetadataVersion:
    """Take what somebody who may gives us by hand: in use at once, and what was before can be put back.

    `untested` is the operator's word that it is the same identity provider, whatever it looks like.
    """
    connection = _locked(connection)
    version_in_use(connection)
    _withdraw(connection)
    judgement = judged(identity_provider(connection), idp)
    version = _add(connection, idp, _State.PENDING, BY_HAND, judgement.reasons)
    now = timezone.now()
    if judgement.dangerous and not untested:
        _let_nobody_in(actor, organisation, connection, version, now)
    _put_in_use(actor, connection, version, now)
    return version


@transaction.atomic
def accept_version(*, actor: Actor, organisation: Organisation, connection: Connection, version_id: int) -> None:
    """Take what waits, or was declined before, by an owner's word.

    One that could be somebody else's lets nobody in before a new test, and suspends whom it knew.

    Raises:
        Refusal: `unknown_version`, `other_connection`.
    """
    connection = _locked(connection)
    version = _version(connection, version_id, (*_WAITING, _State.DECLINED))
    in_use = version_in_use(connection)
    dangerous = judged(identity_provider(connection), _described(version)).dangerous
    now = timezone.now()
    if dangerous:
        _let_nobody_in(actor, organisation, connection, version, now)
    _put_in_use(actor, connection, version, now, keep=not dangerous)
    _record(actor, organisation, connection, Action.METADATA_ACCEPTED, version, before=in_use.pk)


@transaction.atomic
def decline_version(*, actor: Actor, organisation: Organisation, connection: Connection, version_id: int) -> None:
    """Leave everything as it is; the same is not proposed again.

    Raises:
        Refusal: `unknown_version`.
    """
    version = _version(_locked(connection), version_id, _WAITING)
    _decide(version, _State.DECLINED, actor, timezone.now())
    _record(actor, organisation, connection, Action.METADATA_DECLINED, version)


@transaction.atomic
def roll_back(*, actor: Actor, organisation: Organisation, connection: Connection, version_id: int) -> None:
    """Put a version back that was in use before.

    Whoever was suspended when it was left for what could be another identity provider is not any more; whoever was
    recognised since is suspended in turn, and whom a later change suspended stays so: this one never knew them.

    Raises:
        Refusal: `unknown_version`, `other_connection`.
    """
    connection = _locked(connection)
    version = _version(connection, version_id, (_State.PAST,))
    restored = list(
        Identity.objects.filter(
            organisation_id=organisation.pk,
            connection=connection,
            suspended_at__isnull=False,
            suspended_at=_left_at(connection, version),
        ).values_list("pk", flat=True)
    )
    _withdraw(connection)
    now = timezone.now()
    if judged(identity_provider(connection), _described(version)).dangerous:
        _let_nobody_in(actor, organisation, connection, version, now)
    Identity.objects.filter(pk__in=restored).update(suspended_at=None)
    _put_in_use(actor, connection, version, now)
    _record(actor, organisation, connection, Action.METADATA_ROLLED_BACK, version, restored=len(restored))


def _left_at(connection: Connection, version: MetadataVersion) -> dt.datetime | None:
    """Return when a version, or a renewal of it, was left for what could be another identity provider."""
    since = version.decided_at or version.created_at
    used = _versions(connection).filter(state__in=(_State.IN_USE, _State.PAST), decided_at__gt=since)
    before = _described(version)
    for each in used.order_by("decided_at", "id"):
        after = _described(each)
        if judged(before, after).dangerous:
            return each.decided_at
        before = after
    return None


def version_in_use(connection: Connection) -> MetadataVersion:
    """Return the version in use; a connection that has none yet gets its first from what it holds."""
    known = _versions(connection).filter(state=_State.IN_USE).first()
    return known or _add(connection, identity_provider(connection), _State.IN_USE, BY_HAND, [])


def lingering(connection: Connection) -> list[str]:
    """Return the certificates that are still trusted although the metadata in use does not name them any more."""
    in_use = _versions(connection).filter(state=_State.IN_USE).first()
    named = set(in_use.idp_certificates) if in_use else set(connection.idp_certificates)
    return [certificate for certificate in connection.idp_certificates if certificate not in named]


def _drop_the_absent(actor: Actor, organisation: Organisation, connection: Connection, in_use: MetadataVersion) -> None:
    """Stop trusting what has been out of the metadata for seven days."""
    until = timezone.now() - ABSENT_DAYS
    used = list(_versions(connection).filter(state__in=(_State.IN_USE, _State.PAST)).order_by("-created_at", "-id"))
    gone = [
        certificate
        for certificate in connection.idp_certificates
        if certificate not in in_use.idp_certificates and _absent_since(certificate, used) <= until
    ]
    if not gone:
        return
    connection.idp_certificates = [each for each in connection.idp_certificates if each not in gone]
    Connection.objects.filter(pk=connection.pk).update(
        idp_certificates=connection.idp_certificates, certificates_until=certificates_until(connection)
    )
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.CONNECTION_CHANGED,
        subject=str(connection.public_id),
        data={"certificates_dropped": len(gone)},
    )


def _absent_since(certificate: str, used: list[MetadataVersion]) -> dt.datetime:
    """Return when the first of the latest versions without it was read."""
    since = timezone.now()
    for version in used:
        if certificate in version.idp_certificates:
            break
        since = version.created_at
    return since


def _put_in_use(
    actor: Actor, connection: Connection, version: MetadataVersion, now: dt.datetime, *, keep: bool = False
) -> None:
    """Make a version the one by which people are let in; `keep` goes on trusting what was trusted.

    Raises:
        Refusal: `other_connection`.
    """
    named = list(version.idp_certificates)
    kept = [each for each in connection.idp_certificates if each not in named] if keep else []
    connection.idp_entity_id = version.idp_entity_id
    connection.idp_sso_url, connection.idp_sso_binding = version.idp_sso_url, version.idp_sso_binding
    connection.idp_slo_url, connection.idp_slo_binding = version.idp_slo_url, version.idp_slo_binding
    connection.idp_slo_response_url = version.idp_slo_response_url
    connection.idp_certificates = named + kept
    connection.certificates_until = certificates_until(connection)
    # The next reading is compared whole, whatever the address said last.
    connection.metadata_etag = ""
    try:
        with transaction.atomic():
            connection.save(
                update_fields=[
                    *("idp_entity_id", "idp_sso_url", "idp_sso_binding", "idp_certificates"),
                    *("idp_slo_url", "idp_slo_binding", "idp_slo_response_url"),
                    *("certificates_until", "metadata_etag"),
                ]
            )
    except IntegrityError:
        message = _("Another connection of your organisation already has this identity provider. Nothing was changed.")
        raise Refusal("other_connection", message) from None
    _versions(connection).filter(state=_State.IN_USE).exclude(pk=version.pk).update(state=_State.PAST)
    _decide(version, _State.IN_USE, actor, now)


def _let_nobody_in(
    actor: Actor, organisation: Organisation, connection: Connection, version: MetadataVersion, now: dt.datetime
) -> None:
    """Ask for a new test, and suspend everybody known here but the owner whose word it is: they vouch for it.

    Otherwise whoever administers the new identity provider could come in as anybody whom the old one knew. The moment
    of the suspension is that of the decision: by it, putting the former version back finds whom to restore.
    """
    Connection.objects.filter(pk=connection.pk).exclude(state=Connection.State.DRAFT).update(
        state=Connection.State.CONFIGURED
    )
    stop_tests_of(connection)
    known = Identity.objects.filter(
        organisation_id=organisation.pk, connection=connection, suspended_at__isnull=True
    ).exclude(user_id=actor.user_id or 0)
    suspended = known.update(suspended_at=now)
    if suspended:
        record_event(
            actor=actor,
            organisation_id=organisation.pk,
            action=Action.IDENTITY_SUSPENDED,
            subject=str(connection.public_id),
            data={"suspended": suspended},
        )
    write_to_owners(
        organisation=organisation,
        key=f"replaced:{version.pk}:{now.isoformat()}",
        name="sign-in-replaced",
        path=_page(organisation, connection),
        context={"who": actor.name},
    )


def _locked(connection: Connection) -> Connection:
    """Read the connection again, alone: a reading and an owner's word must not cross."""
    return Connection.objects.select_for_update().get(pk=connection.pk)


def _versions(connection: Connection) -> QuerySet[MetadataVersion]:
    return MetadataVersion.objects.filter(organisation_id=connection.organisation_id, connection=connection)


def _version(connection: Connection, version_id: int, states: tuple[str, ...]) -> MetadataVersion:
    version = _versions(connection).filter(pk=version_id, state__in=states).first()
    if version is None:
        raise Refusal("unknown_version", _("This version does not wait any more. Look at the page again."))
    return version


def _withdraw(connection: Connection) -> None:
    """Close what waited: its identity provider, or somebody's hand, has said something newer."""
    _versions(connection).filter(state__in=_WAITING).update(
        state=_State.DECLINED, decided_at=timezone.now(), decided_by=""
    )


def _decide(version: MetadataVersion, state: str, actor: Actor, now: dt.datetime) -> None:
    version.state, version.decided_by, version.decided_at = state, actor.name[:200], now
    version.save(update_fields=["state", "decided_by", "decided_at"])


def _add(connection: Connection, idp: IdentityProvider, state: str, source: str, reasons: list[str]) -> MetadataVersion:
    return MetadataVersion.objects.create(
        organisation_id=connection.organisation_id,
        connection=connection,
        state=state,
        source=source,
        reasons=reasons,
        idp_entity_id=idp.entity_id,
        idp_sso_url=idp.sso_url,
        idp_sso_binding=idp.sso_binding,
        idp_slo_url=idp.slo_url,
        idp_slo_binding=idp.slo_binding if idp.slo_url else "",
        idp_slo_response_url=idp.slo_response_url,
        idp_certificates=list(idp.certificates),
    )


def _described(version: MetadataVersion) -> IdentityProvider:
    return IdentityProvider(
        entity_id=version.idp_entity_id,
        sso_url=version.idp_sso_url,
        sso_binding=version.idp_sso_binding,
        slo_url=version.idp_slo_url,
        slo_binding=version.idp_slo_binding or BINDING_REDIRECT,
        slo_response_url=version.idp_slo_response_url,
        certificates=tuple(version.idp_certificates),
    )


def _says(version: MetadataVersion, idp: IdentityProvider) -> bool:
    return not judged(_described(version), idp).reasons


def _record(
    actor: Actor,
    organisation: Organisation,
    connection: Connection,
    action: Action,
    version: MetadataVersion,
    **data: int,
) -> None:
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=action,
        subject=str(connection.public_id),
        data={"version": version.pk, "reasons": version.reasons, **data},
    )


def _page(organisation: Organisation, connection: Connection) -> str:
    return reverse("sign_in_connection", args=[organisation.slug, connection.public_id])
