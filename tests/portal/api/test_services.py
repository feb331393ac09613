"""Tokens: shown once, kept as a digest, refused when they ask for what does not exist."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from portal.api.authentication import token_digest
from portal.api.models import ApiToken
from portal.api.services import create_api_token
from portal.audit.models import PlatformAuditEvent
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[int, Any]:
    out = StringIO()
    try:
        call_command("create_api_token", *words, "--json", stdout=out, stderr=StringIO())
    except SystemExit as end:
        return int(end.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_the_secret_is_nowhere_but_in_the_answer(laposte: Organisation) -> None:
    secret = create_api_token(actor=OPERATOR, name="Platform", scopes=["completions:write", "organisation:laposte"])
    token = ApiToken.objects.get()
    assert secret.startswith("oia_")
    assert bytes(token.digest) == token_digest(secret)
    assert token.scopes == ["completions:write", "organisation:laposte"]
    assert secret not in json.dumps(list(PlatformAuditEvent.objects.values("action", "subject", "data")))


@pytest.mark.parametrize(
    ("name", "scopes", "code"),
    [
        ("", ["completions:write"], "invalid_name"),
        ("x" * 101, ["completions:write"], "invalid_name"),
        ("New", [], "invalid_scope"),
        ("New", ["everything"], "invalid_scope"),
        ("New", ["organisation:nowhere"], "unknown_organisation"),
        ("Platform", ["completions:write"], "exists_differently"),
    ],
)
def test_what_makes_no_token_is_refused(name: str, scopes: list[str], code: str) -> None:
    create_api_token(actor=OPERATOR, name="Platform", scopes=["completions:write"])
    with pytest.raises(Refusal) as refused:
        create_api_token(actor=OPERATOR, name=name, scopes=scopes)
    assert refused.value.code == code
    assert ApiToken.objects.count() == 1


def test_the_command_shows_it_once(laposte: Organisation) -> None:
    words = ("La Poste", "--scope", "completions:write", "--scope", "organisation:laposte")
    status, document = run(*words)
    assert (status, set(document)) == (0, {"token"})
    status, document = run(*words)
    assert (status, document["error"]["code"]) == (1, "exists_differently")
