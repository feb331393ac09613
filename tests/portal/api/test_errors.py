"""One envelope for every failure; what went wrong inside stays inside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from rest_framework.exceptions import ValidationError

from portal.api.errors import answer_error
from portal.core.errors import Refusal


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (Refusal("unknown_cohort", "No such cohort."), 404, "unknown_cohort"),
        (Refusal("exists_differently", "It exists."), 409, "exists_differently"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (ValidationError({"name": ["Too long."]}), 400, "invalid"),
        (OperationalError("host secret.example"), 503, "unavailable"),
        (RuntimeError("amelie@laposte.example"), 500, "internal"),
    ],
)
def test_every_failure_has_an_answer(failure: Exception, status: int, code: str) -> None:
    response = answer_error(failure, {})
    body: dict[str, Any] = json.loads(json.dumps(response.data))
    assert (response.status_code, body["error"]["code"]) == (status, code)
    assert set(body["error"]) == {"code", "message", "extra"}
    assert body["error"]["message"]
    assert "example" not in json.dumps(body)
