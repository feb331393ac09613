"""Certificates follow the facts: issued once, revoked and restored with one code, and still there after the job."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import translation

from portal.audit.actions import Action
from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Door, DoorKind, Organisation
from portal.people.learners import merge_learners
from portal.people.links import unlink_affiliation
from portal.people.models import Affiliation, Employee
from portal.progress.certificate_document import certificate_pdf, seal_holds, sealed_path
from portal.progress.certificates import (
    SIGNS,
    certificate_behind,
    certificates_of,
    code_read,
    code_shown,
    valid_certificates_everywhere,
)
from portal.progress.models import Certificate
from portal.progress.services import rebuild
from tests.factories.people import make_employee, make_user
from tests.factories.progress import START, caught_up, enrol, event, make_cohort, record

if TYPE_CHECKING:
    from portal.people.models import User

pytestmark = pytest.mark.django_db


def certify(organisation: Organisation, number: str = "00412877", day: int = 3, **said: object) -> None:
    record(event("certified", number, day=day, organisation=organisation.slug, **said))
    caught_up(organisation)


def held(organisation: Organisation) -> list[Certificate]:
    with organisation_scope(organisation.pk):
        return list(Certificate.objects.select_related("programme", "learner").order_by("pk"))


@pytest.fixture(autouse=True)
def enrolled(laposte: Organisation, amelie: Employee) -> None:
    enrol(laposte, make_cohort(laposte), [amelie])


def test_a_certificate_is_issued_once_for_whatever_comes_again(laposte: Organisation, amelie: Employee) -> None:
    certify(laposte)
    certify(laposte, day=5)
    rebuild(actor=OPERATOR, organisation=laposte)

    (certificate,) = held(laposte)
    assert (len(certificate.code), set(certificate.code) - set(SIGNS)) == (20, set())
    assert certificate.holder == "Amélie Lefèvre"
    assert certificate.certified_at == START + timedelta(days=5)
    assert Door.objects.filter(kind=DoorKind.CERTIFICATE).count() == 1
    with organisation_scope(laposte.pk):
        assert certificate.learner_id == Employee.objects.get(pk=amelie.pk).learner_id
        (issued,) = AuditEvent.objects.filter(action=Action.CERTIFICATES_ISSUED)
    assert issued.data == {"issued": 1, "restored": 0}


def test_without_facts_that_certify_there_is_none(laposte: Organisation) -> None:
    record(event("completed", "00412877"))
    record(event("revoked", "00412877", day=4))
    certify(laposte, day=2)

    assert held(laposte) == []


def test_it_is_revoked_when_the_fact_is_and_comes_back_with_its_code(laposte: Organisation) -> None:
    certify(laposte)
    (before,) = held(laposte)
    record(event("revoked", "00412877", day=5))
    caught_up(laposte)
    (revoked,) = held(laposte)
    certify(laposte, day=9)
    (again,) = held(laposte)

    assert revoked.revoked_at == START + timedelta(days=5)
    assert (again.code, again.revoked_at) == (before.code, None)
    with organisation_scope(laposte.pk):
        events = AuditEvent.objects.filter(action__in=(Action.CERTIFICATES_ISSUED, Action.CERTIFICATES_REVOKED))
        assert [each.data for each in events.order_by("pk")] == [
            {"issued": 1, "restored": 0},
            {"revoked": 1},
            {"issued": 0, "restored": 1},
        ]


def test_an_organisation_that_sends_no_names_puts_none_on_certificates(laposte: Organisation) -> None:
    Organisation.objects.filter(pk=laposte.pk).update(names_required=False)
    laposte.refresh_from_db()
    certify(laposte)

    assert held(laposte)[0].holder == ""


def test_a_link_made_later_brings_it_to_the_login(laposte: Organisation, amelie: Employee, amelie_login: User) -> None:
    """The certificate was issued under the employee's own reference, which a link merges into the login's."""
    certify(laposte)
    with organisation_scope(laposte.pk):
        merge_learners(user=amelie_login, employee=Employee.objects.get(pk=amelie.pk))
        amelie_login.refresh_from_db()
        assert amelie_login.learner is not None
        assert len(certificates_of(laposte.pk, amelie_login.learner)) == 1
    certify(laposte, day=6)

    (certificate,) = held(laposte)
    assert certificate.learner_id == amelie_login.learner_id


def test_facts_that_leave_an_employee_take_the_certificate_along(laposte: Organisation, amelie: Employee) -> None:
    """A login was said to be Amélie; what was certified under its reference was never hers."""
    other = make_user("Zoé Autre")
    affiliation = Affiliation.objects.create(user=other, organisation=laposte, employee=amelie)
    with organisation_scope(laposte.pk):
        merge_learners(user=other, employee=amelie)
    other.refresh_from_db()
    assert other.learner is not None
    fact = event("certified", "00412877", day=3)
    del fact["employee_number"]
    record({**fact, "learner": str(other.learner.reference)})
    caught_up(laposte)
    assert [each.revoked_at for each in held(laposte)] == [None]

    with organisation_scope(laposte.pk):
        affiliation = Affiliation.objects.get(pk=affiliation.pk)
        unlink_affiliation(actor=OPERATOR, organisation=laposte, affiliation=affiliation)
    caught_up(laposte)
    assert held(laposte)[0].revoked_at is not None

    zoe = make_employee(laposte, "00999001", first_name="Zoé", last_name="Autre")
    enrol(laposte, make_cohort(laposte, "Vague 2"), [zoe])
    with organisation_scope(laposte.pk):
        Affiliation.objects.filter(pk=affiliation.pk).update(employee=zoe)
        merge_learners(user=other, employee=zoe)
    record({**fact, "event_id": "again", "learner": str(other.learner.reference)})
    caught_up(laposte)
    (certificate,) = held(laposte)
    assert (certificate.employee_id, certificate.holder, certificate.revoked_at) == (zoe.pk, "Zoé Autre", None)


def test_a_code_leads_to_its_certificate_alone(laposte: Organisation, airbus: Organisation) -> None:
    make_employee(airbus, "00412877", first_name="Oscar", last_name="Faure")
    certify(laposte)
    certify(airbus)
    (here,), (there,) = held(laposte), held(airbus)

    assert certificate_behind(here.code) == here
    assert certificate_behind(there.code) == there
    assert certificate_behind("A" * 20) is None
    with organisation_scope(airbus.pk):
        assert certificates_of(airbus.pk, here.learner) == []
    assert code_read(f" {code_shown(here.code).lower()} ") == here.code


def test_it_outlives_the_job_and_the_organisation_s_taking_part(laposte: Organisation, amelie: Employee) -> None:
    certify(laposte)
    (certificate,) = held(laposte)
    with organisation_scope(laposte.pk):
        Employee.objects.filter(pk=amelie.pk).update(active=False)
    rebuild(actor=OPERATOR, organisation=laposte)
    Organisation.objects.filter(pk=laposte.pk).update(active=False)

    assert certificate_behind(certificate.code) == certificate
    assert valid_certificates_everywhere([certificate.learner]) == [certificate]


@pytest.mark.parametrize("name", ["Amélie Lefèvre", "", "N" * 150 + " " + "O" * 150, "李小龙", "\\#{panic()} $x$ *y*"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pdf_is_one_page_for_whatever_name(laposte: Organisation, name: str, language: str) -> None:
    certify(laposte)
    (certificate,) = held(laposte)
    certificate.holder = name
    with translation.override(language):
        pdf = certificate_pdf(certificate)
        assert certificate_pdf(certificate) == pdf

    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type/Page/") == 1
    # A script without a font here cannot be PDF/UA; it is set all the same.
    assert (b"pdfuaid:part" in pdf) == (name != "李小龙")


def test_the_link_to_the_pdf_is_sealed_for_its_code(laposte: Organisation) -> None:
    code, other = "A" * 20, "B" * 20
    seal = sealed_path(code).rstrip("/").rpartition("/")[2]

    assert seal_holds(code, seal)
    assert not seal_holds(other, seal)
    assert not seal_holds(code, seal[:-1])
