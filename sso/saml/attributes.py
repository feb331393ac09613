"""From what an identity provider sends to who the person is: names of attributes differ, rules do not."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from sso.saml.errors import SAMLError
from sso.saml.names import EMAIL_ADDRESS, PERSISTENT, TRANSIENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_MICROSOFT = "http://schemas.microsoft.com/identity/claims/"
_URN = "urn:mace:dir:attribute-def:"
NAME_ID: Final = "NameID"

# Candidates in order: the first attribute with a value wins.
PRESET: Final[dict[str, tuple[str, ...]]] = {
    "subject": (
        f"{_MICROSOFT}objectidentifier",
        "urn:oasis:names:tc:SAML:attribute:subject-id",
        "urn:oasis:names:tc:SAML:attribute:pairwise-id",
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.10",
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarysid",
        "PersonImmutableID",
        "http://schemas.goauthentik.io/2021/02/saml/uid",
    ),
    "email": (
        f"{_CLAIMS}emailaddress",
        "urn:oid:0.9.2342.19200300.100.1.3",
        "urn:oid:1.2.840.113549.1.9.1",
        f"{_URN}mail",
        "mail",
        "email",
        "Email",
        "emailAddress",
        "User.email",
    ),
    "employee_number": (
        "employeeNumber",
        "employee_number",
        "employeenumber",
        "employeeId",
        "employeeid",
        "urn:oid:2.16.840.1.113730.3.1.3",
        f"{_URN}employeeNumber",
        f"{_CLAIMS}employeeid",
        f"{_CLAIMS}employeenumber",
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/employeeid",
    ),
    "first_name": (
        f"{_CLAIMS}givenname",
        "urn:oid:2.5.4.42",
        f"{_URN}givenName",
        "givenName",
        "firstName",
        "first_name",
        "User.FirstName",
    ),
    "last_name": (
        f"{_CLAIMS}surname",
        "urn:oid:2.5.4.4",
        f"{_URN}sn",
        "sn",
        "surname",
        "lastName",
        "last_name",
        "User.LastName",
    ),
    "display": (
        f"{_MICROSOFT}displayname",
        "urn:oid:2.16.840.1.113730.3.1.241",
        "displayName",
        f"{_CLAIMS}name",
        "cn",
    ),
}


class Said(Protocol):
    """What an identity provider says of a person: a verified assertion, or what was kept of a test's."""

    @property
    def name_id(self) -> str: ...
    @property
    def name_id_format(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True)
class MappedPerson:
    """`subject` identifies the person within the connection for ever; everything else is data and may be "".

    `subject_source` is the attribute that the subject came from, or "NameID".
    """

    subject: str
    subject_source: str
    email: str
    employee_number: str
    first_name: str
    last_name: str
    display: str


def mapped(assertion: Said, mapping: Mapping[str, Sequence[str]]) -> MappedPerson:
    """Apply a connection's mapping; a target that it does not name uses the preset."""

    def value(target: str) -> str:
        return _first(assertion, target, mapping.get(target) or PRESET[target])[0]

    subject, source = subject_of(assertion, mapping.get("subject", ()), mapping.get("email", ()))
    return MappedPerson(
        subject=subject,
        subject_source=source,
        email=value_for(assertion, "email", mapping.get("email", ()))[0],
        employee_number=value("employee_number"),
        first_name=value("first_name"),
        last_name=value("last_name"),
        display=value("display"),
    )


def subject_of(assertion: Said, chosen: Sequence[str], email: Sequence[str] = ()) -> tuple[str, str]:
    """Return what identifies the person, and where it stood. `email` is the connection's choice for the address.

    An attribute that the connection chose is the only source: falling back to another would turn one
    person into two. Without a choice: a persistent NameID, then an attribute known to be immutable, then
    a NameID of a free format, which AD FS, Okta and Keycloak fill with a user name. What is an e-mail
    address is not taken, whatever it calls itself: addresses are handed on, and whoever receives one
    would receive the account.

    Raises:
        SAMLError: `nameid_missing`, `nameid_transient`, `nameid_email`, `attribute_ambiguous`.
    """
    subject, source = _identifier(assertion, chosen)
    # An attribute may look like an address: subject-id and pairwise-id end in "@" and a scope.
    if source != NAME_ID and subject.casefold() in _addresses(assertion, email):
        raise SAMLError("nameid_email", received=source)
    return subject, source


def _identifier(assertion: Said, chosen: Sequence[str]) -> tuple[str, str]:
    if chosen and list(chosen) != [NAME_ID]:
        return _chosen_attribute(assertion, chosen)
    name_id = _clean(assertion.name_id)
    if chosen or (name_id and assertion.name_id_format == PERSISTENT and "@" not in name_id):
        return _stable_name_id(assertion, name_id), NAME_ID
    subject, source = _first(assertion, "subject", PRESET["subject"])
    return (subject, source) if subject else (_stable_name_id(assertion, name_id), NAME_ID)


def _addresses(assertion: Said, names: Sequence[str]) -> set[str]:
    """Return every address that is said of the person, whichever of them is read."""
    values = [value for name in (*names, *PRESET["email"]) for value in assertion.attributes.get(name, ())]
    if assertion.name_id_format == EMAIL_ADDRESS:
        values.append(assertion.name_id)
    return {_clean(value).casefold() for value in values}


def value_for(assertion: Said, target: str, names: Sequence[str]) -> tuple[str, str]:
    """Return the value that a target other than the subject takes, and the attribute that it stands in.

    Raises:
        SAMLError: `attribute_ambiguous`.
    """
    if target != "email":
        return _first(assertion, target, names or PRESET[target])
    said, name = _address(assertion, names or PRESET[target])
    address = _email(said)
    return (address, name) if address else ("", "")


def _chosen_attribute(assertion: Said, chosen: Sequence[str]) -> tuple[str, str]:
    subject, source = _first(assertion, "subject", chosen)
    if source in PRESET["email"]:
        raise SAMLError("nameid_email", received=source)
    if not subject:
        raise SAMLError("nameid_missing", expected=" ".join(chosen), received=_names(assertion))
    return subject, source


def _stable_name_id(assertion: Said, name_id: str) -> str:
    if not name_id:
        raise SAMLError("nameid_missing", received=_names(assertion))
    if assertion.name_id_format == TRANSIENT:
        raise SAMLError("nameid_transient", received=_names(assertion))
    # The format is only what the identity provider calls it: many call an address persistent.
    if assertion.name_id_format == EMAIL_ADDRESS or "@" in name_id:
        raise SAMLError("nameid_email", received=_names(assertion))
    return name_id


def _first(assertion: Said, target: str, names: Sequence[str]) -> tuple[str, str]:
    """Return the one value of the first candidate that has any, and its name."""
    for name in names:
        values = {value for each in assertion.attributes.get(name, ()) if (value := _clean(each))}
        if len(values) > 1:
            # Which of two is the person's would be a guess.
            raise SAMLError("attribute_ambiguous", received=name, expected=f"one value for {target}")
        if values:
            return values.pop(), name
    return "", ""


def _address(assertion: Said, names: Sequence[str]) -> tuple[str, str]:
    """Return the one address said, as it was said, and where it stood.

    Normalised, a letter that only looks like "k" would become one.
    """
    chosen, source = _first(assertion, "email", names)
    if chosen:
        return next(value.strip() for value in assertion.attributes[source] if _clean(value) == chosen), source
    return (assertion.name_id.strip(), NAME_ID) if assertion.name_id_format == EMAIL_ADDRESS else ("", "")


def _email(text: str) -> str:
    """Return an address in lower case, or "" when it is none: a person without e-mail is welcome."""
    address = text.lower() if text.isascii() else ""
    local, _, domain = address.partition("@")
    plausible = bool(local) and "." in domain and "@" not in domain
    return address if plausible and address.isprintable() and " " not in address else ""


def _clean(text: str) -> str:
    """One person must not become two by white space or by another spelling of the same accents."""
    return unicodedata.normalize("NFC", text).strip()


def _names(assertion: Said) -> str:
    """The names of what was received help to repair a mapping; the values are personal and stay out."""
    return " ".join(assertion.attributes)
