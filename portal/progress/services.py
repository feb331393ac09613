"""Recording facts, and catching up with what changed below: the roster, the cohorts, the enrolments."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.cohorts.services import COHORT_CHANGED, RULES_CHANGED
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.core.worklist import note_work, pending_work, settle_work
from portal.enrolments.membership import follow_rules
from portal.enrolments.services import ENROLMENT_CHANGED, carry_deliveries
from portal.organisations.models import Organisation
from portal.people.services import ROSTER_CHANGED
from portal.progress import landing, projection
from portal.progress.facts import FactError, parse_fact, stated_id
from portal.progress.models import CountCheck, UnplacedEvent
from portal.progress.placing import NumberedFact, keep_unplaced, key_of, payload_of, payloads_kept, place_facts
from portal.progress.rollups import Comparison, refresh, refresh_cohorts, refresh_people
from portal.progress.selectors import EVENTS_KEPT, FACTS_RECORDED, TOPICS
from portal.progress.tally import Outcome, Recorded, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from portal.core.actor import Actor
    from portal.progress.facts import Fact
    from portal.progress.placing import Key, Placement

BATCH = 10_000
ISSUES_SHOWN = 1_000
_ROUNDS = 5


def record_completions(
    *,
    actor: Actor,
    events: Iterable[tuple[int, object]],
    allowed: frozenset[str] | None = None,
    issues_shown: int = ISSUES_SHOWN,
) -> Recorded:
    """Record numbered events, whatever their organisations; each batch is one transaction.

    None is lost: what has no person, organisation or programme yet is kept under the organisation it states and its
    event_id. `allowed` limits the organisations, by slug, that may be written to.
    """
    tally = Tally(issues_shown)
    rest = iter(events)
    while batch := list(islice(rest, BATCH)):
        _record_batch(actor=actor, batch=batch, allowed=allowed, tally=tally)
    return tally.recorded()


def catch_up(*, actor: Actor, organisation: Organisation) -> None:
    """Bring facts, steps and counts up to date with everything noted as changed.

    What is settled is exactly what was read: changes that others commit meanwhile stay for the next time.
    """
    with organisation_scope(organisation.pk):
        _take_turn(organisation.pk)
        whole, cohort_ids, employee_ids = False, set[int](), set[int]()
        for _round in range(_ROUNDS):
            work = [item for item in pending_work(organisation_id=organisation.pk) if item.topic in TOPICS]
            if not work:
                break
            subjects = defaultdict(set)
            for item in work:
                subjects[item.topic].add(item.subject_id)
            # Facts first: whoever has begun is not withdrawn by a rule.
            _carry_facts(actor=actor, organisation=organisation, subjects=subjects)
            _follow_rules(actor=actor, organisation=organisation, subjects=subjects)
            whole |= ROSTER_CHANGED in subjects
            cohort_ids |= subjects[COHORT_CHANGED]
            employee_ids |= subjects[ENROLMENT_CHANGED]
            settle_work(work)
        if whole:
            refresh(organisation)
        else:
            refresh_cohorts(organisation, cohort_ids)
            refresh_people(organisation, employee_ids, besides=cohort_ids)


def rebuild(*, actor: Actor, organisation: Organisation, keep: bool = True) -> Comparison:
    """Compute steps and counts anew from the recorded facts; with `keep=False` only compare.

    The facts are the platform's, the enrolments and withdrawals, the invitations and what became of them, the sign-ins.
    Comparing does the whole work and takes it back: there is no second definition of the counts to drift away.
    """
    with organisation_scope(organisation.pk):
        with transaction.atomic():
            _take_turn(organisation.pk)
            carried = carry_deliveries(actor=actor, organisation=organisation)
            projection.create_people()
            projection.people_with_facts(organisation.pk)
            stepped = projection.project_people(actor=actor, organisation=organisation)
            compared = refresh(organisation) + Comparison(different=carried + stepped)
            if keep and compared.different:
                record_event(
                    actor=actor,
                    organisation_id=organisation.pk,
                    action=Action.ROLLUPS_REBUILT,
                    data={"checked": compared.checked, "different": compared.different},
                )
            if not keep:
                transaction.set_rollback(True)
        _note_check(organisation, Comparison(compared.checked, 0) if keep else compared)
    return compared


def check_counts(*, actor: Actor, organisation: Organisation) -> Comparison:
    """Compare the counts with the facts, and say so where the organisation and the programme look when they differ.

    Counts that differ are left as they are, for somebody to see why. Those that agree are counted anew: time alone
    makes people who were learning people who have stopped.
    """
    catch_up(actor=actor, organisation=organisation)
    compared = rebuild(actor=actor, organisation=organisation, keep=False)
    with organisation_scope(organisation.pk):
        if compared.different:
            record_event(
                actor=actor,
                organisation_id=organisation.pk,
                action=Action.ROLLUPS_DIFFER,
                data={"checked": compared.checked, "different": compared.different},
            )
        else:
            _take_turn(organisation.pk)
            follow_rules(actor=actor, organisation=organisation)
            refresh(organisation)
    return compared


def _note_check(organisation: Organisation, compared: Comparison) -> None:
    CountCheck.objects.update_or_create(
        organisation_id=organisation.pk,
        defaults={"checked_at": timezone.now(), "checked": compared.checked, "different": compared.different},
    )


@transaction.atomic
def _record_batch(
    *, actor: Actor, batch: Sequence[tuple[int, object]], allowed: frozenset[str] | None, tally: Tally
) -> None:
    facts = _checked(batch, tally)
    placement = place_facts(facts)
    if allowed is not None:
        placement = _within(placement, allowed, tally)
    kept = payloads_kept(item.fact for item in facts)
    # Always in the same order, so that two deliveries never wait for each other.
    for organisation_id in sorted(placement.placed):
        organisation = Organisation.objects.get(pk=organisation_id)
        with organisation_scope(organisation_id):
            _take_turn(organisation_id)
            news = _without_kept(placement.placed[organisation_id], kept, organisation_id, tally)
            _record_placed(actor=actor, organisation=organisation, facts=news, tally=tally)
    if placement.unplaced:
        keep_unplaced(placement.unplaced, tally)


def _checked(batch: Sequence[tuple[int, object]], tally: Tally) -> list[NumberedFact]:
    now = timezone.now()
    facts = []
    for row, event in batch:
        try:
            facts.append(NumberedFact(row, parse_fact(event, now=now)))
        except FactError as wrong:
            tally.note(Outcome.REJECTED, row, stated_id(event), wrong.code)
    return facts


def _within(placement: Placement, allowed: frozenset[str], tally: Tally) -> Placement:
    """Refuse what lies outside; an organisation that does not exist is answered like one that is not allowed."""
    ids = set(Organisation.objects.filter(slug__in=allowed).values_list("pk", flat=True))
    inside = {}
    for organisation_id, facts in placement.placed.items():
        if organisation_id in ids:
            inside[organisation_id] = facts
            continue
        for row, fact, _programme in facts:
            tally.note(Outcome.REJECTED, row, fact.event_id, "organisation_not_allowed")
    kept = []
    for item, reason in placement.unplaced:
        if item.fact.organisation in allowed:
            kept.append((item, reason))
        else:
            tally.note(Outcome.REJECTED, item.row, item.fact.event_id, "organisation_not_allowed")
    return type(placement)(inside, kept)


def _without_kept(
    facts: list[tuple[int, Fact, int]], kept: dict[Key, dict[str, object]], organisation_id: int, tally: Tally
) -> list[tuple[int, Fact, int]]:
    """Leave out what is kept already without a place, and have it placed by the next catching up."""
    if not kept:
        return facts
    news = []
    for row, fact, programme_id in facts:
        known = kept.get(key_of(fact))
        if known is None:
            news.append((row, fact, programme_id))
        elif known == payload_of(fact):
            tally.add(Outcome.DUPLICATE)
        else:
            tally.note(Outcome.REJECTED, row, fact.event_id, "contradicts")
    if len(news) < len(facts):
        note_work(organisation_id=organisation_id, topic=EVENTS_KEPT)
        tally.organisation_ids.add(organisation_id)
    return news


def _record_placed(
    *, actor: Actor, organisation: Organisation, facts: list[tuple[int, Fact, int]], tally: Tally
) -> None:
    landing.create_landing()
    landing.fill_landing(facts)
    landing.match_landing(organisation.pk)
    made = landing.keep_landing(organisation.pk)
    _tell(facts, {event_id: matched for _pk, event_id, matched in made}, organisation.pk, tally)
    if not made:
        return
    first = min(pk for pk, _event_id, _matched in made)
    note_work(organisation_id=organisation.pk, topic=FACTS_RECORDED, subject_ids=[first])
    tally.organisation_ids.add(organisation.pk)
    accepted = sum(matched for _pk, _event_id, matched in made)
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=Action.COMPLETIONS_RECORDED,
        data={"accepted": accepted, "unmatched": len(made) - accepted},
    )


def _tell(facts: list[tuple[int, Fact, int]], made: dict[str, bool], organisation_id: int, tally: Tally) -> None:
    """Say of each fact what became of it: the first of each new id was kept, the others repeat it or contradict it."""
    fresh = dict(made)
    others = []
    for row, fact, _programme in facts:
        matched = fresh.pop(fact.event_id, None)
        if matched is None:
            others.append((row, fact))
        elif matched:
            tally.add(Outcome.ACCEPTED)
        else:
            tally.note(Outcome.UNMATCHED, row, fact.event_id, "unknown_person")
    kept = landing.digests_kept(organisation_id, [fact.event_id for _row, fact in others]) if others else {}
    for row, fact in others:
        if kept[fact.event_id] == fact.digest:
            tally.add(Outcome.DUPLICATE)
        else:
            tally.note(Outcome.REJECTED, row, fact.event_id, "contradicts")


def _follow_rules(*, actor: Actor, organisation: Organisation, subjects: Mapping[str, set[int]]) -> None:
    """Enrol and withdraw by the cohorts' rules: in all of them when the roster changed, else where the rules did."""
    if ROSTER_CHANGED in subjects:
        follow_rules(actor=actor, organisation=organisation)
    elif RULES_CHANGED in subjects:
        follow_rules(actor=actor, organisation=organisation, cohort_ids=subjects[RULES_CHANGED])


def _carry_facts(*, actor: Actor, organisation: Organisation, subjects: Mapping[str, set[int]]) -> None:
    """Project the people whose facts are new, or newly theirs, or older than an enrolment."""
    projection.create_people()
    if ROSTER_CHANGED in subjects or EVENTS_KEPT in subjects:
        _place_kept(actor=actor, organisation=organisation)
        landing.create_landing()
        landing.land_unmatched(organisation.pk)
        landing.match_landing(organisation.pk)
        if landing.adopt_landing(organisation.pk):
            projection.people_of_landing()
    if FACTS_RECORDED in subjects:
        projection.people_since(organisation.pk, min(subjects[FACTS_RECORDED]))
    if COHORT_CHANGED in subjects:
        projection.people_enrolled_late(organisation.pk, sorted(subjects[COHORT_CHANGED]))
    if ENROLMENT_CHANGED in subjects:
        projection.people_of(organisation.pk, sorted(subjects[ENROLMENT_CHANGED]))
    projection.project_people(actor=actor, organisation=organisation)
    if FACTS_RECORDED in subjects:
        projection.note_learning(organisation)


def _place_kept(*, actor: Actor, organisation: Organisation) -> None:
    """Try what is kept for this organisation, all of it: what cannot be placed must not stand before what can."""
    kept = UnplacedEvent.objects.filter(organisation_slug=organisation.slug).order_by("pk")
    last = 0
    while waiting := list(kept.filter(pk__gt=last)[:BATCH]):
        last = waiting[-1].pk
        facts = _checked([(item.pk, item.payload) for item in waiting], Tally(0))
        placed = place_facts(facts).placed.get(organisation.pk, []) if facts else []
        if placed:
            _record_placed(actor=actor, organisation=organisation, facts=placed, tally=Tally(0))
            UnplacedEvent.objects.filter(pk__in=[row for row, _fact, _programme in placed]).delete()


def _take_turn(organisation_id: int) -> None:
    """One at a time per organisation, until the transaction ends.

    Steps are computed from all the facts of a person: two deliveries at once would each miss the other's.
    """
    cursor_rows("SELECT pg_advisory_xact_lock(hashtextextended('progress:' || %s::text, 0))", [organisation_id])
