"""Every URL × every kind of visitor: an address that is not in the table fails the test.

An organisation's page is 404 for whoever has no business there, as if the organisation did not exist; 403 only for a
member whose role lacks the right. Whoever is not signed in is sent to the door, whatever the address.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from imports.models import RosterImport
from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.people.models import Affiliation
from sso.connecting import connect_idp
from tests.factories.people import make_user, sign_in
from tests.sso import saml_kit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.organisations.models import Organisation
    from portal.people.models import Employee, User

pytestmark = pytest.mark.django_db

VISITORS = ("anonymous", "learner", "viewer", "manager", "owner", "stranger", "staff")
OK = 0
"""Let in: the page, a redirect after the deed, or a form that says what is missing."""
LET_IN = {200, 302, 303, 400, 409, 422}

# What each visitor meets:
#             anonymous, learner, viewer, manager, owner, stranger, staff
MEMBERS = (302, 404, OK, OK, OK, 404, 404)
MANAGERS = (302, 404, 403, OK, OK, 404, 404)
OWNERS = (302, 404, 403, 403, OK, 404, 404)
STAFF = (302, 404, 404, 404, 404, 404, OK)
SIGNED_IN = (302, OK, OK, OK, OK, OK, OK)
ANYONE = (OK,) * 7


def always(status: int) -> tuple[int, ...]:
    return (status,) * 7


@dataclass(frozen=True)
class Page:
    expected: tuple[int, ...]
    method: str = "get"


PAGES = {
    "healthz": Page(ANYONE),
    "readyz": Page(always(503)),
    "metrics": Page(ANYONE),
    "set_language": Page(ANYONE, "post"),
    "front_door": Page(ANYONE),
    "setup": Page(always(501)),
    "invitation": Page(always(501)),
    "certificate_check": Page(always(501)),
    "road": Page(always(501)),
    # /o/<org>/
    "organisation_home": Page(MEMBERS),
    "roster": Page(MANAGERS),
    "employee": Page(MANAGERS),
    "organisation_audit": Page(OWNERS),
    "organisation_settings": Page(OWNERS),
    "settings_change": Page(OWNERS, "post"),
    "role_grant": Page(OWNERS, "post"),
    "role_withdraw": Page(OWNERS, "post"),
    "sign_in_settings": Page(OWNERS),
    "sign_in_replace": Page(OWNERS, "post"),
    "sign_in_test": Page(OWNERS, "post"),
    "sign_in_tested": Page(OWNERS),
    "sign_in_activate": Page(OWNERS, "post"),
    "matches": Page(MANAGERS),
    "match": Page(MANAGERS, "post"),
    # /manage/
    "manage": Page(STAFF),
    "manage_organisations": Page(STAFF),
    "manage_organisation": Page(STAFF),
    "manage_programme": Page(STAFF),
    "manage_reconciliation": Page(STAFF),
    "manage_audit": Page(STAFF),
    # /me/
    "learner_home": Page(SIGNED_IN),
    "learner_privacy": Page(SIGNED_IN),
    "learner_certificates": Page(SIGNED_IN),
    # /sso/<connection>/
    "sso_login": Page(ANYONE),
    "sso_acs": Page(ANYONE, "post"),
    "sso_finish": Page(ANYONE),
    "sso_metadata": Page(ANYONE),
    "sso_sls": Page(always(501)),
    # /api/v1/
    "api_schema": Page(ANYONE),
    "api_me": Page((401, OK, OK, OK, OK, OK, OK)),
    "api_completions": Page(always(401), "post"),
    "api_cohorts": Page(always(401)),
    "api_report": Page(always(401)),
}

OTHERS = ("account_", "mfa_")
"""django-allauth's own pages: staff sign-in and its second factor, tested there."""


def names() -> Iterator[str]:
    def walk(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            else:
                yield pattern.name or str(pattern.pattern)

    yield from walk(get_resolver().url_patterns)


def test_every_address_is_in_the_table() -> None:
    ours = {name for name in names() if not name.startswith(OTHERS)}
    assert ours == set(PAGES)


@pytest.fixture
def visitors(
    laposte: Organisation,
    airbus: Organisation,
    amelie_login: User,
    victor: User,
    helene: User,
    odile: User,
    oscar: User,
    manon: User,
) -> dict[str, Client]:
    cast = {"learner": amelie_login, "viewer": victor, "manager": helene, "owner": odile}
    return {
        "anonymous": Client(),
        **{name: sign_in(user, laposte) for name, user in cast.items()},
        "stranger": sign_in(oscar, airbus),
        "staff": sign_in(manon),
    }


@pytest.fixture
def addresses(laposte: Organisation, amelie: Employee) -> dict[str, dict[str, object]]:
    """What an address needs to be written; all of it is La Poste's."""
    unknown = Affiliation.objects.create(user=make_user("Karim"), organisation=laposte)
    with organisation_scope(laposte.pk):
        cohort = create_cohort(actor=OPERATOR, organisation=laposte, name="Vague 1")
        roster_import = RosterImport.objects.create(
            organisation=laposte, file_name="roster.xlsx", file_size=1, file_digest=b"1", state="applied"
        )
        connection = connect_idp(
            actor=OPERATOR,
            organisation=laposte,
            metadata_xml=saml_kit.metadata().encode(),
            activate=True,
        )
    return {
        "org": {"org": "laposte"},
        "slug": {"slug": "laposte"},
        "employee_id": {"employee_id": amelie.pk},
        "user_id": {"user_id": 1},
        "import_id": {"import_id": roster_import.pk},
        "cohort_id": {"cohort_id": cohort.pk},
        "pk": {"pk": 1},
        "connection": {"connection": connection.public_id},
        "affiliation": {"affiliation": unknown.pk},
        "token": {"token": uuid.uuid4().hex},
        "code": {"code": "OIA-2026"},
    }


@pytest.mark.parametrize("name", sorted(PAGES))
def test_who_meets_what(name: str, visitors: dict[str, Client], addresses: dict[str, dict[str, object]]) -> None:
    page = PAGES[name]
    wanted = {parameter for parameter in get_resolver().reverse_dict.getlist(name)[0][0][0][1]}
    address = reverse(name, kwargs={key: addresses[key][key] for key in wanted})
    met = {visitor: getattr(visitors[visitor], page.method)(address).status_code for visitor in VISITORS}
    for visitor, expected in zip(VISITORS, page.expected, strict=True):
        allowed = LET_IN if expected == OK else {expected}
        assert met[visitor] in allowed, f"{address}: {met}"
