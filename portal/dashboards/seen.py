"""What an employer sees of a learner, value by value, and who looked at it, when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.selectors import lines_about
from portal.core.templatetags.ui import ABSENT, day, moment, percent
from portal.core.tenancy import organisation_scope
from portal.dashboards import journal
from portal.dashboards.story import enrolments_told, field_label
from portal.organisations.models import Language
from portal.people.selectors import user_actor

if TYPE_CHECKING:
    from portal.audit.selectors import AuditLine
    from portal.dashboards.learning import Situation
    from portal.enrolments.models import Enrolment
    from portal.organisations.models import Organisation
    from portal.people.models import Employee, User

LOOKS: Final = 20
KEPT_FOR: Final = timedelta(days=365)

_FIELDS = (
    "last_name",
    "first_name",
    "employee_number",
    "email",
    "site",
    "department",
    "manager_email",
    "hired_on",
    "left_on",
    "language",
)
_STEPS = {
    "enrolled_at": "enrolled",
    "invited_at": "invited",
    "activated_at": "active",
    "started_at": "started",
    "completed_at": "completed",
    "certified_at": "certified",
    "withdrawn_at": "withdrawn",
}

Facts = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Look:
    line: AuditLine
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Seen:
    """`older` leads on to what is further back; None at the end of the twelve months."""

    organisation: Organisation
    facts: Facts
    courses: list[tuple[str, Facts]]
    looks: list[Look]
    older: int | None
    waiting: bool


def seen_by(situation: Situation, user: User, *, before: int | None = None) -> Seen:
    """Return what the organisation sees of the learner, and what others than they themselves did with it."""
    organisation, employee = situation.organisation, situation.employee
    subject = str(employee.pk) if employee else ""
    with organisation_scope(organisation.pk):
        lines = lines_about(
            organisation,
            subject=subject,
            besides=user_actor(user).pseudonym,
            since=timezone.now() - KEPT_FOR,
            before=before,
            limit=LOOKS + 1,
        )
        enrolments = enrolments_told(organisation, employee) if employee else []
    shown = lines[:LOOKS]
    return Seen(
        organisation=organisation,
        facts=_roster_facts(employee) if employee else [],
        courses=[(enrolment.cohort.name, _course_facts(enrolment)) for enrolment in enrolments],
        looks=[Look(line, _who(line), journal.sentence(line.action, line.data, line.pseudonym)) for line in shown],
        older=shown[-1].id if len(lines) > LOOKS else None,
        waiting=situation.waiting,
    )


def _roster_facts(employee: Employee) -> Facts:
    own = [{"term": header, "value": value or ABSENT} for header, value in sorted(employee.attributes.items())]
    return [*({"term": _capital(field_label(name)), "value": _value(employee, name)} for name in _FIELDS), *own]


def _value(employee: Employee, name: str) -> str:
    value = getattr(employee, name)
    if name in {"hired_on", "left_on"}:
        return day(value)
    if name == "language" and value:
        return str(Language(value).label)
    return value or ABSENT


def _course_facts(enrolment: Enrolment) -> Facts:
    words = {
        "enrolled": _("Enrolment"),
        "invited": _("Invitation"),
        "active": _("First sign-in or first step"),
        "started": _("Start of the course"),
        "completed": _("End of the course"),
        "certified": _("Certification"),
        "withdrawn": _("Withdrawal"),
    }
    steps = [{"term": words[step], "value": moment(getattr(enrolment, name))} for name, step in _STEPS.items()]
    return [*steps, {"term": _("Progress"), "value": percent(enrolment.progress, 100)}]


def _who(line: AuditLine) -> str:
    name = journal.who(line)
    return _("%(name)s, of the programme’s team") % {"name": name} if line.on_behalf_of_programme else name


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
