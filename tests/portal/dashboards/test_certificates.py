"""Certificates as their holder, a stranger with a code, and somebody who left meet them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.cohorts.selectors import programme_coded
from portal.core import delivery
from portal.core.models import OutgoingMail
from portal.core.tenancy import organisation_scope
from portal.dashboards.certificate_views import LOST, MISSES
from portal.organisations.models import DoorKind, Organisation
from portal.organisations.services import open_door
from portal.people.learners import ensure_learner
from portal.people.models import Affiliation, Employee, PrivateAddress
from portal.progress.certificate_document import LINK_DAYS, sealed_path
from portal.progress.certificates import new_code
from portal.progress.models import Certificate
from tests.factories.people import make_employee, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from portal.people.models import User

pytestmark = pytest.mark.django_db

HOME = "amelie@maison.example"


def certificate_of(organisation: Organisation, user: User, **values: object) -> Certificate:
    with organisation_scope(organisation.pk):
        learner = ensure_learner(user=user, organisation_id=organisation.pk)
        certificate = Certificate.objects.create(
            organisation=organisation,
            learner=learner,
            programme=programme_coded(),
            code=new_code(),
            certified_at=timezone.now(),
            **{"holder": "Amélie Lefèvre", **values},
        )
        open_door(kind=DoorKind.CERTIFICATE, key=certificate.code, organisation_id=organisation.pk)
    return certificate


@pytest.fixture
def certificate(laposte: Organisation, amelie_login: User) -> Certificate:
    return certificate_of(laposte, amelie_login)


@pytest.fixture
def confirmed(amelie_login: User) -> PrivateAddress:
    now = timezone.now()
    return PrivateAddress.objects.create(user=amelie_login, address=HOME, asked_at=now, verified_at=now)


def delivered(organisation: Organisation) -> list[mail.EmailMultiAlternatives]:
    delivery.deliver_mail(organisation_id=organisation.pk)
    return mail.outbox  # type: ignore[return-value]


# --- The public page ---------------------------------------------------------------------------------------------


def test_the_public_page_shows_what_it_must_and_no_employer(client: Client, certificate: Certificate) -> None:
    answer = client.get(f"/c/{certificate.code}/")

    assert answer.status_code == 200
    assert "Amélie Lefèvre" in answer.text
    assert "Cette attestation est valable." in answer.text
    assert "Poste" not in answer.text
    assert "00412877" not in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex"
    assert 'content="noindex"' in re.sub(r"\s+", " ", answer.text)


def test_without_a_name_it_speaks_of_the_holder(client: Client, laposte: Organisation, amelie_login: User) -> None:
    unnamed = certificate_of(laposte, amelie_login, holder="")

    answer = client.get(f"/c/{unnamed.code}/", headers={"accept-language": "en"})

    assert "the holder of this certificate" in answer.text
    assert "Amélie" not in answer.text


def test_a_revoked_one_says_so(client: Client, laposte: Organisation, amelie_login: User) -> None:
    revoked = certificate_of(laposte, amelie_login, revoked_at=timezone.now())

    assert "n’est plus valable" in client.get(f"/c/{revoked.code}/").text


def test_a_code_typed_off_paper_is_understood(client: Client, certificate: Certificate) -> None:
    code = certificate.code.lower()

    assert client.get(f"/c/{code[:5]}-{code[5:10]} {code[10:]}/").status_code == 200


@pytest.mark.parametrize("code", ["A" * 20, "x", "é", "A" * 300, "<script>", "%00"])
def test_an_unknown_code_gets_the_same_page_without_a_certificate(
    client: Client, certificate: Certificate, code: str
) -> None:
    answer = client.get(f"/c/{code}/")

    assert answer.status_code == 404
    assert "Aucune attestation ne porte ce code." in answer.text
    assert answer["X-Robots-Tag"] == "noindex"


def test_the_same_queries_whether_there_is_one_or_not(
    client: Client, certificate: Certificate, queries: Callable[[Client, str], int]
) -> None:
    with CaptureQueriesContext(connection) as missed:
        client.get(f"/c/{'A' * 20}/")

    assert queries(client, f"/c/{certificate.code}/") == len(missed)


def test_whoever_tries_many_codes_waits_and_real_ones_cost_nothing(client: Client, certificate: Certificate) -> None:
    for _real in range(MISSES.most + 1):
        assert client.get(f"/c/{certificate.code}/").status_code == 200
    for _guess in range(MISSES.most):
        assert client.get(f"/c/{new_code()}/").status_code == 404
    assert client.get(f"/c/{new_code()}/").status_code == 429
    assert client.get(f"/c/{certificate.code}/").status_code == 429


# --- The holder's page --------------------------------------------------------------------------------------------


def test_the_holder_downloads_it_and_adds_it_to_linkedin(as_amelie: Client, certificate: Certificate) -> None:
    page = as_amelie.get("/me/certificate/").text
    pdf = as_amelie.get(f"/me/certificate/{certificate.code}/")

    assert f"/me/certificate/{certificate.code}/" in page
    assert "https://www.linkedin.com/profile/add?startTask=CERTIFICATION_NAME" in page
    assert page.count("button primary") == 1
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert "no-store" in pdf["Cache-Control"]


def test_another_s_certificate_and_a_revoked_one_are_404(
    as_amelie: Client, as_helene: Client, laposte: Organisation, amelie_login: User, certificate: Certificate
) -> None:
    assert as_helene.get(f"/me/certificate/{certificate.code}/").status_code == 404
    with organisation_scope(laposte.pk):
        Certificate.objects.update(revoked_at=timezone.now())
    assert as_amelie.get(f"/me/certificate/{certificate.code}/").status_code == 404
    assert "révoquée" in as_amelie.get("/me/certificate/").text


def test_a_certificate_elsewhere_stays_behind_its_own_door(
    amelie_login: User, laposte: Organisation, airbus: Organisation
) -> None:
    """An employer's identity provider could sign in as its people: what another employer has is not for it to read."""
    there = make_employee(airbus, "A-77")
    Affiliation.objects.create(user=amelie_login, organisation=airbus, employee=there)
    elsewhere = certificate_of(airbus, amelie_login)

    here = sign_in(amelie_login, laposte)
    assert elsewhere.code not in here.get("/me/certificate/").text
    assert here.get(f"/me/certificate/{elsewhere.code}/").status_code == 404
    assert elsewhere.code in sign_in(amelie_login, laposte, airbus).get("/me/certificate/").text


# --- After the job ------------------------------------------------------------------------------------------------


def test_whoever_left_is_sent_their_certificate(
    client: Client,
    laposte: Organisation,
    amelie: Employee,
    certificate: Certificate,
    confirmed: PrivateAddress,
) -> None:
    with organisation_scope(laposte.pk):
        Employee.objects.filter(pk=amelie.pk).update(active=False)

    client.post("/me/lost/", {"address": HOME.upper()})
    (message,) = delivered(laposte)

    assert message.to == [HOME]
    assert "Poste" not in str(message.message())
    links = re.findall(r"http://[^\s]+(/c/[^\s]+)", str(message.body))
    assert links[0] == f"/c/{certificate.code}/"
    assert client.get(links[0]).status_code == 200
    pdf = client.get(links[1])
    assert pdf.content.startswith(b"%PDF-")


def test_the_answer_is_the_same_whether_the_address_is_known_or_not(
    client: Client, laposte: Organisation, certificate: Certificate, confirmed: PrivateAddress
) -> None:
    def page(address: str) -> str:
        return re.sub(r'(nonce|value)="[^"]+"', "", client.post("/me/lost/", {"address": address}).text)

    assert page(HOME) == page("nobody@maison.example")
    assert "Si c’est une adresse personnelle confirmée" in page(HOME)
    with organisation_scope(laposte.pk):
        assert OutgoingMail.objects.count() == 1


def test_an_address_that_was_never_confirmed_gets_nothing(
    client: Client, laposte: Organisation, certificate: Certificate, amelie_login: User
) -> None:
    PrivateAddress.objects.create(user=amelie_login, candidate=HOME, asked_at=timezone.now())

    client.post("/me/lost/", {"address": HOME})

    with organisation_scope(laposte.pk):
        assert not OutgoingMail.objects.exists()


def test_a_mailbox_is_written_to_once_an_hour(
    client: Client, laposte: Organisation, certificate: Certificate, confirmed: PrivateAddress
) -> None:
    client.post("/me/lost/", {"address": HOME})
    client.post("/me/lost/", {"address": HOME})

    assert len(delivered(laposte)) == 1


def test_whoever_asks_for_many_addresses_waits(client: Client, db: None) -> None:
    for number in range(LOST.most):
        assert client.post("/me/lost/", {"address": f"n{number}@maison.example"}).status_code == 200
    assert client.post("/me/lost/", {"address": "more@maison.example"}).status_code == 429


@pytest.mark.parametrize("address", ["", "no address", "a@" + "b" * 300 + ".example", "a\u0000@b.example"])
def test_what_is_no_address_is_told(client: Client, db: None, address: str) -> None:
    assert client.post("/me/lost/", {"address": address}).status_code == 422


def test_a_sealed_link_ends(client: Client, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sealed_path(certificate.code)
    assert client.get(path).status_code == 200
    assert client.get(path[:-2] + "/").status_code == 404
    later = timezone.now().timestamp() + timedelta(days=LINK_DAYS, minutes=1).total_seconds()
    monkeypatch.setattr("time.time", lambda: later)
    assert client.get(path).status_code == 404


# --- The private address -------------------------------------------------------------------------------------------


def test_an_address_is_attached_by_its_mail_without_a_session(
    as_amelie: Client, client: Client, laposte: Organisation, amelie_login: User
) -> None:
    assert as_amelie.post("/me/private-address/", {"address": HOME}).status_code == 302
    (message,) = delivered(laposte)
    assert "Poste" not in str(message.message())
    (path,) = re.findall(r"http://[^\s]+(/me/address/[^\s]+)", str(message.body))

    for _scanner in range(3):
        assert "a…@maison.example" in client.get(path).text
    assert not PrivateAddress.objects.filter(verified_at__isnull=False).exists()
    assert "confirmée" in client.post(path).text
    assert "_auth_user_id" not in client.session
    assert client.get(path).status_code == 404
    page = as_amelie.get("/me/private-address/").text
    assert "a…@maison.example" in page
    assert HOME not in page


def test_it_is_removed_by_a_button(as_amelie: Client, confirmed: PrivateAddress) -> None:
    assert as_amelie.get("/me/private-address/remove/").status_code == 405
    as_amelie.post("/me/private-address/remove/")
    assert not PrivateAddress.objects.exists()


def test_an_employer_s_address_is_refused_beside_the_field(as_amelie: Client) -> None:
    answer = as_amelie.post("/me/private-address/", {"address": "amelie@laposte.example"})

    assert answer.status_code == 422
    assert answer.context["form"].has_error("address")


def test_nobody_can_have_many_mailboxes_written_to(as_amelie: Client, laposte: Organisation) -> None:
    for number in range(5):
        as_amelie.post("/me/private-address/", {"address": f"n{number}@maison.example"})
    assert as_amelie.post("/me/private-address/", {"address": HOME}).status_code == 422

    with organisation_scope(laposte.pk):
        assert OutgoingMail.objects.count() == 5


def test_a_password_has_nothing_to_attach_it_to(manon: User) -> None:
    browser = sign_in(manon)

    assert browser.post("/me/private-address/", {"address": HOME}).status_code == 200
    assert not PrivateAddress.objects.exists()
