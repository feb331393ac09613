"""Enrolments going out: to a real server, each seat once it was taken, and again until it was."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db.models import F

from portal.audit.models import PlatformAuditEvent
from portal.cohorts.services import COHORT_CHANGED
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.core.worklist import note_work
from portal.enrolments.models import Enrolment
from portal.people.models import Employee
from portal.progress import telling
from portal.progress.models import EnrolmentOut, PlatformLink
from portal.progress.tasks import tell_platforms
from portal.progress.telling import link_platform
from tests.factories.progress import caught_up, enrol, make_cohort

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


class Receiver:
    """A learning platform: keeps what it is sent, and answers what the test wants."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], list[dict[str, Any]]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), [json.loads(line) for line in body.splitlines()]))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/enrolments?v=1"

    @property
    def seats(self) -> list[dict[str, Any]]:
        return [seat for _headers, seats in self.got for seat in seats]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def linked(receiver: Receiver, laposte: Organisation, amelie: Employee) -> Receiver:
    link(receiver.url)
    enrol(laposte, make_cohort(laposte), [amelie])
    caught_up(laposte)
    return receiver


def link(endpoint: str, **options: Any) -> None:
    link_platform(
        actor=OPERATOR, programme_code="objectif-ia", platform="rest", endpoint=endpoint, secret="s3cret", **options
    )


def out(organisation: Organisation) -> EnrolmentOut:
    with organisation_scope(organisation.pk):
        return EnrolmentOut.objects.get()


def due_again(organisation: Organisation) -> None:
    with organisation_scope(organisation.pk):
        EnrolmentOut.objects.update(due_at=F("due_at") - timedelta(days=1))


def test_a_seat_is_told_once_by_its_reference_alone(linked: Receiver, laposte: Organisation) -> None:
    tell_platforms()
    tell_platforms()
    ((headers, seats),) = linked.got
    assert headers["Authorization"] == "Bearer s3cret"
    assert len(headers["Idempotency-Key"]) == 64
    with organisation_scope(laposte.pk):
        learner = Employee.objects.select_related("learner").get().learner
    assert learner
    assert seats == [{"learner": str(learner.reference), "programme": "objectif-ia", "enrolled": True}]
    assert out(laposte).state == "told"


def test_what_the_platform_demands_is_told(linked: Receiver) -> None:
    link(linked.url, personal=["email"])
    tell_platforms()
    assert linked.seats[0]["email"] == "amelie.lefevre@laposte.example"
    assert "last_name" not in linked.seats[0]


@pytest.mark.parametrize("status", [302, 401, 500])
def test_what_is_not_taken_is_told_again_later(linked: Receiver, laposte: Organisation, status: int) -> None:
    linked.status = status
    tell_platforms()
    tell_platforms()
    # Not at once, and nowhere else than at the configured address.
    assert len(linked.got) == 1
    waiting = out(laposte)
    assert (waiting.state, waiting.attempts, waiting.failure) == ("waiting", 1, f"http_{status}")
    linked.status = 204
    due_again(laposte)
    tell_platforms()
    assert out(laposte).state == "told"


def test_a_platform_that_is_away_is_given_up_in_the_end(
    linked: Receiver, laposte: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOST_ATTEMPTS", 2)
    linked.server.shutdown()
    linked.server.server_close()
    for _ in range(3):
        due_again(laposte)
        tell_platforms()
    given_up = out(laposte)
    assert (given_up.state, given_up.attempts, given_up.failure) == ("given-up", 2, "unreachable")


def test_a_withdrawal_and_a_return_are_told(linked: Receiver, laposte: Organisation) -> None:
    tell_platforms()
    for withdrawn_at in ("2026-11-01T00:00Z", None):
        with organisation_scope(laposte.pk):
            Enrolment.objects.update(withdrawn_at=withdrawn_at)
            note_work(organisation_id=laposte.pk, topic=COHORT_CHANGED)
        caught_up(laposte)
        tell_platforms()
    assert [seat["enrolled"] for seat in linked.seats] == [True, False, True]


def test_a_worker_that_died_in_between_leaves_the_seat_to_the_next(
    linked: Receiver, laposte: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(telling, "post_parcel", dies)
    with pytest.raises(KeyboardInterrupt):
        tell_platforms()
    monkeypatch.undo()
    tell_platforms()
    assert linked.got == []
    due_again(laposte)
    tell_platforms()
    assert len(linked.seats) == 1


def test_without_an_endpoint_nothing_is_told(receiver: Receiver, laposte: Organisation, amelie: Employee) -> None:
    link(receiver.url)
    link("")
    enrol(laposte, make_cohort(laposte), [amelie])
    caught_up(laposte)
    tell_platforms()
    assert receiver.got == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"endpoint": "ftp://a.example/"}, "invalid_address"),
        ({"endpoint": "https://user:pass@a.example/"}, "invalid_address"),
        ({"platform": "carrier-pigeon"}, "unknown_platform"),
        ({"personal": ["salary"]}, "unknown_field"),
        ({"programme_code": "none"}, "unknown_programme"),
    ],
)
def test_a_wrong_configuration_is_refused(db: None, options: dict[str, Any], code: str) -> None:
    good = {"actor": OPERATOR, "programme_code": "objectif-ia", "platform": "rest", "endpoint": "https://a.example/"}
    with pytest.raises(Refusal) as refused:
        link_platform(**{**good, **options})
    assert refused.value.code == code


def test_the_secret_is_sealed_and_said_nowhere(db: None) -> None:
    link("https://a.example/")
    assert b"s3cret" not in bytes(PlatformLink.objects.get().secret)
    assert "s3cret" not in str(list(PlatformAuditEvent.objects.values()))


def test_the_command_configures(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("link_platform", "--platform", "xapi", "--json")
    assert json.loads(capsys.readouterr().out) == {"programme": "objectif-ia", "platform": "xapi", "endpoint": ""}
