"""How like two names are."""

from __future__ import annotations

import pytest

from sso.likeness import distance, orders


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("lefevre amelie", "lefevre amelie", 0),
        ("amelie lefevre", "lefevre amelie", 0),
        ("amelie lefebvre", "lefevre amelie", 1),
        ("amelie le fevre", "lefevre amelie", 0),
        ("amelie lefevre", "lefevre amelie claire", 1),
        ("amelie lefebvres", "lefevre amelie", 2),
        ("amelie lefebvre", "martin amelie", None),
        ("amelie lefevre", "lefevre karim", None),
        ("jean roy", "roi jean", 1),
        ("jean roy", "rail jean", None),
        ("karim diallo", "lefevre amelie", None),
        ("", "lefevre amelie", None),
    ],
)
def test_a_slip_of_the_keyboard_is_seen_and_a_stranger_is_not(one: str, other: str, slips: int | None) -> None:
    assert distance(one, other) == slips
    assert distance(other, one) == slips


def test_a_name_is_looked_for_in_every_order() -> None:
    assert orders(["marie", "anne", "roux"]) == ["marie anne roux", "anne roux marie", "roux marie anne"]
    assert orders([]) == []
    assert len(orders([str(number) for number in range(50)])) == 6
