"""Writing API tokens."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from portal.api.authentication import ORGANISATION, WRITE_COMPLETIONS, WRITE_ROSTER, token_digest
from portal.api.models import ApiToken
from portal.audit.actions import Action
from portal.audit.services import record_platform_event
from portal.core.errors import Refusal
from portal.organisations.selectors import organisation_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portal.core.actor import Actor

PREFIX = "oia_"
"""Lets a secret that leaked into a file be recognised by those who scan for such."""


@transaction.atomic
def create_api_token(*, actor: Actor, name: str, scopes: Iterable[str]) -> str:
    """Create a token and return its secret, which exists nowhere else.

    Raises:
        Refusal: `invalid_name`, `invalid_scope`, `unknown_organisation`, `exists_differently`: the secret of a token
            that exists cannot be shown again.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= 100:
        raise Refusal("invalid_name", _("Give the token a name of 100 characters at most."))
    wanted = sorted(set(scopes))
    for scope in wanted:
        _check_scope(scope)
    if not wanted:
        message = _("Say what the token may do: completions:write, roster:write or organisation:SLUG.")
        raise Refusal("invalid_scope", message)
    secret = PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(name=name, digest=token_digest(secret), scopes=wanted)
    except IntegrityError:
        message = _("A token named “%(name)s” exists; its secret cannot be shown again. Choose another name.")
        raise Refusal("exists_differently", message % {"name": name}) from None
    record_platform_event(actor=actor, action=Action.TOKEN_CREATED, subject=str(token.pk), data={"scopes": wanted})
    return secret


def _check_scope(scope: str) -> None:
    if scope in (WRITE_COMPLETIONS, WRITE_ROSTER):
        return
    if not scope.startswith(ORGANISATION):
        message = _("There is no scope “%(scope)s”: take completions:write, roster:write or organisation:SLUG.")
        raise Refusal("invalid_scope", message % {"scope": scope})
    organisation_named(scope.removeprefix(ORGANISATION))
