"""The contract of every command: one JSON document, also on failure; a sentence; never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: str, given: str = "", **environment: str) -> tuple[int, Any, str]:
    """Run a command as an operator does, on the tests' database; return its exit code, document and sentence."""
    here = connection.settings_dict
    url = f"postgresql://{here['USER']}@{str(here['HOST']).replace('/', '%2F')}/{here['NAME']}"
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments, "--json"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "DATABASE_OWNER_URL": "", **environment},
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_an_organisation_its_owner_and_its_cohort() -> None:
    created = run("create_organisation", "acme", "--name", "Acme", "--domain", "acme.example")
    assert created[:2] == (0, {"slug": "acme", "name": "Acme", "domains": ["acme.example"]})
    assert run("create_organisation", "acme", "--name", "Acme", "--domain", "acme.example")[:2] == created[:2]
    owner = run(
        "create_user", "o@acme.example", "--role", "owner", "--organisation", "acme", "--password-stdin",
        given="a long password\n",
    )  # fmt: skip
    assert owner[:2] == (0, {"email": "o@acme.example", "role": "owner", "organisation": "acme"})
    code, cohort, _ = run("create_cohort", "acme", "Vague 1", "--ends", "2026-12-31", "--as", "o@acme.example")
    assert (code, cohort["name"]) == (0, "Vague 1")
    assert run("roster", "acme")[:2] == (0, [])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("roster", "nobody"), "unknown_organisation"),
        (("roster",), "usage"),
        (("create_organisation", "A", "--name", "A"), "invalid_slug"),
        (("create_user", "x@y.example", "--role", "emperor"), "usage"),
        (("create_cohort", "acme", "V", "--starts", "yesterday"), "usage"),
        (("create_organisation", "b", "--name", "B", "--as", "ghost@b.example"), "unknown_actor"),
    ],
)
def test_a_failure_is_a_document_a_sentence_and_exit_1(arguments: tuple[str, ...], code: str) -> None:
    exit_code, document, sentence = run(*arguments)
    assert (exit_code, document["error"]["code"]) == (1, code)
    assert document["error"]["message"] in sentence


def test_a_database_that_is_away_is_said_in_one_sentence() -> None:
    exit_code, document, sentence = run("roster", "acme", DATABASE_URL="postgresql://portal_app@%2Fnowhere/portal")
    assert (exit_code, document["error"]["code"]) == (1, "unavailable")
    assert len(sentence.strip().splitlines()) == 1
