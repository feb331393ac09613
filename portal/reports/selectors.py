"""What is read for reports: counts, never people, at the same cost whatever the size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.cohorts.selectors import cohorts
from portal.progress.selectors import Figures, cohort_figures, cohort_losses, cohort_totals, figures_as_of
from portal.reports.dataset import CohortReport, site_lines

if TYPE_CHECKING:
    from datetime import datetime

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class CohortLine:
    cohort: Cohort
    figures: Figures
    held_up: int = 0


@dataclass(frozen=True, slots=True)
class CohortList:
    as_of: datetime
    lines: list[CohortLine]

    @property
    def enrolled(self) -> int:
        return sum(line.figures.enrolled for line in self.lines)

    @property
    def held_up(self) -> int:
        return sum(line.held_up for line in self.lines)

    @property
    def certified(self) -> int:
        return sum(line.figures.certified for line in self.lines)


def cohort_list(organisation: Organisation, *, loss: str = "") -> CohortList:
    """Return every cohort with its totals, and how many `loss` holds up; the latest to start first, four queries."""
    totals = cohort_totals(organisation)
    losses = cohort_losses(organisation)
    lines = [
        CohortLine(cohort, totals.get(cohort.pk, Figures()), losses.get(cohort.pk, {}).get(loss, 0))
        for cohort in cohorts(organisation)
    ]
    lines.sort(key=lambda line: -(line.cohort.starts_on.toordinal() if line.cohort.starts_on else 0))
    return CohortList(as_of=figures_as_of(organisation), lines=lines)


def cohort_report(organisation: Organisation, cohort: Cohort) -> CohortReport:
    """Return the report on a cohort; three queries."""
    figures = cohort_figures(organisation, cohort.pk)
    return CohortReport(
        organisation=organisation.slug,
        organisation_name=organisation.name,
        cohort_id=cohort.pk,
        cohort=cohort.name,
        programme=cohort.programme.code,
        as_of=figures.as_of,
        small_group=organisation.small_group,
        totals=figures.totals,
        by_site=site_lines(figures.by_site, small_group=organisation.small_group),
    )
