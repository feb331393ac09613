"""`kill -9` at random moments of prepare and apply: the roster comes out as if nothing had happened.

A moment is drawn over the time that an undisturbed import of the same file took, so it falls anywhere: in the reading,
in the plan, in a chunk, between two.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pytest

from imports.models import RosterImport
from imports.services import confirm_import
from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.plans import whole_sets
from portal.core.tenancy import cursor_rows, organisation_scope
from tests.factories.people import make_organisation
from tests.imports.upheaval import ROWS, settle, upload
from tests.imports.workers import seen, send, sweep, wait_for, wait_until_all_is_done, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_django.fixtures import Settings

    from tests.imports.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

MOMENTS = 50
AT_ONCE = 5
"""So many are tried by `make test`, one in each fifth of the time; `make chaos` tries them all."""

DONE = {"prepare": RosterImport.State.READY, "apply": RosterImport.State.APPLIED}
"""The works of an import, one after the other, and the state in which each leaves it."""

# What a row has by itself, whoever it is about: its numbers and its dates.
_OWN = (
    *("id", "organisation_id", "roster_import_id", "employee_id", "cohort_id", "cohort_ids", "learner_id"),
    *("created_at", "changed_at", "enrolled_at"),
)
WRITTEN = {
    "people": "SELECT to_jsonb(r) - %(own)s::text[] AS said FROM people_employee r",
    **{
        table: "SELECT jsonb_build_array(e.employee_number, e.email,"
        f" (SELECT array_agg(c.name ORDER BY c.name) FROM cohorts_cohort c WHERE c.id = {cohorts}),"
        f" to_jsonb(r) - %(own)s::text[]) AS said FROM {table} r JOIN people_employee e ON e.id = r.employee_id"
        for table, cohorts in (
            ("enrolments_enrolment", "r.cohort_id"),
            ("imports_importchange", "ANY (coalesce(r.cohort_ids, ARRAY[r.cohort_id]))"),
        )
    },
}


@dataclass(frozen=True)
class Outcome:
    """What an import left: rows of each kind by number and digest, what was planned, and which events tell of it."""

    written: dict[str, list[tuple[int, str]]]
    counts: dict[str, object]
    told: list[str]


@dataclass(frozen=True)
class Undisturbed:
    """How long each work takes when nobody dies, and what comes of it."""

    seconds: dict[str, float]
    outcome: Outcome


class Upload:
    """An import of the file, by an organisation of its own, seen from outside."""

    _numbers = count(1)

    def __init__(self) -> None:
        self.organisation = make_organisation(f"kill-{next(self._numbers)}", "Kill")
        settle(self.organisation)
        self.pk = upload(self.organisation)

    def begin(self, work: str) -> None:
        if work == "apply":
            with organisation_scope(self.organisation.pk):
                confirm_import(actor=OPERATOR, organisation=self.organisation, import_id=self.pk)
        send(f"imports.tasks.{work}", self.organisation.pk, self.pk)

    def wait(self, work: str, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        wait_for(self.organisation, self.pk, lambda found: found.state == DONE[work], meanwhile=meanwhile)

    def seconds(self, work: str) -> float:
        begun = time.monotonic()
        self.begin(work)
        self.wait(work)
        return time.monotonic() - begun

    def is_done(self, work: str) -> bool:
        return seen(self.organisation, self.pk).state == DONE[work]

    def outcome(self) -> Outcome:
        with organisation_scope(self.organisation.pk), whole_sets():
            written = {
                name: cursor_rows(
                    f"SELECT count(*), md5(string_agg(said::text, '' ORDER BY said::text)) FROM ({rows}) rows",
                    {"own": list(_OWN)},
                )
                for name, rows in WRITTEN.items()
            }
            told = AuditEvent.objects.filter(subject=str(self.pk), action__startswith="imports:").order_by("pk")
            counts = RosterImport.objects.get(pk=self.pk).counts
            return Outcome(written, counts, list(told.values_list("action", flat=True)))


class Post:
    """A worker's place. Whoever is killed is relieved by a new one, who goes on and is the next to be killed."""

    def __init__(self, start: Callable[[], Worker]) -> None:
        self._start = start
        self._worker: Worker | None = None
        self._undisturbed: Undisturbed | None = None

    def occupy(self) -> None:
        """Have a worker there who has nothing left to do."""
        if self._worker is None:
            self.relieve()
        wait_until_all_is_done()

    def kill(self) -> None:
        assert self._worker is not None
        self._worker.kill()

    def relieve(self) -> None:
        self._worker = self._start()

    def undisturbed(self) -> Undisturbed:
        """Tell how it goes when nobody dies; measured once."""
        if self._undisturbed is None:
            self.occupy()
            spared = Upload()
            seconds = {work: spared.seconds(work) for work in DONE}
            self._undisturbed = Undisturbed(seconds, spared.outcome())
        return self._undisturbed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(autouse=True)
def _private_storage(folder: Path, settings: Settings) -> None:
    """A worker outlives the test that it was started in, and so does the storage that it knows."""
    default = settings.STORAGES["default"]
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**default, "OPTIONS": {**default["OPTIONS"], "location": folder}},
    }


@pytest.fixture(scope="module")
def post(django_db_setup: None) -> Iterator[Post]:
    with workers(chunk_rows=ROWS // 40) as start:
        yield Post(start)


def drawn(seed: int, seconds: dict[str, float]) -> tuple[str, float]:
    """Return a work, and how long after its beginning somebody dies."""
    dice = random.Random(seed)  # noqa: S311  Chance, not secrecy.
    moment = (seed % AT_ONCE + dice.random()) / AT_ONCE * sum(seconds.values())
    if moment < seconds["prepare"]:
        return "prepare", moment
    return "apply", moment - seconds["prepare"]


def killed_during(work: str, moment: float, post: Post) -> Upload | None:
    """Kill the worker so long after the work began; None when it was done by then, and nothing was interrupted."""
    post.occupy()
    struck = Upload()
    if work == "apply":
        struck.seconds("prepare")
    struck.begin(work)
    time.sleep(moment)
    post.kill()
    post.relieve()
    return None if struck.is_done(work) else struck


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.chaos] if seed >= AT_ONCE else []) for seed in range(MOMENTS)]
)
def test_killed_at_a_random_moment_the_roster_is_the_same(seed: int, post: Post) -> None:
    expected = post.undisturbed()
    work, moment = drawn(seed, expected.seconds)
    while not (struck := killed_during(work, moment, post)):
        moment *= 0.8

    if work == "prepare":
        struck.wait("prepare", meanwhile=sweep)
        struck.begin("apply")
    struck.wait("apply", meanwhile=sweep)

    assert struck.outcome() == expected.outcome, f"Killed {moment:.2f} s into {work}."


def test_everything_happens_in_the_file(post: Post) -> None:
    counts = post.undisturbed().outcome.counts

    assert counts["rows"] == ROWS
    assert counts["held"] == 0
    assert all(counts[name] for name in ("create", "update", "unchanged", "absent", "moves", "merged", "reject"))
