"""What account managers watch: every organisation's counts and alerts, and nobody's people.

All of it is read in the platform's scope, where PostgreSQL itself refuses a person's row.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import TruncMonth
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from imports.models import RosterImport
from portal.audit.models import PlatformAuditEvent
from portal.cohorts.models import Cohort
from portal.core.actor import OPERATOR, SYSTEM, Actor
from portal.core.tenancy import platform_scope
from portal.people.models import LearnerReference, StaffRole, User
from portal.people.selectors import user_actor
from portal.progress.facts import SENTENCES
from portal.progress.models import CohortSummary, CountCheck, RosterRollup, UnplacedEvent
from portal.progress.platforms.xapi.words import SENTENCES as STATEMENT_SENTENCES
from portal.progress.refusing import HOMELESS
from portal.progress.selectors import summed
from portal.reports.funnel import loss_lines
from sso.models import Connection, MetadataVersion
from sso.selectors import OPEN_STATES

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import date, datetime

    from portal.organisations.models import Organisation
    from portal.progress.selectors import Figures
    from portal.reports.funnel import LossLine

GOAL = 1_000_000
STALE = timedelta(days=45)
SILENT = timedelta(minutes=10)
UNCONNECTED = timedelta(days=14)
ENDING = timedelta(days=14)
OPEN = frozenset(OPEN_STATES)
_AT_WORK = (
    RosterImport.State.UPLOADED,
    RosterImport.State.PREPARING,
    RosterImport.State.PLANNING,
    RosterImport.State.APPLYING,
    RosterImport.State.UNDOING,
)


@dataclass(slots=True)
class OrganisationLine:
    """One organisation in counts. `imports`: how many are in each state; `heard`: when each was last heard of."""

    organisation: Organisation
    roster: int = 0
    enrolled: int = 0
    certified: int = 0
    cohorts: int = 0
    as_of: datetime | None = None
    connections: set[str] = field(default_factory=set)
    imports: dict[str, int] = field(default_factory=dict)
    heard: dict[str, datetime | None] = field(default_factory=dict)
    held_metadata: bool = False
    certificates_until: datetime | None = None
    differing: int = 0

    @property
    def missing(self) -> str:
        """The first thing that the organisation still lacks; nothing when its people can learn."""
        steps = (
            (not self.connections & OPEN, _("connecting the sign-in")),
            (not self.roster, _("uploading the roster")),
            (not self.cohorts, _("creating a cohort")),
            (not self.enrolled, _("enrolling people")),
        )
        return next((word for still, word in steps if still), "")


@dataclass(frozen=True, slots=True)
class Alert:
    organisation: Organisation
    text: str
    tone: str
    rank: int


def organisation_lines(organisations: Iterable[Organisation]) -> list[OrganisationLine]:
    """Return these organisations' counts in six queries, whatever their number."""
    lines = {organisation.pk: OrganisationLine(organisation) for organisation in organisations}
    with platform_scope():
        _count_people(lines)
        _count_work(lines)
    return list(lines.values())


def _count_people(lines: dict[int, OrganisationLine]) -> None:
    rosters = RosterRollup.objects.filter(organisation_id__in=lines).values_list("organisation_id")
    for pk, active in rosters.annotate(total=Sum("active")):
        lines[pk].roster = active
    totals = CohortSummary.objects.filter(organisation_id__in=lines).values_list("organisation_id")
    for pk, enrolled, certified, as_of in totals.annotate(Sum("enrolled"), Sum("certified"), Max("as_of")):
        lines[pk].enrolled, lines[pk].certified, lines[pk].as_of = enrolled, certified, as_of
    cohorts = Cohort.objects.filter(organisation_id__in=lines).values_list("organisation_id")
    for pk, count in cohorts.annotate(total=Count("id")):
        lines[pk].cohorts = count


def _count_work(lines: dict[int, OrganisationLine]) -> None:
    checks = CountCheck.objects.filter(organisation_id__in=lines, different__gt=0)
    for pk, different in checks.values_list("organisation_id", "different"):
        lines[pk].differing = different
    live = Connection.objects.filter(organisation_id__in=lines, closed_at__isnull=True)
    for pk, state, until in live.values_list("organisation_id", "state", "certificates_until"):
        lines[pk].connections.add(state)
        if until and state in OPEN:
            lines[pk].certificates_until = min(until, lines[pk].certificates_until or until)
    held = MetadataVersion.objects.filter(organisation_id__in=lines, state=MetadataVersion.State.HELD)
    for pk in held.values_list("organisation_id", flat=True).distinct():
        lines[pk].held_metadata = True
    imports = RosterImport.objects.filter(organisation_id__in=lines).values_list("organisation_id", "state")
    for pk, state, count, heard in imports.annotate(total=Count("id"), heard=Max("heartbeat_at")):
        lines[pk].imports[state], lines[pk].heard[state] = count, heard


def tiles(lines: list[OrganisationLine]) -> list[dict[str, Any]]:
    """The programme's totals; a person enrolled in two cohorts counts in each, the programme page counts people."""
    organisations, programme = reverse("manage_organisations"), reverse("manage_programme")
    roster, enrolled, certified = (
        sum(getattr(line, name) for line in lines) for name in ("roster", "enrolled", "certified")
    )
    labels = (
        ngettext("organisation", "organisations", len(lines)),
        ngettext("person on a roster", "people on rosters", roster),
        ngettext("enrolment", "enrolments", enrolled),
        ngettext("enrolment certified", "enrolments certified", certified),
    )
    return [
        {"value": len(lines), "label": labels[0], "url": organisations},
        {"value": roster, "label": labels[1], "url": organisations},
        {"value": enrolled, "label": labels[2], "url": organisations},
        {"value": certified, "label": labels[3], "url": programme, "tone": "good"},
    ]


def as_of(lines: list[OrganisationLine]) -> datetime | None:
    """Return when the oldest of the counts was true."""
    return min((line.as_of for line in lines if line.as_of), default=None)


def connection_words(line: OrganisationLine) -> list[dict[str, str]]:
    words = {
        Connection.State.DRAFT: (_("draft"), "neutral"),
        Connection.State.CONFIGURED: (_("configured, not yet tested"), "warn"),
        Connection.State.TESTED: (_("tested, not yet open"), "warn"),
        Connection.State.ACTIVE: (_("open"), "good"),
        Connection.State.FAILING: (_("failing"), "bad"),
    }
    shown = [words[Connection.State(state)] for state in sorted(line.connections)]
    return [{"word": word, "tone": tone} for word, tone in shown]


def import_words(line: OrganisationLine) -> list[dict[str, Any]]:
    words = {
        RosterImport.State.UPLOADED: _("uploaded"),
        RosterImport.State.PREPARING: _("being read"),
        RosterImport.State.UNCLEAR: _("headers not recognised"),
        RosterImport.State.PLANNING: _("being compared"),
        RosterImport.State.READY: _("awaiting confirmation"),
        RosterImport.State.HELD: _("held"),
        RosterImport.State.APPLYING: _("being applied"),
        RosterImport.State.APPLIED: _("applied"),
        RosterImport.State.UNDOING: _("being undone"),
        RosterImport.State.UNDONE: _("undone"),
        RosterImport.State.FAILED: _("failed"),
        RosterImport.State.CANCELLED: _("cancelled"),
        RosterImport.State.SUPERSEDED: _("superseded"),
    }
    shown = [(state, word) for state, word in words.items() if state in line.imports]
    return [{"term": word, "value": line.imports[state]} for state, word in shown]


def alerts(lines: Iterable[OrganisationLine]) -> list[Alert]:
    """Return what needs an account manager, the most urgent first."""
    now = timezone.now()
    found = [
        Alert(line.organisation, text, tone, rank)
        for line in lines
        for rank, (text, tone, holds) in enumerate(_conditions(line, now))
        if holds
    ]
    return sorted(found, key=lambda alert: (alert.rank, alert.organisation.sort_name))


def _conditions(line: OrganisationLine, now: datetime) -> list[tuple[str, str, bool]]:
    age = now - line.organisation.created_at
    heard = [line.heard.get(state) for state in _AT_WORK]
    applied = line.heard.get(RosterImport.State.APPLIED)
    until = line.certificates_until
    return [
        (_("The company sign-in fails."), "bad", Connection.State.FAILING in line.connections),
        (_("The certificate of its sign-in has ended."), "bad", bool(until and until <= now)),
        (
            _("The certificate of its sign-in ends within two weeks."),
            "bad",
            bool(until and now < until <= now + ENDING),
        ),
        (_("Its counts differ from the recorded facts: the operator has to look."), "bad", line.differing > 0),
        (_("An import has fallen silent."), "bad", any(at and now - at > SILENT for at in heard)),
        (_("A change of its identity provider is held: an owner has to decide."), "warn", line.held_metadata),
        (_("An import is held: a second person has to approve it."), "warn", RosterImport.State.HELD in line.imports),
        (_("Its roster has not changed for a long time."), "warn", bool(applied and now - applied > STALE)),
        (_("Its sign-in is still not connected."), "warn", not line.connections & OPEN and age > UNCONNECTED),
    ]


def cohort_summaries(*, organisation: Organisation | None = None, limit: int = 20) -> list[CohortSummary]:
    """Return the cohorts that end next, of one organisation or of all."""
    with platform_scope():
        shown = CohortSummary.objects.select_related("organisation")
        if organisation:
            shown = shown.filter(organisation_id=organisation.pk)
        else:
            shown = shown.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=timezone.localdate()))
        return list(shown.order_by("ends_on", "organisation__sort_name", "name")[:limit])


def organisation_funnel(line: OrganisationLine) -> tuple[Figures, list[LossLine]]:
    """Return an organisation's totals over all its cohorts, and what holds people up in them."""
    with platform_scope():
        figures, losses = summed(CohortSummary.objects.filter(organisation_id=line.organisation.pk))
    return replace(figures, roster=line.roster), loss_lines(losses)


def cohort_summary(organisation: Organisation, cohort_id: int) -> CohortSummary | None:
    with platform_scope():
        return CohortSummary.objects.filter(organisation_id=organisation.pk, cohort_id=cohort_id).first()


def cohort_funnel(summary: CohortSummary) -> tuple[Figures, list[LossLine]]:
    figures, losses = summed([summary])
    return replace(figures, roster=summary.roster), loss_lines(losses)


def certified_by_month() -> list[tuple[date, int]]:
    """Return how many people were certified for the first time in each month, the latest first.

    A person is one reference, whatever the number of employers and cohorts: their sum is what the million counts.
    """
    people = LearnerReference.objects.filter(first_certified_on__isnull=False, merged_into__isnull=True)
    months = people.annotate(month=TruncMonth("first_certified_on")).values_list("month")
    return list(months.annotate(people=Count("id")).order_by("-month"))


def unplaced_events(*, before: int | None = None, limit: int = 50) -> tuple[int, list[dict[str, Any]]]:
    """Return how many facts name no known organisation, and the newest: never whom they are about."""
    events = UnplacedEvent.objects.order_by("-id")
    page = events.filter(pk__lt=before) if before else events
    listed = [_unplaced(event) for event in page[:limit]]
    return events.count(), listed


def _unplaced(event: UnplacedEvent) -> dict[str, Any]:
    """What was refused is kept whole inside its payload, with the reason; the others are their own payload."""
    code = str(event.payload.get("refused", ""))
    said = event.payload.get("event") if code else event.payload
    told = said if isinstance(said, dict) else {}
    sentence = SENTENCES.get(code) or STATEMENT_SENTENCES.get(code)
    return {
        "id": event.pk,
        "event_id": event.event_id.removeprefix(HOMELESS).partition(":")[0] if code else event.event_id,
        "received_at": event.received_at,
        "refused": str(sentence or code),
        **{name: _word(told.get(name)) for name in ("organisation", "programme", "event")},
    }


def _word(value: object) -> str:
    return value[:100] if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class PlatformLine:
    id: int
    at: datetime
    action: str
    actor: str
    subject: str
    data: dict[str, object]


def platform_lines(*, before: int | None = None, limit: int = 50) -> list[PlatformLine]:
    """Return the programme's own audit. It keeps pseudonyms; those of today's staff are known by their accounts."""
    events = PlatformAuditEvent.objects.order_by("-id")
    page = events.filter(pk__lt=before) if before else events
    names = _staff_names()
    return [
        PlatformLine(event.pk, event.at, event.action, names[event.actor], event.subject, event.data)
        for event in page[:limit]
    ]


def _staff_names() -> dict[uuid.UUID, str]:
    staff: list[Actor] = [user_actor(user) for user in User.objects.filter(staff_role=StaffRole.ACCOUNT_MANAGER)]
    names: dict[uuid.UUID, str] = defaultdict(lambda: _("somebody outside the programme’s team"))
    names.update({actor.pseudonym: actor.name for actor in staff})
    names.update({OPERATOR.pseudonym: _("The operator"), SYSTEM.pseudonym: _("The portal")})
    return names
