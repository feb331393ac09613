"""xAPI statements for the tests: a good one, changed where a test wants it otherwise."""

from __future__ import annotations

import uuid
from typing import Any

VERBS = "http://adlnet.gov/expapi/verbs/"
COURSE = "http://localhost:8000/programmes/objectif-ia"
PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"


def statement(verb: str = "completed", /, **changes: Any) -> dict[str, Any]:
    """Amélie, by the address at which La Poste's roster knows her; a property given as `...` is left out."""
    made = {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": "mailto:amelie.lefevre@laposte.example"},
        "verb": {"id": verb if ":" in verb else VERBS + verb},
        "object": {"id": COURSE},
        "timestamp": "2026-10-05T08:00:00.000Z",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not ...}


def voiding(target: str, **changes: Any) -> dict[str, Any]:
    return statement("voided", object={"objectType": "StatementRef", "id": target}, **changes)
