"""The editor of a cohort's rules: everything chosen travels in the form, so that it works without a script.

Values are the roster's own. Those chosen stay ticked while one looks for more; a look shows fifty at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from portal.cohorts.models import Cohort, CohortRule
from portal.cohorts.rules import DAYS, LISTS, Rule
from portal.core.templatetags.ui import day
from portal.core.text import fold
from portal.organisations.models import Language
from portal.people.models import Employee
from portal.progress.models import RosterRollup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import QueryDict

    from portal.organisations.models import Organisation

SHOWN = 50
MOST_CHOSEN = 400
Field = CohortRule.Field


@dataclass(slots=True)
class Choice:
    """The values of one field: those chosen, and those that a look found. `more` were found besides."""

    name: str
    label: str
    chosen: list[str] = field(default_factory=list)
    looked_for: str = ""
    found: list[str] = field(default_factory=list)
    more: int = 0
    looked: bool = False

    @property
    def ticked(self) -> list[tuple[str, str]]:
        return [(value, self._word(value)) for value in self.chosen]

    @property
    def offered(self) -> list[tuple[str, str]]:
        return [(value, self._word(value)) for value in self.found]

    def _word(self, value: str) -> str:
        return language_label(value) if self.name == Field.LANGUAGE else value


@dataclass(slots=True)
class Draft:
    """What the editor holds: not saved yet."""

    membership: str
    choices: list[Choice]
    days: dict[str, str]
    errors: list[str] = field(default_factory=list)

    @property
    def rules(self) -> list[Rule]:
        lists = [Rule(choice.name, tuple(choice.chosen)) for choice in self.choices if choice.chosen]
        dates = [Rule(name, day=date.fromisoformat(given)) for name, given in self.days.items() if given]
        return lists + dates


def saved_draft(cohort: Cohort, rules: Sequence[Rule]) -> Draft:
    known = {rule.field: rule for rule in rules}
    choices = [Choice(name, label) for name, label in _labels().items()]
    for choice in choices:
        if choice.name in known:
            choice.chosen = list(known[choice.name].values)
    days = dict.fromkeys(map(str, DAYS), "")
    days |= {name: rule.day.isoformat() for name, rule in known.items() if rule.day}
    return Draft(cohort.membership, choices, days)


def given_draft(data: QueryDict, organisation: Organisation, saved: Draft) -> Draft:
    """Read the form. A value that neither the roster nor the cohort knows is left out: nobody could have ticked it."""
    membership = data.get("membership", "")
    draft = Draft(membership if membership in Cohort.Membership.values else saved.membership, [], {})
    for choice in saved.choices:
        draft.choices.append(_given_choice(data, organisation, choice, draft.errors))
    for name in map(str, DAYS):
        draft.days[name] = _given_day(data.get(name, ""), draft.errors)
    if draft.days[str(Field.HIRED_FROM)] and draft.days[str(Field.HIRED_BEFORE)]:
        _check_order(draft)
    return draft


def language_label(value: str) -> str:
    return str(dict(Language.choices).get(value, value))


def _labels() -> dict[str, str]:
    return {str(Field.SITE): _("Site"), str(Field.DEPARTMENT): _("Department"), str(Field.LANGUAGE): _("Language")}


def roster_values(organisation: Organisation, name: str) -> list[str]:
    """Return the roster's own values of a field. Sites come from the counts, departments from the roster itself."""
    if name == Field.LANGUAGE:
        return list(Language.values)
    if name == Field.SITE:
        sites = RosterRollup.objects.filter(organisation_id=organisation.pk, active__gt=0).exclude(site="")
        return list(sites.order_by("site").values_list("site", flat=True))
    people = Employee.objects.filter(organisation_id=organisation.pk, active=True).exclude(department="")
    return list(people.order_by("department").values_list("department", flat=True).distinct())


def look(organisation: Organisation, draft: Draft, name: str) -> None:
    """Fill in what a look finds: what contains the words, accents and case apart."""
    choice = next((choice for choice in draft.choices if choice.name == name), None)
    if choice is None:
        return
    key, chosen = fold(choice.looked_for), set(choice.chosen)
    found = [value for value in roster_values(organisation, name) if key in fold(value) and value not in chosen]
    choice.found, choice.more, choice.looked = found[:SHOWN], max(len(found) - SHOWN, 0), True


def _given_choice(data: QueryDict, organisation: Organisation, saved: Choice, errors: list[str]) -> Choice:
    given = list(dict.fromkeys(data.getlist(saved.name)))
    unknown = set(given) - set(saved.chosen)
    known = set(roster_values(organisation, saved.name)) if unknown else set()
    chosen = [value for value in given if value in known or value in saved.chosen]
    if len(chosen) > MOST_CHOSEN:
        errors.append(
            _("Choose %(most)s values at most; for more, take everyone on the roster.") % {"most": MOST_CHOSEN}
        )
        chosen = chosen[:MOST_CHOSEN]
    return Choice(saved.name, saved.label, chosen, data.get(f"q_{saved.name}", "").strip()[:150])


def _given_day(given: str, errors: list[str]) -> str:
    if not given:
        return ""
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        errors.append(_("“%(day)s” is no date.") % {"day": given[:20]})
        return ""


def _check_order(draft: Draft) -> None:
    if draft.days[str(Field.HIRED_FROM)] >= draft.days[str(Field.HIRED_BEFORE)]:
        draft.errors.append(_("Nobody can be hired from a day on and before an earlier one."))


def rule_sentences(rules: Sequence[Rule]) -> list[str]:
    """Say the rules: the first values by name, the others by their number."""
    labels: Mapping[str, str] = _labels()
    told = []
    for rule in rules:
        if rule.field in LISTS:
            values = [language_label(value) if rule.field == Field.LANGUAGE else value for value in rule.values]
            shown = ", ".join(values[:5])
            if len(values) > 5:
                shown = _("%(values)s and %(count)s more") % {"values": shown, "count": len(values) - 5}
            told.append(_("%(field)s: %(values)s") % {"field": labels[rule.field], "values": shown})
        elif rule.day:
            words = _("hired before %(day)s") if rule.field == Field.HIRED_BEFORE else _("hired from %(day)s on")
            told.append(words % {"day": day(rule.day)})
    return told
