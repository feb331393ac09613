"""Pages: the same time and the same number of queries for a large organisation as for a small one.

The floor is the same page of an organisation of 1,000 people.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.measuring import Line, compare
from bench.stage import COHORTS, SITES, organisation_with_roster
from portal.cohorts.selectors import cohort_named
from portal.core.actor import OPERATOR, SYSTEM
from portal.core.tenancy import organisation_scope
from portal.people.models import Affiliation, Membership, User
from portal.people.services import grant_role
from portal.people.session import open_one_door
from portal.progress.services import catch_up

if TYPE_CHECKING:
    from pathlib import Path

    from portal.organisations.models import Organisation

SMALL = 1_000

_REPEATED = 10


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an organisation; or, `of_cohort`, of its first cohort."""

    name: str
    of_cohort: bool = False
    query: str = ""


PAGES = {
    "page, home": Page("organisation_home"),
    "page, roster": Page("roster"),
    "page, roster of a site": Page("roster", query=f"?{urlencode({'site': SITES[7]})}"),
    "page, cohorts": Page("cohorts"),
    "page, cohort": Page("cohort", of_cohort=True),
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser of somebody who manages the roster of an organisation."""

    organisation: Organisation
    browser: Client

    def url(self, page: Page) -> str:
        args: list[str | int] = [self.organisation.slug]
        if page.of_cohort:
            with organisation_scope(self.organisation.pk):
                args.append(cohort_named(self.organisation, COHORTS[0]).pk)
        return reverse(page.name, args=args) + page.query

    def open(self, url: str) -> None:
        """Open a page.

        Raises:
            RuntimeError: another page came instead: what was measured is not what is meant.
        """
        answer = self.browser.get(url)
        if answer.status_code != HTTPStatus.OK:
            raise RuntimeError(f"{url} answered {answer.status_code}.")

    def open_often(self, url: str) -> None:
        for _time in range(_REPEATED):
            self.open(url)

    def queries(self, url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.open(url)
        return len(captured)


def measure(*, rows: int, runs: int, directory: Path) -> list[Line]:
    small, large = _visitor(directory, SMALL), _visitor(directory, rows)
    return [_compared(what, page, small, large, rows=rows, runs=runs) for what, page in PAGES.items()]


def _compared(what: str, page: Page, small: Visitor, large: Visitor, *, rows: int, runs: int) -> Line:
    there, here = small.url(page), large.url(page)
    # The first opening fills what is filled once: templates, translations, connections.
    small.open(there)
    large.open(here)
    line = compare(
        what=what,
        rows=rows,
        runs=runs,
        goal=1,
        prepare=lambda: None,
        floor=lambda _ready: small.open_often(there),
        ours=lambda _ready: large.open_often(here),
        per_run=_REPEATED,
    )
    return replace(
        line, note=f"{small.queries(there)} queries for {SMALL:,} people, {large.queries(here)} for {rows:,}"
    )


def _visitor(directory: Path, rows: int) -> Visitor:
    organisation, _known = organisation_with_roster(directory, rows)
    catch_up(actor=SYSTEM, organisation=organisation)
    user = User(username=f"sso:{uuid.uuid4()}", name="Hélène Marchand")
    user.set_unusable_password()
    user.save()
    Affiliation.objects.create(user=user, organisation=organisation)
    with organisation_scope(organisation.pk):
        grant_role(actor=OPERATOR, organisation=organisation, user=user, role=Membership.Role.ROSTER_MANAGER)
    browser = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    browser.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    session = browser.session
    open_one_door(session, organisation.pk)
    session.save()
    return Visitor(organisation, browser)
