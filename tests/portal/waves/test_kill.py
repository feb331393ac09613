"""`kill -9` while a wave leaves, against a real mail server: nobody is written to twice, and doubt is shown.

A moment is drawn over the mails of the wave: the sender dies while the server takes one of them, before or after the
server has said so, or somewhere between two.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.urls import reverse

from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.delivery import UNCERTAIN_AFTER
from portal.core.models import OutgoingMail
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.enrolments.models import Invitation
from portal.enrolments.services import create_enrolment_intake, enrol_employees
from portal.people.models import Employee, Membership
from portal.waves.services import create_wave, plan_wave, try_wave
from tests.factories.people import make_member, make_organisation, sign_in
from tests.mail_server import mail_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.organisations.models import Organisation
    from portal.waves.models import Wave
    from tests.mail_server import Post

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

ROOT = Path(__file__).resolve().parents[3]
PEOPLE = 300
KILLS = 3
MOMENTS = 20
AT_ONCE = 3
"""So many are tried by `make test`; `make chaos` tries them all."""

NINE = dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC)
PATIENCE = 120


class Sender:
    """A sender that can be struck while it hands over its n-th mail, before or after the server's word."""

    def __init__(self, organisation: Organisation, port: int, now: dt.datetime) -> None:
        here = connection.settings_dict
        url = f"postgresql://{here['USER']}@{str(here['HOST']).replace('/', '%2F')}/{here['NAME']}"
        given = {name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.portal.waves.sender", str(organisation.pk), now.isoformat()],
            cwd=ROOT,
            env=given | {"DATABASE_URL": url, "EMAIL_URL": f"smtp://127.0.0.1:{port}"},
            start_new_session=True,
            stderr=subprocess.PIPE,
        )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> int:
        _out, said = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode in {0, -signal.SIGKILL}, said.decode()
        return self.process.returncode


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    with mail_server() as served:
        yield served


def planned_wave() -> Wave:
    """Three hundred people, who are all due at once."""
    organisation = make_organisation("laposte", "La Poste")
    with organisation_scope(organisation.pk):
        cohort = create_cohort(actor=OPERATOR, organisation=organisation, name="Vague 1")
        Employee.objects.bulk_create(
            Employee(organisation=organisation, employee_number=str(n), email=f"p{n}@laposte.example", site="Lyon")
            for n in range(PEOPLE)
        )
        create_enrolment_intake()
        cursor_rows("INSERT INTO enrolment_intake SELECT id, %s FROM people_employee", [cohort.pk])
        enrol_employees(actor=OPERATOR, organisation=organisation)
        choices = {"name": "Lyon", "starts_at": NINE, "reminders": 0, "per_hour": PEOPLE, "first_hour": 0}
        wave = create_wave(actor=OPERATOR, organisation=organisation, cohort=cohort, choices=choices)
        try_wave(actor=OPERATOR, organisation=organisation, wave=wave, address="me@laposte.example", language="fr")
        plan_wave(actor=OPERATOR, organisation=organisation, wave=wave, now=NINE - dt.timedelta(days=1))
        OutgoingMail.objects.update(state="sent", sent_at=NINE)
    return wave


def strike(post: Post, sender: Sender, dice: random.Random) -> None:
    """Let the sender die at a mail of its own, half of the time before the server has answered it."""
    struck_at = len(post.taken) + dice.randint(1, PEOPLE // (KILLS + 1))
    after = dice.random() < 0.5
    delay = dice.random() * 0.02

    def on_data() -> str:
        if len(post.taken) == struck_at:
            if after:
                threading.Timer(delay, sender.kill).start()
            else:
                sender.kill()
        return "250 OK"

    post.on_data = on_data


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.chaos] if seed >= AT_ONCE else []) for seed in range(MOMENTS)]
)
def test_killed_again_and_again_nobody_is_written_to_twice(seed: int, post: tuple[Post, int]) -> None:
    served, port = post
    wave = planned_wave()
    organisation = wave.organisation
    dice = random.Random(seed)  # noqa: S311  Chance, not secrecy.
    now = NINE + dt.timedelta(hours=2)
    for _ in range(KILLS):
        sender = Sender(organisation, port, now)
        strike(served, sender, dice)
        assert sender.end() == -signal.SIGKILL
        # Whoever takes over comes later than the claim of the dead lasts.
        now += 2 * UNCERTAIN_AFTER
    served.on_data = lambda: "250 OK"
    assert Sender(organisation, port, now).end() == 0

    received = Counter(served.to())
    assert set(received.values()) == {1}
    with organisation_scope(organisation.pk):
        by_state = {
            state: set(addresses)
            for state, addresses in cursor_rows(
                "SELECT i.state, array_agg(m.address) FROM enrolments_invitation i"
                " JOIN core_outgoingmail m ON m.id = i.mail_id GROUP BY i.state"
            )
        }
        assert Invitation.objects.count() == PEOPLE
    assert set(by_state) <= {"sent", "uncertain"}
    doubtful = by_state.get("uncertain", set())
    assert len(doubtful) <= KILLS
    assert by_state["sent"] <= set(received)
    assert set(received) - by_state["sent"] <= doubtful
    assert len(by_state["sent"]) + len(doubtful) == PEOPLE
    _is_shown(organisation, wave, len(doubtful))


def _is_shown(organisation: Organisation, wave: Wave, doubtful: int) -> None:
    hr = sign_in(make_member(organisation, "Hélène Marchand", Membership.Role.ROSTER_MANAGER), organisation)
    page = hr.get(reverse("wave", args=[organisation.slug, wave.pk]))
    tiles = {tile["label"]: tile["value"] for tile in page.context["tiles"]}
    assert tiles.get("Peut-être partis", 0) == doubtful
    assert tiles["Partis"] == PEOPLE - doubtful
