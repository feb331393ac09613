"""What a change of an identity provider's metadata means: nothing, a renewal, or perhaps somebody else.

Pure: two descriptions in, a judgement out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.db.models import TextChoices

if TYPE_CHECKING:
    from sso.saml.config import IdentityProvider


class Reason(TextChoices):
    """Why a version waits for a person, in codes; the first three could be somebody else's doing."""

    ENTITY_ID = "entity_id"
    SSO_HOST = "sso_host"
    NO_KNOWN_CERTIFICATE = "no_known_certificate"
    NEW_CERTIFICATE = "new_certificate"
    CERTIFICATE_DROPPED = "certificate_dropped"
    ADDRESS = "address"


DANGEROUS: Final = frozenset({Reason.ENTITY_ID, Reason.SSO_HOST, Reason.NO_KNOWN_CERTIFICATE})


@dataclass(frozen=True, slots=True)
class Judgement:
    reasons: list[str] = field(default_factory=list)

    @property
    def dangerous(self) -> bool:
        return not DANGEROUS.isdisjoint(self.reasons)

    def trusted_by_itself(self, *, known_address: bool) -> bool:
        """Say whether the change needs nobody's word.

        A certificate that left takes nothing away at once, and one more beside known ones is an ordinary renewal, if it
        came by TLS from an address that has been read before. Anything else beside it, and a person decides.
        """
        if set(self.reasons) <= {Reason.CERTIFICATE_DROPPED}:
            return True
        return known_address and self.reasons == [Reason.NEW_CERTIFICATE]


def judged(known: IdentityProvider, new: IdentityProvider) -> Judgement:
    """Return what is different in `new`, in codes; nothing when it is the same but for the order of certificates."""
    had, has = set(known.certificates), set(new.certificates)
    found = {
        Reason.ENTITY_ID: known.entity_id != new.entity_id,
        Reason.SSO_HOST: urlsplit(known.sso_url).hostname != urlsplit(new.sso_url).hostname,
        Reason.NO_KNOWN_CERTIFICATE: not had & has,
        Reason.NEW_CERTIFICATE: bool(has - had),
        Reason.CERTIFICATE_DROPPED: bool(had - has),
        Reason.ADDRESS: _addresses(known) != _addresses(new),
    }
    return Judgement([str(reason) for reason, holds in found.items() if holds])


def _addresses(idp: IdentityProvider) -> tuple[str, ...]:
    """Return the addresses and how they are reached: without an address for sign-outs, no way to it counts."""
    sign_out = (idp.slo_url, idp.slo_binding, idp.slo_response_url) if idp.slo_url else ()
    return (idp.sso_url, idp.sso_binding, *sign_out)
