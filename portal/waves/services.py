"""Waves: drafted, tried on oneself, planned under a hold, released hour by hour, paused or stopped at once."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.outbox import MAIL_CHANGED, write_mail
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.core.worklist import pending_work, settle_work
from portal.enrolments.invitations import (
    INVITATION,
    create_invitation_intake,
    hold_back_invitations,
    plan_invitations,
    queue_invitations,
    settle_invitations,
    withdraw_invitations,
)
from portal.enrolments.models import Invitation
from portal.waves.models import Wave, WaveSlot
from portal.waves.planning import Pace, Slot, slots
from portal.waves.selectors import AT_WORK, REACHABLE, REMINDABLE, reach, remindable_parameters
from portal.waves.words import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.cohorts.models import Cohort
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation
    from portal.waves.selectors import Reach

MOST_AT_ONCE: Final = 2_000
CHANGEABLE: Final = (
    "name",
    "sites",
    "starts_at",
    "per_hour",
    "first_hour",
    "last_hour",
    "weekends",
    "subjects",
    "bodies",
    "reminders",
    "reminder_days",
)
_LOOK_AGAIN = dt.timedelta(hours=1)
_State = Wave.State


def plan_of(organisation: Organisation, wave: Wave, reached: Reach, *, now: dt.datetime | None = None) -> list[Slot]:
    """Return the hours of a draft as they would be, were it planned now."""
    return slots(reached.by_site, _pace(organisation, wave, _held_until(wave, now or timezone.now())))


@transaction.atomic
def create_wave(*, actor: Actor, organisation: Organisation, cohort: Cohort, choices: Mapping[str, Any]) -> Wave:
    """Draft a wave for a cohort, with some of `CHANGEABLE`; nothing leaves before it is planned."""
    wave = Wave.objects.create(
        organisation_id=organisation.pk,
        cohort=cohort,
        created_by=actor.name[:200],
        **choices,
    )
    _record(actor, wave, Action.WAVE_CREATED, {"cohort": cohort.pk})
    return wave


@transaction.atomic
def change_wave(*, actor: Actor, organisation: Organisation, wave: Wave, changes: Mapping[str, Any]) -> None:
    """Change a draft. Other words are to be tried anew.

    Raises:
        Refusal: `wave_planned`: it is no draft any more.
    """
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"Not a wave's to change: {sorted(unknown)}")
    drafts = Wave.objects.filter(organisation_id=organisation.pk, pk=wave.pk, state=_State.DRAFT)
    other_words = any(name in changes and getattr(wave, name) != changes[name] for name in ("subjects", "bodies"))
    if not drafts.update(**changes, **({"tried_at": None} if other_words else {})):
        raise Refusal("wave_planned", _("This wave is planned already. Stop it, and draft another."))
    _record(actor, wave, Action.WAVE_CHANGED, {"fields": sorted(changes)})


@transaction.atomic
def try_wave(*, actor: Actor, organisation: Organisation, wave: Wave, address: str, language: str) -> None:
    """Send the wave's mail to oneself, as its people would get it."""
    if not address:
        raise Refusal("no_address", _("Your account has no e-mail address to send it to."))
    given = words_of(organisation, wave) | {"first_name": actor.name.split(" ")[0], "number": 0}
    moment = timezone.now()
    write_mail(
        organisation_id=organisation.pk,
        key=f"try:{wave.pk}:{moment.timestamp():.0f}",
        name=INVITATION,
        address=address,
        language=language,
        context=given,
        due_at=moment,
    )
    Wave.objects.filter(organisation_id=organisation.pk, pk=wave.pk).update(tried_at=moment)
    wave.tried_at = moment
    _record(actor, wave, Action.WAVE_TRIED)


@transaction.atomic
def plan_wave(*, actor: Actor, organisation: Organisation, wave: Wave, now: dt.datetime | None = None) -> int:
    """Plan a draft's invitations and return how many; none leaves before the hold has passed.

    Raises:
        Refusal: `wave_moved`, `wave_not_tried`: nobody has had the mail sent to themselves; `nobody_to_invite`.
    """
    moment = now or timezone.now()
    if wave.state == _State.DRAFT and wave.tried_at is None:
        message = _("Send the mail to yourself first: what nobody has received, nobody has checked.")
        raise Refusal("wave_not_tried", message)
    held_until = _held_until(wave, moment)
    _move(wave, (_State.DRAFT,), _State.HELD, due_at=held_until, planned_at=moment)
    plan = plan_of(organisation, wave, reach(organisation, wave), now=moment)
    if not plan:
        message = _("Nobody is left to invite: everyone has been written to, has begun, or has no address.")
        raise Refusal("nobody_to_invite", message)
    WaveSlot.objects.bulk_create(
        WaveSlot(organisation_id=organisation.pk, wave=wave, site=slot.site, opens_at=slot.opens_at, people=slot.people)
        for slot in plan
    )
    create_invitation_intake()
    parameters = {"organisation": organisation.pk, "cohort": wave.cohort_id, "sites": list(wave.sites)}
    _spread(f"SELECT enrolment_id, 0 AS number, site FROM ({REACHABLE}) r", parameters, plan)  # noqa: S608
    planned = plan_invitations(actor=actor, organisation=organisation, wave_id=wave.pk)
    _record(actor, wave, Action.WAVE_PLANNED, {"people": planned, "from": held_until.isoformat()})
    return planned


@transaction.atomic
def pause_wave(*, actor: Actor, organisation: Organisation, wave: Wave) -> int:
    """Let nothing more leave, and return how many mails wait. What the mail server has taken cannot be called back.

    Raises:
        Refusal: `wave_moved`.
    """
    _move(wave, AT_WORK, _State.PAUSED, due_at=None)
    waiting = hold_back_invitations(actor=actor, organisation=organisation, wave_id=wave.pk, now=timezone.now())
    _record(actor, wave, Action.WAVE_PAUSED, {"waiting": waiting})
    return waiting


@transaction.atomic
def resume_wave(*, actor: Actor, organisation: Organisation, wave: Wave, now: dt.datetime | None = None) -> None:
    """Go on with a paused wave: what is late is spread anew from now on, not sent in one breath.

    Raises:
        Refusal: `wave_moved`.
    """
    moment = now or timezone.now()
    _move(wave, (_State.PAUSED,), _State.RUNNING, due_at=moment)
    _spread_late(organisation, wave, moment)
    _record(actor, wave, Action.WAVE_RESUMED)


@transaction.atomic
def stop_wave(*, actor: Actor, organisation: Organisation, wave: Wave) -> int:
    """End a wave at once, and return how many mails will not leave.

    Raises:
        Refusal: `wave_moved`.
    """
    moment = timezone.now()
    _move(wave, (_State.DRAFT, _State.PAUSED, *AT_WORK), _State.STOPPED, due_at=None, ended_at=moment)
    withdrawn = withdraw_invitations(actor=actor, organisation=organisation, wave_id=wave.pk, now=moment)
    _record(actor, wave, Action.WAVE_STOPPED, {"withdrawn": withdrawn})
    return withdrawn


def release_due(*, actor: Actor, organisation: Organisation, now: dt.datetime | None = None) -> int:
    """Put the mails that are due into the outbox, plan the reminders that are, and return how many were looked at."""
    moment = now or timezone.now()
    with organisation_scope(organisation.pk):
        _begin(organisation, moment)
        running = list(
            Wave.objects.filter(organisation_id=organisation.pk, state=_State.RUNNING)
            .select_related("cohort__programme")
            .select_for_update(of=("self",))
        )
        words = {wave.pk: words_of(organisation, wave) for wave in running}
        looked_at = queue_invitations(
            actor=actor, organisation=organisation, words=words, now=moment, most=MOST_AT_ONCE
        )
        for wave in running:
            _remind(actor, organisation, wave, moment)
            _look_again(actor, organisation, wave, moment)
    return looked_at


def settle_mails(*, actor: Actor, organisation: Organisation) -> int:
    """Follow what became of the mails that changed since; return how many invitations moved."""
    with organisation_scope(organisation.pk):
        work = [item for item in pending_work(organisation_id=organisation.pk) if item.topic == MAIL_CHANGED]
        if not work:
            return 0
        moved = settle_invitations(actor=actor, organisation=organisation, mail_ids=[item.subject_id for item in work])
        settle_work(work)
    return moved


def _held_until(wave: Wave, now: dt.datetime) -> dt.datetime:
    return max(wave.starts_at, now + dt.timedelta(minutes=settings.WAVE_HOLD_MINUTES))


def _begin(organisation: Organisation, now: dt.datetime) -> None:
    held = Wave.objects.filter(organisation_id=organisation.pk, state=_State.HELD, due_at__lte=now)
    held.update(state=_State.RUNNING)


def _remind(actor: Actor, organisation: Organisation, wave: Wave, now: dt.datetime) -> None:
    """Plan a reminder for those who were written to long enough ago and have not begun; each at most n times."""
    if not wave.reminders:
        return
    parameters = remindable_parameters(organisation, wave, before=now - dt.timedelta(days=wave.reminder_days))
    by_site = dict(cursor_rows(f"SELECT site, count(*) FROM ({REMINDABLE}) l GROUP BY site", parameters))  # noqa: S608
    if not by_site:
        return
    create_invitation_intake()
    _spread(REMINDABLE, parameters, slots(by_site, _pace(organisation, wave, now)))
    plan_invitations(actor=actor, organisation=organisation, wave_id=wave.pk)


def _look_again(actor: Actor, organisation: Organisation, wave: Wave, now: dt.datetime) -> None:
    """Say when the wave has something to do next; one that has nothing left is done."""
    ((planned, waiting),) = cursor_rows(
        "SELECT min(due_at) FILTER (WHERE state = 'planned'),"
        " count(*) FILTER (WHERE state IN ('planned', 'queued'))"
        " FROM enrolments_invitation WHERE organisation_id = %s AND wave_id = %s",
        [wave.organisation_id, wave.pk],
    )
    if waiting or _may_remind(organisation, wave):
        Wave.objects.filter(pk=wave.pk).update(due_at=max(now, planned) if planned else now + _LOOK_AGAIN)
        return
    Wave.objects.filter(pk=wave.pk, state=_State.RUNNING).update(state=_State.DONE, due_at=None, ended_at=now)
    _record(actor, wave, Action.WAVE_DONE)


def _may_remind(organisation: Organisation, wave: Wave) -> bool:
    """Say whether somebody could still need a reminder of this wave."""
    if not wave.reminders:
        return False
    parameters = remindable_parameters(organisation, wave, before=None)
    ((open_,),) = cursor_rows(f"SELECT EXISTS ({REMINDABLE})", parameters)
    return bool(open_)


def _spread_late(organisation: Organisation, wave: Wave, now: dt.datetime) -> None:
    """Give new times to what should have left while the wave stood still."""
    late = Invitation.objects.filter(organisation_id=organisation.pk, wave_id=wave.pk, state="planned", due_at__lt=now)
    count = late.count()
    if not count:
        return
    plan = slots({"": count}, _pace(organisation, wave, now))
    cursor_rows(
        """
        UPDATE enrolments_invitation i SET due_at = s.opens_at + (n - upto + people - 1) * interval '1 hour' / people
        FROM (SELECT id, row_number() OVER (ORDER BY due_at, id) AS n FROM enrolments_invitation
              WHERE organisation_id = %(organisation)s AND wave_id = %(wave)s AND state = 'planned'
                AND due_at < %(now)s) late
        JOIN (SELECT opens_at, people, sum(people) OVER (ORDER BY opens_at) AS upto
              FROM unnest(%(opens)s::timestamptz[], %(people)s::int[]) AS s (opens_at, people)) s
          ON late.n > s.upto - s.people AND late.n <= s.upto
        WHERE i.organisation_id = %(organisation)s AND i.id = late.id
        """,
        {
            "organisation": organisation.pk,
            "wave": wave.pk,
            "now": now,
            "opens": [slot.opens_at for slot in plan],
            "people": [slot.people for slot in plan],
        },
    )


def _spread(people: str, parameters: dict[str, Any], plan: Sequence[Slot]) -> None:
    """Fill `invitation_intake`: each person of the query at an even moment of an hour of their site."""
    cursor_rows(
        f"""
        INSERT INTO invitation_intake (enrolment_id, number, due_at)
        SELECT p.enrolment_id, p.number, s.opens_at + (p.n - s.upto + s.people - 1) * interval '1 hour' / s.people
        FROM (SELECT q.*, row_number() OVER (PARTITION BY site ORDER BY enrolment_id) AS n FROM ({people}) q) p
        JOIN (SELECT site, opens_at, people, sum(people) OVER (PARTITION BY site ORDER BY opens_at) AS upto
              FROM unnest(%(slot_sites)s::text[], %(slot_opens)s::timestamptz[], %(slot_people)s::int[])
                   AS s (site, opens_at, people)) s
          ON s.site = p.site AND p.n > s.upto - s.people AND p.n <= s.upto
        """,  # noqa: S608  The fragment is a constant.
        {
            **parameters,
            "slot_sites": [slot.site for slot in plan],
            "slot_opens": [slot.opens_at for slot in plan],
            "slot_people": [slot.people for slot in plan],
        },
    )


def _pace(organisation: Organisation, wave: Wave, starts_at: dt.datetime) -> Pace:
    return Pace(
        starts_at=starts_at,
        zone=ZoneInfo(organisation.time_zone),
        per_hour=wave.per_hour,
        first_hour=wave.first_hour,
        last_hour=wave.last_hour,
        weekends=wave.weekends,
    )


def _move(wave: Wave, before: Sequence[str], after: str, **times: dt.datetime | None) -> None:
    moved = Wave.objects.filter(organisation_id=wave.organisation_id, pk=wave.pk, state__in=before)
    if not moved.update(state=after, **times):
        raise Refusal("wave_moved", _("The wave is no longer in this state: look at the page again."))
    wave.state = after


def _record(actor: Actor, wave: Wave, action: Action, data: Mapping[str, Any] | None = None) -> None:
    record_event(
        actor=actor,
        organisation_id=wave.organisation_id,
        action=action,
        subject=str(wave.pk),
        data=dict(data or {}),
    )
