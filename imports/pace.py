"""How far the work on an import is, how fast it goes, and how long it will still take, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from imports.models import RosterImport
from imports.progress import rows_read
from portal.core.templatetags.ui import number

if TYPE_CHECKING:
    from datetime import datetime

State = RosterImport.State

READING = (State.UPLOADED, State.PREPARING)
_SOON = 2
_MINUTE = 60
_HOUR = 3_600
_WORTH_SAYING = 1.0
"""Seconds after which a rate says something."""


def progress_of(roster_import: RosterImport) -> dict[str, Any]:
    """What the bar shows; while a file is read nobody knows how long it is."""
    state = State(roster_import.state)
    done, total = roster_import.done_rows, None
    if state in READING:
        done = rows_read(roster_import.pk) if state == State.PREPARING else 0
    elif state in (State.APPLYING, State.UNDOING):
        total = roster_import.counts.get("to_do")
    rate = _rate(done, _began(roster_import))
    return {
        "label": _label(state),
        "done": done,
        "total": total,
        "reading": state in READING or state == State.PLANNING,
        "pace": _pace(rate, None if total is None else total - done),
    }


def _began(roster_import: RosterImport) -> datetime | None:
    """When a reading began is written where its heartbeat is, since it writes nothing else until its end."""
    if roster_import.state == State.PREPARING:
        return roster_import.heartbeat_at
    return roster_import.work_began_at


def _rate(done: int, began: datetime | None) -> float:
    seconds = (timezone.now() - began).total_seconds() if began else 0.0
    return done / seconds if seconds >= _WORTH_SAYING else 0.0


def _pace(rate: float, left: int | None) -> str:
    """Rows per second, and the time that is left when it is known."""
    if rate < 1:
        return ""
    pace = _("%(rate)s rows a second") % {"rate": number(_rounded(rate))}
    if left is None:
        return pace
    return _("%(pace)s, %(time)s left") % {"pace": pace, "time": _duration(left / rate)}


def _rounded(rate: float) -> int:
    """Two digits: the others change at every glance, and say nothing."""
    grain: int = max(10 ** (len(str(round(rate))) - 2), 1)
    return round(rate / grain) * grain


def _duration(seconds: float) -> str:
    if seconds < _SOON:
        return _("a moment")
    if seconds < _MINUTE:
        return _("%(count)s s") % {"count": number(int(seconds))}
    if seconds < _HOUR:
        minutes = round(seconds / _MINUTE)
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": number(minutes)}
    return _("more than an hour")


def _label(state: State) -> str:
    return {
        State.UPLOADED: _("The file waits to be read"),
        State.PREPARING: _("The file is being read"),
        State.PLANNING: _("The file is being compared with the roster"),
        State.APPLYING: _("The changes are being applied"),
        State.UNDOING: _("The changes are being taken back"),
    }[state]
