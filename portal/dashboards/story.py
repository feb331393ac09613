"""A person's story: what happened, by whom it is known, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from imports.models import ImportChange, RosterImport
from portal.enrolments.selectors import enrolments_of
from portal.people.models import Affiliation, Employee
from portal.progress.models import CompletionEvent, EventKind
from portal.reports.words import cause_word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from portal.enrolments.models import Enrolment
    from portal.organisations.models import Organisation

_LATEST = 50


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    text: str
    detail: str = ""
    tone: str = ""


def story(organisation: Organisation, employee: Employee, enrolments: list[Enrolment]) -> list[Happening]:
    """Return what happened to a person; four queries, and the latest fifty of each kind."""
    files = list(_files(organisation, employee))
    happenings = [*_steps(enrolments), *_facts(organisation, employee), *files, *_link(organisation, employee)]
    if not files:
        happenings.append(Happening(employee.created_at, _("Joined the roster.")))
    return sorted(happenings, key=lambda happening: happening.at, reverse=True)


def enrolments_told(organisation: Organisation, employee: Employee) -> list[Enrolment]:
    return list(enrolments_of(organisation, employee.pk)[:_LATEST])


def _steps(enrolments: list[Enrolment]) -> Iterator[Happening]:
    """Each step with what brought it about."""
    for enrolment in enrolments:
        cohort = enrolment.cohort.name
        named = {"cohort": cohort}
        yield Happening(
            enrolment.enrolled_at, _("Enrolled in “%(cohort)s”.") % named, _detail(cause_word(enrolment.enrolled_by))
        )
        if enrolment.invited_at:
            yield Happening(enrolment.invited_at, _("Invited to “%(cohort)s”.") % named)
        if enrolment.delivered_at:
            yield Happening(enrolment.delivered_at, _("The invitation to “%(cohort)s” arrived.") % named)
        if enrolment.activated_at:
            why = _detail(cause_word(enrolment.activated_by))
            yield Happening(enrolment.activated_at, _("Became active in “%(cohort)s”.") % named, why)
        if enrolment.withdrawn_at:
            why = _detail(cause_word(enrolment.withdrawn_by))
            yield Happening(enrolment.withdrawn_at, _("Withdrawn from “%(cohort)s”.") % named, why, "warn")


def _detail(words: str) -> str:
    return words[:1].upper() + words[1:]


def _facts(organisation: Organisation, employee: Employee) -> Iterator[Happening]:
    events = CompletionEvent.objects.filter(organisation_id=organisation.pk, employee=employee)
    for event in events.select_related("programme").order_by("-occurred_at", "-id")[:_LATEST]:
        words, tone = _fact_in_words(event)
        yield Happening(event.occurred_at, words, event.programme.name_fr, tone)


def _fact_in_words(event: CompletionEvent) -> tuple[str, str]:
    words = {
        EventKind.STARTED: (_("Started the course."), ""),
        EventKind.PROGRESSED: (_("Reached %(progress)s %% of the course.") % {"progress": event.progress or 0}, ""),
        EventKind.COMPLETED: (_("Completed the course."), ""),
        EventKind.CERTIFIED: (_("Certified."), "good"),
        EventKind.REVOKED: (_("The certificate was revoked."), "bad"),
    }
    return words[EventKind(event.kind)]


def _files(organisation: Organisation, employee: Employee) -> Iterator[Happening]:
    changes = list(
        ImportChange.objects.filter(organisation_id=organisation.pk, employee_id=employee.pk)
        .exclude(action=ImportChange.Action.ENROL)
        .select_related("roster_import")
        .order_by("-id")[:_LATEST]
    )
    for change in changes:
        roster_import = change.roster_import
        at = roster_import.applied_at or roster_import.created_at
        yield Happening(at, _change_in_words(change), _file_in_words(roster_import, change))


def _change_in_words(change: ImportChange) -> str:
    if change.action == ImportChange.Action.CREATE:
        return _("Added by a file.")
    if change.action == ImportChange.Action.DEACTIVATE:
        return _("Made inactive: absent from a full file.")
    fields = ", ".join(str(field_label(name)) for name in change.after or {})
    return _("Changed by a file: %(fields)s.") % {"fields": fields}


def _file_in_words(roster_import: RosterImport, change: ImportChange) -> str:
    if change.undone:
        return _("%(file)s, undone since") % {"file": roster_import.file_name}
    return roster_import.file_name


def _link(organisation: Organisation, employee: Employee) -> Iterator[Happening]:
    affiliation = Affiliation.objects.filter(organisation=organisation, employee=employee).first()
    if affiliation:
        yield Happening(affiliation.created_at, _("Signed in with the company account for the first time."), "", "info")


def field_label(name: str) -> str:
    """The word for a field of the roster, as HR reads it."""
    labels = {
        "employee_number": _("employee number"),
        "email": _("e-mail"),
        "first_name": _("first name"),
        "last_name": _("last name"),
        "site": _("site"),
        "department": _("department"),
        "manager_email": _("manager’s e-mail"),
        "hired_on": _("hired on"),
        "left_on": _("left on"),
        "language": _("language"),
        "active": _("activity"),
    }
    return labels.get(name, name)
