"""French first: every sentence of the code and of the templates has its French."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation import template as django_templates

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "portal" / "locale" / "fr" / "LC_MESSAGES" / "django.po"
KEYWORDS = {
    **dict.fromkeys(("_", "_t", "lazy", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    "npgettext": ((1, "c"), 2, 3),
}
"""The functions that translate, under the names that the code gives them; "c" marks the argument that is a context."""
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
SKIPPED = re.compile(r"(^|/)(migrations|locale)/")


def sentences() -> set[tuple[str, str]]:
    found = set()
    for folder in ("portal", "sso", "imports"):
        for path in (ROOT / folder).rglob("*.py"):
            if not SKIPPED.search(path.as_posix()):
                found |= messages_of(path.read_bytes())
    for path in (ROOT / "templates").rglob("*"):
        if path.suffix in {".html", ".txt"}:
            found |= messages_of_template(path.read_text())
    return found


def messages_of(source: bytes) -> set[tuple[str, str]]:
    """Context and sentence (a plural by its singular): the same word in two contexts needs its French twice."""
    calls = extract("python", BytesIO(source), KEYWORDS, options={"encoding": "utf-8"})
    found = {(context or "", first(message)) for _line, message, _comments, context in calls}
    return {(context, sentence) for context, sentence in found if sentence}


def messages_of_template(source: str) -> set[tuple[str, str]]:
    """Django turns a template into calls between blanks; without their indentation they are Python's own."""
    return messages_of(INDENT.sub("", django_templates.templatize(source)).encode())


def first(message: str | tuple[str, ...] | list[str]) -> str:
    return message if isinstance(message, str) else message[0]


@pytest.mark.parametrize(
    "source",
    [
        "{% translate 'held' context 'changes' %}",
        "{% include 'x.html' with word=_('active') only %}\n  {% translate 'held' context 'changes' %}",
        "{% blocktranslate count n=n context 'changes' %}held{% plural %}held{% endblocktranslate %}",
    ],
)
def test_a_template_is_read_with_its_contexts(source: str) -> None:
    assert {("changes", "held")} <= messages_of_template(source) <= {("changes", "held"), ("", "active")}


def test_every_sentence_has_its_french() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    translated = {
        (entry.context or "", first(entry.id))
        for entry in catalogue
        if entry.id and entry.string and all(entry.string) and not entry.fuzzy
    }
    assert sorted(sentences() - translated) == []
