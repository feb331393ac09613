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
from django.utils import timezone

from imports.models import RosterImport, StagedRow
from portal.cohorts.selectors import programme_coded
from portal.cohorts.services import create_cohort
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.organisations.models import DoorKind
from portal.organisations.services import open_door
from portal.organisations.setup_links import create_setup_link
from portal.people.codes import print_codes
from portal.people.learners import ensure_learner
from portal.people.models import AccessCode, Affiliation, User
from portal.progress.certificates import new_code
from portal.progress.models import Certificate
from portal.progress.services import catch_up
from portal.waves.services import create_wave
from sso.connecting import connect_idp
from sso.models import Connection
from sso.saml.errors import SAMLError
from sso.traces import record_failure
from tests.factories.people import make_employee, make_user, sign_in
from tests.sso import saml_kit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.organisations.models import Organisation

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
    "setup": Page(always(404)),
    "setup_step": Page(always(404)),
    "invitation": Page(always(501)),
    "certificate_check": Page(ANYONE),
    "certificate_pdf": Page(always(404)),
    "road": Page(always(501)),
    # /o/<org>/
    "organisation_home": Page(MEMBERS),
    "roster": Page(MANAGERS),
    "employee": Page(MANAGERS),
    "employee_enrolment": Page(MANAGERS, "post"),
    "reconciliation": Page(MANAGERS),
    "reconciliation_match": Page(MANAGERS, "post"),
    "reconciliation_settle": Page(MANAGERS, "post"),
    "organisation_audit": Page(OWNERS),
    "organisation_settings": Page(OWNERS),
    "settings_change": Page(OWNERS, "post"),
    "role_grant": Page((302, 404, 403, 403, 404, 404, 404), "post"),
    "role_withdraw": Page(OWNERS, "post"),
    "support_leave": Page(MEMBERS, "post"),
    "sign_in_settings": Page(OWNERS),
    "sign_in_replace": Page(OWNERS, "post"),
    "sign_in_test": Page(OWNERS, "post"),
    "sign_in_new": Page(OWNERS),
    "sign_in_setup": Page(OWNERS),
    "sign_in_setup_step": Page(OWNERS),
    "setup_link_new": Page(OWNERS),
    "setup_link_revoke": Page(OWNERS, "post"),
    "domains": Page(OWNERS),
    "domain_check": Page(OWNERS, "post"),
    "domain_remove": Page(OWNERS, "post"),
    "sign_in_activate": Page(OWNERS, "post"),
    "sign_in_confirm": Page((302, 404, 409, 409, OK, 404, 404)),
    "sign_in_required": Page(OWNERS),
    "sign_in_glass": Page(OWNERS, "post"),
    "sign_in_connection": Page(OWNERS),
    "sign_in_confirmed": Page((302, 404, 400, 400, 400, 404, 404)),
    "sign_in_version": Page((302, 404, 403, 403, 404, 404, 404), "post"),
    "sign_in_follow": Page(OWNERS, "post"),
    "sign_in_read": Page(OWNERS, "post"),
    "sign_in_keys": Page(OWNERS, "post"),
    "sign_in_move": Page((302, 404, 403, 403, 404, 404, 404), "post"),
    "sign_in_attempts": Page(MANAGERS),
    "sign_in_attempt": Page(MANAGERS),
    "sign_in_message": Page(OWNERS),
    "matches": Page(MANAGERS),
    "matches_linked": Page(MANAGERS),
    "matches_suspended": Page(OWNERS),
    "match": Page(MANAGERS),
    "match_yes": Page(MANAGERS, "post"),
    "match_no": Page(MANAGERS, "post"),
    "match_maybe": Page(MANAGERS, "post"),
    "match_undo": Page(MANAGERS, "post"),
    "imports": Page(MANAGERS),
    "import_new": Page(MANAGERS),
    "import_detail": Page(MANAGERS),
    "import_progress": Page(MANAGERS),
    "import_confirm": Page(MANAGERS, "post"),
    "import_approve": Page(MANAGERS, "post"),
    "import_cancel": Page(MANAGERS, "post"),
    "import_undo": Page(MANAGERS, "post"),
    "import_template": Page(MANAGERS),
    "import_reading": Page(MANAGERS),
    "import_row": Page(MANAGERS),
    "import_row_check": Page(MANAGERS, "post"),
    "import_sites": Page(MANAGERS),
    "import_twins": Page(MANAGERS, "post"),
    "import_edits": Page(MANAGERS, "post"),
    "import_compare": Page(MANAGERS, "post"),
    "import_corrections": Page(MANAGERS, "post"),
    "import_workbook": Page(MANAGERS),
    "import_copy": Page(MANAGERS),
    "cohorts": Page(MEMBERS),
    "cohort": Page(MEMBERS),
    "cohort_new": Page(MANAGERS),
    "cohort_edit": Page(MANAGERS),
    "cohort_membership": Page(MANAGERS),
    "cohort_people": Page(MANAGERS),
    "cohort_selection": Page(MANAGERS, "post"),
    "cohort_enrol": Page(MANAGERS),
    "cohort_report_file": Page(MEMBERS),
    "reports": Page(MEMBERS),
    "waves": Page(MANAGERS),
    "wave_new": Page(MANAGERS),
    "wave": Page(MANAGERS),
    "wave_edit": Page(MANAGERS),
    "wave_try": Page(MANAGERS, "post"),
    "wave_plan": Page(MANAGERS, "post"),
    "wave_pause": Page(MANAGERS, "post"),
    "wave_resume": Page(MANAGERS, "post"),
    "wave_stop": Page(MANAGERS, "post"),
    "wave_start": Page(ANYONE),
    "wave_sheets": Page(MANAGERS),
    "codes": Page(MANAGERS),
    "codes_print": Page(MANAGERS, "post"),
    "code_revoke": Page(MANAGERS, "post"),
    # /code/
    "code": Page(ANYONE),
    "code_passkey": Page(ANYONE),
    "code_sign_in": Page(ANYONE),
    # /manage/
    "manage": Page(STAFF),
    "manage_organisations": Page(STAFF),
    "manage_organisation": Page(STAFF),
    "manage_setup_link_new": Page(STAFF),
    "manage_setup_link_revoke": Page(STAFF, "post"),
    "manage_cohort": Page(STAFF),
    "manage_programme": Page(STAFF),
    "manage_reconciliation": Page(STAFF),
    "manage_audit": Page(STAFF),
    "manage_attempts": Page(STAFF),
    "manage_attempt": Page(STAFF),
    # /me/
    "learner_home": Page(SIGNED_IN),
    "learner_privacy": Page(SIGNED_IN),
    "learner_certificates": Page(SIGNED_IN),
    "learner_certificate_pdf": Page((302, OK, 404, 404, 404, 404, 404)),
    "private_address": Page(SIGNED_IN),
    "private_address_remove": Page(SIGNED_IN, "post"),
    "lost_certificates": Page(ANYONE),
    "private_address_confirm": Page(always(404)),
    "join": Page(SIGNED_IN),
    # /sso/<connection>/
    "sso_login": Page(ANYONE),
    "sso_acs": Page(ANYONE, "post"),
    "sso_finish": Page(ANYONE),
    "sso_metadata": Page(ANYONE),
    "sso_tested": Page(ANYONE),
    "sso_sls": Page(ANYONE),
    # /api/v1/
    "api_schema": Page(ANYONE),
    "api_me": Page((401, OK, OK, OK, OK, OK, OK)),
    "api_completions": Page(always(401), "post"),
    "xapi_about": Page(ANYONE),
    "xapi_about_slash": Page(ANYONE),
    "xapi_statements": Page(always(401), "post"),
    "xapi_statements_slash": Page(always(401), "post"),
    "api_roster": Page(always(401), "put"),
    "api_import": Page(always(401)),
    "mail_report": Page(always(404), "post"),
    "api_cohorts": Page(always(401)),
    "api_cohort_report": Page(always(401)),
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


def a_cohort(organisation: Organisation) -> int:
    cohort = create_cohort(actor=OPERATOR, organisation=organisation, name="Vague 1")
    catch_up(actor=OPERATOR, organisation=organisation)
    return cohort.pk


def a_wave(organisation: Organisation) -> int:
    cohort = create_cohort(actor=OPERATOR, organisation=organisation, name="Vague 1")
    choices = {"name": "Lyon", "starts_at": timezone.now()}
    return create_wave(actor=OPERATOR, organisation=organisation, cohort=cohort, choices=choices).pk


def a_code(organisation: Organisation) -> int:
    make_employee(organisation, "00998", site="Brest")
    print_codes(actor=OPERATOR, organisation=organisation, site="Brest", without_address=True)
    return AccessCode.objects.latest("pk").pk


def an_import(organisation: Organisation) -> int:
    return RosterImport.objects.create(
        organisation=organisation, file_name="roster.xlsx", file_size=1, file_digest=b"1"
    ).pk


def a_row_of_the_import(organisation: Organisation) -> int:
    latest = RosterImport.objects.latest("pk")
    return StagedRow.objects.create(organisation=organisation, roster_import=latest, number=2).number


def a_connection(organisation: Organisation) -> uuid.UUID:
    metadata = saml_kit.metadata().encode()
    return connect_idp(actor=OPERATOR, organisation=organisation, metadata_xml=metadata, activate=True).public_id


def a_setup_link(organisation: Organisation) -> int:
    return create_setup_link(actor=OPERATOR, organisation=organisation)[0].pk


def an_attempt(organisation: Organisation) -> str:
    connection = Connection.objects.get(public_id=a_connection(organisation))
    return record_failure(connection=connection, error=SAMLError("unsigned")).code


def an_unlinked_person(organisation: Organisation) -> int:
    return Affiliation.objects.create(user=make_user("Karim"), organisation=organisation).pk


def a_certificate(organisation: Organisation) -> str:
    """Amélie's."""
    login = User.objects.filter(affiliations__organisation=organisation, name="Amélie Lefèvre").get()
    learner = ensure_learner(user=login, organisation_id=organisation.pk)
    certificate = Certificate.objects.create(
        organisation=organisation,
        learner=learner,
        programme=programme_coded(),
        code=new_code(),
        certified_at=timezone.now(),
    )
    open_door(kind=DoorKind.CERTIFICATE, key=certificate.code, organisation_id=organisation.pk)
    return certificate.code


# What stands in an address; all of it is La Poste's, and made only where the address needs it.
PARTS: dict[str, Callable[[Organisation], object]] = {
    "org": lambda organisation: organisation.slug,
    "slug": lambda organisation: organisation.slug,
    "employee_id": lambda organisation: make_employee(organisation, "00999").pk,
    "user_id": lambda _: 1,
    "import_id": an_import,
    "number": a_row_of_the_import,
    "cohort_id": a_cohort,
    "wave_id": a_wave,
    "code_id": a_code,
    "connection": a_connection,
    "affiliation": an_unlinked_person,
    "version": lambda _: 1,
    "attempt_code": an_attempt,
    "token": lambda _: uuid.uuid4().hex,
    "provider": lambda _: "postmark",
    "code": a_certificate,
    "seal": lambda _: "made:up",
    "kind": lambda _: "csv",
    "step": lambda _: "test",
    "link": a_setup_link,
    "domain_id": lambda organisation: organisation.email_domains.get().pk,
}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_who_meets_what(name: str, visitors: dict[str, Client], laposte: Organisation) -> None:
    page = PAGES[name]
    parameters = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
    with organisation_scope(laposte.pk):
        address = reverse(name, kwargs={parameter: PARTS[parameter](laposte) for parameter in parameters})
    met = {}
    for visitor in VISITORS:
        answer = getattr(visitors[visitor], page.method)(address)
        met[visitor] = answer.status_code
        if answer.streaming:
            # Taken to its end, it closes its file.
            answer.getvalue()
    for visitor, expected in zip(VISITORS, page.expected, strict=True):
        allowed = LET_IN if expected == OK else {expected}
        assert met[visitor] in allowed, f"{address}: {met}"
