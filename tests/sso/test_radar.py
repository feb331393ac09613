"""The certificate radar: each threshold once, an end that is warned about and never refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.test import Client

from portal.core.models import OutgoingMail
from portal.core.tenancy import organisation_scope
from sso.models import Connection
from sso.radar import EXPIRED, alarms, blips, passed, sound_radar
from tests.sso import saml_kit as kit
from tests.sso.company import Company, make_company

if TYPE_CHECKING:
    from portal.organisations.models import Organisation
    from portal.people.models import User

pytestmark = pytest.mark.django_db

END = dt.datetime(2031, 3, 1, 12, 0, tzinfo=dt.UTC)


def ending(name: str, end: dt.datetime) -> kit.Keys:
    """The kit's key of this name, in a certificate that ends at another moment."""
    keys = kit.keys(name)
    private = serialization.load_pem_private_key(keys.private_pem.encode(), None)
    old = x509.load_pem_x509_certificate(keys.certificate_pem.encode())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(end)
        .sign(private, hashes.SHA256())  # type: ignore[arg-type]  # RSA.
    )
    return replace(keys, certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode())


def give(company: Company, *keys: kit.Keys, ours: kit.Keys | None = None) -> Connection:
    """Give the connection certificates of known ends."""
    with organisation_scope(company.organisation.pk):
        Connection.objects.filter(pk=company.connection.pk).update(
            idp_certificates=[kit.bare(each.certificate_pem) for each in keys],
            sp_certificate=(ours or ending("portal", END + dt.timedelta(days=3000))).certificate_pem,
        )
        return Connection.objects.get(pk=company.connection.pk)


def days_before(days: float) -> dt.datetime:
    return END - dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "threshold"),
    [
        (91, None),
        (90, 90),
        (60.1, 90),
        (60, 60),
        (30, 30),
        (29, 30),
        (14, 14),
        (7, 7),
        (1, 1),
        (0.01, 1),
        (0, EXPIRED),
        (-400, EXPIRED),
    ],
)
def test_which_threshold_has_been_passed(days: float, threshold: int | None) -> None:
    assert passed(END, days_before(days)) == threshold


def test_owners_are_told_once_per_threshold(poste: Company, laposte: Organisation, odile: User, helene: User) -> None:
    give(poste, ending("idp of laposte", END))
    told = []
    with organisation_scope(laposte.pk):
        for days in (100, 90, 89, 60, 45, 30, 14, 13.5, 7, 1, 0.5, -0.1, -5, -300):
            sound_radar(organisation=laposte, now=days_before(days))
            told.append(OutgoingMail.objects.count())
        mails = list(OutgoingMail.objects.order_by("id"))

    assert told == [0, 1, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 7, 7]
    assert {mail.address for mail in mails} == {odile.email}
    assert {mail.name for mail in mails} == {"certificate-ends"}
    assert [mail.context["days"] for mail in mails] == [90, 60, 30, 14, 7, 1, -1]


def test_our_own_certificates_are_watched_too(poste: Company, laposte: Organisation, odile: User) -> None:
    give(poste, ending("idp of laposte", END + dt.timedelta(days=900)), ours=ending("portal", END))
    with organisation_scope(laposte.pk):
        sound_radar(organisation=laposte, now=days_before(10))
        mail = OutgoingMail.objects.get()

    assert (mail.context["whose"], mail.context["another"]) == ("ours", False)


def test_a_certificate_with_a_longer_one_beside_it_alarms_nobody(poste: Company) -> None:
    connection = give(poste, ending("idp of laposte", END), ending("renewed", END + dt.timedelta(days=700)))

    assert alarms([connection], now=days_before(3)) == []
    first, *_rest = blips(connection, now=days_before(3))
    assert (first.threshold, first.another, first.tone) == (7, True, "neutral")


def test_what_ends_first_alarms_first(poste: Company, avion: Company) -> None:
    late = give(poste, ending("idp of laposte", END))
    soon = give(avion, ending("idp of airbus", END - dt.timedelta(days=5)))

    found = alarms([late, soon], now=days_before(10))

    assert [blip.connection.pk for blip in found] == [soon.pk, late.pk]
    assert [blip.tone for blip in found] == ["bad", "bad"]


def test_a_closed_connection_is_not_watched(poste: Company, laposte: Organisation, odile: User) -> None:
    give(poste, ending("idp of laposte", END))
    with organisation_scope(laposte.pk):
        Connection.objects.update(closed_at=days_before(20))
        sound_radar(organisation=laposte, now=days_before(10))
        assert not OutgoingMail.objects.exists()
        assert alarms(list(Connection.objects.all()), now=days_before(10)) == []


def test_the_programme_sees_the_day_alone(poste: Company, laposte: Organisation) -> None:
    give(poste, ending("idp of laposte", END), ending("renewed", END + dt.timedelta(days=100)))
    with organisation_scope(laposte.pk):
        sound_radar(organisation=laposte, now=days_before(200))
        assert Connection.objects.get().certificates_until == END + dt.timedelta(days=100)


def test_an_expired_certificate_still_lets_people_in(laposte: Organisation) -> None:
    company = make_company(laposte)
    now = dt.datetime.now(dt.UTC)
    with organisation_scope(laposte.pk):
        (blip, *_others) = blips(Connection.objects.get(), now=now)

    assert blip.threshold == EXPIRED
    assert company.sign_in(Client()).status_code == 302
