from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.audit.selectors import audit_lines
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.models import DoorKind
from portal.organisations.selectors import organisations_behind
from portal.people.models import Affiliation, Employee, LearnerReference, Membership, User
from portal.people.selectors import access_to
from portal.people.services import (
    create_user,
    edit_employee,
    grant_role,
    link_affiliation,
    open_support_access,
    withdraw_role,
)
from tests.factories.people import make_employee, make_user

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def test_an_owner_gets_a_role_a_door_and_a_password(laposte: Organisation) -> None:
    user = create_user(
        actor=OPERATOR, email=" Odile@LaPoste.example ", role="owner", organisation=laposte, password=PASSWORD
    )
    assert (user.username, user.check_password(PASSWORD)) == ("odile@laposte.example", True)
    assert organisations_behind(DoorKind.MEMBER, str(user.pk)) == [laposte.pk]
    again = create_user(actor=OPERATOR, email="odile@laposte.example", role="owner", organisation=laposte)
    assert again.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("email", "role", "inside", "password", "code"),
    [
        ("not an address", "owner", True, PASSWORD, "invalid_email"),
        ("odile@laposte.example", "owner", True, "short", "weak_password"),
        ("odile@laposte.example", "owner", False, PASSWORD, "organisation_needed"),
        ("odile@laposte.example", "account_manager", True, PASSWORD, "organisation_needed"),
        ("taken@laposte.example", "owner", True, PASSWORD, "exists_differently"),
    ],
)
def test_an_account_is_refused(
    laposte: Organisation, email: str, role: str, password: str, code: str, *, inside: bool
) -> None:
    create_user(actor=OPERATOR, email="taken@laposte.example", role="report_viewer", organisation=laposte)
    with pytest.raises(Refusal) as refused:
        create_user(actor=OPERATOR, email=email, role=role, organisation=laposte if inside else None, password=password)
    assert refused.value.code == code
    assert User.objects.count() == 1


def test_the_last_owner_stays(laposte: Organisation, odile: User, helene: User) -> None:
    with organisation_scope(laposte.pk):
        for change in (
            lambda: withdraw_role(actor=OPERATOR, organisation=laposte, user_id=odile.pk),
            lambda: grant_role(actor=OPERATOR, organisation=laposte, user=odile, role="report_viewer"),
        ):
            with pytest.raises(Refusal) as refused:
                change()
            assert refused.value.code == "last_owner"
        grant_role(actor=OPERATOR, organisation=laposte, user=helene, role="owner")
        withdraw_role(actor=OPERATOR, organisation=laposte, user_id=odile.pk)
        assert [member.user for member in Membership.objects.all()] == [helene]
    assert organisations_behind(DoorKind.MEMBER, str(odile.pk)) == []


def test_support_is_for_a_reason_for_an_hour_and_seen(laposte: Organisation, manon: User) -> None:
    with organisation_scope(laposte.pk):
        assert access_to(laposte, manon) is None
        with pytest.raises(Refusal):
            open_support_access(actor=OPERATOR, organisation=laposte, user=manon, reason="  ")
        opened = open_support_access(actor=OPERATOR, organisation=laposte, user=manon, reason="held import")
        access = access_to(laposte, manon)
        assert access is not None
        assert (access.role, access.support_until) == ("support", opened.expires_at)
        line = audit_lines(laposte)[0]
        assert (line.action, line.data["reason"]) == ("people:support:open", "held import")


def test_an_edit_is_remembered_and_a_taken_key_refused(laposte: Organisation, amelie: Employee) -> None:
    make_employee(laposte, "7")
    with organisation_scope(laposte.pk):
        edited = edit_employee(
            actor=OPERATOR, organisation=laposte, employee_id=amelie.pk, changes={"last_name": "Roux", "site": "Nantes"}
        )
        assert (edited.sort_name, edited.edited) == ("roux amelie", ["last_name", "site"])
        with pytest.raises(Refusal) as refused:
            edit_employee(actor=OPERATOR, organisation=laposte, employee_id=amelie.pk, changes={"employee_number": "7"})
        assert refused.value.code == "key_taken"
        assert Employee.objects.get(pk=amelie.pk).employee_number == "00412877"


def test_another_organisations_employee_cannot_be_edited(airbus: Organisation, amelie: Employee) -> None:
    with organisation_scope(airbus.pk), pytest.raises(Refusal) as refused:
        edit_employee(actor=OPERATOR, organisation=airbus, employee_id=amelie.pk, changes={"site": "Toulouse"})
    assert refused.value.code == "unknown_employee"


def test_a_link_makes_one_learner_of_two(laposte: Organisation, amelie: Employee) -> None:
    user = make_user("Amélie")
    affiliation = Affiliation.objects.create(user=user, organisation=laposte)
    former = LearnerReference.objects.create(first_certified_on="2026-10-01")
    with organisation_scope(laposte.pk):
        Employee.objects.filter(pk=amelie.pk).update(learner=former)
        amelie.refresh_from_db()
        link_affiliation(actor=OPERATOR, organisation=laposte, affiliation=affiliation, employee=amelie)
        amelie.refresh_from_db()
        user.refresh_from_db()
        former.refresh_from_db()
        assert amelie.learner == user.learner == former.merged_into
        assert amelie.learner is not None
        assert str(amelie.learner.first_certified_on) == "2026-10-01"
        with pytest.raises(Refusal) as refused:
            link_affiliation(actor=OPERATOR, organisation=laposte, affiliation=affiliation, employee=amelie)
        assert refused.value.code == "already_linked"
