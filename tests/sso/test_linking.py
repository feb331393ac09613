"""Who is linked to whom at sign-in: certain cases at once, everything else left to HR's desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.enrolments.models import Enrolment
from portal.enrolments.services import create_enrolment_intake, enrol_employees
from portal.people.models import Affiliation, Employee, LearnerReference, Membership, User
from portal.people.services import grant_role
from sso.models import Identity, SignInTrace
from tests.factories.people import make_employee, make_learner

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.organisations.models import Organisation
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db

MAIL = "amelie@laposte.example"


def linked(company: Company, **said: str) -> Employee | None:
    """Sign somebody in and return the employee whom they were taken for."""
    response = company.sign_in(Client(), **said)
    assert response.status_code == 302, response.content.decode()
    with organisation_scope(company.organisation.pk):
        return Affiliation.objects.select_related("employee").latest("id").employee


def test_the_employee_number_links(poste: Company) -> None:
    amelie = make_employee(poste.organisation, "00412877")

    assert linked(poste, number="00412877") == amelie


def test_leading_zeros_are_part_of_a_number(poste: Company) -> None:
    make_employee(poste.organisation, "00412877")

    assert linked(poste, number="412877") is None


def test_the_number_decides_before_the_address(poste: Company) -> None:
    by_number = make_employee(poste.organisation, "1", email="other@laposte.example")
    make_employee(poste.organisation, "2", email=MAIL)

    assert linked(poste, number="1", email=MAIL) == by_number


def test_an_address_of_a_verified_domain_links(poste: Company) -> None:
    amelie = make_employee(poste.organisation, email=MAIL)

    assert linked(poste, email="Amelie@LaPoste.example") == amelie


def test_an_address_links_somebody_with_a_number_when_none_was_said(poste: Company) -> None:
    amelie = make_employee(poste.organisation, "7", email=MAIL)

    assert linked(poste, email=MAIL) == amelie


def shared_mailbox(organisation: Organisation) -> None:
    make_employee(organisation, "1", email=MAIL)
    make_employee(organisation, "2", email=MAIL)


def carried_by_a_leaver_too(organisation: Organisation) -> None:
    make_employee(organisation, "1", email=MAIL)
    make_employee(organisation, "2", email=MAIL, active=False)


def handed_on(organisation: Organisation) -> None:
    make_employee(organisation, "2", email=MAIL)


def left(organisation: Organisation) -> None:
    make_employee(organisation, "9", email=MAIL, active=False)


def taken(organisation: Organisation) -> None:
    make_learner(organisation, make_employee(organisation, "9", email=MAIL), "Somebody else")


def nobody(organisation: Organisation) -> None:
    make_employee(organisation, "3", email="somebody@laposte.example")


@pytest.mark.parametrize(
    ("roster", "number"),
    [
        (shared_mailbox, ""),
        (carried_by_a_leaver_too, ""),
        (handed_on, "9"),
        (left, "9"),
        (left, ""),
        (taken, "9"),
        (taken, ""),
        (nobody, "9"),
    ],
)
def test_what_is_not_certain_is_left_to_hr_and_the_person_can_start(
    poste: Company, roster: Callable[[Organisation], None], number: str
) -> None:
    roster(poste.organisation)

    assert linked(poste, number=number, email=MAIL) is None
    assert User.objects.latest("id").learner is not None


def test_an_identity_provider_speaks_only_for_its_own_organisation(poste: Company, avion: Company) -> None:
    """La Poste's administrator asserts the address of somebody at Airbus, whom both rosters happen to carry."""
    theirs = "ceo@airbus.example"
    make_employee(poste.organisation, "1", email=theirs)
    ceo = make_employee(avion.organisation, "1", email=theirs)
    assert linked(avion, email=theirs) == ceo

    assert linked(poste, email=theirs) is None
    assert User.objects.latest("id").email == ""
    assert User.objects.count() == 2
    with organisation_scope(poste.organisation.pk):
        assert Identity.objects.get().email == ""


def test_the_same_subject_at_two_partners_is_two_logins(poste: Company, avion: Company) -> None:
    visitor = Client()
    poste.sign_in(visitor)
    avion.sign_in(visitor)

    assert User.objects.count() == 2
    assert visitor.session["doors"] == [avion.organisation.pk]


def test_whoever_holds_a_role_is_linked_by_hand_and_goes_to_work(poste: Company) -> None:
    visitor = Client()
    poste.sign_in(visitor, email=MAIL)
    user = User.objects.get()
    with organisation_scope(poste.organisation.pk):
        grant_role(actor=OPERATOR, organisation=poste.organisation, user=user, role=Membership.Role.ROSTER_MANAGER)
    make_employee(poste.organisation, "1", email=MAIL)

    assert linked(poste, email=MAIL) is None
    assert poste.sign_in(visitor, email=MAIL)["Location"] == "/o/laposte/"


def test_somebody_unknown_at_first_is_recognised_once_the_roster_knows_them(poste: Company) -> None:
    assert linked(poste, number="5") is None
    late = make_employee(poste.organisation, "5")

    assert linked(poste, number="5") == late
    assert User.objects.count() == 1


def test_a_deactivated_employee_is_refused_with_one_sentence(poste: Company) -> None:
    amelie = make_employee(poste.organisation, "5")
    linked(poste, number="5")
    with organisation_scope(poste.organisation.pk):
        Employee.objects.filter(pk=amelie.pk).update(active=False)
    visitor = Client()

    response = poste.sign_in(visitor, number="5")

    assert response.status_code == 403
    assert "_auth_user_id" not in visitor.session
    with organisation_scope(poste.organisation.pk):
        assert SignInTrace.objects.latest("id").error == "user_disabled"


def test_a_deactivated_owner_keeps_the_way_in(poste: Company) -> None:
    owner = make_employee(poste.organisation, "5")
    linked(poste, number="5")
    with organisation_scope(poste.organisation.pk):
        grant_role(actor=OPERATOR, organisation=poste.organisation, user=User.objects.get(), role=Membership.Role.OWNER)
        Employee.objects.filter(pk=owner.pk).update(active=False)

    assert poste.sign_in(Client(), number="5").status_code == 302


def test_a_blocked_login_is_refused(poste: Company) -> None:
    linked(poste)
    User.objects.update(is_active=False)

    assert poste.sign_in(Client()).status_code == 403


def test_a_staff_account_is_never_reached_by_a_partners_word(poste: Company) -> None:
    linked(poste)
    User.objects.update(username="manon@programme.example", staff_role="account_manager")

    assert poste.sign_in(Client()).status_code == 403


def test_the_first_sign_in_starts_the_enrolments(poste: Company) -> None:
    amelie = make_employee(poste.organisation, "5")
    enrol(poste.organisation, amelie)

    linked(poste, number="5")

    with organisation_scope(poste.organisation.pk):
        enrolment = Enrolment.objects.get()
        assert enrolment.state == Enrolment.State.ACTIVE
        first = enrolment.activated_at
        assert first is not None
        assert first <= timezone.now()
    linked(poste, number="5")
    with organisation_scope(poste.organisation.pk):
        assert Enrolment.objects.get().activated_at == first


def test_the_learner_is_one_person_from_the_link_on(poste: Company) -> None:
    amelie = make_employee(poste.organisation, "5", learner=LearnerReference.objects.create())
    former = amelie.learner

    linked(poste, number="5")

    with organisation_scope(poste.organisation.pk):
        amelie.refresh_from_db()
    assert amelie.learner == User.objects.get().learner
    assert former is not None
    former.refresh_from_db()
    assert former.merged_into == amelie.learner


def test_each_sign_in_is_one_event_of_the_audit(poste: Company) -> None:
    linked(poste)
    linked(poste)

    with organisation_scope(poste.organisation.pk):
        actions = list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
    assert actions[-2:] == ["sso:person:first-sign-in", "sso:person:sign-in"]


def test_a_new_name_is_followed(poste: Company) -> None:
    for name in ("Amélie Lefèvre", "Amélie Martin"):
        poste.sign_in(Client(), attributes=(("displayName", (name,)),))

    assert User.objects.get().name == "Amélie Martin"


def test_hostile_values_find_their_limits(poste: Company) -> None:
    long = "é" * 5_000
    attributes = (("displayName", (long,)), ("employeeNumber", (long,)), ("mail", (f"{'a' * 400}@laposte.example",)))

    assert poste.sign_in(Client(), attributes=attributes).status_code == 302
    user = User.objects.get()
    assert (len(user.name), user.email) == (200, "")

    posted = poste.post(poste.answer(poste.begin(Client()), name_id="x" * 600))
    assert posted.status_code == 400


def enrol(organisation: Organisation, employee: Employee) -> None:
    with organisation_scope(organisation.pk):
        cohort = create_cohort(actor=OPERATOR, organisation=organisation, name="Autumn")
        create_enrolment_intake()
        cursor_rows("INSERT INTO enrolment_intake VALUES (%s, %s)", [employee.pk, cohort.pk])
        enrol_employees(actor=OPERATOR, organisation=organisation)
