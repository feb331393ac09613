"""What a test sign-in brought, in full: kept sealed and for an hour, for whoever sets the connection up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import InvalidToken
from django.utils import timezone

from portal.core.sealing import seal, unseal
from sso.models import SignInRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sso.models import Connection
    from sso.saml.attributes import Said

KEPT: Final = timedelta(hours=1)
PURPOSE: Final = "sso-test"


@dataclass(frozen=True, slots=True)
class Received:
    name_id: str
    name_id_format: str
    attributes: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_json(cls, content: bytes) -> Received:
        said: dict[str, Any] = json.loads(content)
        values = {name: tuple(each) for name, each in said["attributes"].items()}
        return cls(said["name_id"], said["name_id_format"], values)


def sealed_answer(said: Said) -> bytes:
    """Return all that an assertion says of the person, sealed for nobody but `opened_answer`."""
    content = {
        "name_id": said.name_id,
        "name_id_format": said.name_id_format,
        "attributes": {name: list(values) for name, values in said.attributes.items()},
    }
    return seal(json.dumps(content).encode(), purpose=PURPOSE)


def opened_answer(sealed: bytes) -> Received | None:
    try:
        return Received.from_json(unseal(sealed, purpose=PURPOSE))
    except InvalidToken:
        # The portal's key changed within the hour.
        return None


def keep_answer(request: SignInRequest, sealed: bytes) -> None:
    """Keep the answer of a finished test for an hour, and that of no earlier test."""
    forget_answers_of(request.connection)
    until = timezone.now() + KEPT
    SignInRequest.objects.filter(pk=request.pk).update(answer=sealed, ticket_expires_at=until, expires_at=until)


def last_answer(connection: Connection) -> Received | None:
    """Return what the last finished test brought, while it is kept."""
    finished = SignInRequest.objects.filter(
        organisation_id=connection.organisation_id,
        connection=connection,
        purpose="test",
        finished_at__isnull=False,
        answer__isnull=False,
        expires_at__gt=timezone.now(),
    )
    sealed = finished.order_by("-finished_at").values_list("answer", flat=True).first()
    return opened_answer(bytes(sealed)) if sealed else None


def forget_answers_of(connection: Connection) -> None:
    """Drop what finished tests brought."""
    tests = SignInRequest.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, purpose="test"
    )
    tests.filter(finished_at__isnull=False).update(answer=None)


def stop_tests_of(connection: Connection) -> None:
    """End the tests that are under way, and forget what the others brought: what they tested has changed."""
    now = timezone.now()
    tests = SignInRequest.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, purpose="test"
    )
    tests.update(answer=None, expires_at=now, ticket_expires_at=now)
