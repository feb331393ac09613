"""Pages: the same time and the same number of queries for a large organisation as for a small one.

The floor is the same page of an organisation of 1,000 people. The review is that of an import, prepared and not
applied, of as many people as there are: half of them change, the others arrive.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field, replace
from html import unescape
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.measuring import Line, compare
from bench.stage import (
    COHORTS,
    SITES,
    half_unknown,
    organisation_with_roster,
    people,
    prepare_roster,
    write_workbook,
)
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
AT_MOST = 0.2
"""Seconds that a page may take, whatever its size."""

_REPEATED = 10
_SITE = next(people(SMALL)).site
"""Somebody arrives there in every review."""
_NEXT_PAGE = re.compile(r'href="([^"]*)"\s+rel="next"')
_FINDS = re.compile(r'<input[^>]* name="q"')


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an organisation, of its first cohort, or of its import that waits.

    `second` is the next page of its list; `find` is typed where it lets one look for a person.
    """

    name: str
    of: Literal["organisation", "cohort", "import"] = "organisation"
    query: str = ""
    second: bool = False
    find: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    url: str
    form: dict[str, str] = field(default_factory=dict)


PAGES = {
    "page, home": Page("organisation_home"),
    "page, roster": Page("roster"),
    "page, roster of a site": Page("roster", query=f"?{urlencode({'site': SITES[7]})}"),
    "page, cohorts": Page("cohorts"),
    "page, cohort": Page("cohort", of="cohort"),
    "page, people of a cohort": Page("cohort_people", of="cohort"),
    "page, people held up": Page("cohort_people", of="cohort", query="?loss=uninvited"),
    "page, review, arrivals": Page("import_detail", of="import", query="?list=arrivals"),
    "page, review, changes": Page("import_detail", of="import", query="?list=changes"),
    "page, review, second": Page("import_detail", of="import", query="?list=changes", second=True),
    "page, review, search": Page("import_detail", of="import", find="Ber"),
    "page, review of a site": Page("import_detail", of="import", query=f"?{urlencode({'site': _SITE})}"),
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser of somebody who manages the roster of an organisation."""

    organisation: Organisation
    cohort_id: int
    import_id: int
    browser: Client

    def request(self, page: Page) -> Request:
        """Return how to ask for the page, having opened it: what is filled once is filled.

        Raises:
            RuntimeError: it has no second page.
        """
        objects = {"cohort": [self.cohort_id], "import": [self.import_id]}.get(page.of, [])
        url = reverse(page.name, args=[self.organisation.slug, *objects]) + page.query
        shown = self.open(Request(url))
        if page.find and _FINDS.search(shown):
            return Request(url, {"q": page.find})
        if not page.second:
            return Request(url)
        following = _NEXT_PAGE.search(shown)
        if following is None:
            raise RuntimeError(f"{url} has no second page.")
        return Request(urljoin(url, unescape(following[1])))

    def open(self, request: Request) -> str:
        """Ask for a page and return it.

        Raises:
            RuntimeError: another page came instead: what was measured is not what is meant.
        """
        answer = self.browser.post(request.url, request.form) if request.form else self.browser.get(request.url)
        if answer.status_code != HTTPStatus.OK:
            raise RuntimeError(f"{request.url} answered {answer.status_code}.")
        return answer.content.decode()

    def open_often(self, request: Request) -> None:
        for _time in range(_REPEATED):
            self.open(request)

    def queries(self, request: Request) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.open(request)
        return len(captured)


def measure(*, rows: int, runs: int, directory: Path) -> list[Line]:
    small, large = _visitor(directory, SMALL), _visitor(directory, rows)
    return [_compared(what, page, small, large, rows=rows, runs=runs) for what, page in PAGES.items()]


def _compared(what: str, page: Page, small: Visitor, large: Visitor, *, rows: int, runs: int) -> Line:
    there, here = small.request(page), large.request(page)
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
    queries = f"{small.queries(there)} queries for {SMALL:,} people, {large.queries(here)} for {rows:,}"
    slow = "" if line.ours <= AT_MOST else f"; more than {AT_MOST * 1000:.0f} ms"
    return replace(line, note=queries + slow)


def _visitor(directory: Path, rows: int) -> Visitor:
    organisation = organisation_with_roster(directory, rows)
    changes = write_workbook(directory / f"roster-{rows}-half.xlsx", half_unknown(people(rows)))
    waiting = prepare_roster(organisation, changes)
    catch_up(actor=SYSTEM, organisation=organisation)
    user = User(username=f"sso:{uuid.uuid4()}", name="Hélène Marchand")
    user.set_unusable_password()
    user.save()
    Affiliation.objects.create(user=user, organisation=organisation)
    with organisation_scope(organisation.pk):
        cohort = cohort_named(organisation, COHORTS[0])
        grant_role(actor=OPERATOR, organisation=organisation, user=user, role=Membership.Role.ROSTER_MANAGER)
    browser = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    browser.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    session = browser.session
    open_one_door(session, organisation.pk)
    session.save()
    return Visitor(organisation, cohort.pk, waiting.pk, browser)
