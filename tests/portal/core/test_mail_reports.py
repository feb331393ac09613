"""Reports as Postmark and Mailgun really post them: with their secret or signature, doubled, late, and in disorder."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.core.delivery import deliver_mail, mail_marks
from portal.core.models import OutgoingMail
from portal.core.outbox import MAIL_CHANGED, write_mail
from portal.core.tenancy import organisation_scope
from portal.core.worklist import pending_work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import Settings

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db

SECRET = "reports:a-long-enough-password"
SIGNING_KEY = "mailgun signs with this"


@pytest.fixture
def provider(settings: Settings) -> None:
    settings.MAIL_PROVIDER = "postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET], "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}


@pytest.fixture
def mail(laposte: Organisation) -> OutgoingMail:
    with organisation_scope(laposte.pk):
        write_mail(
            organisation_id=laposte.pk,
            key="a",
            name="key-changed",
            address="amelie@laposte.example",
            language="fr",
            context={"path": "/"},
        )
        OutgoingMail.objects.update(state="sent", sent_at=timezone.now())
        return OutgoingMail.objects.get()


def report(kind: str, marks: dict[str, str], **more: Any) -> dict[str, Any]:
    """A report of Postmark's, as its documentation shows it."""
    common = {
        "RecordType": kind,
        "ServerID": 23,
        "MessageStream": "outbound",
        "MessageID": "00000000-0000-0000-0000-000000000000",
        "Tag": "",
        "Metadata": marks,
    }
    own: dict[str, dict[str, Any]] = {
        "Delivery": {
            "Recipient": "amelie@laposte.example",
            "DeliveredAt": "2026-11-25T16:33:54.9070259Z",
            "Details": "Test delivery webhook details",
        },
        "Bounce": {
            "ID": 42,
            "Type": "HardBounce",
            "TypeCode": 1,
            "Name": "Hard bounce",
            "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
            "Email": "amelie@laposte.example",
            "BouncedAt": "2026-11-25T16:33:54.9070259Z",
            "Subject": "Objectif IA",
        },
        "SpamComplaint": {
            "ID": 42,
            "Type": "SpamComplaint",
            "TypeCode": 512,
            "Email": "amelie@laposte.example",
            "BouncedAt": "2026-11-25T16:33:54.9070259Z",
        },
        "Open": {"FirstOpen": True, "Recipient": "amelie@laposte.example", "ReceivedAt": "2026-11-25T16:33:54Z"},
    }
    return {**common, **own[kind], **more}


def post(body: object, *, secret: str = SECRET, provider: str = "postmark") -> int:
    basic = base64.b64encode(secret.encode()).decode()
    text = body if isinstance(body, str) else json.dumps(body)
    answer = Client(enforce_csrf_checks=True).post(
        f"/api/v1/mail/{provider}/", text, content_type="application/json", HTTP_AUTHORIZATION=f"Basic {basic}"
    )
    return answer.status_code


def state_of(mail: OutgoingMail) -> str:
    with organisation_scope(mail.organisation_id):
        mail.refresh_from_db()
    return mail.state


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (["Delivery"], "delivered"),
        (["Bounce"], "bounced"),
        (["Delivery", "Bounce"], "bounced"),
        (["Bounce", "Delivery"], "bounced"),
        (["Bounce", "Bounce"], "bounced"),
        (["Open"], "sent"),
        (["SpamComplaint"], "sent"),
    ],
)
def test_what_is_told_never_goes_backwards(provider: None, mail: OutgoingMail, told: list[str], state: str) -> None:
    assert [post(report(kind, mail_marks(mail))) for kind in told] == [200] * len(told)
    assert state_of(mail) == state
    with organisation_scope(mail.organisation_id):
        noted = pending_work(organisation_id=mail.organisation_id)
    assert {(work.topic, work.subject_id) for work in noted} <= {(MAIL_CHANGED, mail.pk)}
    assert bool(noted) is (told != ["Open"])


def test_why_it_came_back_is_kept_without_the_person(provider: None, mail: OutgoingMail) -> None:
    post(report("Bounce", mail_marks(mail)))
    state_of(mail)
    assert mail.error == "bounced:bounced"
    assert mail.answered_at is not None
    assert mail.answered_at.isoformat().startswith("2026-11-25T16:33:54")


def test_a_report_may_come_before_our_own_word(provider: None, mail: OutgoingMail) -> None:
    """The sender has died, or has not written yet that the provider took the mail."""
    with organisation_scope(mail.organisation_id):
        OutgoingMail.objects.update(state="uncertain", sent_at=None)
    post(report("Delivery", mail_marks(mail)))
    assert state_of(mail) == "delivered"
    assert mail.sent_at is not None


@pytest.mark.parametrize("state", ["due", "withdrawn", "failed"])
def test_a_mail_that_has_not_left_is_not_delivered(provider: None, mail: OutgoingMail, state: str) -> None:
    with organisation_scope(mail.organisation_id):
        OutgoingMail.objects.update(state=state)
    assert post(report("Delivery", mail_marks(mail))) == 200
    assert state_of(mail) == state


@pytest.mark.parametrize(
    "marks",
    [
        {},
        {"organisation": "0", "mail": "1"},
        {"organisation": "999999", "mail": "1"},
        {"organisation": "x", "mail": "' OR 1=1"},
        {"organisation": "9" * 40, "mail": "1"},
    ],
)
def test_an_unknown_mail_is_ignored(provider: None, mail: OutgoingMail, marks: dict[str, str]) -> None:
    assert post(report("Bounce", marks)) == 200
    assert state_of(mail) == "sent"


def test_another_organisation_cannot_be_named(provider: None, mail: OutgoingMail, airbus: Organisation) -> None:
    assert post(report("Bounce", {"organisation": str(airbus.pk), "mail": str(mail.pk)})) == 200
    assert state_of(mail) == "sent"


def test_our_own_message_id_will_do(provider: None, mail: OutgoingMail) -> None:
    named = f"<{mail.organisation_id}.{mail.pk}@localhost>"
    assert post(report("Delivery", {}, MessageID=named)) == 200
    assert state_of(mail) == "delivered"


@pytest.mark.parametrize(
    ("body", "secret", "named"),
    [
        (report("Bounce", {}), "reports:wrong", "postmark"),
        (report("Bounce", {}), "", "postmark"),
        ("not JSON", SECRET, "postmark"),
        ("[]", SECRET, "postmark"),
        ("{}", SECRET, "postmark"),
    ],
)
def test_what_is_not_a_report_is_refused(provider: None, body: object, secret: str, named: str) -> None:
    assert post(body, secret=secret, provider=named) in ({400} if body != "{}" else {200, 400})


def test_only_the_provider_in_use_may_report(provider: None, mail: OutgoingMail) -> None:
    for other in ("mailgun", "nobody", "console"):
        assert post(report("Bounce", mail_marks(mail)), provider=other) == 404


def mailgun(mail: OutgoingMail, *, key: str) -> dict[str, Any]:
    timestamp, token = "1764000000", "c" * 50
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": timestamp, "token": token, "signature": signature},
        "event-data": {
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "timestamp": 1764000000.5,
            "id": "G9Bn5sl1TC6nu79C8C0bwg",
            "recipient": "amelie@laposte.example",
            "message": {"headers": {"message-id": "20261125@mg.example"}},
            "delivery-status": {"code": 550, "message": "5.1.1 unknown", "description": ""},
            "user-variables": mail_marks(mail),
            "tags": [],
        },
    }


def test_a_signature_is_checked(provider: None, mail: OutgoingMail, settings: Settings) -> None:
    settings.MAIL_PROVIDER = "mailgun"
    assert post(mailgun(mail, key="somebody else's"), provider="mailgun") == 400
    assert state_of(mail) == "sent"
    assert post(mailgun(mail, key=SIGNING_KEY), provider="mailgun") == 200
    assert state_of(mail) == "bounced"


def test_the_provider_is_given_our_marks_and_told_not_to_track(mail: OutgoingMail, settings: Settings) -> None:
    """django-anymail's own test backend answers as a provider does, without a network."""
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    settings.ANYMAIL = {"SEND_DEFAULTS": {"track_opens": False, "track_clicks": False}}
    with organisation_scope(mail.organisation_id):
        OutgoingMail.objects.update(state="due", sent_at=None)
    deliver_mail(organisation_id=mail.organisation_id)
    from django.core import mail as box  # noqa: PLC0415  Its name is taken.

    (sent,) = box.outbox
    given = vars(sent)["anymail_test_params"]
    assert given["metadata"] == mail_marks(mail)
    assert (given["track_opens"], given["track_clicks"]) == (False, False)
    assert sent.to == ["amelie@laposte.example"]
    assert state_of(mail) == "sent"
    assert mail.message_id


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"EMAIL_URL": "anymail+postmark://?server_token=x"}, "MAIL_WEBHOOK_SECRET is not set"),
        ({"EMAIL_URL": "anymail+postmark://?server_token=x", "MAIL_WEBHOOK_SECRET": "a:short"}, "16 characters"),
        ({"EMAIL_URL": "anymail+nobody://?a=x", "MAIL_WEBHOOK_SECRET": SECRET}, "no provider of django-anymail"),
    ],
)
def test_a_provider_without_its_secret_stops_the_start(given: dict[str, str], said: str) -> None:
    begun = subprocess.run(
        [sys.executable, "-c", "import portal.settings"],
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert begun.returncode == 1
    assert said in begun.stderr


@pytest.mark.parametrize(
    ("code", "state", "error"),
    [
        (200, "sent", ""),
        (401, "due", "api_401"),
        (400, "failed", "api_400"),
        (429, "due", "api_429"),
        (500, "uncertain", "api_500"),
        (0, "due", "unreachable"),
    ],
)
def test_what_a_providers_answer_means(
    mail: OutgoingMail, settings: Settings, code: int, state: str, error: str
) -> None:
    """A provider that failed may have taken the mail all the same; one that nobody reached has not."""
    with answering(code) as address:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "token", "POSTMARK_API_URL": address}
        with organisation_scope(mail.organisation_id):
            OutgoingMail.objects.update(state="due", sent_at=None)
        deliver_mail(organisation_id=mail.organisation_id)
    assert (state_of(mail), mail.error) == (state, error)
    assert bool(mail.message_id) is (code == 200)


@contextmanager
def answering(code: int) -> Iterator[str]:
    """A provider on this machine that gives one answer; with 0, nobody listens there."""

    class Provider(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps([{"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": "a@laposte.example"}])
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Provider)
    address = f"http://127.0.0.1:{server.server_port}/"
    if not code:
        server.server_close()
        yield address
        return
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
