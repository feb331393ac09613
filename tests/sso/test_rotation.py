"""Our keys in turn: published, then signing, and people sign in on every day in between."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.test import Client
from django.utils import timezone
from lxml import etree

from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR, SYSTEM
from portal.core.errors import Refusal
from portal.core.models import OutgoingMail
from portal.core.tenancy import organisation_scope
from sso.models import Connection
from sso.rotation import PREVIOUS_KEPT, choose_day, publish_next_key, turn_keys, withdraw_next_key
from tests.sso import saml_kit as kit

if TYPE_CHECKING:
    from portal.people.models import User
    from tests.sso.company import Company

pytestmark = pytest.mark.django_db

OLD, NEW = kit.keys("portal"), kit.keys("portal, next")


@pytest.fixture(autouse=True)
def _next_key_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sso.rotation.new_key_pair", lambda _name: (NEW.private_pem, NEW.certificate_pem))


def publish(company: Company, days: float = 30) -> None:
    with organisation_scope(company.organisation.pk):
        publish_next_key(
            actor=OPERATOR,
            organisation=company.organisation,
            connection=company.connection,
            signs_at=timezone.now() + timedelta(days=days),
        )


def turn(company: Company, days: float) -> Connection:
    with organisation_scope(company.organisation.pk):
        turn_keys(actor=SYSTEM, organisation=company.organisation, now=timezone.now() + timedelta(days=days))
        return Connection.objects.get(pk=company.connection.pk)


def published(company: Company) -> list[str]:
    tree = etree.fromstring(Client().get(company.path("metadata/")).content)
    uses = {element.get("use") for element in tree.iter(f"{{{kit.NS['md']}}}KeyDescriptor")}
    assert uses == {"signing"}
    return [element.text or "" for element in tree.iter(f"{{{kit.NS['ds']}}}X509Certificate")]


def signs(company: Company) -> kit.Keys:
    """Find by which key a request is signed: verified by another library."""
    query = urlsplit(Client().get(company.path("login/"))["Location"]).query
    text, _, _rest = query.partition("&Signature=")
    signature = base64.b64decode(parse_qs(query)["Signature"][0])
    for keys in (OLD, NEW):
        key = x509.load_pem_x509_certificate(keys.certificate_pem.encode()).public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        try:
            key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            continue
        return keys
    pytest.fail("Signed by no key of ours.")


def comes_in_encrypted(company: Company, ours: kit.Keys) -> int:
    """Sign in with an assertion that is encrypted for this key of ours."""
    browser = Client()
    message = company.message(company.begin(browser))
    response = kit.signed(message, how=kit.Signature(by=company.keys))
    posted = company.post(kit.encode(kit.encrypt(response, ours)))
    return browser.get(posted["Location"]).status_code if posted.status_code == 303 else posted.status_code


def bare(*keys: kit.Keys) -> list[str]:
    return [kit.bare(each.certificate_pem) for each in keys]


def test_before_during_and_after_people_sign_in(poste: Company, odile: User) -> None:
    assert published(poste) == bare(OLD)
    assert comes_in_encrypted(poste, NEW) == 400

    publish(poste)
    assert published(poste) == bare(OLD, NEW)
    assert signs(poste) is OLD
    assert [comes_in_encrypted(poste, key) for key in (OLD, NEW)] == [302, 302]

    turn(poste, days=29)
    assert signs(poste) is OLD

    connection = turn(poste, days=31)
    assert published(poste) == bare(NEW, OLD)
    assert signs(poste) is NEW
    assert [comes_in_encrypted(poste, key) for key in (OLD, NEW)] == [302, 302]
    assert connection.next_signs_at is None
    assert connection.previous_until

    turn(poste, days=31 + PREVIOUS_KEPT.days - 1)
    assert published(poste) == bare(NEW, OLD)
    turn(poste, days=31 + PREVIOUS_KEPT.days + 1)
    assert published(poste) == bare(NEW)
    assert [comes_in_encrypted(poste, key) for key in (OLD, NEW)] == [400, 302]


def test_it_is_recorded_and_the_owners_are_told(poste: Company, odile: User) -> None:
    publish(poste)
    turn(poste, days=31)
    turn(poste, days=32)

    with organisation_scope(poste.organisation.pk):
        events = list(AuditEvent.objects.filter(action__startswith="sso:key").values_list("action", flat=True))
        mails = list(OutgoingMail.objects.order_by("id").values_list("name", "address"))
    assert sorted(events) == ["sso:key:change", "sso:key:publish"]
    assert mails == [("key-published", odile.email), ("key-changed", odile.email)]


def test_a_second_next_key_is_refused(poste: Company) -> None:
    publish(poste)
    with pytest.raises(Refusal) as refused:
        publish(poste)

    assert refused.value.code == "key_published"


@pytest.mark.parametrize("days", [-3, 400])
def test_the_day_is_one_to_come(poste: Company, days: int) -> None:
    with pytest.raises(Refusal) as refused:
        publish(poste, days=days)

    assert refused.value.code == "bad_day"


def test_hr_moves_the_day(poste: Company) -> None:
    publish(poste)
    with organisation_scope(poste.organisation.pk):
        choose_day(
            actor=OPERATOR,
            organisation=poste.organisation,
            connection=poste.connection,
            signs_at=timezone.now() + timedelta(days=3),
        )

    turn(poste, days=4)
    assert signs(poste) is NEW


def test_a_next_key_is_withdrawn_before_it_signs(poste: Company) -> None:
    publish(poste)
    with organisation_scope(poste.organisation.pk):
        withdraw_next_key(actor=OPERATOR, organisation=poste.organisation, connection=poste.connection)
        with pytest.raises(Refusal):
            withdraw_next_key(actor=OPERATOR, organisation=poste.organisation, connection=poste.connection)
        with pytest.raises(Refusal):
            choose_day(
                actor=OPERATOR,
                organisation=poste.organisation,
                connection=poste.connection,
                signs_at=timezone.now(),
            )

    turn(poste, days=31)
    assert (published(poste), signs(poste)) == (bare(OLD), OLD)


def test_the_keys_at_rest_are_sealed(poste: Company) -> None:
    publish(poste)
    with organisation_scope(poste.organisation.pk):
        sealed = bytes(Connection.objects.get(pk=poste.connection.pk).next_private_key or b"")

    assert sealed
    assert b"PRIVATE" not in sealed
