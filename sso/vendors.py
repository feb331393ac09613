"""The identity providers that the set-up knows by name, and the names under which each sends attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sso.saml.attributes import NAME_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_MICROSOFT = "http://schemas.microsoft.com/identity/claims/"

VENDORS: Final[Mapping[str, str]] = {
    "entra": "Microsoft Entra ID",
    "adfs": "AD FS",
    "okta": "Okta",
    "google": "Google Workspace",
    "keycloak": "Keycloak",
    "shibboleth": "Shibboleth",
    "lemonldap": "LemonLDAP::NG",
    "other": "",
}
"""Code → name; "other" has none: it is named in the reader's language."""

_BY_HAND: Final = {"subject": [NAME_ID], "email": ["email"], "first_name": ["firstName"], "last_name": ["lastName"]}

# Target → the names tried, first to last. A target left out is automatic: every name that the portal knows is tried.
MAPPINGS: Final[Mapping[str, Mapping[str, list[str]]]] = {
    "entra": {
        "subject": [f"{_MICROSOFT}objectidentifier"],
        "email": [f"{_CLAIMS}emailaddress"],
        "first_name": [f"{_CLAIMS}givenname"],
        "last_name": [f"{_CLAIMS}surname"],
    },
    "adfs": {
        "email": [f"{_CLAIMS}emailaddress"],
        "first_name": [f"{_CLAIMS}givenname"],
        "last_name": [f"{_CLAIMS}surname"],
    },
    "okta": _BY_HAND,
    "google": _BY_HAND,
    "keycloak": {},
    "shibboleth": {
        "email": ["urn:oid:0.9.2342.19200300.100.1.3", "mail"],
        "first_name": ["urn:oid:2.5.4.42", "givenName"],
        "last_name": ["urn:oid:2.5.4.4", "sn"],
    },
    "lemonldap": {"email": ["mail"], "first_name": ["givenName"], "last_name": ["sn"]},
    "other": {},
}
