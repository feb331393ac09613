"""The page of one connection: what it says, what its buttons do, and who may press them."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.core.actor import SYSTEM
from portal.core.tenancy import organisation_scope
from portal.dashboards import home, monitor
from portal.people.selectors import access_to, user_actor
from portal.people.services import open_support_access
from sso.models import Connection, MetadataVersion, SignInTrace
from sso.parties import identity_provider
from sso.versions import record_reading
from tests.sso import saml_kit as kit
from tests.sso.company import Company, make_company
from tests.sso.test_pages import renewed_metadata, upload

if TYPE_CHECKING:
    from django.test import Client

    from portal.organisations.models import Organisation
    from portal.people.models import User

pytestmark = pytest.mark.django_db

State = MetadataVersion.State


@pytest.fixture(autouse=True)
def _next_key_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    new = kit.keys("portal, next")
    monkeypatch.setattr("sso.rotation.new_key_pair", lambda _name: (new.private_pem, new.certificate_pem))


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of the workers is not their work here."""
    monkeypatch.setattr("portal.core.tasks.enqueue_on_commit", lambda *_: None)


def page_of(company: Company) -> str:
    return f"/o/{company.organisation.slug}/sign-in/{company.connection.public_id}/"


def now_of(company: Company) -> Connection:
    with organisation_scope(company.organisation.pk):
        return Connection.objects.get(pk=company.connection.pk)


def propose(company: Company, *, host: str = "", known_address: bool = True) -> MetadataVersion:
    """Let the identity provider say that it has moved, or has a new certificate."""
    with organisation_scope(company.organisation.pk):
        idp = identity_provider(Connection.objects.get(pk=company.connection.pk))
        if host:
            changed = dataclasses.replace(idp, sso_url=f"https://{host}/sso")
        else:
            extra = kit.bare(kit.keys("renewed").certificate_pem)
            changed = dataclasses.replace(idp, certificates=(*idp.certificates, extra))
        version = record_reading(
            actor=SYSTEM,
            organisation=company.organisation,
            connection=company.connection,
            idp=changed,
            known_address=known_address,
        )
    assert version
    return version


def test_the_page_says_what_waits_and_shows_both_side_by_side(as_odile: Client, poste: Company) -> None:
    propose(poste, host="idp.elsewhere.example")

    page = as_odile.get(page_of(poste))

    assert page.status_code == 200
    shown = page.content.decode()
    assert "https://idp.elsewhere.example/sso" in shown
    assert poste.connection.idp_sso_url in shown
    (line,) = page.context["life"].waiting
    assert line.dangerous
    assert [each.then for each in line.differences] == ["https://idp.elsewhere.example/sso"]


@pytest.mark.parametrize(
    ("act", "state", "trusts"), [("accept", State.IN_USE, True), ("decline", State.DECLINED, False)]
)
def test_an_owner_decides(as_odile: Client, poste: Company, act: str, state: str, trusts: bool) -> None:  # noqa: FBT001
    version = propose(poste, known_address=False)

    answer = as_odile.post(f"{page_of(poste)}versions/{version.pk}/", {"act": act})

    assert answer["Location"] == page_of(poste)
    with organisation_scope(poste.organisation.pk):
        assert MetadataVersion.objects.get(pk=version.pk).state == state
    assert (len(now_of(poste).idp_certificates) == 2) is trusts


def test_an_owner_puts_a_version_back(as_odile: Client, poste: Company) -> None:
    with organisation_scope(poste.organisation.pk):
        first = MetadataVersion.objects.get()
    as_odile.post(f"{page_of(poste)}metadata/", upload(renewed_metadata(poste, poste.keys, kit.keys("renewed"))))
    assert len(now_of(poste).idp_certificates) == 2

    as_odile.post(f"{page_of(poste)}versions/{first.pk}/", {"act": "back"})

    assert now_of(poste).idp_certificates == poste.connection.idp_certificates
    assert [line.version.state for line in as_odile.get(page_of(poste)).context["life"].versions] == [
        State.PAST,
        State.IN_USE,
    ]


def test_the_address_is_given_refused_and_taken_away(as_odile: Client, poste: Company) -> None:
    where = f"{page_of(poste)}follow/"
    as_odile.post(where, {"url": "https://idp.laposte.example/metadata"})
    connection = now_of(poste)
    assert connection.metadata_url == "https://idp.laposte.example/metadata"
    assert connection.due_at
    for wrong in ("http://10.0.0.1/", "ftp://x/", "https://u:p@idp.example/", "x" * 2000):
        as_odile.post(where, {"url": wrong})
        assert now_of(poste).metadata_url == "https://idp.laposte.example/metadata"
    as_odile.post(where, {"url": ""})
    connection = now_of(poste)
    assert (connection.metadata_url, connection.due_at) == ("", None)


def test_reading_now_is_asked_for(as_odile: Client, poste: Company) -> None:
    as_odile.post(f"{page_of(poste)}follow/", {"url": "https://idp.laposte.example/metadata"})
    with organisation_scope(poste.organisation.pk):
        Connection.objects.update(due_at=timezone.now() + timedelta(hours=20))

    as_odile.post(f"{page_of(poste)}read/")

    due = now_of(poste).due_at
    assert due
    assert due <= timezone.now()


def test_a_failed_reading_is_said_in_words(as_odile: Client, poste: Company) -> None:
    for code in ("unreachable", "private_address", "metadata_expired", "something_new"):
        with organisation_scope(poste.organisation.pk):
            Connection.objects.update(metadata_failure=code, metadata_url="https://idp.laposte.example/metadata")
        failure = as_odile.get(page_of(poste)).context["life"].reading_failure
        assert failure
        assert code not in failure


def test_the_next_key_by_the_page(as_odile: Client, poste: Company) -> None:
    where = f"{page_of(poste)}keys/"
    day = timezone.localdate() + timedelta(days=10)
    for wrong in ({"act": "publish"}, {"act": "publish", "day": "soon"}, {"act": "publish", "day": "2020-01-01"}):
        as_odile.post(where, wrong)
        assert now_of(poste).next_certificate == ""
    as_odile.post(where, {"act": "publish", "day": day.isoformat()})
    signs = now_of(poste).next_signs_at
    assert signs
    assert timezone.localtime(signs).date() == day
    page = as_odile.get(page_of(poste))
    assert page.context["life"].next_certificate in page.content.decode()
    as_odile.post(where, {"act": "day", "day": (day + timedelta(days=5)).isoformat()})
    moved = now_of(poste).next_signs_at
    assert moved
    assert timezone.localtime(moved).date() == day + timedelta(days=5)
    as_odile.post(where, {"act": "withdraw"})
    assert now_of(poste).next_certificate == ""


def test_moving_by_the_page(as_odile: Client, poste: Company) -> None:
    newer = make_company(poste.organisation, name="entra")
    assert not as_odile.get(page_of(newer)).context["life"].leads
    as_odile.post(f"{page_of(newer)}move/", {"act": "lead"})
    assert as_odile.get(page_of(newer)).context["life"].leads
    as_odile.post(f"{page_of(poste)}move/", {"act": "close"})
    assert now_of(poste).closed_at
    assert as_odile.get(page_of(poste)).status_code == 200
    as_odile.post(f"{page_of(poste)}move/", {"act": "reopen"})
    assert now_of(poste).closed_at is None


@pytest.mark.parametrize("where", ["move", "keys", "versions/1"])
def test_a_button_that_does_not_exist_does_nothing(as_odile: Client, poste: Company, where: str) -> None:
    answer = as_odile.post(f"{page_of(poste)}{where}/", {"act": "explode", "day": "2020-01-01"})

    assert answer.status_code in {302, 404}
    assert now_of(poste).closed_at is None


def test_support_reads_and_changes_nothing(as_manon: Client, manon: User, poste: Company) -> None:
    version = propose(poste, host="idp.elsewhere.example")
    with organisation_scope(poste.organisation.pk):
        open_support_access(actor=user_actor(manon), organisation=poste.organisation, user=manon, reason="Help")

    page = as_manon.get(page_of(poste)).content.decode()

    assert "idp.elsewhere.example" in page
    assert "<form" not in page.partition('<div class="columns">')[2].partition("</main")[0]
    for where in (f"versions/{version.pk}", "move", "keys", "follow", "read"):
        assert as_manon.post(f"{page_of(poste)}{where}/", {"act": "accept"}).status_code == 403


def test_another_partners_connection_does_not_exist(as_oscar: Client, poste: Company, avion: Company) -> None:
    version = propose(poste, known_address=False)
    theirs = f"/o/airbus/sign-in/{poste.connection.public_id}/"
    assert as_oscar.get(theirs).status_code == 404
    for where in (f"versions/{version.pk}", "move", "keys", "follow", "read"):
        answer = as_oscar.post(f"{theirs}{where}/", {"act": "accept", "day": timezone.localdate().isoformat()})
        assert answer.status_code == 404
    own = f"{page_of(avion)}versions/{version.pk}/"
    as_oscar.post(own, {"act": "accept"})
    with organisation_scope(poste.organisation.pk):
        assert MetadataVersion.objects.get(pk=version.pk).state == State.PENDING


def queries(browser: Client, path: str) -> int:
    with CaptureQueriesContext(database) as seen:
        assert browser.get(path).status_code == 200
    return len(seen)


def test_the_page_costs_the_same_with_a_long_history(as_odile: Client, poste: Company) -> None:
    few = queries(as_odile, page_of(poste))
    with organisation_scope(poste.organisation.pk):
        for number in range(30):
            SignInTrace.objects.create(
                organisation=poste.organisation, connection=poste.connection, code=f"C{number}", error="expired"
            )
    for number in range(30):
        propose(poste, host=f"idp{number}.example")
    for number in range(3):
        make_company(poste.organisation, name=f"other{number}")

    assert queries(as_odile, page_of(poste)) == few


def tasks_of(organisation: Organisation, user: User) -> list[Any]:
    with organisation_scope(organisation.pk):
        access = access_to(organisation, user)
        assert access
        return home.tasks(organisation, access, home.connection_states(organisation))


def test_the_home_says_what_waits_where_and_what_to_do(
    as_odile: Client, poste: Company, laposte: Organisation, odile: User
) -> None:
    where = page_of(poste)
    before = [task for task in tasks_of(laposte, odile) if task.url == where]
    propose(poste, host="idp.elsewhere.example")
    with organisation_scope(laposte.pk):
        Connection.objects.update(metadata_failure="unreachable")

    tasks = [task for task in tasks_of(laposte, odile) if task.url == where]

    # The kit's certificates ended long ago: that of the identity provider, and ours.
    assert len({task.term for task in before}) == 2
    assert len({task.term for task in tasks}) == 4
    assert all(task.action for task in tasks)
    with organisation_scope(laposte.pk):
        Connection.objects.update(closed_at=timezone.now())
    assert where not in {task.url for task in tasks_of(laposte, odile)}


def test_the_home_costs_the_same_with_several_connections(as_odile: Client, poste: Company) -> None:
    few = queries(as_odile, "/o/laposte/")
    for number in range(4):
        propose(make_company(poste.organisation, name=f"other{number}"), host="idp.elsewhere.example")

    assert queries(as_odile, "/o/laposte/") == few


def alerts_of(organisation: Organisation) -> list[str]:
    (line,) = monitor.organisation_lines([organisation])
    return [alert.text for alert in monitor.alerts([line])]


def test_the_account_manager_is_told_without_going_in(poste: Company, laposte: Organisation) -> None:
    assert alerts_of(laposte) == []
    propose(poste, host="idp.elsewhere.example")
    held = alerts_of(laposte)
    assert len(held) == 1
    for days, tone in ((10, "bad"), (-1, "bad")):
        with organisation_scope(laposte.pk):
            Connection.objects.update(certificates_until=timezone.now() + timedelta(days=days))
        (line,) = monitor.organisation_lines([laposte])
        found = monitor.alerts([line])
        assert [alert.tone for alert in found] == [tone, "warn"]
        assert found[0].text != held[0]
    with organisation_scope(laposte.pk):
        Connection.objects.update(certificates_until=timezone.now() + timedelta(days=20))
    assert alerts_of(laposte) == held
