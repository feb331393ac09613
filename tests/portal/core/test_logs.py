from __future__ import annotations

import logging

from django.test import RequestFactory
from django.urls import resolve

from portal.core.logs import RouteForPath


def line(path: str, *, found: bool) -> str:
    request = RequestFactory().get(path)
    if found:
        request.resolver_match = resolve(path)
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "%s: %s", ("Not Implemented", path), None)
    record.__dict__["request"] = request
    assert RouteForPath().filter(record)
    return record.getMessage()


def test_a_token_in_a_path_stays_out_of_the_log() -> None:
    assert line("/setup/secret-token/", found=True) == "Not Implemented: setup/<str:token>/"
    assert "secret" not in line("/nothing/secret/", found=False)


def test_the_log_passes_by_it() -> None:
    assert any(
        isinstance(passed, RouteForPath) for handler in logging.getLogger().handlers for passed in handler.filters
    )
