"""The review of a large import asks no more of the database than that of a small one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from imports.selectors import LISTS
from portal.people.models import Membership
from tests.factories.people import make_member, make_organisation, sign_in
from tests.imports.rosters import apply_roster, people, person, prepare_roster

pytestmark = pytest.mark.django_db

BLOCK = 30
SMALL, LARGE = BLOCK, 100 * BLOCK
KNOWN = 28
"""Of each thirty rows so many are known; one of these people is absent, and one row comes twice."""

SHOWN = (*LISTS, "issues")


def block(first: int) -> list[tuple[str, ...]]:
    """Rows of which at least one comes into each list; the people before `first` are those of other blocks."""
    moves, renamed, joins, rejected, *unchanged = people(KNOWN - 1, first=first)
    number = renamed[0]
    return [
        (*moves[:4], "Brest", *moves[5:]),
        person(number, f"Durand{number}", "Zoé", "", "Lyon"),
        (*joins[:5], "Vague 1", *joins[6:]),
        (*rejected[:3], "nobody(at)home", *rejected[4:]),
        *unchanged,
        unchanged[0],
        *people(BLOCK - KNOWN, first=50_000 + first),
    ]


def queries(rows: int) -> dict[str, int]:
    """Return how many each list of the review takes, once what is filled once is filled."""
    organisation = make_organisation(f"review-{rows}", "Review")
    blocks = rows // BLOCK
    apply_roster(organisation, people(KNOWN * blocks))
    file = [row for number in range(blocks) for row in block(1 + KNOWN * number)]
    waiting = prepare_roster(organisation, file, mode="full")
    assert (waiting.state, waiting.counts["rows"]) == ("ready", rows)
    browser = sign_in(make_member(organisation, "Hélène Marchand", Membership.Role.ROSTER_MANAGER), organisation)
    address = reverse("import_detail", args=[organisation.slug, waiting.pk])
    browser.get(address)
    found = {}
    for name in SHOWN:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(address, {"list": name}).status_code == 200
        found[name] = len(captured)
    return found


def test_each_list_of_the_review_takes_as_many_queries_for_many_rows_as_for_few() -> None:
    assert queries(SMALL) == queries(LARGE)
