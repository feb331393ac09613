"""What went wrong in words: one plain sentence for the person, and what HR and IT should look at.

A failed sign-in tells the person nothing that would help an attacker; the same trace code opens the rest for those who
look after the connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from sso.models import SignInTrace

_START_AGAIN = frozenset(
    {
        "request_unknown",
        "request_expired",
        "request_used",
        "replay",
        "ticket_unknown",
        "ticket_expired",
        "ticket_used",
        "browser_mismatch",
        "expired",
        "unsolicited",
    }
)
_REFUSED_THERE = "status_"

_PLAIN = {
    "user_disabled": lazy("Your access has ended. If this is a mistake, ask your organisation's HR."),
    "connection_closed": lazy("Your organisation's sign-in is not open yet. HR will tell you when it is."),
    "identity_suspended": lazy(
        "Your organisation changed its sign-in service: an owner must confirm first that it is still you."
    ),
    "authn_too_old": lazy("Your company's sign-in service did not ask you again, so we cannot be sure that it is you."),
    "another_person": lazy("You signed in there with another account than here. Nothing was changed."),
    "too_many": lazy("Too many failed attempts come from your network. Wait a minute, then start again."),
}

# Code → what happened, what to do. The words of the interface of the identity providers stay in English.
_DIAGNOSES: dict[str, tuple[_StrPromise, _StrPromise]] = {
    "issuer_mismatch": (
        lazy("The answer came from another identity provider than the one connected."),
        lazy("The metadata is probably that of another environment: upload that of this one."),
    ),
    "signature_invalid": (
        lazy("The signature was not made with a certificate that this connection knows."),
        lazy("The certificate was probably renewed: upload the new metadata."),
    ),
    "unsigned": (
        lazy("The answer was not signed."),
        lazy("In the identity provider, turn on “Sign assertion” or “Sign response”."),
    ),
    "weak_algorithm": (
        lazy("The answer was signed with an algorithm that is no longer safe."),
        lazy("In the identity provider, choose SHA-256."),
    ),
    "audience_mismatch": (
        lazy("The answer was made for another service."),
        lazy("In the identity provider, set the entity ID (Identifier, Audience) to the one shown on this page."),
    ),
    "recipient_mismatch": (
        lazy("The answer was made for another address."),
        lazy("In the identity provider, set the reply address (ACS URL) to the one shown on this page."),
    ),
    "destination_mismatch": (
        lazy("The answer was sent to another address."),
        lazy("In the identity provider, set the reply address (ACS URL) to the one shown on this page."),
    ),
    "clock_skew": (
        lazy("The clock of the identity provider is ahead of ours."),
        lazy("Set the clock of the identity provider by a time server."),
    ),
    "expired": (
        lazy("The answer arrived after its end."),
        lazy("If it happens often, the clock of the identity provider is late: set it by a time server."),
    ),
    "unsolicited": (
        lazy("The identity provider keeps sending answers that nobody asked for."),
        lazy("Turn off the sign-in that starts from the identity provider, or use our sign-in address as its start."),
    ),
    "request_unknown": (
        lazy("The answer belongs to a request that we did not make for this connection."),
        lazy("Most often an old page was used. If it repeats, compare the reply address with the one on this page."),
    ),
    "request_expired": (
        lazy("More than fifteen minutes passed between the start of the sign-in and its answer."),
        lazy("Nothing to repair: the person starts again."),
    ),
    "request_used": (
        lazy("The same answer was sent twice."),
        lazy("Nothing to repair: most often the back button."),
    ),
    "replay": (
        lazy("An assertion that had already been used came again."),
        lazy("Rare. If it repeats, tell your account manager."),
    ),
    "ticket_unknown": (
        lazy("The last step of the sign-in was opened by an address that is not ours or is incomplete."),
        lazy("Nothing to repair: the person starts again."),
    ),
    "ticket_expired": (
        lazy("The last step of the sign-in took longer than a minute."),
        lazy("Nothing to repair: the person starts again."),
    ),
    "ticket_used": (
        lazy("The last step of the sign-in was opened twice."),
        lazy("Nothing to repair: most often the back button or a reloaded page."),
    ),
    "browser_mismatch": (
        lazy("The sign-in was finished in another browser than the one that began it, or without cookies."),
        lazy("Cookies of the portal must be allowed; the person starts again in one browser."),
    ),
    "connection_closed": (
        lazy("Somebody tried to sign in before this connection was switched on."),
        lazy("Make a test sign-in, then switch the connection on."),
    ),
    "key_unreadable": (
        lazy("The portal's own key of this connection cannot be read."),
        lazy("The fault is on our side: tell your account manager."),
    ),
    "user_disabled": (
        lazy("The person is no longer active on the roster."),
        lazy("If they still work with you, correct the roster; they can then sign in at once."),
    ),
    "authn_too_old": (
        lazy("The person was to show again who they are, and the identity provider answered from a running session."),
        lazy("In the identity provider, let this application ask for a new sign-in when it says ForceAuthn."),
    ),
    "another_person": (
        lazy("The person was to show again who they are, and somebody else answered."),
        lazy("Nothing to repair: most often a shared computer, or a second account of the same person."),
    ),
    "staff_account": (
        lazy("The account belongs to the programme's own people."),
        lazy("They sign in by password; your identity provider is not concerned."),
    ),
    "identity_suspended": (
        lazy("The identity provider was replaced, and this person holds a role here."),
        lazy("An owner confirms on the page of the matches that it is still the same person."),
    ),
    "logout_partial": (
        lazy("The identity provider says that it has not ended every session."),
        lazy("Its journal says which service kept one; the session here has ended."),
    ),
    "logout_no_session": (
        lazy("The identity provider asked to sign somebody out who was not signed in here."),
        lazy("Nothing to repair: most often the session here had already ended."),
    ),
    "nameid_missing": (
        lazy("The answer does not say who the person is."),
        lazy("Send a persistent NameID, or an identifier that never changes, such as the object identifier."),
    ),
    "nameid_transient": (
        lazy("The identifier sent changes at every sign-in."),
        lazy("Choose the NameID format “persistent”, or send an identifier that never changes."),
    ),
    "nameid_email": (
        lazy("The only identifier sent is an e-mail address, and addresses are handed on."),
        lazy("Send a persistent NameID, or an identifier that never changes; the address may be sent beside it."),
    ),
    "nameid_foreign": (
        lazy("The identifier was made for another service."),
        lazy("In the identity provider, set the entity ID (Identifier, Audience) to the one shown on this page."),
    ),
    "nameid_encrypted": (
        lazy("The identifier is encrypted by itself."),
        lazy("In the identity provider, turn off the encryption of the NameID; the whole assertion may be encrypted."),
    ),
    "nameid_too_long": (
        lazy("The identifier sent is too long."),
        lazy("Choose another identifier that never changes."),
    ),
    "attribute_ambiguous": (
        lazy("An attribute that must have one value has several."),
        lazy("Correct the attribute in the identity provider."),
    ),
    "decrypt_failed": (
        lazy("The answer could not be decrypted."),
        lazy("Turn encryption off, or upload our current metadata in the identity provider."),
    ),
    "encrypted_cbc_unsigned": (
        lazy("The answer is encrypted in a way that is only safe inside a signed response."),
        lazy("In the identity provider, sign the response too, or turn encryption off: the transport is encrypted."),
    ),
    "too_large": (
        lazy("The message was longer than any sign-in needs."),
        lazy("Limit the groups and attributes that the identity provider sends."),
    ),
    "status_authn_failed": (
        lazy("The identity provider could not authenticate the person."),
        lazy("Look for the person's sign-in in the journal of the identity provider."),
    ),
    "status_request_denied": (
        lazy("The identity provider refused this person."),
        lazy("Check that the application is assigned to the people or the group concerned."),
    ),
    "status_invalid_nameid_policy": (
        lazy("The identity provider cannot give the identifier that was asked for."),
        lazy("Configure a persistent NameID for this application."),
    ),
}
_OTHER_STATUS = (
    lazy("The identity provider answered that the sign-in did not succeed."),
    lazy("Its journal says why; the status that it sent is below."),
)
_OTHER = (
    lazy("The message was not one that an identity provider normally sends."),
    lazy("If it repeats with your own people, send this code to your account manager."),
)

_METADATA: dict[str, _StrPromise] = {
    "metadata_empty": lazy("The file is empty. Download the metadata of your identity provider again."),
    "metadata_html": lazy(
        "This is a web page, not SAML metadata. Download the federation metadata as an XML file and choose that file."
    ),
    "metadata_json": lazy(
        "This is a JSON document, not SAML metadata. Download the metadata as XML; OpenID Connect is not used here."
    ),
    "metadata_not_xml": lazy(
        "This is not SAML metadata: it is not an XML document. Download the metadata of your identity provider as XML."
    ),
    "metadata_not_saml": lazy("This is XML, but not SAML metadata: its root is not an EntityDescriptor."),
    "metadata_forbidden_xml": lazy("This XML holds constructs that metadata never needs, such as a DOCTYPE."),
    "metadata_too_large": lazy(
        "This file is larger than 1 MB: it is the metadata of a whole federation, not of one provider."
    ),
    "metadata_several_idps": lazy("This file describes several identity providers. Give that of yours alone."),
    "metadata_service_provider": lazy(
        "This is the metadata of a service, such as ours. The portal needs that of your identity provider."
    ),
    "metadata_no_idp": lazy("This metadata describes no SAML 2.0 identity provider."),
    "metadata_expired": lazy("This metadata has expired. Download it again."),
    "metadata_no_entity_id": lazy("This metadata has no entity ID, or one that is too long."),
    "metadata_no_endpoint": lazy("This metadata gives no sign-in address by HTTP-Redirect or HTTP-POST."),
    "metadata_insecure_endpoint": lazy("An address in this metadata does not begin with https://."),
    "metadata_no_certificate": lazy("This metadata holds no certificate for signatures."),
    "metadata_bad_certificate": lazy("A certificate in this metadata cannot be read."),
    "metadata_weak_key": lazy("A certificate in this metadata is too weak: RSA with 2048 bits at least is needed."),
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    trace: SignInTrace
    what: str
    advice: str
    received: str
    expected: str


def code_words(code: str) -> tuple[str, str]:
    """Return what happened and what to do, for a code of the catalogue."""
    what, advice = _DIAGNOSES.get(code, _OTHER_STATUS if code.startswith(_REFUSED_THERE) else _OTHER)
    return str(what), str(advice)


def diagnosed(trace: SignInTrace) -> Diagnosis:
    """Say what happened, what came, what was expected, and what to do."""
    other = _OTHER_STATUS if trace.error.startswith(_REFUSED_THERE) else _OTHER
    what, advice = _DIAGNOSES.get(trace.error, other)
    return Diagnosis(
        trace=trace,
        what=str(what),
        advice=str(advice),
        received=str(trace.details.get("received") or trace.details.get("reason") or ""),
        expected=str(trace.details.get("expected") or ""),
    )


def what_happened(code: str) -> str:
    """Return the diagnosis of a code in one sentence, without what a single attempt received."""
    other = _OTHER_STATUS if code.startswith(_REFUSED_THERE) else _OTHER
    return str(_DIAGNOSES.get(code, other)[0])


def plain_sentence(code: str) -> str:
    """Return what the person reads: what to do next, and nothing about how the check works."""
    if code in _PLAIN:
        return str(_PLAIN[code])
    if code in _START_AGAIN:
        return _("This sign-in took too long, or its page was opened twice. Start again: nothing is lost.")
    if code.startswith(_REFUSED_THERE):
        return _("Your company's sign-in service did not let you through. Try again, or ask your IT support.")
    return _("Your company's sign-in service and the portal do not understand each other. It is not your mistake.")


def sign_out_sentence(code: str) -> str:
    """Return what somebody reads who has signed out here, and not certainly there."""
    if code == "logout_partial":
        return _(
            "Your company's sign-in service says that you are still signed in to something else. Close your browser."
        )
    return _("We could not check that your company's sign-in service has signed you out too. Close your browser.")


def may_start_again(code: str) -> bool:
    return code in _START_AGAIN or code.startswith(_REFUSED_THERE)


def metadata_sentence(code: str) -> _StrPromise:
    return _METADATA.get(code) or _METADATA_OTHER


_METADATA_OTHER = lazy("This is not SAML metadata that the portal can read.")
