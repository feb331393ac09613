"""What the page of a cohort shows, read from counts alone: the same few queries whatever the number of people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.urls import reverse
from django.utils import timezone

from portal.core.access import Permission
from portal.core.text import fold
from portal.people.selectors import unlinked_affiliations
from portal.progress.models import CohortSite, CohortSummary, CompletionEvent, EventKind
from portal.progress.rollups import STEPS
from portal.progress.selectors import Figures, figures_as_of
from portal.reports.funnel import MOST_WAITING, Waiting, funnel_rows, heaviest, loss_lines
from portal.reports.pace import pace
from sso.models import Connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from django.core.paginator import Page

    from portal.cohorts.models import Cohort
    from portal.core.access import Access
    from portal.organisations.models import Organisation
    from portal.reports.funnel import LossLine
    from portal.reports.pace import Pace

SITES = 50


@dataclass(frozen=True, slots=True)
class SitePage:
    """A page of the sites. Those that are small, or would reveal a small one, are named without figures."""

    page: Page[CohortSite]
    lines: list[tuple[str, Figures | None, str]]
    hidden: int
    wanted: str


@dataclass(frozen=True, slots=True)
class CohortPage:
    """A cohort, or one site of it, in counts. Without `figures` the site is too small to be shown."""

    as_of: datetime
    figures: Figures | None = None
    funnel: list[dict[str, Any]] = field(default_factory=list)
    losses: list[LossLine] = field(default_factory=list)
    heaviest: LossLine | None = None
    pace: Pace | None = None
    sites: SitePage | None = None
    site: str | None = None


def cohort_page(
    organisation: Organisation, cohort: Cohort, access: Access, *, site: str | None, wanted: str, number: str
) -> CohortPage | None:
    """Return the page of a cohort or, with `site`, of one of its sites; None when it has no such site."""
    hides = _hidden(organisation, cohort)
    as_of = figures_as_of(organisation)
    link = _people_link(organisation, cohort, access, site)
    pages = _pages(organisation, cohort, access)
    if site is not None:
        line = CohortSite.objects.filter(organisation_id=organisation.pk, cohort=cohort, site=site).first()
        if line is None or not line.enrolled:
            return None
        if hides(line):
            return CohortPage(as_of=as_of, site=site)
        figures = _of_site(line)
        losses = loss_lines(line.losses, link=lambda code: link("loss", code), pages=pages)
        rows = funnel_rows(figures, lambda step: link("step", step))[1:]
        return CohortPage(as_of, figures, rows, losses, heaviest(losses), site=site)
    summary = CohortSummary.objects.filter(organisation_id=organisation.pk, cohort=cohort).first()
    figures, held, weeks = _of_summary(summary)
    losses = loss_lines(held, link=lambda code: link("loss", code), pages=pages, waiting=_waiting(organisation))
    return CohortPage(
        as_of=as_of,
        figures=figures,
        funnel=_rows(organisation, figures, access, link),
        losses=losses,
        heaviest=heaviest(losses),
        pace=_pace(organisation, cohort, figures, weeks),
        sites=_site_page(organisation, cohort, hides, wanted, number),
    )


def _of_summary(summary: CohortSummary | None) -> tuple[Figures, dict[str, int], dict[str, int]]:
    if summary is None:
        return Figures(), {}, {}
    figures = Figures(summary.roster, **{step: getattr(summary, step) for step in STEPS})
    return figures, summary.losses, summary.weeks


def _of_site(line: CohortSite) -> Figures:
    return Figures(**{step: getattr(line, step) for step in STEPS})


def _rows(
    organisation: Organisation, figures: Figures, access: Access, link: Callable[[str, str], str]
) -> list[dict[str, Any]]:
    rows = funnel_rows(figures, lambda step: link("step", step))
    roster = reverse("roster", args=[organisation.slug]) if access.allows(Permission.VIEW_ROSTER) else ""
    return [{**rows[0], "url": roster}, *rows[1:]]


def _people_link(
    organisation: Organisation, cohort: Cohort, access: Access, site: str | None
) -> Callable[[str, str], str]:
    """Every number opens its list, for those who may read names."""
    if not access.allows(Permission.VIEW_ROSTER):
        return lambda _kind, _name: ""
    address = reverse("cohort_people", args=[organisation.slug, cohort.pk])

    def link(kind: str, name: str) -> str:
        place = {"site": site} if site else {} if site is None else {"nosite": "1"}
        return f"{address}?{urlencode({kind: name} | place)}"

    return link


def _pages(organisation: Organisation, cohort: Cohort, access: Access) -> dict[str, str]:
    """Where each kind of action is done, for those who may do it."""
    pages = {}
    if access.allows(Permission.IMPORT_ROSTER):
        pages["roster"] = reverse("import_new", args=[organisation.slug])
    if access.allows(Permission.MATCH_PEOPLE):
        pages["matches"] = reverse("matches", args=[organisation.slug])
        pages["certificates"] = reverse("reconciliation", args=[organisation.slug])
    if access.allows(Permission.MANAGE_COHORTS):
        pages["invite"] = reverse("waves", args=[organisation.slug, cohort.pk])
    live = Connection.objects.filter(organisation_id=organisation.pk, closed_at__isnull=True)
    failing = live.filter(state=Connection.State.FAILING).exists()
    if failing and access.allows(Permission.MANAGE_SIGN_IN):
        pages["sign_in"] = reverse("sign_in_settings", args=[organisation.slug])
    return pages


def _waiting(organisation: Organisation) -> Waiting:
    certificates = CompletionEvent.objects.filter(
        organisation_id=organisation.pk, employee__isnull=True, kind=EventKind.CERTIFIED
    )
    return Waiting(
        people=unlinked_affiliations(organisation).order_by()[:MOST_WAITING].count(),
        certificates=certificates[:MOST_WAITING].count(),
    )


def _pace(organisation: Organisation, cohort: Cohort, figures: Figures, weeks: dict[str, int]) -> Pace | None:
    return pace(
        weeks,
        certified=figures.certified,
        enrolled=figures.enrolled,
        target=cohort.target,
        starts_on=cohort.starts_on,
        ends_on=cohort.ends_on,
        today=timezone.localdate(timezone=ZoneInfo(organisation.time_zone)),
    )


def _hidden(organisation: Organisation, cohort: Cohort) -> Callable[[CohortSite], bool]:
    """Which sites are not shown: the rule of `portal.reports.dataset`, asked of the index instead of all the sites."""
    sites = CohortSite.objects.filter(organisation_id=organisation.pk, cohort=cohort, enrolled__gt=0)
    threshold = organisation.small_group
    small = sites.filter(enrolled__lt=threshold).aggregate(sites=Count("id"), people=Sum("enrolled", default=0))
    count, people, besides = small["sites"], small["people"], set[str]()
    following = sites.filter(enrolled__gte=threshold).order_by("enrolled", "site").values_list("site", "enrolled")
    for site, enrolled in list(following[:2]) if count else []:
        if count > 1 and people >= threshold:
            break
        besides.add(site)
        count, people = count + 1, people + enrolled
    return lambda line: line.enrolled < threshold or line.site in besides


def _site_page(
    organisation: Organisation, cohort: Cohort, hides: Callable[[CohortSite], bool], wanted: str, number: str
) -> SitePage:
    sites = CohortSite.objects.filter(organisation_id=organisation.pk, cohort=cohort, enrolled__gt=0).order_by("site")
    if wanted:
        key = fold(wanted)
        sites = sites.filter(site__in=[name for name in sites.values_list("site", flat=True) if key in fold(name)])
    page = Paginator(sites, SITES).get_page(number)
    address = reverse("cohort", args=[organisation.slug, cohort.pk])
    lines = [
        (line.site, None if hides(line) else _of_site(line), f"{address}?{urlencode({'site': line.site})}")
        for line in page.object_list
    ]
    return SitePage(page, lines, sum(figures is None for _site, figures, _url in lines), wanted)
