"""HR's desk: whom somebody could be and why, each word of HR and its undoing, and what others must not do there."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.cohorts.models import Programme
from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.core.text import fold
from portal.enrolments.models import Enrolment
from portal.enrolments.services import create_enrolment_intake, enrol_employees
from portal.organisations.models import DoorKind
from portal.organisations.services import open_door
from portal.people.models import Affiliation, Employee, LearnerReference, Membership, User
from portal.people.services import grant_role
from portal.progress.models import CompletionEvent
from portal.progress.services import catch_up, record_completions
from sso.candidates import waiting_page
from sso.models import DeclinedMatch, Identity
from tests.factories.people import make_employee, make_learner, make_user

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db

DESK = "/o/laposte/matches/"
MAIL = "amelie.lefevre@laposte.example"


def wait(company: Company, name: str = "", **said: str) -> Affiliation:
    """Sign somebody in whom the roster does not name with certainty."""
    attributes = [("displayName", (name,))] if name else []
    attributes += [
        (key, (said[word],)) for word, key in (("number", "employeeNumber"), ("email", "mail")) if word in said
    ]
    response = company.sign_in(Client(), name_id=f"person-{uuid.uuid4()}", attributes=tuple(attributes))
    assert response.status_code == 302, response.content.decode()
    return Affiliation.objects.filter(organisation=company.organisation).latest("id")


def proposed(company: Company) -> dict[str, list[tuple[str, int]]]:
    """Return for each person who waits whom they could be, with the number of reasons."""
    with organisation_scope(company.organisation.pk):
        page = waiting_page(company.organisation)
    return {
        person.name: [(each.employee.employee_number, len(each.reasons)) for each in person.candidates]
        for person in page.people
        if not person.role
    }


def employee_of(affiliation: Affiliation) -> int | None:
    return Affiliation.objects.get(pk=affiliation.pk).employee_id


def actions(organisation: Organisation) -> list[tuple[str, dict[str, Any]]]:
    with organisation_scope(organisation.pk):
        return list(AuditEvent.objects.order_by("id").values_list("action", "data"))


def enrol(organisation: Organisation, employee: Employee) -> None:
    with organisation_scope(organisation.pk):
        cohort = create_cohort(actor=OPERATOR, organisation=organisation, name="Autumn")
        create_enrolment_intake()
        cursor_rows("INSERT INTO enrolment_intake VALUES (%s, %s)", [employee.pk, cohort.pk])
        enrol_employees(actor=OPERATOR, organisation=organisation)


# --- Whom it could be -------------------------------------------------------------------------------------------


def test_reasons_add_up_and_the_strongest_comes_first(poste: Company) -> None:
    make_employee(poste.organisation, "1", email="desk@laposte.example", first_name="Karim", last_name="Diallo")
    make_employee(poste.organisation, "2", email="desk@laposte.example")
    wait(poste, "Amélie Lefèvre", email="desk@laposte.example")

    assert proposed(poste) == {"Amélie Lefèvre": [("2", 2), ("1", 1)]}


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Amélie Lefèvre", ""),
        ("LEFEVRE Amélie", ""),
        ("lefèvre, amélie", ""),
        ("", MAIL),
        ("Amélie Lefebvre", ""),
        ("Amelie LE FEVRE", ""),
        ("Amélie Claire Lefèvre", ""),
    ],
)
def test_a_name_is_recognised_as_people_write_it(poste: Company, name: str, email: str) -> None:
    make_employee(poste.organisation, "7")
    make_employee(poste.organisation, "8", first_name="Amélie", last_name="Martin")
    make_employee(poste.organisation, "9", first_name="Zoé", last_name="Lefèvre")
    wait(poste, name, **({"email": email} if email else {}))

    assert proposed(poste) == {name: [("7", 1)]}


def test_namesakes_are_counted(as_helene: Client, poste: Company) -> None:
    for number in ("1", "2", "3"):
        make_employee(poste.organisation, number, site=f"Site {number}")
    wait(poste, "Amélie Lefèvre")

    page = as_helene.get(DESK).text

    assert proposed(poste) == {"Amélie Lefèvre": [("1", 1), ("2", 1), ("3", 1)]}
    assert "Site 3" in page


def test_who_is_linked_inactive_or_elsewhere_is_never_offered(poste: Company, airbus: Organisation) -> None:
    make_learner(poste.organisation, make_employee(poste.organisation, "1"), "Amélie Lefèvre")
    make_employee(poste.organisation, "2", active=False)
    make_employee(airbus, "3")
    wait(poste, "Amélie Lefèvre", number="1")

    assert proposed(poste) == {"Amélie Lefèvre": []}


def test_ten_thousand_who_wait_cost_the_queries_of_one(as_helene: Client, poste: Company) -> None:
    make_employee(poste.organisation, "1")
    wait(poste, "Amélie Lefèvre")
    with CaptureQueriesContext(database) as one:
        as_helene.get(DESK)
    now = timezone.now()
    users = User.objects.bulk_create(User(username=f"sso:{uuid.uuid4()}", name=f"Somebody {n}") for n in range(10_000))
    Affiliation.objects.bulk_create(Affiliation(user=user, organisation=poste.organisation) for user in users)
    with organisation_scope(poste.organisation.pk):
        Identity.objects.bulk_create(
            Identity(
                organisation=poste.organisation,
                connection=poste.connection,
                subject=str(user.pk),
                user=user,
                last_seen_at=now,
            )
            for user in users
        )
        Employee.objects.bulk_create(
            Employee(
                organisation=poste.organisation,
                employee_number=f"9{n:06}",
                first_name=f"Somebody {n}",
                sort_name=fold(f"{n} Somebody"),
            )
            for n in range(2_000)
        )
    with CaptureQueriesContext(database) as many:
        first = as_helene.get(DESK)

    assert len(one) == len(many)
    assert first.context["page"].total == 10_002
    people = list(first.context["page"].people)
    second = as_helene.get(DESK, {"after": first.context["page"].after}).context["page"]
    assert len(people) == len(second.people) == 20
    assert {each.affiliation.pk for each in people}.isdisjoint(each.affiliation.pk for each in second.people)


def test_the_page_goes_on_after_somebody_who_was_linked_meanwhile(as_helene: Client, poste: Company) -> None:
    waiting = [wait(poste, f"Somebody {number}") for number in range(21)]
    last = as_helene.get(DESK).context["page"].after
    Affiliation.objects.filter(pk=last).update(employee=make_employee(poste.organisation, "1"))

    page = as_helene.get(DESK, {"after": last}).context["page"]

    assert [each.affiliation for each in page.people] == waiting[19:]


@pytest.mark.parametrize("query", ["after=x", "after=999999", "linked=x", "linked=999999", "after=%00"])
def test_an_address_that_means_nothing_shows_the_desk(as_helene: Client, poste: Company, query: str) -> None:
    assert as_helene.get(f"{DESK}?{query}").status_code == 200


# --- What HR says -----------------------------------------------------------------------------------------------


def test_a_yes_links_and_can_be_taken_back_from_the_same_page(as_helene: Client, poste: Company) -> None:
    amelie = make_employee(poste.organisation, "2")
    waiting = wait(poste, "Amélie Lefèvre")

    answer = as_helene.post(f"{DESK}{waiting.pk}/yes/", {"employee": str(amelie.pk)})
    page = as_helene.get(answer["Location"])

    waiting.refresh_from_db()
    assert waiting.employee_id == amelie.pk
    assert page.context["just"] == waiting
    assert f"{DESK}{waiting.pk}/" in page.text
    assert actions(poste.organisation)[-1] == ("people:employee:link", {"user": waiting.user_id})


def test_a_yes_moves_the_course_and_the_progress(as_helene: Client, poste: Company) -> None:
    amelie = make_employee(poste.organisation, "2", learner=LearnerReference.objects.create())
    enrol(poste.organisation, amelie)
    waiting = wait(poste, "Amélie Lefèvre")
    certify(waiting.user, "mine")

    as_helene.post(f"{DESK}{waiting.pk}/yes/", {"employee": str(amelie.pk)})
    catch_up(actor=OPERATOR, organisation=poste.organisation)

    with organisation_scope(poste.organisation.pk):
        assert Enrolment.objects.get().state == Enrolment.State.CERTIFIED
        amelie.refresh_from_db()
    assert amelie.learner == waiting.user.learner


def test_a_no_is_not_proposed_again_and_can_be_taken_back(as_helene: Client, poste: Company) -> None:
    amelie = make_employee(poste.organisation, "2")
    waiting = wait(poste, "Amélie Lefèvre")

    as_helene.post(f"{DESK}{waiting.pk}/no/", {"employee": str(amelie.pk)})
    as_helene.post(f"{DESK}{waiting.pk}/no/", {"employee": str(amelie.pk)})

    assert proposed(poste) == {"Amélie Lefèvre": []}
    assert as_helene.get(DESK).text.count(f"{DESK}{waiting.pk}/maybe/") == 1
    as_helene.post(f"{DESK}{waiting.pk}/maybe/", {"employee": str(amelie.pk)})
    assert proposed(poste) == {"Amélie Lefèvre": [("2", 1)]}
    assert [action for action, _data in actions(poste.organisation)][-2:] == [
        "sso:match:decline",
        "sso:match:reconsider",
    ]


def test_the_sign_in_respects_a_no(as_helene: Client, poste: Company) -> None:
    browser = Client()
    poste.sign_in(browser, number="5")
    waiting = Affiliation.objects.get(
        organisation=poste.organisation, employee=None, user__username__startswith="sso:", user__name=""
    )
    five = make_employee(poste.organisation, "5")
    as_helene.post(f"{DESK}{waiting.pk}/no/", {"employee": str(five.pk)})

    poste.sign_in(browser, number="5")
    waiting.refresh_from_db()
    assert waiting.employee_id is None

    as_helene.post(f"{DESK}{waiting.pk}/maybe/", {"employee": str(five.pk)})
    poste.sign_in(browser, number="5")
    waiting.refresh_from_db()
    assert waiting.employee_id == five.pk


def test_the_roster_is_searched_for_somebody_else(as_helene: Client, poste: Company) -> None:
    karim = make_employee(poste.organisation, "0042", first_name="Karim", last_name="Diallo")
    make_learner(poste.organisation, make_employee(poste.organisation, "8", last_name="Diallo"), "Diallo")
    waiting = wait(poste, "K. D.")

    for text in ("0042", "diallo", "Karim Diallo"):
        found = as_helene.post(f"{DESK}{waiting.pk}/", {"q": text})
        assert found.context["found"] == [karim]
    assert as_helene.post(f"{DESK}{waiting.pk}/", {"q": "\x00 nobody"}).context["found"] == []
    as_helene.post(f"{DESK}{waiting.pk}/yes/", {"employee": str(karim.pk), "person": str(waiting.pk)})

    waiting.refresh_from_db()
    assert waiting.employee_id == karim.pk


@pytest.mark.parametrize("employee", ["", "x", "999999", "9" * 40, "-1", "²"])
def test_who_is_nobody_is_not_linked(as_helene: Client, poste: Company, employee: str) -> None:
    waiting = wait(poste, "Amélie Lefèvre")

    for word in ("yes", "no", "maybe"):
        assert as_helene.post(f"{DESK}{waiting.pk}/{word}/", {"employee": employee}).status_code == 302

    waiting.refresh_from_db()
    assert waiting.employee_id is None


def test_two_accounts_are_never_one_employee(as_helene: Client, poste: Company) -> None:
    amelie = make_employee(poste.organisation, "2")
    first, second = wait(poste, "Amélie Lefèvre"), wait(poste, "Amélie Lefèvre")
    for waiting in (first, second):
        as_helene.post(f"{DESK}{waiting.pk}/yes/", {"employee": str(amelie.pk)})

    second.refresh_from_db()
    assert second.employee_id is None


# --- Whoever holds a role ----------------------------------------------------------------------------------------


def test_whoever_holds_a_role_is_linked_by_an_owner_with_a_reason(
    as_helene: Client, as_odile: Client, poste: Company
) -> None:
    amelie = make_employee(poste.organisation, "2")
    waiting = wait(poste, "Amélie Lefèvre")
    with organisation_scope(poste.organisation.pk):
        grant_role(actor=OPERATOR, organisation=poste.organisation, user=waiting.user, role=Membership.Role.OWNER)
    yes = f"{DESK}{waiting.pk}/yes/"

    assert yes not in as_helene.get(DESK).text
    assert yes not in as_helene.get(f"{DESK}{waiting.pk}/").text
    as_helene.post(yes, {"employee": str(amelie.pk), "reason": "I know her"})
    as_odile.post(yes, {"employee": str(amelie.pk), "reason": "  "})
    assert employee_of(waiting) is None

    assert yes in as_odile.get(f"{DESK}{waiting.pk}/").text
    as_odile.post(yes, {"employee": str(amelie.pk), "reason": "I know her"})
    assert employee_of(waiting) == amelie.pk
    assert actions(poste.organisation)[-1][1]["reason"] == "I know her"
    as_helene.post(f"{DESK}{waiting.pk}/undo/", {"reason": "No"})
    assert employee_of(waiting) == amelie.pk


def test_a_link_gives_no_role(as_helene: Client, poste: Company) -> None:
    amelie = make_employee(poste.organisation, "2")
    waiting = wait(poste, "Amélie Lefèvre")
    as_helene.post(f"{DESK}{waiting.pk}/yes/", {"employee": str(amelie.pk)})

    with organisation_scope(poste.organisation.pk):
        assert not Membership.objects.filter(user=waiting.user).exists()


# --- Taking a link back ------------------------------------------------------------------------------------------


def certify(user: User, event_id: str, *, number: str = "") -> None:
    user.refresh_from_db()
    assert user.learner is not None
    about = {"employee_number": number} if number else {"learner": str(user.learner.reference)}
    event = {
        "event_id": event_id,
        "organisation": "laposte",
        "programme": Programme.objects.get().code,
        "event": "certified",
        "occurred_at": (timezone.now() - timedelta(days=1)).isoformat(),
        **about,
    }
    recorded = record_completions(actor=OPERATOR, events=[(1, event)])
    assert recorded.rejected == 0


def test_a_wrong_link_is_taken_back_with_what_was_not_theirs(as_helene: Client, poste: Company) -> None:
    own = LearnerReference.objects.create()
    open_door(kind=DoorKind.LEARNER, key=str(own.reference), organisation_id=poste.organisation.pk)
    amelie = make_employee(poste.organisation, "2", learner=own)
    enrol(poste.organisation, amelie)
    waiting = wait(poste, "Amélie Lefèvre")
    as_helene.post(f"{DESK}{waiting.pk}/yes/", {"employee": str(amelie.pk)})
    certify(waiting.user, "by-reference")
    catch_up(actor=OPERATOR, organisation=poste.organisation)
    with organisation_scope(poste.organisation.pk):
        assert Enrolment.objects.get().state == Enrolment.State.CERTIFIED

    answer = as_helene.post(f"{DESK}{waiting.pk}/undo/", {"person": str(waiting.pk)})
    catch_up(actor=OPERATOR, organisation=poste.organisation)

    assert answer["Location"] == f"{DESK}{waiting.pk}/"
    waiting.refresh_from_db()
    own.refresh_from_db()
    assert waiting.employee_id is None
    assert own.merged_into is None
    with organisation_scope(poste.organisation.pk):
        amelie.refresh_from_db()
        assert amelie.learner == own
        assert CompletionEvent.objects.get().employee_id is None
        enrolment = Enrolment.objects.get()
        assert (enrolment.state, enrolment.activated_at, enrolment.progress) == ("enrolled", None, 0)
        assert DeclinedMatch.objects.get().employee == amelie
    assert "people:employee:unlink" in [action for action, *_rest in actions(poste.organisation)]
    assert proposed(poste)["Amélie Lefèvre"] == []


def test_what_came_by_number_stays_with_the_employee(as_helene: Client, poste: Company) -> None:
    amelie = make_employee(poste.organisation, "2")
    enrol(poste.organisation, amelie)
    waiting = wait(poste, "Amélie Lefèvre")
    as_helene.post(f"{DESK}{waiting.pk}/yes/", {"employee": str(amelie.pk)})
    certify(waiting.user, "by-number", number="2")
    catch_up(actor=OPERATOR, organisation=poste.organisation)

    as_helene.post(f"{DESK}{waiting.pk}/undo/")
    catch_up(actor=OPERATOR, organisation=poste.organisation)

    with organisation_scope(poste.organisation.pk):
        assert Enrolment.objects.get().state == Enrolment.State.CERTIFIED
        amelie.refresh_from_db()
    assert amelie.learner is not None
    waiting.user.refresh_from_db()
    assert waiting.user.learner is not None
    assert amelie.learner != waiting.user.learner
    assert amelie.learner.first_certified_on is not None
    assert waiting.user.learner.first_certified_on is None


def test_the_right_link_after_a_wrong_one_brings_everything(as_helene: Client, poste: Company) -> None:
    wrong = make_employee(poste.organisation, "1")
    right = make_employee(poste.organisation, "2", first_name="Amélie", last_name="Lefebvre")
    enrol(poste.organisation, right)
    waiting = wait(poste, "Amélie Lefèvre")
    as_helene.post(f"{DESK}{waiting.pk}/yes/", {"employee": str(wrong.pk)})
    certify(waiting.user, "mine")
    catch_up(actor=OPERATOR, organisation=poste.organisation)
    as_helene.post(f"{DESK}{waiting.pk}/undo/")
    as_helene.post(f"{DESK}{waiting.pk}/yes/", {"employee": str(right.pk)})
    catch_up(actor=OPERATOR, organisation=poste.organisation)

    with organisation_scope(poste.organisation.pk):
        assert CompletionEvent.objects.get().employee_id == right.pk
        assert Enrolment.objects.get().state == Enrolment.State.CERTIFIED


def test_a_link_is_found_by_either_side(as_helene: Client, poste: Company) -> None:
    amelie = make_employee(poste.organisation, "2", email=MAIL)
    make_learner(poste.organisation, amelie, "A. Lefèvre")

    for text in ("2", MAIL, "lefèvre"):
        page = as_helene.post(f"{DESK}linked/", {"q": text})
        assert [each.employee for each in page.context["found"]] == [amelie]
    assert as_helene.post(f"{DESK}linked/", {"q": "nobody"}).context["found"] == []
    assert as_helene.get(f"{DESK}linked/").status_code == 200


# --- Whose identity provider was replaced --------------------------------------------------------------------------


def test_an_owner_confirms_whose_identity_provider_was_replaced(
    as_helene: Client, as_odile: Client, poste: Company
) -> None:
    wait(poste, "Amélie Lefèvre")
    wait(poste, "Karim Diallo")
    with organisation_scope(poste.organisation.pk):
        Identity.objects.update(suspended_at=timezone.now())
        first, second = Identity.objects.order_by("id")

    assert f"{DESK}suspended/" in as_odile.get(DESK).text
    assert f"{DESK}suspended/" not in as_helene.get(DESK).text
    assert as_helene.post(f"{DESK}suspended/", {"identity": first.pk}).status_code == 403
    assert as_odile.get(f"{DESK}suspended/").context["total"] == 2
    as_odile.post(f"{DESK}suspended/", {"identity": [first.pk, "x", "999999999"]})
    with organisation_scope(poste.organisation.pk):
        assert Identity.objects.filter(suspended_at=None).count() == 0
    as_odile.post(f"{DESK}suspended/", {"identity": [first.pk]})

    with organisation_scope(poste.organisation.pk):
        assert list(Identity.objects.filter(suspended_at=None)) == [first]
    assert actions(poste.organisation)[-1][0] == "sso:identity:confirm"
    assert as_odile.post(f"{DESK}suspended/").status_code == 302
    assert [each.pk for each, _employee in as_odile.get(f"{DESK}suspended/").context["people"]] == [second.pk]


# --- Others --------------------------------------------------------------------------------------------------------


def test_nobody_of_another_partner_is_reached(
    as_oscar: Client, as_helene: Client, poste: Company, avion: Company
) -> None:
    theirs = make_employee(avion.organisation, "2")
    ours = make_employee(poste.organisation, "2")
    waiting = wait(poste, "Amélie Lefèvre")
    away = f"/o/airbus/matches/{waiting.pk}/"

    assert as_oscar.get(away).status_code == 404
    assert as_oscar.post(away, {"q": "2"}).status_code == 404
    for word in ("yes", "no", "maybe", "undo"):
        assert as_oscar.post(f"{away}{word}/", {"employee": str(theirs.pk)}).status_code == 302
        assert as_oscar.post(f"{DESK}{waiting.pk}/{word}/", {"employee": str(ours.pk)}).status_code == 404
        as_helene.post(f"{DESK}{waiting.pk}/{word}/", {"employee": str(theirs.pk)})

    waiting.refresh_from_db()
    assert waiting.employee_id is None
    for organisation in (poste.organisation, avion.organisation):
        with organisation_scope(organisation.pk):
            assert not DeclinedMatch.objects.exists()
    assert as_oscar.post("/o/airbus/matches/linked/", {"q": "Amélie"}).context["found"] == []


def test_another_partners_suspended_person_is_not_confirmed(as_oscar: Client, poste: Company, avion: Company) -> None:
    wait(poste, "Amélie Lefèvre")
    with organisation_scope(poste.organisation.pk):
        Identity.objects.update(suspended_at=timezone.now())
        identity = Identity.objects.get()

    as_oscar.post("/o/airbus/matches/suspended/", {"identity": [identity.pk]})

    with organisation_scope(poste.organisation.pk):
        identity.refresh_from_db()
    assert identity.suspended_at is not None


def test_whoever_waits_can_start(poste: Company) -> None:
    Programme.objects.update(launch_url="https://platform.example/start")
    browser = Client()
    poste.sign_in(browser, name_id="newcomer", attributes=(("displayName", ("Amélie Lefèvre",)),))

    page = browser.get("/me/")

    assert page.context["situations"][0].waiting
    assert "https://platform.example/start?learner=" in page.text


def test_a_person_without_a_name_is_not_proposed_to_everybody(poste: Company) -> None:
    for number in range(3):
        make_employee(poste.organisation, str(number), first_name="", last_name="", email="")
    make_user("unused")
    wait(poste, "")

    assert proposed(poste) == {"": []}
