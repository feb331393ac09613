"""The learner's pages: where they are, what their employer sees, and only through doors they have used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from portal.cohorts.models import Programme
from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.dashboards.learning import launch_url
from portal.enrolments.models import Enrolment
from portal.people.models import Affiliation, User
from tests.factories.people import make_employee, make_user, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from portal.organisations.models import Organisation
    from portal.people.models import Employee

pytestmark = pytest.mark.django_db(databases=["default"])

PAGES = ("/me/", "/me/privacy/", "/me/certificate/")


@pytest.fixture
def platform(db: None) -> None:
    Programme.objects.update(launch_url="https://courses.example/ia?from=portal")


def enrol(organisation: Organisation, employee: Employee, cohort_name: str = "Vague 1", **steps: Any) -> None:
    with organisation_scope(organisation.pk):
        cohort = create_cohort(actor=OPERATOR, organisation=organisation, name=cohort_name)
        Enrolment.objects.create(
            organisation=organisation, cohort=cohort, employee=employee, enrolled_at=timezone.now(), **steps
        )


@pytest.mark.usefixtures("platform")
def test_one_button_leads_to_the_platform(as_amelie: Client, laposte: Organisation, amelie: Employee) -> None:
    enrol(laposte, amelie, state="active", progress=40, started_at=timezone.now())

    answer = as_amelie.get("/me/")

    reference = User.objects.get(name="Amélie Lefèvre").learner
    assert reference is not None
    address = f"https://courses.example/ia?from=portal&amp;learner={reference.reference}"
    assert answer.text.count(f'href="{address}"') == 1
    assert answer.text.count("button primary") == 1
    assert "40" in answer.context["headline"]


def test_without_the_platform_s_address_a_sentence_says_so(
    as_amelie: Client, laposte: Organisation, amelie: Employee
) -> None:
    Programme.objects.update(launch_url="")
    enrol(laposte, amelie)

    answer = as_amelie.get("/me/")

    assert answer.status_code == 200
    assert "button primary" not in answer.text


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    ("steps", "words", "buttons"),
    [
        ({"state": "invited"}, "pas commencé", 1),
        ({"state": "active", "activated_at": timezone.now()}, "pas commencé", 1),
        ({"state": "active", "started_at": timezone.now()}, "en cours", 1),
        ({"state": "completed", "completed_at": timezone.now()}, "terminé", 0),
        ({"state": "certified", "certified_at": timezone.now()}, "certifié", 1),
        ({"state": "withdrawn", "withdrawn_at": timezone.now()}, "retiré", 0),
    ],
)
def test_each_state_has_its_word_and_one_button_at_most(
    as_amelie: Client, laposte: Organisation, amelie: Employee, steps: dict[str, Any], words: str, buttons: int
) -> None:
    enrol(laposte, amelie, **steps)

    text = as_amelie.get("/me/").text

    assert words in text
    assert text.count("button primary") == buttons
    assert "Une question" in text


@pytest.mark.usefixtures("platform")
def test_a_withdrawal_hides_behind_another_enrolment(
    as_amelie: Client, laposte: Organisation, amelie: Employee
) -> None:
    enrol(laposte, amelie, "Vague 1", state="active", started_at=timezone.now(), progress=30)
    enrol(laposte, amelie, "Vague 2", state="withdrawn", withdrawn_at=timezone.now())

    (situation,) = as_amelie.get("/me/").context["situations"]

    assert [(course.cohort, course.begun) for course in situation.courses] == [("Vague 1", True)]


@pytest.mark.usefixtures("platform")
def test_two_employers_stand_apart_with_one_button(
    amelie_login: User, laposte: Organisation, airbus: Organisation, amelie: Employee
) -> None:
    there = make_employee(airbus, "A-77", site="Toulouse")
    Affiliation.objects.create(user=amelie_login, organisation=airbus, employee=there)
    enrol(laposte, amelie, state="active", started_at=timezone.now(), progress=30)
    enrol(airbus, there, "Autumn")

    text = sign_in(amelie_login, laposte, airbus).get("/me/").text

    assert text.count("button primary") == 1
    assert (
        text.index("<h2>Airbus</h2>") < text.index("Autumn") < text.index("<h2>La Poste</h2>") < text.index("Vague 1")
    )
    # What is begun comes before what is new, wherever it is.
    assert text.index("<h2>La Poste</h2>") < text.index("button primary")


@pytest.mark.usefixtures("platform")
def test_whoever_is_not_recognised_yet_can_already_start(laposte: Organisation) -> None:
    kim = make_user("Kim Nouveau")
    Affiliation.objects.create(user=kim, organisation=laposte)

    (situation,) = sign_in(kim, laposte).get("/me/").context["situations"]

    assert situation.waiting
    assert situation.courses[0].launch_url.startswith("https://courses.example/ia?from=portal&learner=")


def test_a_certificate_is_shown_once_for_a_programme(
    as_amelie: Client, laposte: Organisation, amelie: Employee
) -> None:
    done = {"state": "certified", "certified_at": timezone.now(), "certificate_url": "https://courses.example/c/1"}
    enrol(laposte, amelie, "Vague 1", **done)
    enrol(laposte, amelie, "Vague 2", **done)

    assert len(as_amelie.get("/me/certificate/").context["certificates"]) == 1
    assert "https://courses.example/c/1" in as_amelie.get("/me/").text


def test_an_address_that_is_no_page_is_not_a_link(as_amelie: Client, laposte: Organisation, amelie: Employee) -> None:
    enrol(laposte, amelie, state="certified", certified_at=timezone.now(), certificate_url="javascript:alert(1)")

    for path in PAGES:
        assert "javascript:" not in as_amelie.get(path).text


def test_the_privacy_page_shows_what_the_employer_holds(as_amelie: Client, laposte: Organisation) -> None:
    text = as_amelie.get("/me/privacy/").text

    assert "00412877" in text
    assert "PDC Lyon Est" in text


def test_another_employer_s_door_stays_closed_until_used(
    amelie_login: User, laposte: Organisation, airbus: Organisation
) -> None:
    there = make_employee(airbus, "A-77", site="Toulouse")
    Affiliation.objects.create(user=amelie_login, organisation=airbus, employee=there)

    for path in PAGES:
        assert "Airbus" not in sign_in(amelie_login, laposte).get(path).text
    both = sign_in(amelie_login, laposte, airbus).get("/me/").context["situations"]
    assert [situation.organisation.slug for situation in both] == ["airbus", "laposte"]


@pytest.mark.parametrize("path", PAGES)
def test_a_password_opens_no_course(manon: User, path: str) -> None:
    assert sign_in(manon).get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_the_queries_do_not_grow_with_the_cohorts(
    as_amelie: Client,
    laposte: Organisation,
    amelie: Employee,
    queries: Callable[[Client, str], int],
    path: str,
) -> None:
    as_amelie.get(path)
    enrol(laposte, amelie)
    few = queries(as_amelie, path)
    for number in range(2, 6):
        enrol(laposte, amelie, f"Vague {number}")

    assert queries(as_amelie, path) == few <= 28


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_learner_s_page_without_signing_in(client: Client, path: str, db: None) -> None:
    assert client.get(path)["Location"].startswith("/account/login/")


def test_the_reference_is_added_to_the_platform_s_own_address() -> None:
    programme = Programme(launch_url="https://courses.example/start?a=1#top")

    assert launch_url(programme, "abc") == "https://courses.example/start?a=1&learner=abc#top"
