"""The words for how far somebody is in a cohort, and for what brought them there."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from portal.enrolments.models import Enrolment

Cause = Enrolment.Cause


def state_word(state: str) -> tuple[str, str]:
    """Say a state, and with which tone."""
    words = {
        Enrolment.State.ENROLLED: (pgettext("person", "enrolled"), "neutral"),
        Enrolment.State.INVITED: (pgettext("person", "invited"), "neutral"),
        Enrolment.State.ACTIVE: (pgettext("person", "active"), "info"),
        Enrolment.State.COMPLETED: (pgettext("person", "completed"), "info"),
        Enrolment.State.CERTIFIED: (pgettext("person", "certified"), "good"),
        Enrolment.State.WITHDRAWN: (pgettext("person", "withdrawn"), "warn"),
    }
    return words[Enrolment.State(state)]


def cause_word(cause: str) -> str:
    """Say what brought a step about; nothing for steps of before causes were written down."""
    words = {
        Cause.IMPORT: _("by an import"),
        Cause.RULE: _("by a rule of the cohort"),
        Cause.HAND: _("by hand"),
        Cause.SIGN_IN: _("by a first sign-in"),
        Cause.FACT: _("by a fact of the platform"),
        Cause.UNDO: _("because an import was taken back"),
    }
    return words.get(Cause(cause), "") if cause in Cause.values else ""
