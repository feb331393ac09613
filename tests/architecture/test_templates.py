"""Every template that the code or another template names is there, and compiles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"""["']([a-z_0-9/]+\.html)["']""")


def named() -> set[str]:
    sources = [path for folder in ("portal", "sso", "imports") for path in (ROOT / folder).rglob("*.py")]
    sources += (ROOT / "templates").rglob("*.html")
    return {name for path in sources for name in NAMED.findall(path.read_text())}


@pytest.mark.parametrize("name", sorted(named()))
def test_a_named_template_is_there(name: str) -> None:
    get_template(name)
