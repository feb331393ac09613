"""Reading metadata again: when, what becomes of it, and that one host's trouble is nobody else's."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.utils import timezone

from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.models import OutgoingMail
from portal.core.tenancy import organisation_scope
from sso import reading, tasks
from sso.fetching import Fetched
from sso.models import Connection, MetadataVersion
from sso.reading import ask_for_reading, follow_metadata, give_days, refresh_metadata
from tests.factories.people import make_organisation
from tests.sso import saml_kit as kit
from tests.sso.company import Company, make_company

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.organisations.models import Organisation
    from portal.people.models import User

pytestmark = pytest.mark.django_db

FRESH = kit.keys("renewed")


def document(company: Company, *keys: kit.Keys) -> bytes:
    return kit.metadata(
        entity_id=company.entity_id,
        sso_url=company.connection.idp_sso_url,
        certificates=tuple(key.certificate_pem for key in keys or (company.keys,)),
    ).encode()


def follow(company: Company, url: str = "") -> None:
    url = url or f"https://idp.{company.organisation.slug}.example/metadata"
    with organisation_scope(company.organisation.pk):
        follow_metadata(actor=OPERATOR, organisation=company.organisation, connection=company.connection, url=url)


def now_of(company: Company) -> Connection:
    with organisation_scope(company.organisation.pk):
        return Connection.objects.get(pk=company.connection.pk)


def read_before(company: Company) -> None:
    """What the connection has was read from its address already."""
    refresh_metadata(
        now=timezone.now() + timedelta(hours=1), fetch=Sites(lambda _url, _etag: Fetched(document(company)))
    )


class Sites:
    """What addresses answer, and what they were asked."""

    def __init__(self, answer: Callable[[str, str], Fetched]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def __call__(self, url: str, etag: str) -> Fetched:
        self.asked.append((url, etag))
        return self.answer(url, etag)


def away(url: str, etag: str) -> Fetched:
    raise Refusal("unreachable", "")


def test_a_renewed_certificate_is_taken_from_the_address(poste: Company) -> None:
    follow(poste)
    read_before(poste)
    sites = Sites(lambda _url, _etag: Fetched(document(poste, poste.keys, FRESH), '"2"'))
    now = timezone.now() + timedelta(days=2)

    assert refresh_metadata(now=now, fetch=sites) == 1

    connection = now_of(poste)
    assert sites.asked == [("https://idp.laposte.example/metadata", "")]
    assert len(connection.idp_certificates) == 2
    assert (connection.metadata_etag, connection.metadata_failure) == ('"2"', "")
    assert connection.metadata_read_at
    assert connection.due_at
    assert timedelta(hours=18) <= connection.due_at - now <= timedelta(hours=31)
    assert refresh_metadata(now=now, fetch=sites) == 0


def test_the_first_document_of_an_address_proves_nothing(poste: Company) -> None:
    follow(poste)
    refresh_metadata(fetch=Sites(lambda _url, _etag: Fetched(document(poste, poste.keys, FRESH))))

    with organisation_scope(poste.organisation.pk):
        assert MetadataVersion.objects.latest("id").state == MetadataVersion.State.PENDING
    read_before(poste)
    follow(poste, "https://elsewhere.example/metadata")
    assert now_of(poste).metadata_read_at is None


def test_an_unchanged_document_is_asked_for_by_its_mark(poste: Company) -> None:
    follow(poste)
    refresh_metadata(fetch=Sites(lambda _url, _etag: Fetched(document(poste), '"1"')))
    sites = Sites(lambda _url, etag: Fetched(None, etag))

    refresh_metadata(now=timezone.now() + timedelta(days=2), fetch=sites)

    assert sites.asked == [("https://idp.laposte.example/metadata", '"1"')]
    assert now_of(poste).metadata_etag == '"1"'


def test_while_a_certificate_is_on_its_way_out_the_whole_document_is_wanted(poste: Company) -> None:
    follow(poste)
    read_before(poste)
    later = timezone.now() + timedelta(days=2)
    refresh_metadata(now=later, fetch=Sites(lambda _url, _etag: Fetched(document(poste, poste.keys, FRESH), '"1"')))
    later += timedelta(days=2)
    refresh_metadata(now=later, fetch=Sites(lambda _url, _etag: Fetched(document(poste, FRESH), '"2"')))
    sites = Sites(lambda _url, _etag: Fetched(document(poste, FRESH), '"2"'))

    refresh_metadata(now=later + timedelta(days=2), fetch=sites)

    assert sites.asked[0][1] == ""


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html>maintenance</html>", "metadata_html"),
        (b"", "metadata_empty"),
        (kit.metadata(valid_until="2020-01-01T00:00:00Z").encode(), "metadata_expired"),
        (kit.metadata(certificates=(kit.keys("short", 1024).certificate_pem,)).encode(), "metadata_weak_key"),
        (kit.metadata(sso_url="http://idp.example/sso").encode(), "metadata_insecure_endpoint"),
        (kit.metadata(sso_url=f"https://idp.example/{'x' * 1100}").encode(), "metadata_insecure_endpoint"),
        (b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>', "metadata_forbidden_xml"),
    ],
)
def test_a_document_that_is_no_metadata_changes_nothing_and_is_recorded(
    poste: Company, content: bytes, code: str
) -> None:
    follow(poste)
    refresh_metadata(fetch=Sites(lambda _url, _etag: Fetched(content, '"1"')))

    connection = now_of(poste)
    assert (connection.metadata_failure, connection.metadata_etag) == (code, "")
    assert connection.idp_certificates == poste.connection.idp_certificates
    refresh_metadata(now=timezone.now() + timedelta(days=1), fetch=Sites(lambda _url, _etag: Fetched(document(poste))))
    assert now_of(poste).metadata_failure == ""


def test_failures_wait_longer_and_longer_up_to_a_day(poste: Company) -> None:
    follow(poste)
    now = timezone.now()
    waits = []
    for _turn in range(12):
        cache.clear()
        refresh_metadata(now=now, fetch=Sites(away))
        due = now_of(poste).due_at
        assert due
        waits.append(due - now)
        now = due

    assert waits[0] == reading.SHORTEST_WAIT
    assert waits == sorted(waits)
    assert waits[-1] == reading.LONGEST_WAIT


def test_a_host_that_is_away_is_left_alone_by_all_who_share_it(poste: Company, avion: Company) -> None:
    for company in (poste, avion):
        follow(company, "https://login.shared.example/metadata")
    refresh_metadata(fetch=Sites(away))
    with organisation_scope(avion.organisation.pk):
        ask_for_reading(actor=OPERATOR, organisation=avion.organisation, connection=avion.connection)
    sites = Sites(away)

    assert refresh_metadata(fetch=sites) == 0
    assert sites.asked == []
    due = now_of(avion).due_at
    assert due
    assert due > timezone.now()
    cache.clear()
    assert refresh_metadata(now=due, fetch=Sites(lambda _url, _etag: Fetched(document(avion)))) == 1


def test_four_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(reading.AT_ONCE, timeout=20)
    lock = threading.Lock()
    running, most = 0, 0

    def answer(_url: str, _etag: str) -> Fetched:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        # Passes only when four are here at the same time.
        together.wait()
        with lock:
            running -= 1
        return Fetched(None)

    for number in range(8):
        follow(make_company(make_organisation(f"org{number}", f"Org {number}")))

    assert refresh_metadata(fetch=answer) == 8
    assert most == reading.AT_ONCE


def test_one_round_at_a_time(poste: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []
    monkeypatch.setattr("sso.reading.refresh_metadata", lambda: rounds.append(1))
    cache.add("metadata-round", 1)
    tasks.refresh_metadata()
    assert rounds == []
    cache.delete("metadata-round")
    tasks.refresh_metadata()
    tasks.refresh_metadata()
    assert rounds == [1, 1]


def test_a_closed_connection_is_not_read(poste: Company) -> None:
    follow(poste)
    with organisation_scope(poste.organisation.pk):
        Connection.objects.update(closed_at=timezone.now())

    assert refresh_metadata(fetch=Sites(away)) == 0


def test_another_address_given_meanwhile_wins(poste: Company) -> None:
    follow(poste)

    def moved(_url: str, _etag: str) -> Fetched:
        return Fetched(document(poste, poste.keys, FRESH))

    with organisation_scope(poste.organisation.pk):
        claim = reading._claim(poste.organisation.pk, poste.connection.pk, timezone.now())
    assert claim
    follow(poste, "https://elsewhere.laposte.example/metadata")
    reading._take_in(reading._read(claim[0], claim[1], moved), timezone.now())

    with organisation_scope(poste.organisation.pk):
        assert MetadataVersion.objects.count() == 1


@pytest.mark.parametrize("url", ["http://idp.example/metadata", "file:///etc/passwd", "https://a b/", "javascript:1"])
def test_only_addresses_that_may_be_asked_are_followed(poste: Company, url: str) -> None:
    with pytest.raises(Refusal) as refused:
        follow(poste, url)

    assert refused.value.code == "bad_address"
    assert now_of(poste).metadata_url == ""


def test_without_an_address_there_is_nothing_to_read(poste: Company, laposte: Organisation) -> None:
    with organisation_scope(laposte.pk), pytest.raises(Refusal) as refused:
        ask_for_reading(actor=OPERATOR, organisation=laposte, connection=poste.connection)

    assert refused.value.code == "no_address"


def test_an_address_without_a_day_gets_one(poste: Company, laposte: Organisation) -> None:
    with organisation_scope(laposte.pk):
        Connection.objects.update(metadata_url="https://idp.laposte.example/metadata")
        give_days(organisation=laposte)

    assert now_of(poste).due_at


def test_one_partners_trouble_is_not_the_next_ones(poste: Company, avion: Company) -> None:
    for company in (poste, avion):
        follow(company)

    def answer(url: str, _etag: str) -> Fetched:
        if "laposte" in url:
            raise MemoryError
        return Fetched(document(avion))

    assert refresh_metadata(fetch=answer) == 2
    assert now_of(poste).metadata_failure == "unreachable"
    assert now_of(avion).metadata_read_at


def test_everything_is_looked_after_although_one_cannot_be(
    poste: Company, avion: Company, odile: User, oscar: User
) -> None:
    with organisation_scope(poste.organisation.pk):
        Connection.objects.update(idp_certificates=["no certificate at all"])
    tasks.look_after_connections()

    with organisation_scope(avion.organisation.pk):
        assert set(OutgoingMail.objects.values_list("name", "address")) == {("certificate-ends", oscar.email)}
