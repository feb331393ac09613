"""Who facts that match nobody could be about: proposals with their reasons, never more than that.

Each way of being mistaken is turned into the keys that it would give (a number with its zeros, two signs exchanged, the
same name at another domain), and the roster is asked for those keys: three queries, whatever the number of facts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext as _

from portal.core.text import fold
from portal.organisations.models import EmailDomain
from portal.people.models import Employee

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portal.organisations.models import Organisation

MOST = 3
_LONGEST_NUMBER = 12


@dataclass(frozen=True, slots=True)
class Said:
    """What facts say of their person."""

    number: str = ""
    email: str = ""
    account: str = ""

    @property
    def addresses(self) -> list[str]:
        """The address, and the account where it is one."""
        named = self.account.rpartition(" ")[2].lower()
        return [address for address in (self.email, named) if "@" in address]

    @property
    def numbers(self) -> list[str]:
        named = self.account.rpartition(" ")[2]
        return [number for number in (self.number, named if named.isalnum() else "") if number]


@dataclass(slots=True)
class Proposal:
    """One person that it could be, the strongest first."""

    employee: Employee
    reasons: list[str] = field(default_factory=list)
    weight: int = 0


def proposals(organisation: Organisation, said: Iterable[Said]) -> list[list[Proposal]]:
    """Return for each who it could be, with reasons in words."""
    wanted = list(said)
    domains = list(EmailDomain.objects.filter(organisation=organisation).values_list("domain", flat=True))
    clues = [list(_clues(one, domains)) for one in wanted]
    numbers = {clue.value for one in clues for clue in one if clue.field == "employee_number"}
    emails = {clue.value for one in clues for clue in one if clue.field == "email"}
    names = {clue.value for one in clues for clue in one if clue.field == "sort_name"}
    if not (numbers or emails or names):
        return [[] for _one in wanted]
    people = Employee.objects.filter(organisation_id=organisation.pk).filter(
        Q(employee_number__in=numbers) | Q(email__in=emails) | Q(sort_name__in=names)
    )
    found: defaultdict[tuple[str, str], list[Employee]] = defaultdict(list)
    for employee in people.order_by("pk")[:2_000]:
        for name in ("employee_number", "email", "sort_name"):
            if value := getattr(employee, name):
                found[name, value].append(employee)
    return [_best(one, found) for one in clues]


@dataclass(frozen=True, slots=True)
class _Clue:
    field: str
    value: str
    reason: str
    weight: int


def _best(clues: list[_Clue], found: dict[tuple[str, str], list[Employee]]) -> list[Proposal]:
    by_person: dict[int, Proposal] = {}
    for clue in clues:
        for employee in found.get((clue.field, clue.value), ()):
            proposal = by_person.setdefault(employee.pk, Proposal(employee))
            if clue.reason not in proposal.reasons:
                proposal.reasons.append(clue.reason)
                proposal.weight += clue.weight
    ranked = sorted(by_person.values(), key=lambda proposal: (-proposal.weight, proposal.employee.pk))
    return ranked[:MOST]


def _clues(said: Said, domains: list[str]) -> Iterator[_Clue]:
    for number in said.numbers:
        yield from _number_clues(number)
    for address in said.addresses:
        yield from _address_clues(address, domains)


def _number_clues(number: str) -> Iterator[_Clue]:
    yield _Clue("employee_number", number, _("the same employee number"), 10)
    bare = number.lstrip("0")
    if bare and len(number) <= _LONGEST_NUMBER:
        for zeros in range(_LONGEST_NUMBER - len(bare) + 1):
            padded = "0" * zeros + bare
            if padded != number:
                yield _Clue("employee_number", padded, _("the same number but for leading zeros"), 6)
        for twisted in _twisted(number):
            yield _Clue("employee_number", twisted, _("two digits of the number exchanged"), 3)


def _address_clues(address: str, domains: list[str]) -> Iterator[_Clue]:
    local, _at, domain = address.partition("@")
    yield _Clue("email", address, _("the same address, which several people carry or whose number differs"), 5)
    for other in domains:
        if other != domain:
            yield _Clue("email", f"{local}@{other}", _("the same name before the @ of the address"), 6)
    for twisted in _twisted(local):
        yield _Clue("email", f"{twisted}@{domain}", _("two letters of the address exchanged"), 3)
    parts = [part for part in fold(local).split() if not part.isdigit()]
    parts = [part.rstrip("0123456789") for part in parts]
    if len(parts) == 2 and all(len(part) > 1 for part in parts):
        for name in (f"{parts[1]} {parts[0]}", f"{parts[0]} {parts[1]}"):
            yield _Clue("sort_name", name, _("the person’s name in the address"), 5)


def _twisted(text: str) -> Iterator[str]:
    """Yield the text with each pair of neighbours exchanged."""
    for place in range(min(len(text), 40) - 1):
        if text[place] != text[place + 1]:
            yield text[:place] + text[place + 1] + text[place] + text[place + 2 :]
