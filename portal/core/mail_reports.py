"""What a mail provider says became of a mail: taken once, in whatever order it comes, and never backwards.

Delivered, then bounced is a mail that came back late. Bounced, then delivered is an old report that was slow. Who
opened a mail, or followed its link, is never asked for and, when it is told all the same, not kept: mail scanners do
both, and it is nobody's business.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final

from anymail.signals import EventType, tracking
from django.db.models import F
from django.db.models.functions import Coalesce
from django.dispatch import receiver
from django.utils import timezone

from portal.core.models import OutgoingMail
from portal.core.outbox import MAIL_CHANGED
from portal.core.tenancy import organisation_scope
from portal.core.worklist import note_work

if TYPE_CHECKING:
    from anymail.signals import AnymailTrackingEvent

_State = OutgoingMail.State
_LEFT = (_State.SENDING, _State.SENT, _State.UNCERTAIN)

OUTCOMES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    EventType.SENT: (_State.SENT, (_State.SENDING, _State.UNCERTAIN)),
    EventType.DELIVERED: (_State.DELIVERED, _LEFT),
    EventType.BOUNCED: (_State.BOUNCED, (*_LEFT, _State.DELIVERED)),
    EventType.REJECTED: (_State.BOUNCED, (*_LEFT, _State.DELIVERED)),
    EventType.FAILED: (_State.BOUNCED, (*_LEFT, _State.DELIVERED)),
}
"""What each report makes of a mail, and of which: of one that is further, nothing."""

UNWANTED: Final = {EventType.COMPLAINED: "complained", EventType.UNSUBSCRIBED: "unsubscribed"}
"""The mail arrived, and whoever got it wants no other: they are not reminded."""

_OUR_ID = re.compile(r"<?(\d{1,18})\.(\d{1,18})@")
_MARK = re.compile(r"[1-9]\d{0,17}")

log = logging.getLogger(__name__)


@receiver(tracking)
def take_report(event: AnymailTrackingEvent, **_: Any) -> None:  # noqa: ANN401  The signal's signature.
    """Follow one report; one about a mail that is not ours is ignored, for another try would say the same."""
    named = _named(event)
    if named is None:
        return
    organisation_id, mail_id = named
    with organisation_scope(organisation_id):
        if _follow(organisation_id, mail_id, event):
            note_work(organisation_id=organisation_id, topic=MAIL_CHANGED, subject_ids=[mail_id])


def _follow(organisation_id: int, mail_id: int, event: AnymailTrackingEvent) -> bool:
    mails = OutgoingMail.objects.filter(organisation_id=organisation_id, pk=mail_id)
    at = event.timestamp or timezone.now()
    if event.event_type in UNWANTED:
        return bool(mails.filter(state__in=(*_LEFT, _State.DELIVERED)).update(error=UNWANTED[event.event_type]))
    if event.event_type not in OUTCOMES:
        return False
    state, before = OUTCOMES[event.event_type]
    error = f"{event.event_type}:{event.reject_reason or 'other'}"[:60] if state == _State.BOUNCED else F("error")
    if event.event_type == EventType.SENT:
        return bool(mails.filter(state__in=before).update(state=state, error="", sent_at=Coalesce("sent_at", at)))
    changed = mails.filter(state__in=before).update(
        state=state, error=error, answered_at=at, sent_at=Coalesce("sent_at", at)
    )
    if changed:
        log.info("Mail %s is %s.", mail_id, state)
    return bool(changed)


def _named(event: AnymailTrackingEvent) -> tuple[int, int] | None:
    """Return the organisation and the mail that a report is about, by our marks or by our own message id."""
    marks = event.metadata or {}
    values = str(marks.get("organisation", "")), str(marks.get("mail", ""))
    if all(_MARK.fullmatch(value) for value in values):
        return int(values[0]), int(values[1])
    ours = _OUR_ID.match(event.message_id or "")
    return (int(ours[1]), int(ours[2])) if ours and int(ours[1]) else None
