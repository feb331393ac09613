"""What repairs a failed sign-in: who can do it, what to click in which identity provider, what to copy there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as lazy

from sso.clicks import CLICKS, Repair
from sso.parties import address
from sso.vendors import VENDORS

if TYPE_CHECKING:
    from sso.models import Connection

OTHER: Final = "other"

# What in an entity ID betrays who made the identity provider, where nobody said so.
_TELLTALES: Final = (
    ("sts.windows.net/", "entra"),
    ("/adfs/services/trust", "adfs"),
    ("www.okta.com/", "okta"),
    ("accounts.google.com/", "google"),
    ("/realms/", "keycloak"),
    ("/idp/shibboleth", "shibboleth"),
    ("/saml/metadata", "lemonldap"),
)


class Repairer(StrEnum):
    """Who can make it work again."""

    PERSON = "person"
    IT = "it"
    HR = "hr"
    OWNER = "owner"
    PROGRAMME = "programme"


@dataclass(frozen=True, slots=True)
class Way:
    """What to click in one vendor's pages."""

    vendor: str
    clicks: str


@dataclass(frozen=True, slots=True)
class Value:
    """What is to be copied into the identity provider."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """`ways`: that of the connection's vendor alone, where it is known; else every vendor's, folded."""

    repairer: str
    ways: list[Way]
    folded: bool
    values: list[Value]


def remedy(code: str, connection: Connection) -> Remedy:
    """Say who can repair what this code means for this connection, and how."""
    repairer, repair = _repair_of(code)
    if repair is None:
        return Remedy(repairer, [], folded=False, values=[])
    clicks = CLICKS[repair]
    vendor = connection.vendor or vendor_of(connection.idp_entity_id)
    known = vendor if vendor in clicks else ""
    names = {**VENDORS, OTHER: str(_OTHER_NAME)}
    chosen = [known] if known else list(VENDORS)
    return Remedy(
        repairer,
        [Way(names[name], str(clicks[name])) for name in chosen],
        folded=not known,
        values=_values(repair, connection),
    )


def vendor_of(entity_id: str) -> str:
    """Guess who made an identity provider by its entity ID, or return ""."""
    return next((vendor for sign, vendor in _TELLTALES if sign in entity_id), "")


def _repair_of(code: str) -> tuple[Repairer, Repair | None]:
    if code in _REPAIRS:
        return _REPAIRS[code]
    if code.startswith("status_"):
        return Repairer.IT, Repair.AUTHENTICATION
    if code.startswith("nameid_"):
        return Repairer.IT, Repair.IDENTIFIER
    return Repairer.PROGRAMME, None


def _values(repair: Repair, connection: Connection) -> list[Value]:
    entity_id = Value(str(lazy("Our entity ID (Identifier, Audience)")), connection.entity_id)
    metadata = Value(str(lazy("Our metadata")), address(connection.public_id, "metadata"))
    values = {
        Repair.AUDIENCE: [entity_id, metadata],
        Repair.REPLY: [
            Value(str(lazy("Reply address (ACS URL)")), address(connection.public_id, "acs")),
            metadata,
        ],
        Repair.ENCRYPTION: [metadata],
        Repair.TILE: [Value(str(lazy("Sign-in address for your people")), address(connection.public_id, "login"))],
    }
    return values.get(repair, [])


_OTHER_NAME = lazy("Any other")

_REPAIRS: dict[str, tuple[Repairer, Repair | None]] = {
    "issuer_mismatch": (Repairer.IT, Repair.METADATA),
    "signature_invalid": (Repairer.IT, Repair.CERTIFICATE),
    "unsigned": (Repairer.IT, Repair.SIGNING),
    "weak_algorithm": (Repairer.IT, Repair.ALGORITHM),
    "audience_mismatch": (Repairer.IT, Repair.AUDIENCE),
    "nameid_foreign": (Repairer.IT, Repair.AUDIENCE),
    "recipient_mismatch": (Repairer.IT, Repair.REPLY),
    "destination_mismatch": (Repairer.IT, Repair.REPLY),
    "clock_skew": (Repairer.IT, Repair.CLOCK),
    "expired": (Repairer.IT, Repair.CLOCK),
    "unsolicited": (Repairer.IT, Repair.TILE),
    "request_unknown": (Repairer.PERSON, Repair.REPLY),
    "request_expired": (Repairer.PERSON, None),
    "request_used": (Repairer.PERSON, None),
    "ticket_unknown": (Repairer.PERSON, None),
    "ticket_expired": (Repairer.PERSON, None),
    "ticket_used": (Repairer.PERSON, None),
    "browser_mismatch": (Repairer.PERSON, None),
    "attribute_ambiguous": (Repairer.IT, Repair.ATTRIBUTE),
    "email_missing": (Repairer.IT, Repair.ATTRIBUTE),
    "email_domain_not_verified": (Repairer.OWNER, None),
    "too_many_groups": (Repairer.IT, Repair.ATTRIBUTE),
    "too_large": (Repairer.IT, Repair.ATTRIBUTE),
    "decrypt_failed": (Repairer.IT, Repair.ENCRYPTION),
    "encrypted_cbc_unsigned": (Repairer.IT, Repair.ENCRYPTION),
    "status_request_denied": (Repairer.IT, Repair.ASSIGNMENT),
    "status_invalid_nameid_policy": (Repairer.IT, Repair.IDENTIFIER),
    "user_disabled": (Repairer.HR, None),
    "staff_account": (Repairer.PERSON, None),
    "connection_closed": (Repairer.OWNER, None),
    "identity_suspended": (Repairer.OWNER, None),
}
