"""Sending the outbox: a mail leaves once, or stops where somebody can see that it may not have left.

A mail is claimed in a transaction of its own before the mail server hears of it. Whoever dies between the server's word
and ours leaves it claimed; after a while it is `uncertain`, and nobody writes to that person again unasked.
"""

from __future__ import annotations

import logging
import smtplib
from dataclasses import dataclass
from datetime import timedelta
from email.errors import MessageError
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F
from django.template import Context, TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.utils import timezone, translation

from portal.core.models import OutgoingMail
from portal.core.outbox import MAIL_CHANGED
from portal.core.tenancy import organisation_scope, platform_scope
from portal.core.worklist import note_work

if TYPE_CHECKING:
    import datetime as dt

    from django.core.mail.backends.base import BaseEmailBackend

MOST_ATTEMPTS: Final = 6
FIRST_WAIT: Final = timedelta(minutes=2)
"""Doubled by each attempt: a server that is away for an hour loses nothing."""

UNCERTAIN_AFTER: Final = timedelta(minutes=15)
MOST_AT_ONCE: Final = 200
"""The next round takes the rest: one organisation does not make the others wait."""

_State = OutgoingMail.State
_UNWRITABLE = (TemplateDoesNotExist, TemplateSyntaxError, MessageError, ValueError, TypeError, LookupError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ending:
    """What became of one attempt: the state that follows, and a code that names nobody."""

    state: str
    error: str = ""


def organisations_with_mail(*, now: dt.datetime | None = None) -> list[int]:
    """Return whose mail is due, or was claimed so long ago that its sender has died."""
    with platform_scope():
        waiting = OutgoingMail.objects.filter(state__in=(_State.DUE, _State.SENDING), due_at__lte=now or timezone.now())
        return list(waiting.order_by("organisation_id").values_list("organisation_id", flat=True).distinct())


def deliver_mail(*, organisation_id: int, now: dt.datetime | None = None) -> int:
    """Send what is due of an organisation, and return how many mails left. Call it outside any transaction."""
    moment = now or timezone.now()
    _give_up_the_silent(organisation_id, moment)
    server = get_connection()
    sent = 0
    try:
        for _turn in range(MOST_AT_ONCE):
            mail = _claim_next(organisation_id, moment)
            if mail is None:
                break
            ending = _attempt(server, mail)
            _settle(mail, ending, moment)
            sent += ending.state == _State.SENT
    finally:
        _close(server)
    return sent


def _give_up_the_silent(organisation_id: int, now: dt.datetime) -> None:
    with organisation_scope(organisation_id):
        claimed = OutgoingMail.objects.filter(organisation_id=organisation_id, state=_State.SENDING, due_at__lte=now)
        silent = list(claimed.select_for_update(skip_locked=True).values_list("pk", flat=True))
        OutgoingMail.objects.filter(pk__in=silent).update(state=_State.UNCERTAIN, error="sender_died")
        note_work(organisation_id=organisation_id, topic=MAIL_CHANGED, subject_ids=silent)
    if silent:
        log.warning("%s mails of organisation %s may have left, or not.", len(silent), organisation_id)


def _claim_next(organisation_id: int, now: dt.datetime) -> OutgoingMail | None:
    """Take the mail that has waited longest, if nobody else does; the claim is committed before it is sent.

    `due_at` then says when the claim has lasted too long, so that the sweep need not look at it before.
    """
    with organisation_scope(organisation_id):
        due = OutgoingMail.objects.filter(organisation_id=organisation_id, state=_State.DUE, due_at__lte=now)
        mail = due.order_by("due_at", "id").select_for_update(skip_locked=True).first()
        if mail is None:
            return None
        claimed = OutgoingMail.objects.filter(pk=mail.pk, state=_State.DUE).update(
            state=_State.SENDING, claimed_at=now, due_at=now + UNCERTAIN_AFTER, attempts=F("attempts") + 1
        )
        mail.refresh_from_db()
        return mail if claimed else None


def _attempt(server: BaseEmailBackend, mail: OutgoingMail) -> _Ending:
    """Send one mail. What may have left already is not tried again."""
    try:
        server.open()
    except (smtplib.SMTPException, OSError):
        # Nothing was said yet: neither is a wrong password of ours the mail's fault.
        return _again(mail, "unreachable")
    try:
        server.send_messages([written(mail)])
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _text in refused.recipients.values()]
        return _refused(server, mail, min(codes, default=450))
    except smtplib.SMTPResponseException as refused:
        return _refused(server, mail, refused.smtp_code)
    except (smtplib.SMTPException, OSError):
        # The line broke while it was being sent: the server may have taken it.
        _close(server)
        return _Ending(_State.UNCERTAIN, "line_broke")
    except _UNWRITABLE as error:
        return _Ending(_State.FAILED, f"unwritable:{type(error).__name__}"[:60])
    return _Ending(_State.SENT)


def _refused(server: BaseEmailBackend, mail: OutgoingMail, code: int) -> _Ending:
    _close(server)
    return _Ending(_State.FAILED, f"smtp_{code}") if code >= 500 else _again(mail, f"smtp_{code}")


def _again(mail: OutgoingMail, error: str) -> _Ending:
    return _Ending(_State.DUE if mail.attempts < MOST_ATTEMPTS else _State.FAILED, error)


def _settle(mail: OutgoingMail, ending: _Ending, now: dt.datetime) -> None:
    """Record what became of our claim, also when it took so long that it was given up meanwhile."""
    changes = {"state": ending.state, "error": ending.error}
    with organisation_scope(mail.organisation_id):
        ours = OutgoingMail.objects.filter(
            pk=mail.pk, state__in=(_State.SENDING, _State.UNCERTAIN), claimed_at=mail.claimed_at
        )
        if ending.state == _State.SENT:
            ours.update(**changes, sent_at=timezone.now())
        elif ending.state == _State.DUE:
            ours.update(**changes, due_at=now + FIRST_WAIT * 2 ** (mail.attempts - 1))
        else:
            ours.update(**changes)
        if ending.state != _State.DUE:
            note_work(organisation_id=mail.organisation_id, topic=MAIL_CHANGED, subject_ids=[mail.pk])
    if ending.error:
        log.warning("Mail %s is %s (%s).", mail.pk, ending.state, ending.error)


def written(mail: OutgoingMail) -> EmailMultiAlternatives:
    """Return the message in the recipient's language, as text and as HTML without anything from elsewhere."""
    with translation.override(mail.language):
        words = {**mail.context, "base_url": settings.BASE_URL, "language": mail.language}
        message = EmailMultiAlternatives(
            subject=" ".join(_text(mail.name, "subject.txt", words).split()),
            body=_text(mail.name, "body.txt", words).strip() + "\n",
            to=[mail.address],
            headers={
                # The same for every attempt: a server that got it twice can tell.
                "Message-ID": f"<{mail.organisation_id}.{mail.pk}@{urlsplit(settings.BASE_URL).hostname}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        html = get_template(f"email/{mail.name}/body.html").render(words)
    message.attach_alternative(html, "text/html")
    return message


def _text(name: str, part: str, words: dict[str, object]) -> str:
    """Render plain text: nothing is escaped where there is no HTML."""
    template = get_template(f"email/{name}/{part}").template  # type: ignore[attr-defined]  # Django's own engine.
    return str(template.render(Context(words, autoescape=False)))


def _close(server: BaseEmailBackend) -> None:
    try:
        server.close()
    except (smtplib.SMTPException, OSError):
        # It is gone already.
        server.connection = None  # type: ignore[attr-defined]  # That of SMTP.
