"""Why somebody enrolled is not certified yet: one cause each, the one that holds them up now.

The same expression counts (`portal.progress.rollups`) and lists, so that a number and its list agree.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

QUIET = timedelta(days=14)
"""Without a fact for so long, somebody who has started counts as having stopped."""


class Loss(StrEnum):
    """From the beginning of the way to its end; `learning` and `left` are held up by nothing that can be mended."""

    NO_ADDRESS = "no_address"
    UNINVITED = "uninvited"
    UNSENT = "unsent"
    BOUNCED = "bounced"
    SILENT = "silent"
    UNSTARTED = "unstarted"
    STOPPED = "stopped"
    LEARNING = "learning"
    UNCERTIFIED = "uncertified"
    LEFT = "left"


CAUSE = f"""
    CASE WHEN e.certified_at IS NOT NULL THEN NULL
         WHEN NOT p.active THEN '{Loss.LEFT}'
         WHEN e.completed_at IS NOT NULL THEN '{Loss.UNCERTIFIED}'
         WHEN e.started_at IS NOT NULL AND f.employee_id IS NOT NULL THEN '{Loss.LEARNING}'
         WHEN e.started_at IS NOT NULL THEN '{Loss.STOPPED}'
         WHEN e.activated_at IS NOT NULL THEN '{Loss.UNSTARTED}'
         WHEN e.delivered_at IS NOT NULL THEN '{Loss.SILENT}'
         WHEN v.state = 'bounced' THEN '{Loss.BOUNCED}'
         WHEN v.state IN ('failed', 'uncertain') THEN '{Loss.UNSENT}'
         WHEN e.invited_at IS NOT NULL THEN '{Loss.SILENT}'
         WHEN p.email = '' THEN '{Loss.NO_ADDRESS}'
         ELSE '{Loss.UNINVITED}' END
"""
"""Of an enrolment `e`, its employee `p`, the latest mail `v` that was tried, and a fact `f` that is not old."""

_MAILS = (
    "SELECT DISTINCT ON (enrolment_id) enrolment_id, state FROM enrolments_invitation"
    " WHERE organisation_id = %(organisation)s AND state NOT IN ('planned', 'queued', 'withdrawn')"
)
_LATEST = " ORDER BY enrolment_id, number DESC"
FACTS = (
    "SELECT DISTINCT employee_id, programme_id FROM progress_completionevent"
    " WHERE organisation_id = %(organisation)s AND occurred_at > %(quiet)s AND employee_id IS NOT NULL"
)
MAILS = _MAILS + _LATEST
MAILS_OF_FEW = f"{_MAILS} AND enrolment_id IN (SELECT id FROM rollup_people) {_LATEST}"  # noqa: S608  Constants.
FACTS_OF_FEW = f"{FACTS} AND employee_id IN (SELECT employee_id FROM rollup_people)"  # noqa: S608  Constants.
"""Of those alone who are counted (`rollup_people`), for a few; for many, the whole set is read."""
