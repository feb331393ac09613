"""A Monday morning: people who have never signed in come all at once, through the real pages, in several processes.

What is measured is both requests of each sign-in with everything around them. At the end everybody must be linked to
the employee that they are, once.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from itertools import islice
from multiprocessing import get_context
from statistics import median, quantiles
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client

from bench.foreign import UnavailableError, seconds_of_a_sign_in
from bench.measuring import Line
from bench.memory import peak_memory
from bench.sign_in import company_with_roster
from bench.stage import people
from bench.worker import prepared
from portal.core.tenancy import organisation_scope
from portal.people.models import Affiliation
from sso.models import Identity

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

    from bench.sign_in import Company
    from bench.stage import Person

MOST = 4_000
"""How many come at once: their signed answers are all made before."""

FORM = "application/x-www-form-urlencoded"
PATIENCE = 240
"""Seconds that one process waits for the others."""

HOUR, MORNING = 3_600, 70_000


def measure(*, rows: int, runs: int, directory: Path) -> list[Line]:
    """Measure the burst once (`runs` does not count: nobody comes for the first time twice), and the other maker."""
    del runs
    count = min(rows, MOST)
    company = company_with_roster(directory, count + SINGLE)
    everybody = people(count + SINGLE)
    alone = _signed_in(company, [list(islice(everybody, SINGLE))])
    cores = os.cpu_count() or 1
    coming = list(everybody)
    burst = _signed_in(company, [coming[core::cores] for core in range(cores)])
    _require_everybody(company, count + SINGLE)
    one = median(alone.each)
    lines = [_line(count, burst, cores)]
    try:
        theirs = seconds_of_a_sign_in(directory)
    except UnavailableError as reason:
        print(f"djangosaml2 is not measured: {reason}", file=sys.stderr)
        return lines
    note = "the floor is our sign-in, first, both requests through all middleware"
    return [*lines, Line("djangosaml2, first", 20, one, theirs, 10, peak_memory(), note=note, at_least=True)]


SINGLE = 50
"""How many sign in one after another, for the comparison with djangosaml2."""


class Arrived:
    """How long each sign-in took, and all of them together, in seconds."""

    def __init__(self, each: list[float], together: float) -> None:
        self.each, self.together = each, together


def _line(count: int, burst: Arrived, cores: int) -> Line:
    per_second = count / burst.together
    minutes = MORNING / per_second / 60
    p99 = quantiles(burst.each, n=100)[98] * 1000
    note = (
        f"floor: 70,000 in an hour; {per_second / cores:.0f}/s for each of {cores} cores, database included;"
        f" p99 {p99:.0f} ms; 70,000 in {minutes:.0f} min; no link lost or doubled"
    )
    return Line("burst of first sign-ins", count, HOUR / MORNING, burst.together / count, 1, peak_memory(), note=note)


def _signed_in(company: Company, shares: list[list[Person]]) -> Arrived:
    """Let one process bring each share in, all beginning at the same moment."""
    context = get_context("spawn")
    start, done = context.Barrier(len(shares) + 1), context.Queue()
    processes = [
        context.Process(
            target=prepared, args=("bench.burst", "bring_in", pickle.dumps((company, share)), start, done), daemon=True
        )
        for share in shares
    ]
    for process in processes:
        process.start()
    start.wait(PATIENCE)
    begun = time.perf_counter()
    each = [seconds for _process in processes for seconds in done.get(timeout=PATIENCE)]
    together = time.perf_counter() - begun
    for process in processes:
        process.join()
    if len(each) != sum(map(len, shares)):
        raise RuntimeError("Somebody was not signed in.")
    return Arrived(each, together)


def bring_in(company: Company, share: list[Person], start: Barrier, done: Queue[list[float]]) -> None:
    """Prepare a share of the people, wait for the others, and sign all of them in."""
    waiting = [company.waiting(person) for person in share]
    acs = f"/sso/{company.connection.public_id}/acs/"
    # One client: each new one would load the middleware again.
    browser = Client(SERVER_NAME="localhost")
    browser.get("/healthz")
    start.wait(PATIENCE)
    seconds = []
    for each in waiting:
        browser.cookies.clear()
        browser.cookies[settings.SIGN_IN_COOKIE_NAME] = each.nonce
        begun = time.perf_counter()
        posted = browser.post(acs, urlencode({"SAMLResponse": each.response}), content_type=FORM)
        finished = browser.get(posted["Location"]) if posted.status_code == 303 else posted
        if finished.status_code == 302:
            seconds.append(time.perf_counter() - begun)
    done.put(seconds)


def _require_everybody(company: Company, count: int) -> None:
    organisation_id = company.connection.organisation_id
    with organisation_scope(organisation_id):
        logins = set(Identity.objects.values_list("user_id", flat=True))
        linked = Affiliation.objects.filter(organisation_id=organisation_id, employee__isnull=False)
        pairs = list(linked.values_list("user_id", "employee_id"))
    users, employees = {user for user, _ in pairs}, {employee for _, employee in pairs}
    if not len(pairs) == len(users) == len(employees) == len(logins) == count or users != logins:
        raise RuntimeError(f"Of {count} people {len(pairs)} are linked.")
