"""The outbox against a real mail server: sent once, tried again, given up, and never twice after a death."""

from __future__ import annotations

import datetime as dt
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from portal.core import delivery
from portal.core.models import OutgoingMail
from portal.core.outbox import write_mail
from portal.core.tasks import deliver_mail
from portal.core.tenancy import organisation_scope
from tests.factories.people import make_organisation
from tests.mail_server import mail_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import Settings

    from portal.organisations.models import Organisation
    from tests.mail_server import Post

ROOT = Path(__file__).resolve().parents[3]
ODILE = "odile@laposte.example"
State = OutgoingMail.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(settings: Settings) -> Iterator[Post]:
    with mail_server() as (post, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_TIMEOUT = 20
        yield post


def write(organisation: Organisation, *, key: str = "one", address: str = ODILE, **values: Any) -> None:
    with organisation_scope(organisation.pk):
        write_mail(
            organisation_id=organisation.pk,
            key=key,
            address=address,
            **{
                "name": "sign-in-failing",
                "language": "fr",
                "context": {"organisation": organisation.name, "path": "/o/laposte/sign-in/", "failures": 1234},
                **values,
            },
        )


def mails(organisation: Organisation) -> list[OutgoingMail]:
    with organisation_scope(organisation.pk):
        return list(OutgoingMail.objects.order_by("id"))


def test_a_mail_leaves_once_in_the_readers_language(laposte: Organisation, post: Post) -> None:
    write(laposte)
    write(laposte)
    write(laposte, address="oscar@laposte.example", language="en")

    deliver_mail()
    deliver_mail()

    assert post.to() == [ODILE, "oscar@laposte.example"]
    french, english = post.taken
    assert english["Subject"] == "La Poste: your people cannot sign in"
    assert french["Subject"] != english["Subject"]
    assert french["Message-ID"] != english["Message-ID"]
    text, html = (part.get_content() for part in english.iter_parts())
    assert "1,234 sign-ins in a row" in text
    assert "See why: http://localhost:8000/o/laposte/sign-in/" in text
    assert "&" not in text
    assert 'href="http://localhost:8000/o/laposte/sign-in/"' in html
    assert not any(remote in html for remote in ("<img", "<link", "<script", "url(", "@import"))
    assert {mail.state for mail in mails(laposte)} == {State.SENT}


OWN = {"my-certificates", "private-address", "private-address-left"}
"""Mails to a person's own address: they name no employer, and are tried where they are written."""


@pytest.mark.parametrize(
    "name", sorted({path.name for path in (ROOT / "templates" / "email").iterdir() if path.is_dir()} - OWN)
)
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_every_mail_can_be_written(laposte: Organisation, name: str, language: str, turn: int) -> None:
    variants: list[dict[str, Any]] = [
        {"whose": "idp", "days": 14, "follows": True, "held": True},
        {"whose": "idp", "days": 1, "follows": False, "held": False},
        {"whose": "idp", "days": -2, "another": True},
        {"whose": "ours", "days": 60},
    ]
    moment = "2026-11-25T06:00:00+00:00"
    words = {"organisation": "L’Été & Cie", "path": "/o/ete/", "who": "Odile", "failures": 20, "fingerprint": "AA:BB"}
    words |= {"domain": "ete.example", "until": moment, "url": "http://localhost:8000/o/ete/"}
    words |= {"programme_fr": "L’IA & vous", "programme_en": "L’IA & vous"}
    mail = OutgoingMail(
        pk=1,
        organisation_id=laposte.pk,
        name=name,
        address=ODILE,
        language=language,
        context={**words, "ends": moment, "signs": moment, "at": moment, "until": moment, **variants[turn]},
    )

    written = delivery.written(mail)

    assert any(named in written.subject for named in ("L’Été & Cie", "ete.example", "L’IA & vous"))
    assert "\n" not in written.subject
    assert "&amp;" not in str(written.body)
    assert "http://localhost:8000/o/ete/" in str(written.body)
    assert "L’Été &amp; Cie" in str(written.alternatives[0][0])


def test_what_is_not_due_waits(laposte: Organisation, post: Post) -> None:
    write(laposte, due_at=timezone.now() + dt.timedelta(hours=1))
    assert delivery.organisations_with_mail() == []

    assert delivery.deliver_mail(organisation_id=laposte.pk) == 0
    assert delivery.deliver_mail(organisation_id=laposte.pk, now=timezone.now() + dt.timedelta(hours=2)) == 1


def test_only_whose_mail_is_due_is_looked_at(laposte: Organisation, airbus: Organisation, post: Post) -> None:
    write(airbus)

    assert delivery.organisations_with_mail() == [airbus.pk]


def test_a_temporary_refusal_is_tried_again_later_and_not_for_ever(laposte: Organisation, post: Post) -> None:
    post.answer[ODILE] = "451 later"
    write(laposte)
    now = timezone.now()
    waits = []
    for _turn in range(delivery.MOST_ATTEMPTS):
        delivery.deliver_mail(organisation_id=laposte.pk, now=now)
        (mail,) = mails(laposte)
        waits.append(mail.due_at - now)
        assert delivery.deliver_mail(organisation_id=laposte.pk, now=now) == 0
        now = max(now, mail.due_at)

    assert (mail.state, mail.error, mail.attempts) == (State.FAILED, "smtp_451", delivery.MOST_ATTEMPTS)
    assert waits[:3] == [delivery.FIRST_WAIT, delivery.FIRST_WAIT * 2, delivery.FIRST_WAIT * 4]
    assert post.taken == []


def test_it_leaves_once_the_server_is_back(laposte: Organisation, post: Post) -> None:
    post.answer[ODILE] = "450 greylisted"
    write(laposte)
    now = timezone.now()
    delivery.deliver_mail(organisation_id=laposte.pk, now=now)
    post.answer.clear()

    assert delivery.deliver_mail(organisation_id=laposte.pk, now=now + delivery.FIRST_WAIT) == 1
    assert mails(laposte)[0].error == ""


def test_an_address_that_does_not_exist_fails_and_the_others_leave(laposte: Organisation, post: Post) -> None:
    post.answer[ODILE] = "550 unknown"
    write(laposte)
    write(laposte, address="oscar@laposte.example")

    assert delivery.deliver_mail(organisation_id=laposte.pk) == 1
    assert [(mail.state, mail.error) for mail in mails(laposte)] == [(State.FAILED, "smtp_550"), (State.SENT, "")]


def test_a_server_that_is_away_costs_nothing(laposte: Organisation, settings: Settings, post: Post) -> None:
    settings.EMAIL_PORT = 1
    write(laposte)

    delivery.deliver_mail(organisation_id=laposte.pk)

    assert [(mail.state, mail.error) for mail in mails(laposte)] == [(State.DUE, "unreachable")]


def test_a_line_that_breaks_after_the_mail_was_given_is_not_tried_again(laposte: Organisation, post: Post) -> None:
    def hang_up() -> str:
        raise ConnectionResetError

    post.on_data = lambda: "421 closing" if len(post.taken) > 1 else hang_up()
    write(laposte)
    delivery.deliver_mail(organisation_id=laposte.pk)

    # The server answers an exception of its own with 500 or hangs up: in neither case does it leave twice.
    state = mails(laposte)[0].state
    assert state in {State.UNCERTAIN, State.FAILED}
    delivery.deliver_mail(organisation_id=laposte.pk, now=timezone.now() + dt.timedelta(days=1))
    assert len(post.taken) == 1


def test_a_mail_that_cannot_be_written_stops_nobody(laposte: Organisation, post: Post) -> None:
    write(laposte, name="no-such-mail")
    write(laposte, key="two", context={"organisation": "La Poste", "failures": "many"})
    write(laposte, key="three", address="a@laposte.example\nBcc: b@laposte.example")
    write(laposte, key="four")

    assert delivery.deliver_mail(organisation_id=laposte.pk) == 1
    assert [mail.state for mail in mails(laposte)] == [State.FAILED, State.FAILED, State.FAILED, State.SENT]
    assert post.to() == [ODILE]


def test_the_log_names_nobody(laposte: Organisation, post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.answer[ODILE] = f"550 {ODILE} unknown"
    write(laposte)
    with caplog.at_level(logging.DEBUG):
        delivery.deliver_mail(organisation_id=laposte.pk)

    # The server of the tests talks more than ours.
    said = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("mail."))
    assert "smtp_550" in said
    assert "laposte.example" not in said


SENDER = """
import os, signal, sys
import django
django.setup()
from django.core.mail.backends.smtp import EmailBackend
from portal.core import delivery
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
before = sys.argv[2] == "before"
if before:
    EmailBackend.send_messages = die
else:
    delivery._settle = die
delivery.deliver_mail(organisation_id=int(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
@pytest.mark.parametrize(("moment", "left"), [("before", 0), ("after", 1)])
def test_who_dies_at_the_server_writes_to_nobody_twice(post: Post, settings: Settings, moment: str, left: int) -> None:
    laposte = make_organisation("laposte", "La Poste")
    write(laposte)
    here = connection.settings_dict
    given = {name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL"}
    own = {
        "DATABASE_URL": f"postgresql://{here['USER']}@{str(here['HOST']).replace('/', '%2F')}/{here['NAME']}",
        "EMAIL_URL": f"smtp://127.0.0.1:{settings.EMAIL_PORT}",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }

    ended = subprocess.run(
        [sys.executable, "-c", SENDER, str(laposte.pk), moment], cwd=ROOT, env=given | own, check=False
    )

    assert ended.returncode == -signal.SIGKILL
    (mail,) = mails(laposte)
    assert mail.state == State.SENDING
    assert len(post.taken) == left
    now = timezone.now()
    assert delivery.deliver_mail(organisation_id=laposte.pk, now=now) == 0
    assert delivery.organisations_with_mail(now=now) == []
    later = now + delivery.UNCERTAIN_AFTER
    assert delivery.organisations_with_mail(now=later) == [laposte.pk]
    assert delivery.deliver_mail(organisation_id=laposte.pk, now=later) == 0
    assert mails(laposte)[0].state == State.UNCERTAIN
    assert delivery.deliver_mail(organisation_id=laposte.pk, now=later + dt.timedelta(days=9)) == 0
    assert len(post.taken) == left
