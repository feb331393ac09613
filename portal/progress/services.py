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
from portal.core.tenancy import organisation_scope
from portal.core.worklist import note_work, pending_work, settle_work
from portal.enrolments.membership import follow_rules
from portal.enrolments.services import ENROLMENT_CHANGED, carry_deliveries
from portal.organisations.models import Organisation
from portal.people.links import PERSON_PARTED
from portal.people.services import ROSTER_CHANGED
from portal.progress import landing, projection
from portal.progress.clashes import count_desk, note_clashes
from portal.progress.facts import FactError, parse_fact, stated_id
from portal.progress.models import CountCheck, UnplacedEvent
from portal.progress.placing import Placement, keep_unplaced, key_of, payload_of, payloads_kept, place_facts
from portal.progress.refusing import Arrival, Refused, bring_home, keep_refused, note_deliveries
from portal.progress.rollups import Comparison, refresh, refresh_cohorts, refresh_people
from portal.progress.selectors import EVENTS_KEPT, FACTS_RECORDED, TOPICS
from portal.progress.tally import Outcome, Recorded, Source, Tally
from portal.progress.telling import note_enrolments
from portal.progress.turns import take_turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from portal.core.actor import Actor
    from portal.progress.facts import Fact
    from portal.progress.placing import Key, NumberedFact

BATCH = 50_000
ISSUES_SHOWN = 1_000
_ROUNDS = 5


def record_completions(
    *,
    actor: Actor,
    events: Iterable[tuple[int, object]],
    allowed: frozenset[str] | None = None,
    issues_shown: int = ISSUES_SHOWN,
    source: str = Source.REST,
    name: str = "",
    whole: bool = False,
) -> Recorded:
    """Record numbered events, whatever their organisations; each batch is one transaction.

    None is lost: what has no person, organisation or programme yet is kept under the organisation it states and its
    event_id, and what is refused stands at the desk. `allowed` limits the organisations, by slug, that may be written
    to. With `whole`, one event that is refused refuses all of them: they are one batch then, whatever their number.
    `source` and `name` say by which way they came.
    """
    arrival = Arrival(actor, source, name[:200], allowed, Tally(issues_shown))
    if whole:
        _record_whole(arrival, list(events))
        return arrival.tally.recorded()
    rest = iter(events)
    while batch := list(islice(rest, BATCH)):
        with transaction.atomic():
            keep_refused(arrival, _record_batch(arrival, batch))
            note_deliveries(arrival)
    return arrival.tally.recorded()


@transaction.atomic
def _record_whole(arrival: Arrival, events: list[tuple[int, object]]) -> None:
    """Record all or none. What is refused is kept at the desk all the same, and the delivery is noted."""
    with transaction.atomic():
        refused = _record_batch(arrival, events)
        if refused:
            transaction.set_rollback(True)
    if refused:
        wrong = {item.row: item.code for item in refused}
        arrival.tally = Tally(arrival.tally.limit)
        for row, event in events:
            arrival.tally.note(Outcome.REJECTED, row, stated_id(event), wrong.get(row, "batch_refused"))
    keep_refused(arrival, refused)
    note_deliveries(arrival)


def catch_up(*, actor: Actor, organisation: Organisation) -> None:
    """Bring facts, steps and counts up to date with everything noted as changed.

    What is settled is exactly what was read: changes that others commit meanwhile stay for the next time.
    """
    with organisation_scope(organisation.pk):
        take_turn(organisation.pk)
        whole, anything, cohort_ids, employee_ids = False, False, set[int](), set[int]()
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
            anything = True
            whole |= ROSTER_CHANGED in subjects
            cohort_ids |= subjects[COHORT_CHANGED]
            employee_ids |= subjects[ENROLMENT_CHANGED]
            settle_work(work)
        if anything:
            count_desk(organisation.pk)
            note_enrolments(organisation_id=organisation.pk)
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
            take_turn(organisation.pk)
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
            take_turn(organisation.pk)
            follow_rules(actor=actor, organisation=organisation)
            refresh(organisation)
    return compared


def _note_check(organisation: Organisation, compared: Comparison) -> None:
    CountCheck.objects.update_or_create(
        organisation_id=organisation.pk,
        defaults={"checked_at": timezone.now(), "checked": compared.checked, "different": compared.different},
    )


def _record_batch(arrival: Arrival, batch: Sequence[tuple[int, object]]) -> list[Refused]:
    """Record what can be, and return what is refused."""
    tally = arrival.tally
    facts, refused = _checked(batch, tally)
    placement = place_facts(facts)
    if arrival.allowed is not None:
        placement, outside = _within(placement, arrival.allowed, tally)
        refused += outside
    for organisation_id, early in placement.early.items():
        for row, fact in early:
            tally.note(Outcome.REJECTED, row, fact.event_id, "before_programme", organisation_id=organisation_id)
            refused.append(Refused(row, "before_programme", payload_of(fact), organisation_id))
    kept = payloads_kept(fact for _row, fact in facts)
    # Always in the same order, so that two deliveries never wait for each other.
    for organisation_id in sorted(placement.placed):
        organisation = Organisation.objects.get(pk=organisation_id)
        with organisation_scope(organisation_id):
            take_turn(organisation_id)
            news, wrong = _without_kept(placement.placed[organisation_id], kept, organisation_id, tally)
            refused += wrong
            refused += _record_placed(arrival, organisation, news)
    if placement.unplaced:
        refused += keep_unplaced(placement.unplaced, tally)
    return refused


def _checked(batch: Sequence[tuple[int, object]], tally: Tally) -> tuple[list[NumberedFact], list[Refused]]:
    now = timezone.now()
    facts, refused = [], []
    for row, event in batch:
        try:
            facts.append((row, parse_fact(event, now=now)))
        except FactError as wrong:
            tally.note(Outcome.REJECTED, row, stated_id(event), wrong.code)
            refused.append(Refused(row, wrong.code, event))
    return facts, refused


def _within(placement: Placement, allowed: frozenset[str], tally: Tally) -> tuple[Placement, list[Refused]]:
    """Refuse what lies outside; an organisation that does not exist is answered like one that is not allowed.

    What lies outside is not kept: whoever may not write somewhere must not leave anything there.
    """
    ids = set(Organisation.objects.filter(slug__in=allowed).values_list("pk", flat=True))
    placed = placement.placed.items()
    outside = [(row, fact) for pk, facts in placed if pk not in ids for row, fact, _programme in facts]
    outside += [item for pk, facts in placement.early.items() if pk not in ids for item in facts]
    outside += [item for item, _reason in placement.unplaced if item[1].organisation not in allowed]
    for row, fact in outside:
        tally.note(Outcome.REJECTED, row, fact.event_id, "organisation_not_allowed")
    inside = Placement(
        {pk: facts for pk, facts in placed if pk in ids},
        [(item, reason) for item, reason in placement.unplaced if item[1].organisation in allowed],
        {pk: facts for pk, facts in placement.early.items() if pk in ids},
    )
    return inside, [Refused(row, "organisation_not_allowed", None, kept=False) for row, _fact in outside]


def _without_kept(
    facts: list[tuple[int, Fact, int]], kept: dict[Key, dict[str, object]], organisation_id: int, tally: Tally
) -> tuple[list[tuple[int, Fact, int]], list[Refused]]:
    """Leave out what is kept already without a place, and have it placed by the next catching up."""
    if not kept:
        return facts, []
    news, wrong = [], []
    for row, fact, programme_id in facts:
        known, payload = kept.get(key_of(fact)), payload_of(fact)
        if known is None:
            news.append((row, fact, programme_id))
        elif known == payload:
            tally.add(Outcome.DUPLICATE, organisation_id=organisation_id)
        else:
            tally.note(Outcome.REJECTED, row, fact.event_id, "contradicts", organisation_id=organisation_id)
            wrong.append(Refused(row, "contradicts", payload, organisation_id))
    if len(news) < len(facts):
        note_work(organisation_id=organisation_id, topic=EVENTS_KEPT)
        tally.organisation_ids.add(organisation_id)
    return news, wrong


def _record_placed(arrival: Arrival, organisation: Organisation, facts: list[tuple[int, Fact, int]]) -> list[Refused]:
    if not facts:
        return []
    landing.create_landing()
    landing.fill_landing(facts)
    landing.match_landing(organisation.pk)
    kept = landing.keep_landing(organisation.pk, source=arrival.source)
    refused = _tell(arrival.tally, organisation.pk, facts, kept)
    if kept.first is not None:
        note_work(organisation_id=organisation.pk, topic=FACTS_RECORDED, subject_ids=[kept.first])
        arrival.tally.organisation_ids.add(organisation.pk)
        record_event(
            actor=arrival.actor,
            organisation_id=organisation.pk,
            action=Action.COMPLETIONS_RECORDED,
            data={"accepted": kept.matched, "unmatched": kept.made - kept.matched},
        )
    return refused


def _tell(tally: Tally, pk: int, facts: list[tuple[int, Fact, int]], kept: landing.Kept) -> list[Refused]:
    """Say what became of the facts: the first of each new id was kept, the others repeat it or contradict it."""
    tally.add(Outcome.ACCEPTED, kept.matched, organisation_id=pk)
    if kept.matched == len(facts):
        return []
    duplicates, told = landing.tell_landing(pk, kept)
    tally.add(Outcome.DUPLICATE, duplicates, organisation_id=pk)
    wrong = {item.row for item in told if item.contradicts}
    for item in told:
        outcome, code = (Outcome.REJECTED, "contradicts") if item.contradicts else (Outcome.UNMATCHED, "unknown_person")
        tally.note(outcome, item.row, item.event_id, code, organisation_id=pk)
    return [Refused(row, "contradicts", payload_of(fact), pk) for row, fact, _programme in facts if row in wrong]


def _follow_rules(*, actor: Actor, organisation: Organisation, subjects: Mapping[str, set[int]]) -> None:
    """Enrol and withdraw by the cohorts' rules: in all of them when the roster changed, else where the rules did."""
    if ROSTER_CHANGED in subjects:
        follow_rules(actor=actor, organisation=organisation)
    elif RULES_CHANGED in subjects:
        follow_rules(actor=actor, organisation=organisation, cohort_ids=subjects[RULES_CHANGED])


def _carry_facts(*, actor: Actor, organisation: Organisation, subjects: Mapping[str, set[int]]) -> None:
    """Project the people whose facts are new, or newly theirs, or older than an enrolment."""
    projection.create_people()
    if PERSON_PARTED in subjects:
        parted = sorted(subjects[PERSON_PARTED])
        landing.release_events(organisation.pk, parted)
        projection.people_named(organisation.pk, parted)
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
    note_clashes(organisation_id=organisation.pk, zone=organisation.time_zone)
    if FACTS_RECORDED in subjects:
        projection.note_learning(organisation)


def _place_kept(*, actor: Actor, organisation: Organisation) -> None:
    """Try what is kept for this organisation, all of it: what cannot be placed must not stand before what can."""
    bring_home(organisation=organisation)
    kept = UnplacedEvent.objects.filter(organisation_slug=organisation.slug).order_by("pk")
    last = 0
    while waiting := list(kept.filter(pk__gt=last)[:BATCH]):
        last = waiting[-1].pk
        arrival = Arrival(actor, Source.KEPT, "", None, Tally(0))
        facts, _refused = _checked([(item.pk, item.payload) for item in waiting], Tally(0))
        placement = place_facts(facts)
        placed, early = placement.placed.get(organisation.pk, []), placement.early.get(organisation.pk, [])
        refused = _record_placed(arrival, organisation, placed)
        refused += [Refused(row, "before_programme", payload_of(fact), organisation.pk) for row, fact in early]
        keep_refused(arrival, refused)
        note_deliveries(arrival)
        done = [row for row, _fact, _programme in placed] + [row for row, _fact in early]
        UnplacedEvent.objects.filter(pk__in=done).delete()
