"""The rules of the web sign-in profile that the toolkit leaves open, each with a code of its own.

They run on a message whose signature may not have been verified yet: they can only refuse. What they
return is used after the signature has been verified on the same tree.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sso.saml.errors import SAMLError
from sso.saml.names import BEARER, ENTITY_FORMAT, STATUS, SUCCESS, ds, saml, samlp

if TYPE_CHECKING:
    from lxml import etree

    from sso.saml.config import IdentityProvider, ServiceProvider

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z")
_STATUS_CODES = {
    f"{STATUS}AuthnFailed": "status_authn_failed",
    f"{STATUS}NoPassive": "status_no_passive",
    f"{STATUS}InvalidNameIDPolicy": "status_invalid_nameid_policy",
    f"{STATUS}RequestDenied": "status_request_denied",
    f"{STATUS}NoAuthnContext": "status_no_authn_context",
    f"{STATUS}Requester": "status_requester",
    f"{STATUS}VersionMismatch": "status_version_mismatch",
}


@dataclass(frozen=True)
class Window:
    """The moment of the verification and how far the two clocks may differ."""

    now: dt.datetime
    skew: dt.timedelta

    def require_begun(self, begin: dt.datetime) -> None:
        if begin > self.now + self.skew:
            ahead = int((begin - self.now).total_seconds())
            raise SAMLError("clock_skew", received=f"{ahead} s ahead", expected=f"{self.skew.seconds} s at most")

    def require_not_over(self, end: dt.datetime) -> None:
        if end <= self.now - self.skew:
            raise SAMLError("expired", received=end.isoformat(), expected=f"after {self.now.isoformat()}")


@dataclass(frozen=True)
class Confirmation:
    """What confirms that the bearer of the assertion is its subject: for which request, and for how long."""

    in_response_to: str
    not_before: dt.datetime | None
    not_on_or_after: dt.datetime


def instant(text: str) -> dt.datetime:
    """Read a moment as SAML writes it: always in UTC; fractions of a second do not count."""
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        raise SAMLError("malformed", reason="not a moment in UTC", received=text)
    return dt.datetime.fromisoformat(match[1]).replace(tzinfo=dt.UTC)


def text_of(element: etree._Element | None) -> str:
    """Return the whole text of a leaf. An element inside would cut the text in two: it is refused."""
    if element is None:
        return ""
    if len(element):
        raise SAMLError("forbidden_xml", reason="element inside a text", received=str(element.tag))
    return (element.text or "").strip()


def require_success(response: etree._Element) -> None:
    """Name the identity provider's own refusal. It is rarely signed, and it opens nothing."""
    outer = response.find(f"{samlp('Status')}/{samlp('StatusCode')}")
    if outer is None:
        raise SAMLError("malformed", reason="no status")
    status = outer.get("Value", "")
    if status == SUCCESS:
        return
    inner = outer.find(samlp("StatusCode"))
    cause = inner.get("Value", "") if inner is not None else ""
    code = _STATUS_CODES.get(cause) or _STATUS_CODES.get(status) or "status_responder"
    message = text_of(response.find(f"{samlp('Status')}/{samlp('StatusMessage')}"))
    raise SAMLError(code, received=cause or status, message=message)


def require_issuer(response: etree._Element, assertion: etree._Element, idp: IdentityProvider) -> None:
    """Require the connection's identity provider on the assertion, and on the response if it names one."""
    outer = response.find(saml("Issuer"))
    issuers = [assertion.find(saml("Issuer"))] + ([] if outer is None else [outer])
    for issuer in issuers:
        name = text_of(issuer)
        if issuer is None or name != idp.entity_id or issuer.get("Format", ENTITY_FORMAT) != ENTITY_FORMAT:
            raise SAMLError("issuer_mismatch", received=name, expected=idp.entity_id)


def require_destination(response: etree._Element, sp: ServiceProvider) -> None:
    """Compare exactly: `…/acs/1` is not `…/acs/10`. A signed response must say where it goes."""
    destination = response.get("Destination")
    if destination is None and response.find(ds("Signature")) is None:
        return
    if destination != sp.acs_url:
        raise SAMLError("destination_mismatch", received=destination or "", expected=sp.acs_url)


def require_conditions(assertion: etree._Element, sp: ServiceProvider, window: Window) -> None:
    """Require one Conditions element, in time, whose every audience restriction names us."""
    found = assertion.findall(saml("Conditions"))
    if len(found) != 1:
        raise SAMLError("malformed", reason="not exactly one Conditions")
    conditions = found[0]
    if begin := conditions.get("NotBefore"):
        window.require_begun(instant(begin))
    if end := conditions.get("NotOnOrAfter"):
        window.require_not_over(instant(end))
    restrictions = conditions.findall(saml("AudienceRestriction"))
    # Several restrictions must all hold; several audiences in one are alternatives.
    audiences = [[text_of(each) for each in item.findall(saml("Audience"))] for item in restrictions]
    if not audiences or not all(sp.entity_id in each for each in audiences):
        received = " ".join(audience for each in audiences for audience in each)
        raise SAMLError("audience_mismatch", received=received, expected=sp.entity_id)


def bearer_confirmation(
    response: etree._Element,
    assertion: etree._Element,
    sp: ServiceProvider,
    window: Window,
    request_id: str,
) -> Confirmation:
    """Return the first bearer confirmation that holds; if none does, raise what is wrong with the first."""
    refusal = SAMLError("malformed", reason="no bearer confirmation")
    confirmations = assertion.findall(f"{saml('Subject')}/{saml('SubjectConfirmation')}")
    bearers = [each for each in confirmations if each.get("Method") == BEARER]
    for index, each in enumerate(bearers):
        try:
            return _confirmation(response, each, sp, window, request_id)
        except SAMLError as error:
            refusal = error if index == 0 else refusal
    raise refusal


def _confirmation(
    response: etree._Element,
    confirmation: etree._Element,
    sp: ServiceProvider,
    window: Window,
    request_id: str,
) -> Confirmation:
    data = confirmation.find(saml("SubjectConfirmationData"))
    if data is None:
        raise SAMLError("malformed", reason="no confirmation data")
    recipient = data.get("Recipient", "")
    if recipient != sp.acs_url:
        raise SAMLError("recipient_mismatch", received=recipient, expected=sp.acs_url)
    end = data.get("NotOnOrAfter")
    if end is None:
        raise SAMLError("malformed", reason="confirmation without end")
    not_on_or_after = instant(end)
    window.require_not_over(not_on_or_after)
    begin = data.get("NotBefore")
    not_before = instant(begin) if begin else None
    if not_before is not None:
        window.require_begun(not_before)
    answered = _answered_request(response, data, request_id)
    return Confirmation(answered, not_before, not_on_or_after)


def _answered_request(response: etree._Element, data: etree._Element, request_id: str) -> str:
    """Return the request that this message answers, from a signed place.

    When only the assertion is signed, anyone can write InResponseTo on the response around it: then the
    confirmation inside the assertion must name the request. Where both speak, they must agree.
    """
    outer, inner = response.get("InResponseTo"), data.get("InResponseTo")
    signed = [inner] if response.find(ds("Signature")) is None else [inner, outer]
    if not any(signed):
        raise SAMLError("unsolicited")
    for value in (outer, inner):
        if value is not None and value != request_id:
            raise SAMLError("request_unknown", received=value)
    return request_id


@dataclass(frozen=True)
class Authentication:
    """When the person signed in at the identity provider, and the index and the end of that session."""

    instant: dt.datetime
    session_index: str
    session_end: dt.datetime | None


def require_authentication(assertion: etree._Element, window: Window) -> Authentication:
    """Return the one authentication that an assertion speaks of."""
    statements = assertion.findall(saml("AuthnStatement"))
    if len(statements) != 1:
        raise SAMLError("malformed", reason="not exactly one AuthnStatement")
    statement = statements[0]
    end = statement.get("SessionNotOnOrAfter")
    session_end = instant(end) if end else None
    if session_end is not None:
        window.require_not_over(session_end)
    authn_instant = instant(statement.get("AuthnInstant", ""))
    window.require_begun(authn_instant)
    window.require_begun(instant(assertion.get("IssueInstant", "")))
    return Authentication(authn_instant, statement.get("SessionIndex", ""), session_end)
