"""French first: every sentence of the code and of the templates has its French."""

from __future__ import annotations

import ast
import re
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation import template as django_templates

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "portal" / "locale" / "fr" / "LC_MESSAGES" / "django.po"
KEYWORDS = {"gettext": None, "_": None, "gettext_lazy": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
CALL = re.compile(r"""n?p?gettext\(\s*(u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*")""")
SKIPPED = re.compile(r"(^|/)(migrations|locale)/")


def sentences() -> set[str]:
    found = set()
    for folder in ("portal", "sso", "imports"):
        for path in (ROOT / folder).rglob("*.py"):
            if not SKIPPED.search(path.as_posix()):
                found |= messages_of(path.read_bytes())
    for path in (ROOT / "templates").rglob("*"):
        if path.suffix in {".html", ".txt"}:
            found |= messages_of_template(path.read_text())
    return found


def messages_of(source: bytes) -> set[str]:
    found = set()
    for _line, message, _comments, _context in extract(
        "python", BytesIO(source), KEYWORDS, options={"encoding": "utf-8"}
    ):
        found.add(message[-2] if isinstance(message, tuple) and len(message) == 3 else first(message))
    return found - {""}


def messages_of_template(source: str) -> set[str]:
    calls = CALL.findall(django_templates.templatize(source))
    return {ast.literal_eval(literal) for literal in calls}


def first(message: str | tuple[str, ...] | list[str]) -> str:
    return message if isinstance(message, str) else message[0]


def test_every_sentence_has_its_french() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    translated = {
        first(entry.id) for entry in catalogue if entry.id and entry.string and all(entry.string) and not entry.fuzzy
    }
    assert sorted(sentences() - translated) == []
