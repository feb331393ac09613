"""What the review reads: lists page by page, the worst issues first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imports import selectors
from portal.core.tenancy import organisation_scope
from tests.imports.rosters import apply_roster, open_roster, people, person, prepare_roster

if TYPE_CHECKING:
    from portal.organisations.models import Organisation


def test_a_list_is_read_page_by_page(laposte: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE", 2)
    found = prepare_roster(laposte, people(5))
    numbers, after = [], ""

    with organisation_scope(laposte.pk):
        while True:
            page = selectors.review_rows(found, "arrivals", after)
            numbers.append([row.number for row in page.rows])
            after = page.after
            if not after:
                break

    assert numbers == [[2, 3], [4, 5], [6]]


@pytest.mark.parametrize("after", ["x", "1-", "-", "99999999999999999999", "²", "1.5"])
def test_a_strange_place_is_the_beginning(laposte: Organisation, after: str) -> None:
    found = prepare_roster(laposte, people(2))

    with organisation_scope(laposte.pk):
        assert len(selectors.review_rows(found, "arrivals", after).rows) == 2


def test_absent_people_are_all_listed(laposte: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE", 2)
    apply_roster(laposte, people(6))
    found = prepare_roster(laposte, people(1), mode="full")

    with organisation_scope(laposte.pk):
        first = selectors.review_rows(found, "departures")
        second = selectors.review_rows(found, "departures", first.after)

    assert len({row.pk for row in (*first.rows, *second.rows)}) == 4


def test_the_worst_issues_come_first_and_no_more_than_asked(laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("1"), person("1"), person("", "Sans", "Clé"), person("2", "A", "B", "x")])

    with organisation_scope(laposte.pk):
        worst = [(issue.number, issue.severity) for issue in selectors.worst_issues(found)]
        assert len(selectors.worst_issues(found, limit=1)) == 1
        assert selectors.issues_total(found) == 3
    assert worst == [(4, "error"), (5, "error"), (3, "warning")]


def test_the_sweep_sees_every_organisations_work(laposte: Organisation, airbus: Organisation) -> None:
    opened = [open_roster(laposte, people(1)), open_roster(airbus, people(1))]
    prepare_roster(airbus, people(2))

    assert [work.import_id for work in selectors.unfinished_imports()] == opened
    assert selectors.organisation_of_import(opened[1]) == airbus.pk
    assert selectors.organisation_of_import(0) is None
