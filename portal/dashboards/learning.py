"""Where a learner is: one organisation at a time, each in its own scope, among those whose door they used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.cohorts.selectors import programme_coded
from portal.core.tenancy import organisation_scope
from portal.enrolments.models import Enrolment
from portal.enrolments.selectors import enrolments_of
from portal.organisations.models import Organisation
from portal.people.learners import ensure_learner
from portal.people.models import Employee
from portal.people.selectors import affiliation_of
from portal.people.session import doors_used
from portal.progress.certificates import certificates_of
from portal.progress.platforms.adapters import platform_of

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.http import HttpRequest

    from portal.cohorts.models import Programme
    from portal.people.models import User
    from portal.progress.models import Certificate

State = Enrolment.State


@dataclass(frozen=True, slots=True)
class Course:
    """A programme as the learner meets it. `launch_url` is empty while the platform's address is not known."""

    programme: str
    programme_id: int
    cohort: str
    ends_on: date | None
    state: str
    progress: int
    started: bool
    certified_at: datetime | None
    certificate_url: str
    launch_url: str

    @property
    def finished(self) -> bool:
        return self.state in {State.COMPLETED, State.CERTIFIED}

    @property
    def begun(self) -> bool:
        return self.state == State.ACTIVE and self.started

    @property
    def withdrawn(self) -> bool:
        return self.state == State.WITHDRAWN

    @property
    def open(self) -> bool:
        """Whether there is still something to do, and a way to it."""
        return bool(self.launch_url) and not self.finished and not self.withdrawn


@dataclass(frozen=True, slots=True)
class Situation:
    """What one organisation knows of the learner. `waiting`: signed in, and HR has not yet said who they are."""

    organisation: Organisation
    employee: Employee | None
    courses: list[Course]
    waiting: bool
    certificates: list[Certificate]


def situations(request: HttpRequest, user: User) -> list[Situation]:
    organisations = Organisation.objects.filter(pk__in=doors_used(request), active=True).order_by("sort_name")
    found = [_situation(organisation, user) for organisation in organisations]
    return [situation for situation in found if situation]


def only_one(known: list[Situation]) -> Organisation | None:
    """Return the organisation that lends the page its name and colour: nobody's when there are several."""
    return known[0].organisation if len(known) == 1 else None


def main_course(known: list[Situation]) -> Course | None:
    """Return the course that has the one button: what is begun before what is new, what is open before the rest."""
    courses = [course for situation in known for course in situation.courses]
    ranked = sorted(courses, key=lambda course: (not course.open, not course.begun, not course.finished))
    return ranked[0] if ranked and (ranked[0].open or ranked[0].certified_at) else None


def headline(known: list[Situation]) -> str:
    """Answer “where am I?” in one sentence, by the course that is furthest from its end."""
    courses = [course for situation in known for course in situation.courses]
    unfinished = [course for course in courses if not course.finished and not course.withdrawn]
    if unfinished:
        return _headline_of(min(unfinished, key=lambda course: not course.begun))
    if any(course.state == State.CERTIFIED for course in courses):
        return _("You are certified. Congratulations!")
    if any(course.finished for course in courses):
        return _("You have completed the course. Your certificate is on its way.")
    if courses:
        return _("You are no longer enrolled in a course.")
    return _("No course is waiting for you yet.")


def _headline_of(course: Course) -> str:
    if course.begun:
        return _("You are at %(progress)s%% of %(programme)s.") % {
            "progress": course.progress,
            "programme": course.programme,
        }
    return _("%(programme)s is ready for you.") % {"programme": course.programme}


def _situation(organisation: Organisation, user: User) -> Situation | None:
    with organisation_scope(organisation.pk):
        affiliation = affiliation_of(organisation, user)
        if affiliation is None:
            return None
        learner = user.learner or ensure_learner(user=user, organisation_id=organisation.pk)
        reference = str(learner.reference)
        certificates = certificates_of(organisation.pk, learner)
        if affiliation.employee_id is None:
            waiting = [_open_course(programme_coded(), reference)]
            return Situation(organisation, None, waiting, waiting=True, certificates=certificates)
        employee = Employee.objects.get(organisation_id=organisation.pk, pk=affiliation.employee_id)
        courses = _courses(organisation, employee, reference)
        return Situation(organisation, employee, courses, waiting=False, certificates=certificates)


def _courses(organisation: Organisation, employee: Employee, reference: str) -> list[Course]:
    """Facts count in every cohort of a programme, so a programme is shown once, by its newest enrolment.

    One that ended by a withdrawal is shown only when there is no other.
    """
    newest: dict[int, Enrolment] = {}
    enrolments = list(enrolments_of(organisation, employee.pk))
    for enrolment in sorted(enrolments, key=lambda each: each.state == State.WITHDRAWN):
        newest.setdefault(enrolment.cohort.programme_id, enrolment)
    return [_course(enrolment, reference) for enrolment in newest.values()]


def _course(enrolment: Enrolment, reference: str) -> Course:
    programme = enrolment.cohort.programme
    return Course(
        programme=_name(programme),
        programme_id=programme.pk,
        cohort=enrolment.cohort.name,
        ends_on=enrolment.cohort.ends_on,
        state=enrolment.state,
        progress=100 if enrolment.state in {State.COMPLETED, State.CERTIFIED} else enrolment.progress,
        started=enrolment.started_at is not None or enrolment.progress > 0,
        certified_at=enrolment.certified_at if enrolment.state == State.CERTIFIED else None,
        certificate_url=_web_address(enrolment.certificate_url),
        launch_url=launch_url(programme, reference),
    )


def _open_course(programme: Programme, reference: str) -> Course:
    return Course(
        programme=_name(programme),
        programme_id=programme.pk,
        cohort="",
        ends_on=None,
        state=State.ENROLLED,
        progress=0,
        started=False,
        certified_at=None,
        certificate_url="",
        launch_url=launch_url(programme, reference),
    )


def launch_url(programme: Programme, reference: str) -> str:
    """Return the platform's address for this learner; the reference is opaque and says nothing of who they are."""
    platform = platform_of(programme)
    return platform.launch_link(programme, reference, language=(get_language() or "fr")[:2])


def _name(programme: Programme) -> str:
    return programme.name_fr if (get_language() or "fr").startswith("fr") else programme.name_en


def _web_address(url: str) -> str:
    """What came from outside becomes a link only when it is one to a page: never to a script."""
    return url if urlsplit(url).scheme in {"https", "http"} else ""
