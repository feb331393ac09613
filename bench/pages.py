"""Pages: the same time and the same number of queries for a large organisation as for a small one.

The floor is the same page of an organisation of 1,000 people.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.measuring import Line, compare
from bench.stage import SITES, organisation_with_roster
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
PAGES = (
    ("page, home", "organisation_home", {}),
    ("page, roster", "roster", {}),
    ("page, roster of a site", "roster", {"site": SITES[7]}),
)

_REPEATED = 10


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser of somebody who manages the roster of an organisation."""

    organisation: Organisation
    browser: Client

    def open(self, page: str, query: dict[str, str]) -> None:
        """Open a page.

        Raises:
            RuntimeError: another page came instead: what was measured is not what is meant.
        """
        url = reverse(page, args=[self.organisation.slug])
        answer = self.browser.get(f"{url}?{urlencode(query)}")
        if answer.status_code != 200:
            raise RuntimeError(f"{url} answered {answer.status_code}.")

    def queries(self, page: str, query: dict[str, str]) -> int:
        with CaptureQueriesContext(connection) as captured:
            self.open(page, query)
        return len(captured)


def measure(*, rows: int, runs: int, directory: Path) -> list[Line]:
    small, large = _visitor(directory, SMALL), _visitor(directory, rows)
    return [_compared(what, small, large, page=page, query=query, rows=rows, runs=runs) for what, page, query in PAGES]


def _compared(
    what: str, small: Visitor, large: Visitor, *, page: str, query: dict[str, str], rows: int, runs: int
) -> Line:
    # The first opening fills what is filled once: templates, translations, plans.
    queries = small.queries(page, query), large.queries(page, query)
    line = compare(
        what=what,
        rows=rows,
        runs=runs,
        goal=1,
        prepare=lambda: None,
        floor=partial(_opened, small, page, query),
        ours=partial(_opened, large, page, query),
        per_run=_REPEATED,
    )
    return replace(line, note=f"{queries[0]} queries for {SMALL:,} people, {queries[1]} for {rows:,}")


def _opened(visitor: Visitor, page: str, query: dict[str, str], _ready: None) -> None:
    for _time in range(_REPEATED):
        visitor.open(page, query)


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
