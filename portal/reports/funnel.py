"""Where people are lost between the roster and the certificate, in words: the steps, the causes, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from portal.core.templatetags.ui import number
from portal.progress.losses import QUIET, Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from portal.progress.selectors import Figures

HARMLESS = frozenset({Loss.LEARNING, Loss.LEFT})
"""What needs nobody: people who are under way, and those who left the organisation."""


@dataclass(frozen=True, slots=True)
class LossLine:
    """One cause: how many it holds up, what it means, and what to do about it; `url` is the list behind the number."""

    code: str
    label: str
    count: int
    url: str
    action: str
    action_url: str
    detail: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits on a desk and may explain losses: people to recognise, certificates that match nobody."""

    people: int = 0
    certificates: int = 0


def step_labels() -> dict[str, str]:
    return {
        "roster": _("On the roster"),
        "enrolled": _("Enrolled"),
        "invited": _("Invited"),
        "delivered": _("Mail delivered"),
        "active": pgettext("step", "Signed in"),
        "started": _("Started"),
        "completed": _("Completed"),
        "certified": _("Certified"),
    }


def funnel_rows(figures: Figures, link: Callable[[str], str] = lambda _step: "") -> list[dict[str, Any]]:
    """Return the steps. Where the mail server says nothing of deliveries, they are no step."""
    return [
        {"label": label, "count": getattr(figures, step), "url": link(step) if getattr(figures, step) else ""}
        for step, label in step_labels().items()
        if step != "delivered" or figures.delivered
    ]


def loss_labels() -> dict[Loss, str]:
    days = {"days": QUIET.days}
    return {
        Loss.NO_ADDRESS: _("No e-mail address on the roster"),
        Loss.UNINVITED: _("Never invited"),
        Loss.UNSENT: _("The mail could not be sent"),
        Loss.BOUNCED: _("The mail came back"),
        Loss.SILENT: _("Invited, never signed in"),
        Loss.UNSTARTED: _("Signed in, course not started"),
        Loss.STOPPED: _("Started, then nothing for %(days)s days") % days,
        Loss.LEARNING: _("Under way"),
        Loss.UNCERTIFIED: _("Completed, not certified"),
        Loss.LEFT: _("Left the organisation"),
    }


def _actions() -> dict[Loss, tuple[str, str]]:
    """What to do about each cause, and on which page it is done; some of it is done outside the portal."""
    return {
        Loss.NO_ADDRESS: (_("Complete their addresses in the roster, or hand out printed sheets"), "roster"),
        Loss.UNINVITED: (_("Invite them"), "invite"),
        Loss.UNSENT: (_("Invite them again"), "invite"),
        Loss.BOUNCED: (_("Correct their addresses in the roster"), "roster"),
        Loss.SILENT: (_("Remind them, or have their managers call"), "invite"),
        Loss.UNSTARTED: (_("Remind them: one button opens the course"), "invite"),
        Loss.STOPPED: (_("Remind them where they stopped"), "invite"),
        Loss.LEARNING: (_("Nothing to do"), ""),
        Loss.UNCERTIFIED: (_("Wait for the platform, or ask it for the certificates"), ""),
        Loss.LEFT: (_("Nothing to do: they stay counted"), ""),
    }


def loss_lines(
    losses: Mapping[str, int],
    *,
    link: Callable[[str], str] = lambda _code: "",
    pages: Mapping[str, str] | None = None,
    waiting: Waiting | None = None,
) -> list[LossLine]:
    """Return the causes that hold anybody up, along the way. `pages` leads to where each action is done."""
    where, told, actions = pages or {}, waiting or Waiting(), _actions()
    lines = []
    for code, label in loss_labels().items():
        count = losses.get(code, 0)
        if not count:
            continue
        action, page = actions[code]
        action_url = where.get(page, "")
        detail = ""
        if code is Loss.SILENT and told.people:
            detail, action_url = _people_waiting(told.people), where.get("matches", action_url)
            action = _("Recognise those who wait, then remind the others")
        elif code is Loss.SILENT and "sign_in" in where:
            action, action_url = _("The company sign-in fails: have it mended first"), where["sign_in"]
        elif code is Loss.UNCERTIFIED and told.certificates:
            detail = _certificates_waiting(told.certificates)
            action_url = where.get("certificates", "")
        tone = "neutral" if code in HARMLESS else ""
        lines.append(LossLine(code, label, count, link(code), action, action_url, detail, tone))
    return lines


def held_up(losses: Mapping[str, int]) -> int:
    return sum(people for code, people in losses.items() if code not in HARMLESS)


def heaviest(lines: Iterable[LossLine]) -> LossLine | None:
    """The cause that holds up most people and can be mended."""
    return max((line for line in lines if line.code not in HARMLESS), key=lambda line: line.count, default=None)


def _people_waiting(count: int) -> str:
    words = ngettext(
        "%(count)s person signed in under another address and waits to be recognised.",
        "%(count)s people signed in under another address and wait to be recognised.",
        count,
    )
    return words % {"count": _at_most(count)}


def _certificates_waiting(count: int) -> str:
    words = ngettext(
        "%(count)s certificate matches nobody on the roster.",
        "%(count)s certificates match nobody on the roster.",
        count,
    )
    return words % {"count": _at_most(count)}


MOST_WAITING = 1_000


def _at_most(count: int) -> str:
    return number(count) if count < MOST_WAITING else f"{number(count)}+"
