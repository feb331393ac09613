"""What the page of a refused sign-in says: one sentence, what to do now, and whom to ask with which code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.urls import reverse
from django.utils.translation import gettext as _

from sso.diagnosis import may_start_again, plain_sentence

if TYPE_CHECKING:
    from sso.models import Connection

_TELEPHONE: Final = re.compile(r"\+?[0-9][0-9 .()/-]{2,30}")
_POINTLESS: Final = frozenset({"user_disabled", "staff_account", "connection_closed", "identity_suspended"})
"""To start again would lead to the same page: somebody else has to act first."""


def refusal_context(connection: Connection, *, code: str, trace: str) -> dict[str, Any]:
    """Return what the page shows. It says nothing of how the check works, whoever reads it."""
    partner = connection.organisation
    start = reverse("sso_login", args=[connection.public_id])
    return {
        "sentence": plain_sentence(code),
        "trace": trace,
        "partner": partner,
        "start_again": start if may_start_again(code) or code == "too_many" else "",
        "try_later": "" if may_start_again(code) or code in _POINTLESS or code == "too_many" else start,
        "staff": code == "staff_account",
        "contact_url": contact_url(partner.support_contact, trace),
    }


def contact_url(contact: str, trace: str) -> str:
    """Return a link to write or to call, when the contact is nothing but an address or a number."""
    contact = contact.strip()
    try:
        validate_email(contact)
    except ValidationError:
        digits = "".join(sign for sign in contact if sign in "+0123456789")
        return f"tel:{digits}" if _TELEPHONE.fullmatch(contact) else ""
    subject = _("I cannot sign in to Objectif IA (code %(code)s)") % {"code": trace} if trace else ""
    return f"mailto:{quote(contact, safe='@')}" + (f"?subject={quote(subject)}" if subject else "")
