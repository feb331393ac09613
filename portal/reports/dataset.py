"""What a cohort report says, as typed rows; small groups are not shown, and cannot be computed from what is.

Pure Python. The cohort's own totals stay exact, so a single hidden site would be the total less all the others: the
next smallest is hidden with it, until two sites at least are hidden and together they are no small group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from portal.progress.selectors import Figures

MEASURES = ("roster", "enrolled", "invited", "started", "completed", "certified")


@dataclass(frozen=True, slots=True)
class SiteLine:
    """One site; without figures it is suppressed. The name is empty for people without a site."""

    site: str
    figures: Figures | None

    @property
    def suppressed(self) -> bool:
        return self.figures is None


@dataclass(frozen=True, slots=True)
class CohortReport:
    organisation: str
    organisation_name: str
    cohort_id: int
    cohort: str
    programme: str
    as_of: datetime
    small_group: int
    totals: Figures
    by_site: tuple[SiteLine, ...]

    @property
    def suppressed_sites(self) -> int:
        return sum(line.suppressed for line in self.by_site)


def site_lines(by_site: Mapping[str, Figures], *, small_group: int) -> tuple[SiteLine, ...]:
    """Return the sites by name, those under the threshold and those that would reveal them without figures."""
    shown = {site: figures for site, figures in by_site.items() if figures.enrolled}
    hidden = _hidden_sites({site: figures.enrolled for site, figures in shown.items()}, small_group)
    return tuple(SiteLine(site, None if site in hidden else shown[site]) for site in sorted(shown))


def _hidden_sites(enrolled: Mapping[str, int], small_group: int) -> frozenset[str]:
    smallest_first = sorted(enrolled, key=lambda site: (enrolled[site], site))
    hidden = [site for site in smallest_first if enrolled[site] < small_group]
    if not hidden:
        return frozenset()
    for site in smallest_first[len(hidden) :]:
        if len(hidden) > 1 and sum(enrolled[name] for name in hidden) >= small_group:
            break
        hidden.append(site)
    return frozenset(hidden)
