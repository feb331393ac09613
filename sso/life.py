"""What the page of one connection tells: where it stands, what waits, what ends, and what was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as lazy

from sso.diagnosis import Diagnosis, diagnosed, metadata_sentence
from sso.judging import DANGEROUS, Reason
from sso.models import Connection, Identity, MetadataVersion, SignInTrace
from sso.parties import address, facts_of
from sso.radar import Blip, alarms, blips
from sso.selectors import OPEN_STATES, open_connection
from sso.versions import lingering

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

    from portal.organisations.models import Organisation

_NEXT_ACTS: Final[dict[str, str]] = {Connection.State.CONFIGURED: "test", Connection.State.TESTED: "activate"}
_SHOWN_VERSIONS: Final = 20
_SHOWN_FAILURES: Final = 5

REASONS: Mapping[str, _StrPromise] = {
    Reason.ENTITY_ID: lazy("its entity ID is another"),
    Reason.SSO_HOST: lazy("its sign-in page is on another host"),
    Reason.NO_KNOWN_CERTIFICATE: lazy("none of its certificates is known"),
    Reason.NEW_CERTIFICATE: lazy("it has a new certificate"),
    Reason.CERTIFICATE_DROPPED: lazy("a known certificate is missing"),
    Reason.ADDRESS: lazy("an address has changed"),
}

_READING_FAILURES: Mapping[str, _StrPromise] = {
    "unreachable": lazy("The address does not answer, or not with a document."),
    "private_address": lazy("The address leads into a private network: the portal does not go there."),
    "bad_address": lazy("This is not an https:// address."),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One line side by side: what is in use, and what the version says."""

    label: _StrPromise
    now: str
    then: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    version: MetadataVersion
    reasons: list[str]
    dangerous: bool
    differences: list[Difference]
    gained: list[str]
    lost: list[str]


@dataclass(frozen=True, slots=True)
class ConnectionLife:
    acs_url: str
    login_url: str
    metadata_url: str
    opened: bool
    leads: bool
    siblings: int
    waiting: list[VersionLine]
    versions: list[VersionLine]
    certificates: list[Blip]
    alarm: Blip | None
    lingering: set[str]
    reading_failure: str
    our_certificate: str
    next_certificate: str
    previous_certificate: str
    previous_until: dt.datetime | None
    suspended: int
    failures: list[Diagnosis]
    next_act: str


def connection_life(organisation: Organisation, connection: Connection) -> ConnectionLife:
    """Return all of it, in a fixed number of queries."""
    versions = MetadataVersion.objects.filter(organisation_id=organisation.pk, connection=connection)
    lines = [_line(connection, each) for each in versions.order_by("-id")[:_SHOWN_VERSIONS]]
    waiting = (MetadataVersion.State.PENDING, MetadataVersion.State.HELD)
    leading = open_connection(organisation.pk)
    siblings = Connection.objects.filter(organisation_id=organisation.pk).exclude(pk=connection.pk)
    traces = SignInTrace.objects.filter(organisation_id=organisation.pk, connection=connection).exclude(error="")
    identities = Identity.objects.filter(organisation_id=organisation.pk, connection=connection)
    return ConnectionLife(
        acs_url=address(connection.public_id, "acs"),
        login_url=address(connection.public_id, "login"),
        metadata_url=address(connection.public_id, "metadata"),
        opened=connection.state in OPEN_STATES and connection.closed_at is None,
        leads=leading is not None and leading.pk == connection.pk,
        siblings=siblings.count(),
        waiting=[line for line in lines if line.version.state in waiting],
        versions=lines,
        certificates=blips(connection),
        alarm=next(iter(alarms([connection])), None),
        lingering={facts_of(each).fingerprint for each in lingering(connection)},
        reading_failure=_reading_failure(connection.metadata_failure),
        our_certificate=facts_of(connection.sp_certificate).fingerprint if connection.sp_certificate else "",
        next_certificate=facts_of(connection.next_certificate).fingerprint if connection.next_certificate else "",
        previous_certificate=(
            facts_of(connection.previous_certificate).fingerprint if connection.previous_certificate else ""
        ),
        previous_until=connection.previous_until,
        suspended=identities.filter(suspended_at__isnull=False).count(),
        failures=[diagnosed(trace) for trace in traces.order_by("-id")[:_SHOWN_FAILURES]],
        next_act=_NEXT_ACTS.get(connection.state, "") if connection.closed_at is None else "",
    )


def _line(connection: Connection, version: MetadataVersion) -> VersionLine:
    compared = (
        (lazy("Entity ID"), connection.idp_entity_id, version.idp_entity_id),
        (lazy("Sign-in address"), connection.idp_sso_url, version.idp_sso_url),
        (lazy("Sign-out address"), connection.idp_slo_url, version.idp_slo_url),
        (lazy("Binding"), connection.idp_sso_binding.rpartition(":")[2], version.idp_sso_binding.rpartition(":")[2]),
    )
    known, said = set(connection.idp_certificates), set(version.idp_certificates)
    return VersionLine(
        version=version,
        reasons=[str(REASONS[reason]) for reason in version.reasons if reason in REASONS],
        dangerous=not DANGEROUS.isdisjoint(version.reasons),
        differences=[Difference(label, now, then) for label, now, then in compared if now != then],
        gained=[facts_of(each).fingerprint for each in version.idp_certificates if each in said - known],
        lost=[facts_of(each).fingerprint for each in connection.idp_certificates if each in known - said],
    )


def _reading_failure(code: str) -> str:
    if not code:
        return ""
    known = _READING_FAILURES.get(code) or metadata_sentence(code)
    return str(known)
