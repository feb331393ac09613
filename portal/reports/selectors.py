"""What is read for reports: counts, never people, at the same cost whatever the size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.progress.selectors import cohort_figures
from portal.reports.dataset import CohortReport, site_lines

if TYPE_CHECKING:
    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation


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
