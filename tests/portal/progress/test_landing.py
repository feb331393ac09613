"""Coming down: what the database refuses is an error that callers know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.db import DataError

from portal.core.tenancy import organisation_scope
from portal.progress.facts import parse_fact
from portal.progress.landing import create_landing, fill_landing

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_an_error_of_the_copy_is_one_of_the_database(laposte: Organisation) -> None:
    event = {
        "event_id": "oc-1",
        "organisation": "laposte",
        "programme": "objectif-ia",
        "event": "certified",
        "occurred_at": "2026-11-13T08:35:00Z",
        "employee_number": "1",
    }
    unstorable = parse_fact(event, now=NOW)._replace(event_id="\x00")

    with organisation_scope(laposte.pk):
        create_landing()
    with pytest.raises(DataError), organisation_scope(laposte.pk):
        fill_landing([(1, unstorable, 1)])
