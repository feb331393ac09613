"""Small groups are not shown, and cannot be computed from what is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portal.progress.selectors import Figures
from portal.reports.dataset import SiteLine, site_lines


def sites(**enrolled: int) -> dict[str, Figures]:
    return {site: Figures(enrolled=number) for site, number in enrolled.items()}


def hidden(lines: tuple[SiteLine, ...]) -> set[str]:
    return {line.site for line in lines if line.suppressed}


def test_large_sites_are_shown() -> None:
    assert hidden(site_lines(sites(a=10, b=25), small_group=10)) == set()


def test_a_single_small_site_takes_the_next_smallest_with_it() -> None:
    assert hidden(site_lines(sites(a=9, b=25, c=300), small_group=10)) == {"a", "b"}


def test_two_small_sites_that_are_a_large_group_hide_nobody_else() -> None:
    assert hidden(site_lines(sites(a=6, b=4, c=300), small_group=10)) == {"a", "b"}


def test_two_small_sites_that_are_a_small_group_take_a_third() -> None:
    assert hidden(site_lines(sites(a=1, b=2, c=30, d=300), small_group=10)) == {"a", "b", "c"}


def test_all_is_hidden_if_needed() -> None:
    assert hidden(site_lines(sites(a=1, b=2), small_group=10)) == {"a", "b"}
    assert hidden(site_lines(sites(a=3, b=500), small_group=10)) == {"a", "b"}
    assert hidden(site_lines(sites(a=3), small_group=10)) == {"a"}


def test_a_site_without_anyone_enrolled_is_no_line() -> None:
    assert site_lines({"a": Figures(roster=7)}, small_group=10) == ()


def test_a_threshold_of_one_hides_nothing() -> None:
    assert hidden(site_lines(sites(a=1, b=2), small_group=1)) == set()


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 60), max_size=12),
    st.integers(0, 25),
)
def test_what_is_shown_never_reveals_a_small_group(enrolled: dict[str, int], small_group: int) -> None:
    lines = site_lines({site: Figures(enrolled=number) for site, number in enrolled.items()}, small_group=small_group)
    total = sum(enrolled.values())
    shown = {line.site: line.figures.enrolled for line in lines if line.figures}
    remainder = total - sum(shown.values())

    assert all(number >= small_group and number == enrolled[site] for site, number in shown.items())
    # Subtraction gives nothing, or a group that is neither small nor a single site, or the whole cohort.
    assert not hidden(lines) or not shown or (remainder >= small_group and len(hidden(lines)) > 1)
    assert remainder == sum(enrolled[site] for site in hidden(lines))
    # No site is hidden that need not be: without the largest hidden one, the others would be revealed.
    spare = sorted(hidden(lines), key=lambda site: enrolled[site])
    if spare and enrolled[spare[-1]] >= small_group:
        rest = [enrolled[site] for site in spare[:-1]]
        assert len(rest) < 2 or sum(rest) < small_group
