"""Every refusal has words: for the person, for HR, and for whoever chose the wrong metadata."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sso
from sso.diagnosis import _DIAGNOSES, _METADATA, diagnosed, metadata_sentence, plain_sentence
from sso.models import SignInTrace

# What only an attack or a broken program sends: one sentence is enough.
GENERIC = {"malformed", "forbidden_xml", "metadata_malformed"}


def raised_codes() -> set[str]:
    """Read the codes out of the source: a new refusal without words fails here."""
    (folder,) = sso.__path__
    calls = [
        node
        for path in Path(folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "SAMLError"
    ]
    return {
        first.value
        for call in calls
        if call.args and isinstance(first := call.args[0], ast.Constant) and isinstance(first.value, str)
    }


def test_every_code_has_its_words() -> None:
    codes = raised_codes()
    assert {"signature_invalid", "replay", "metadata_html", "browser_mismatch"} <= codes

    assert codes - GENERIC - set(_DIAGNOSES) - set(_METADATA) == set()


@pytest.mark.parametrize("code", [*sorted(_DIAGNOSES), "malformed", "status_requester", "too_many"])
def test_a_person_reads_a_sentence_and_never_the_code(code: str) -> None:
    sentence = plain_sentence(code)

    assert sentence.endswith(".")
    assert code not in sentence


def test_a_diagnosis_says_what_came_and_what_was_expected() -> None:
    trace = SignInTrace(error="audience_mismatch", details={"received": "theirs", "expected": "ours"})

    diagnosis = diagnosed(trace)

    assert (diagnosis.received, diagnosis.expected) == ("theirs", "ours")
    assert diagnosis.what
    assert diagnosis.advice


def test_an_unknown_code_is_still_explained() -> None:
    assert diagnosed(SignInTrace(error="status_something")).what != diagnosed(SignInTrace(error="something")).what
    assert str(metadata_sentence("metadata_something"))
