"""Whom somebody who signed in could be on the roster, and why: what HR's desk lays side by side."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.utils.translation import gettext as _

from portal.core.templatetags.ui import number
from portal.core.tenancy import cursor_rows
from portal.core.text import fold
from portal.people.models import Affiliation, Employee, Membership
from portal.people.search import employees_matching
from portal.people.selectors import roster, unlinked_affiliations
from sso.likeness import distance, orders
from sso.models import DeclinedMatch, Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portal.organisations.models import Organisation

PAGE: Final = 20
FOUND: Final = 20
_SHOWN: Final = 5
_ALIKE_READ: Final = 1_000

NUMBER, EMAIL, NAME, ADDRESS, ALIKE = "number", "email", "name", "address", "alike"
_WEIGHTS: Final = {NUMBER: 100, EMAIL: 50, NAME: 30, ADDRESS: 20, ALIKE: 1}


@dataclass(slots=True)
class Candidate:
    """Somebody on the roster, and the reasons, the strongest first."""

    employee: Employee
    reasons: list[str]
    weight: int


@dataclass(slots=True)
class Waiting:
    """Somebody who signed in and is not linked. `role`: what they may do here, which only an owner links."""

    affiliation: Affiliation
    said: Identity | None
    role: str = ""
    candidates: list[Candidate] = field(default_factory=list)
    declined: list[Employee] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.affiliation.user.name


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """`after` leads to those who have waited less long; it is an id."""

    people: list[Waiting]
    after: int | None
    total: int


def waiting_page(organisation: Organisation, *, after: int | None = None) -> WaitingPage:
    """Return twenty people, those who have waited longest first; nine queries, whatever the number who wait."""
    waiting = unlinked_affiliations(organisation)
    total = waiting.count()
    last = waiting.filter(pk=after).first() if after is not None else None
    if after is not None and last is None:
        # Whoever ended the last page was linked meanwhile: where they stood is still known.
        last = Affiliation.objects.filter(organisation=organisation, pk=after).first()
    if last:
        waiting = waiting.filter(created_at__gte=last.created_at).filter(
            Q(created_at__gt=last.created_at) | Q(created_at=last.created_at, pk__gt=last.pk)
        )
    page = list(waiting[: PAGE + 1])
    more = len(page) > PAGE
    people = told(organisation, page[:PAGE])
    return WaitingPage(people, page[PAGE - 1].pk if more else None, total)


def told(organisation: Organisation, affiliations: Sequence[Affiliation]) -> list[Waiting]:
    """Lay beside each of these people whom they could be."""
    said = _said(organisation, affiliations)
    roles = _roles(organisation, affiliations)
    declined = _declined(organisation, affiliations)
    people = [
        Waiting(each, said.get(each.user_id), role=roles.get(each.user_id, ""), declined=declined[each.pk])
        for each in affiliations
    ]
    found = _found(organisation, people)
    employees = _free(organisation, {employee_id for reasons in found for employee_id in reasons})
    for person, reasons in zip(people, found, strict=True):
        refused = {employee.pk for employee in person.declined}
        offered = {key: kinds for key, kinds in reasons.items() if key in employees and key not in refused}
        namesakes = Counter(kind for kinds in reasons.values() for kind in kinds)
        person.candidates = sorted(
            (_candidate(employees[key], kinds, namesakes) for key, kinds in offered.items()),
            key=lambda candidate: (-candidate.weight, candidate.employee.sort_name, candidate.employee.pk),
        )[:_SHOWN]
    return people


def others_found(organisation: Organisation, text: str) -> list[Employee]:
    """Return the active people of a search who have no login yet, twenty at most."""
    active = employees_matching(organisation, text.replace("\x00", "")).filter(active=True)
    found = list(active.order_by("sort_name", "id")[: FOUND * 3])
    taken = _taken(organisation, [employee.pk for employee in found])
    return [employee for employee in found if employee.pk not in taken][:FOUND]


def _said(organisation: Organisation, affiliations: Sequence[Affiliation]) -> dict[int, Identity]:
    """Return what the last sign-in of each said."""
    users = [affiliation.user_id for affiliation in affiliations]
    identities = Identity.objects.filter(organisation_id=organisation.pk, user_id__in=users)
    return {identity.user_id: identity for identity in identities.order_by("last_seen_at")}


def _roles(organisation: Organisation, affiliations: Sequence[Affiliation]) -> dict[int, str]:
    users = [affiliation.user_id for affiliation in affiliations]
    holders = Membership.objects.filter(organisation_id=organisation.pk, user_id__in=users)
    return {each.user_id: str(each.get_role_display()) for each in holders}


def _declined(organisation: Organisation, affiliations: Sequence[Affiliation]) -> defaultdict[int, list[Employee]]:
    told_no = DeclinedMatch.objects.filter(
        organisation_id=organisation.pk, affiliation_id__in=[affiliation.pk for affiliation in affiliations]
    )
    declined: defaultdict[int, list[Employee]] = defaultdict(list)
    for each in told_no.select_related("employee").order_by("id"):
        declined[each.affiliation_id].append(each.employee)
    return declined


def _found(organisation: Organisation, people: Sequence[Waiting]) -> list[dict[int, list[str]]]:
    """Return for each person the ids that come into question, with the kinds of reasons; one statement for all."""
    asked = [(place, kind, key) for place, person in enumerate(people) for kind, key in _keys(person)]
    found: list[dict[int, list[str]]] = [defaultdict(list) for _person in people]
    names = [fold(person.name) or _local_part(person) for person in people]
    for place, kind, employee_id, sort_name in _rows(organisation, asked):
        kinds = found[place][employee_id] if kind != ALIKE else []
        if kind == ALIKE:
            if distance(names[place], sort_name) is None:
                continue
            kinds = found[place][employee_id]
        if kind not in kinds:
            kinds.append(kind)
    return found


def _keys(person: Waiting) -> list[tuple[str, str]]:
    """Return what to look for: equal keys, and the beginnings under which a misspelt name would stand."""
    words = fold(person.name).split()
    local = _local_part(person).split()
    keys = [(NAME, order) for order in orders(words)] if len(words) > 1 else []
    keys += [(ADDRESS, order) for order in orders(local)] if len(local) > 1 else []
    if person.said and person.said.employee_number:
        keys.append((NUMBER, person.said.employee_number))
    if person.said and person.said.email:
        keys.append((EMAIL, person.said.email))
    name = words if len(words) > 1 else local
    # “Le Fevre” may stand as “Lefevre”.
    written_together = ["".join(name[1:]), "".join(name[:-1])] if len(name) > 2 else []
    beginnings = dict.fromkeys(word[:4] for word in [*name[:5], *written_together] if len(word) > 2)
    return [*keys, *((ALIKE, beginning) for beginning in beginnings if len(name) > 1)]


def _local_part(person: Waiting) -> str:
    """Return the words before the @: amelie.lefevre is a name; digits are not."""
    email = person.said.email if person.said else ""
    return " ".join(word for word in fold(email.partition("@")[0]).split() if not word.isdigit())


def _rows(organisation: Organisation, asked: Iterable[tuple[int, str, str]]) -> list[tuple[int, str, int, str]]:
    """Look up all keys at once. Equalities and ranges only: any other condition loses its index behind the wall."""
    asked = list(asked)
    if not asked:
        return []
    places, kinds, keys = (list(column) for column in zip(*asked, strict=True))
    rows = cursor_rows(
        """
        SELECT w.place, w.kind, found.id, found.sort_name
        FROM unnest(%(places)s::int[], %(kinds)s::text[], %(keys)s::text[]) AS w (place, kind, key)
        CROSS JOIN LATERAL (
            (SELECT id, sort_name FROM people_employee e WHERE w.kind = 'number' AND e.organisation_id = %(org)s
             AND e.employee_number = w.key AND e.employee_number <> '' AND e.active LIMIT 1)
            UNION ALL
            (SELECT id, sort_name FROM people_employee e WHERE w.kind = 'email' AND e.organisation_id = %(org)s
             AND e.email = w.key AND e.email <> '' AND e.active ORDER BY e.id LIMIT 20)
            UNION ALL
            (SELECT id, sort_name FROM people_employee e WHERE w.kind IN ('name', 'address')
             AND e.organisation_id = %(org)s AND e.sort_name = w.key AND e.active ORDER BY e.id LIMIT 20)
            UNION ALL
            (SELECT id, sort_name FROM people_employee e WHERE w.kind = 'alike' AND e.organisation_id = %(org)s
             AND e.sort_name >= w.key AND e.sort_name < w.key || chr(1114111) AND e.active
             ORDER BY e.sort_name LIMIT %(alike)s)
        ) AS found
        """,
        {"places": places, "kinds": kinds, "keys": keys, "org": organisation.pk, "alike": _ALIKE_READ},
    )
    return [(place, kind, employee_id, sort_name) for place, kind, employee_id, sort_name in rows]


def _free(organisation: Organisation, ids: set[int]) -> dict[int, Employee]:
    """Return those of these people who are nobody's yet: who is linked is never offered."""
    taken = _taken(organisation, ids)
    employees = roster(organisation).filter(pk__in=ids - taken, active=True)
    return {employee.pk: employee for employee in employees}


def _taken(organisation: Organisation, ids: Iterable[int]) -> set[int]:
    linked = Affiliation.objects.filter(organisation=organisation, employee_id__in=list(ids))
    return {int(employee_id) for employee_id in linked.values_list("employee_id", flat=True) if employee_id}


def _candidate(employee: Employee, kinds: list[str], namesakes: Counter[str]) -> Candidate:
    """Say the reasons; the weaker ones are left out where a stronger one says as much."""
    said_better = {ADDRESS: NAME in kinds, ALIKE: len(kinds) > 1}
    kept = [kind for kind in kinds if not said_better.get(kind)]
    kept.sort(key=lambda kind: -_WEIGHTS[kind])
    weight = sum(_WEIGHTS[kind] for kind in kept)
    return Candidate(employee, [_words(kind, namesakes[kind]) for kind in kept], weight)


def _words(kind: str, people: int) -> str:
    if people > 1 and kind == EMAIL:
        return _("same e-mail address, which %(people)s people share") % {"people": number(people)}
    if people > 1 and kind == NAME:
        return _("same name, which %(people)s people have") % {"people": number(people)}
    words = {
        NUMBER: _("same employee number"),
        EMAIL: _("same e-mail address"),
        NAME: _("same name, and nobody else has it"),
        ADDRESS: _("the address is made of this name"),
    }
    return words.get(kind) or _("similar name")
