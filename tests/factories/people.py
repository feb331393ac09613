"""Organisations, logins and employees for the tests, made by the product's own services."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.test import Client

from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.core.text import fold
from portal.organisations.services import create_organisation
from portal.people.confirmation import note_confirmed
from portal.people.models import Affiliation, Employee, StaffRole, User
from portal.people.services import grant_role

if TYPE_CHECKING:
    from portal.organisations.models import Organisation


def make_organisation(slug: str, name: str) -> Organisation:
    return create_organisation(actor=OPERATOR, slug=slug, name=name, domains=[f"{slug}.example"])


def make_user(name: str, *, email: str = "", staff: bool = False, password: str = "") -> User:
    """Make a login; with a password it is named by its address, without it is opaque as after a company sign-in."""
    user = User(
        username=email if password or staff else f"sso:{uuid.uuid4()}",
        email=email,
        name=name,
        staff_role=StaffRole.ACCOUNT_MANAGER if staff else StaffRole.NONE,
    )
    if password:
        user.set_password(password)
    else:
        user.set_unusable_password()
    user.save()
    return user


def make_member(organisation: Organisation, name: str, role: str) -> User:
    """Make a login with a role in the organisation, who came by its company sign-in."""
    user = make_user(name, email=f"{name.split(maxsplit=1)[0].lower()}@{organisation.slug}.example")
    Affiliation.objects.create(user=user, organisation=organisation)
    with organisation_scope(organisation.pk):
        grant_role(actor=OPERATOR, organisation=organisation, user=user, role=role)
    return user


def make_employee(organisation: Organisation, number: str = "", **values: Any) -> Employee:
    """Make an employee; call it inside or outside the organisation's scope."""
    first_name = values.setdefault("first_name", "Amélie")
    last_name = values.setdefault("last_name", "Lefèvre")
    with organisation_scope(organisation.pk):
        return Employee.objects.create(
            organisation=organisation,
            employee_number=number,
            sort_name=fold(f"{last_name} {first_name}"),
            **values,
        )


def make_learner(organisation: Organisation, employee: Employee, name: str) -> User:
    """Make the login of an employee, who came by the company sign-in."""
    user = make_user(name, email=employee.email)
    Affiliation.objects.create(user=user, organisation=organisation, employee=employee)
    return user


def sign_in(user: User, *organisations: Organisation, confirmed: bool = True) -> Client:
    """Return a browser in which this login has used the doors of these organisations; none means a password.

    The person was asked again just now, as before anything sensitive, unless `confirmed` says otherwise.
    """
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session["doors"] = [organisation.pk for organisation in organisations] or "every"
    if confirmed:
        note_confirmed(session, *(organisation.pk for organisation in organisations))
    session.save()
    return client
