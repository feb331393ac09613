"""How statements over whole sets are planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.plans import FEW, whole_sets
from portal.core.tenancy import cursor_rows, organisation_scope

if TYPE_CHECKING:
    from portal.organisations.models import Organisation


def loops() -> str:
    ((setting,),) = cursor_rows("SELECT current_setting('enable_nestloop')")
    return str(setting)


def test_a_block_inside_another_does_not_end_it(laposte: Organisation) -> None:
    with organisation_scope(laposte.pk):
        with whole_sets():
            with whole_sets():
                assert loops() == "off"
            assert loops() == "off"
        assert loops() == "on"


def test_few_rows_are_left_to_the_planner(laposte: Organisation) -> None:
    with organisation_scope(laposte.pk), whole_sets(FEW):
        assert loops() == "on"
