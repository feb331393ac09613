"""What the reconciliation desk shows: what waits, who it could be about, and what was settled; paged by id."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Count
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.core.templatetags.ui import day, moment
from portal.core.tenancy import cursor_rows, platform_scope
from portal.progress.clashes import UNMATCHED
from portal.progress.facts import SENTENCES
from portal.progress.landing import SAYS
from portal.progress.models import Delivery, DeskItem, DeskSummary
from portal.progress.platforms.xapi.words import SENTENCES as STATEMENT_SENTENCES
from portal.progress.proposals import Proposal, Said, proposals
from portal.progress.tally import Source

if TYPE_CHECKING:
    from datetime import datetime

    from django.utils.functional import _StrPromise

    from portal.organisations.models import Organisation

PAGE = 25
PEOPLE, SETTLED = "person", "settled"
SHOWN = (PEOPLE, "accounts", "dates", "contradicted", "refused", SETTLED)

LABELS: dict[str, _StrPromise] = {
    PEOPLE: gettext_lazy("Match nobody"),
    "accounts": gettext_lazy("Two accounts"),
    "dates": gettext_lazy("Dates that clash"),
    "contradicted": gettext_lazy("Same number, other content"),
    "refused": gettext_lazy("Refused"),
    SETTLED: gettext_lazy("Settled"),
}
SOURCES: dict[str, _StrPromise] = {
    Source.REST: gettext_lazy("the platform’s API"),
    Source.XAPI: gettext_lazy("xAPI statements"),
    Source.FILE: gettext_lazy("a file"),
    Source.KEPT: gettext_lazy("kept until it had a place"),
}
CLASHES: dict[str, _StrPromise] = {
    "certificate_before_start": gettext_lazy("Certified on %(certified)s, started only on %(started)s."),
    "finished_before_hired": gettext_lazy("Finished on %(finished)s, hired only on %(hired)s."),
    "certified_twice": gettext_lazy("Certified on several days: %(days)s."),
    "finished_while_withdrawn": gettext_lazy("Finished on %(finished)s, withdrawn since %(withdrawn)s."),
    "two_accounts": gettext_lazy("Several accounts on the platform: %(accounts)s."),
}
_KINDS: dict[str, _StrPromise] = {
    "started": gettext_lazy("started"),
    "progressed": gettext_lazy("progressed"),
    "completed": gettext_lazy("completed"),
    "certified": gettext_lazy("certified"),
    "revoked": gettext_lazy("certificate revoked"),
}


@dataclass(slots=True)
class Waiting:
    """Facts that say the same of their person, whom nobody is found for."""

    first: int
    key: str
    said: list[tuple[str, str]]
    count: int
    kinds: str
    since: datetime
    until: datetime
    source: str
    proposals: list[Proposal] = field(default_factory=list)


def tabs(organisation: Organisation, shown: str) -> list[dict[str, Any]]:
    """Say how much of each kind waits, as tiles that open the lists; two queries."""
    open_items = DeskItem.objects.filter(organisation_id=organisation.pk, settled_at__isnull=True).order_by()
    counts: dict[str, int] = dict(open_items.values_list("kind").annotate(Count("id")))
    ((counts[PEOPLE],),) = cursor_rows(f"SELECT ({UNMATCHED})", {"organisation": organisation.pk})
    return [
        {"value": counts.get(name, 0), "label": LABELS[name], "url": f"?show={name}", "current": name == shown}
        for name in SHOWN
        if name != SETTLED
    ]


def waiting_people(organisation: Organisation, *, after: int = 0) -> list[Waiting]:
    """Return one page of those whom nobody is found for, the oldest first, and one more when there are more."""
    said = SAYS.format("c")
    rows = cursor_rows(
        f"""
        SELECT * FROM (
            SELECT min(c.id) AS first, {said} AS key, max(c.learner::text), max(c.employee_number), max(c.email),
                   max(c.account), count(*), array_agg(DISTINCT c.kind), min(c.occurred_at), max(c.occurred_at),
                   max(c.source)
            FROM progress_completionevent c
            WHERE c.organisation_id = %(organisation)s AND c.employee_id IS NULL
            GROUP BY 2
        ) waiting
        WHERE first > %(after)s AND NOT EXISTS (
            SELECT FROM progress_deskitem d
            WHERE d.organisation_id = %(organisation)s AND d.kind = 'person' AND d.key = waiting.key)
        ORDER BY first LIMIT %(limit)s
        """,  # noqa: S608  The fragment is a constant.
        {"organisation": organisation.pk, "after": after, "limit": PAGE + 1},
    )
    people = [_waiting(row) for row in rows]
    asked = [Said(row[3], row[4], row[5]) for row in rows[:PAGE]]
    for person, found in zip(people, proposals(organisation, asked), strict=False):
        person.proposals = found
    return people


def _waiting(row: tuple[Any, ...]) -> Waiting:
    first, key, learner, number, email, account, count, kinds, since, until, source = row
    said = [
        (_("Employee number"), number),
        (_("E-mail"), email),
        (_("Account on the platform"), account),
        (_("Learner reference"), learner or ""),
    ]
    words = ", ".join(str(_KINDS.get(kind, kind)) for kind in kinds)
    return Waiting(first, key, [pair for pair in said if pair[1]], count, words, since, until, source_label(source))


def source_label(source: str) -> str:
    return str(SOURCES.get(source, _("recorded before sources were noted")))


def items(organisation: Organisation, shown: str, *, before: int | None = None) -> list[dict[str, Any]]:
    """Return one page of items, the newest first, and one more when there are more; two queries."""
    found = DeskItem.objects.filter(organisation_id=organisation.pk).select_related("employee").order_by("-id")
    found = (
        found.filter(settled_at__isnull=False).exclude(answer="gone")
        if shown == SETTLED
        else found.filter(settled_at__isnull=True, kind=shown)
    )
    if before:
        found = found.filter(pk__lt=before)
    return [
        {"item": item, "sentence": _sentence(item), "facts": _facts(item), "kind": LABELS.get(item.kind, "")}
        for item in found[: PAGE + 1]
    ]


def _sentence(item: DeskItem) -> str:
    if item.kind == DeskItem.Kind.PERSON:
        return _("Said to be this person.") if item.employee_id else _("Left aside: nobody on the roster.")
    if item.code in CLASHES:
        return str(CLASHES[item.code]) % {name: _shown(value) for name, value in item.payload.items()}
    return str(SENTENCES.get(item.code) or STATEMENT_SENTENCES.get(item.code) or item.code)


def _facts(item: DeskItem) -> list[tuple[str, str]]:
    """Return what the event says, as it came, and nothing of what is nested in it."""
    if item.code in CLASHES:
        return []
    said = ((name, value) for name, value in item.payload.items() if value and isinstance(value, (str, int, float)))
    return [(name, str(value)[:200]) for name, value in said]


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value)
    text = str(value)
    if len(text) == 10 and (found := parse_date(text)):
        return day(found)
    at = parse_datetime(text) if len(text) > 10 else None
    return moment(at) if at else text


def last_deliveries(organisation: Organisation) -> list[Delivery]:
    """Return what arrived last: the source of every figure, and as of when."""
    return list(Delivery.objects.filter(organisation_id=organisation.pk).order_by("-id")[:5])


@dataclass(frozen=True, slots=True)
class Desk:
    """How much waits at one organisation's desk, and by which way the facts came last.

    `refused` are also those that contradict one that was kept before.
    """

    counted: DeskSummary
    waiting: int
    refused: int
    source: str


def desks() -> list[Desk]:
    """Return the desks at which something waits or has arrived, the fullest first: counts, and nobody's name."""
    with platform_scope():
        found = list(DeskSummary.objects.select_related("organisation").filter(organisation__active=True))
    made = [
        Desk(
            desk,
            desk.unmatched + desk.refused + desk.contradicted + desk.accounts + desk.dates,
            desk.refused + desk.contradicted,
            source_label(desk.delivered_by) if desk.delivered_at else "",
        )
        for desk in found
    ]
    shown = [desk for desk in made if desk.waiting or desk.source]
    return sorted(shown, key=lambda desk: (-desk.waiting, desk.counted.organisation.sort_name))
