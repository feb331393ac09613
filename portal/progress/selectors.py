"""What is read of progress: counts, never people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils import timezone

from portal.cohorts.services import COHORT_CHANGED, RULES_CHANGED
from portal.core.models import PendingWork
from portal.enrolments.services import ENROLMENT_CHANGED
from portal.people.links import PERSON_PARTED
from portal.people.services import ROSTER_CHANGED
from portal.progress.models import CohortSite, CohortSummary, RosterRollup
from portal.progress.rollups import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from portal.organisations.models import Organisation


EVENTS_KEPT = "unplaced"
"""Events that wait without a place can be placed now."""

FACTS_RECORDED = "facts"
"""Facts were kept: the subject is the first of them, by id."""

DESK_CHANGED = "desk"
"""What waits at the desk has to be counted."""

TOPICS = (
    ROSTER_CHANGED,
    RULES_CHANGED,
    COHORT_CHANGED,
    ENROLMENT_CHANGED,
    EVENTS_KEPT,
    FACTS_RECORDED,
    PERSON_PARTED,
    DESK_CHANGED,
)
"""The changes after which counts are made anew."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of people: of the cohort, or of one site of it. Steps are cumulative."""

    roster: int = 0
    enrolled: int = 0
    invited: int = 0
    started: int = 0
    completed: int = 0
    certified: int = 0
    delivered: int = 0
    active: int = 0


@dataclass(frozen=True, slots=True)
class CohortFigures:
    as_of: datetime
    totals: Figures
    by_site: dict[str, Figures] = field(default_factory=dict)


def cohort_figures(organisation: Organisation, cohort_id: int) -> CohortFigures:
    """Return a cohort's counts, exact as of the moment they carry; three queries whatever the size."""
    as_of = figures_as_of(organisation)
    active = dict(RosterRollup.objects.filter(organisation_id=organisation.pk).values_list("site", "active"))
    lines = CohortSite.objects.filter(organisation_id=organisation.pk, cohort_id=cohort_id).values("site", *STEPS)
    by_site = {line["site"]: Figures(active.get(line.pop("site"), 0), **line) for line in lines}
    totals = Figures(
        sum(active.values()), **{step: sum(getattr(site, step) for site in by_site.values()) for step in STEPS}
    )
    return CohortFigures(as_of=as_of, totals=totals, by_site=by_site)


def cohort_totals(organisation: Organisation) -> dict[int, Figures]:
    """Return the totals of the organisation's cohorts, by id; one that is new may still be without."""
    lines = CohortSummary.objects.filter(organisation_id=organisation.pk).values("cohort_id", "roster", *STEPS)
    return {line.pop("cohort_id"): Figures(**line) for line in lines}


def cohort_losses(organisation: Organisation) -> dict[int, dict[str, int]]:
    """Return by cohort how many people each cause holds up (`portal.progress.losses`)."""
    lines = CohortSummary.objects.filter(organisation_id=organisation.pk)
    return dict(lines.values_list("cohort_id", "losses"))


def summed(lines: Iterable[CohortSummary]) -> tuple[Figures, dict[str, int]]:
    """Return the totals of several cohorts, and what holds people up in them. The roster is not theirs to sum."""
    steps = dict.fromkeys(STEPS, 0)
    losses: Counter[str] = Counter()
    for line in lines:
        for step in STEPS:
            steps[step] += getattr(line, step)
        losses.update(line.losses)
    return Figures(**steps), dict(losses)


def figures_as_of(organisation: Organisation) -> datetime:
    """Say when the counts were true: now when nothing waits to be counted, else since what waits was noted."""
    waiting = PendingWork.objects.filter(organisation_id=organisation.pk, topic__in=TOPICS).order_by("id")
    oldest = waiting.first()
    return oldest.created_at if oldest else timezone.now()
