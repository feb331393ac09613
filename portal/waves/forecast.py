"""What a wave would bring before it is planned: hour by hour, beside what the systems around it can take."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core.templatetags.ui import day, number
from portal.waves.planning import ExpectedHour, Slot, ends_at, expected_hours
from portal.waves.selectors import planned_slots, reach
from portal.waves.services import plan_of
from sso.parties import certificate_facts
from sso.selectors import OPEN_STATES, connections

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.waves.models import Wave

_COMING_DAYS = 14
"""How long after the last mail people still come in numbers."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The plan, its hours, and what should be looked at before it is set going."""

    people: int
    without_address: int
    sites: int
    hours: list[ExpectedHour]
    ends_at: dt.datetime | None
    warnings: list[str]

    @property
    def highest(self) -> float:
        return max((hour.sign_ins_per_minute for hour in self.hours), default=0.0)


def forecast(organisation: Organisation, wave: Wave) -> Forecast:
    """Return what the wave would do if it were planned now, or does since it is planned."""
    drafted = wave.state == wave.State.DRAFT
    reached = reach(organisation, wave)
    plan = plan_of(organisation, wave, reached) if drafted else _planned(wave)
    hours = expected_hours(plan)
    end = ends_at(plan)
    return Forecast(
        people=sum(slot.people for slot in plan),
        without_address=reached.without_address,
        sites=len({slot.site for slot in plan}),
        hours=hours,
        ends_at=end,
        warnings=[*_crowds(hours), *_closed_doors(organisation, end)],
    )


def _planned(wave: Wave) -> list[Slot]:
    return [Slot(slot.opens_at, slot.site, slot.people) for slot in planned_slots(wave)]


def _crowds(hours: list[ExpectedHour]) -> list[str]:
    highest = max((hour.sign_ins_per_minute for hour in hours), default=0.0)
    limits = (
        (settings.SIGN_INS_PER_MINUTE, _("the company sign-in")),
        (settings.PLATFORM_STARTS_PER_MINUTE, _("the learning platform")),
    )
    return [
        _("At its height %(number)s people a minute would sign in, and %(what)s takes %(limit)s. Send fewer an hour.")
        % {"number": number(round(highest)), "what": what, "limit": number(limit)}
        for limit, what in limits
        if highest > limit
    ]


def _closed_doors(organisation: Organisation, end: dt.datetime | None) -> list[str]:
    """Say that nobody could come in: no open connection, or one whose certificates end while people come."""
    opened = [each for each in connections(organisation) if each.state in OPEN_STATES and each.closed_at is None]
    if not opened:
        return [_("The company sign-in is not open: people could not follow the link of the mail.")]
    until = (end or timezone.now()) + dt.timedelta(days=_COMING_DAYS)
    warnings = []
    for connection in opened:
        last = max((facts.expires_at for facts in certificate_facts(connection)), default=None)
        if last and last < until:
            message = _("The certificate of the company sign-in ends on %(day)s, while people are still coming.")
            warnings.append(message % {"day": day(last)})
    return warnings
