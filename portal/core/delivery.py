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

from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F
from django.template import Context, TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.utils import timezone, translation
from requests import ConnectTimeout
from urllib3.exceptions import NewConnectionError

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

_NOT_THE_MAILS_FAULT: Final = frozenset({401, 403, 408, 429})
"""A key of ours that is wrong, and too many at once."""

_State = OutgoingMail.State
_UNWRITABLE = (TemplateDoesNotExist, TemplateSyntaxError, MessageError, ValueError, TypeError, LookupError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ending:
    """What became of one attempt: the state that follows, and a code that names nobody."""

    state: str
    error: str = ""
    message_id: str = ""


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
        message = written(mail)
        server.send_messages([message])
    except (AnymailAPIError, AnymailRecipientsRefused) as error:
        return _answered(mail, error)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as refused:
        return _refused(server, mail, _smtp_code(refused))
    except (smtplib.SMTPException, OSError):
        # The line broke while it was being sent: the server may have taken it.
        _close(server)
        return _Ending(_State.UNCERTAIN, "line_broke")
    except _UNWRITABLE as error:
        return _Ending(_State.FAILED, f"unwritable:{type(error).__name__}"[:60])
    status = getattr(message, "anymail_status", None)
    named = status.message_id if status else None
    return _Ending(_State.SENT, message_id="" if named is None else str(named)[:250])


def _answered(mail: OutgoingMail, error: AnymailAPIError | AnymailRecipientsRefused) -> _Ending:
    """Tell what a provider's answer means. An error of its own, and silence, may have come after it took the mail."""
    if isinstance(error, AnymailRecipientsRefused):
        return _Ending(_State.FAILED, "refused")
    code = getattr(error, "status_code", None) or 0
    cause = error.__cause__
    reason = getattr(cause.args[0], "reason", None) if cause and cause.args else None
    if isinstance(cause, ConnectTimeout) or isinstance(reason, NewConnectionError):
        return _again(mail, "unreachable")
    if code in _NOT_THE_MAILS_FAULT:
        return _again(mail, f"api_{code}")
    if 400 <= code < 500:
        return _Ending(_State.FAILED, f"api_{code}")
    return _Ending(_State.UNCERTAIN, f"api_{code}" if code else "line_broke")


def _smtp_code(refused: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> int:
    if isinstance(refused, smtplib.SMTPResponseException):
        return refused.smtp_code
    return min((code for code, _text in refused.recipients.values()), default=450)


def _refused(server: BaseEmailBackend, mail: OutgoingMail, code: int) -> _Ending:
    _close(server)
    return _Ending(_State.FAILED, f"smtp_{code}") if code >= 500 else _again(mail, f"smtp_{code}")


def _again(mail: OutgoingMail, error: str) -> _Ending:
    return _Ending(_State.DUE if mail.attempts < MOST_ATTEMPTS else _State.FAILED, error)


def _settle(mail: OutgoingMail, ending: _Ending, now: dt.datetime) -> None:
    """Record what became of our claim, also when it took so long that it was given up meanwhile."""
    changes = {"state": ending.state, "error": ending.error, "message_id": ending.message_id}
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
    # What a provider's report says of the mail comes back with these (`portal.core.mail_reports`).
    message.metadata = mail_marks(mail)  # type: ignore[attr-defined]  # django-anymail's.
    return message


def mail_marks(mail: OutgoingMail) -> dict[str, str]:
    """Return what names a mail to a provider; it says nothing about anybody."""
    return {"organisation": str(mail.organisation_id), "mail": str(mail.pk)}


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
