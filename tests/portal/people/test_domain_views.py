"""The page of an organisation's domains, and the task that looks at them again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from portal.core.models import OutgoingMail
from portal.core.tenancy import organisation_scope
from portal.organisations.models import EmailDomain
from portal.organisations.selectors import owns_domain
from portal.people.tasks import recheck_domains

if TYPE_CHECKING:
    from django.test import Client

    from portal.organisations.models import Organisation
    from portal.people.models import User
    from tests.portal.organisations.dns_server import Zone

pytestmark = pytest.mark.django_db

PAGE = "/o/laposte/settings/domains/"


def claimed(client: Client, domain: str = "poste.fr") -> EmailDomain:
    assert client.post(PAGE, {"domain": domain}).status_code == 302
    return EmailDomain.objects.get(organisation__slug="laposte", domain=domain)


def test_a_domain_is_claimed_checked_and_verified(as_odile: Client, laposte: Organisation, zone: Zone) -> None:
    domain = claimed(as_odile)
    page = as_odile.get(PAGE).text
    assert "_portal-verify.poste.fr" in page
    assert f"portal-verify={domain.challenge}" in page
    check = f"{PAGE}{domain.pk}/check/"

    as_odile.post(check)
    assert not owns_domain(laposte, "poste.fr")

    zone.texts["_portal-verify.poste.fr"] = [f"portal-verify={domain.challenge}"]
    assert as_odile.post(check)["Location"] == PAGE
    assert owns_domain(laposte, "poste.fr")

    as_odile.post(f"{PAGE}{domain.pk}/remove/")
    assert not owns_domain(laposte, "poste.fr")


@pytest.mark.parametrize("domain", ["", "gmail.com", "co.uk", "acme", "\x00.fr", "x" * 300])
def test_what_cannot_be_claimed_is_said_beside_the_field(as_odile: Client, domain: str) -> None:
    answer = as_odile.post(PAGE, {"domain": domain})
    assert answer.status_code == 422
    assert "errorlist" in answer.text


def test_anothers_domain_looks_like_any_other(as_odile: Client, airbus: Organisation, zone: Zone) -> None:
    domain = claimed(as_odile, "airbus.example")
    without = as_odile.post(f"{PAGE}{domain.pk}/check/", follow=True).text
    zone.texts["_portal-verify.airbus.example"] = [f"portal-verify={domain.challenge}"]
    answer = as_odile.post(f"{PAGE}{domain.pk}/check/", follow=True).text

    assert "Airbus" not in without + answer
    domain.refresh_from_db()
    assert domain.verified_at is None


def test_what_the_operator_vouches_for_has_no_record(as_odile: Client, zone: Zone) -> None:
    given = EmailDomain.objects.get(domain="laposte.example")
    assert f"{given.pk}/check/" not in as_odile.get(PAGE).text
    as_odile.post(f"{PAGE}{given.pk}/check/")
    assert zone.asked == []


def test_anothers_domains_do_not_exist(as_odile: Client, airbus: Organisation, zone: Zone) -> None:
    theirs = EmailDomain.objects.get(domain="airbus.example")
    for deed in ("check", "remove"):
        assert as_odile.post(f"{PAGE}{theirs.pk}/{deed}/").status_code == 404
    assert owns_domain(airbus, "airbus.example")


def test_the_page_costs_the_same_whatever_it_lists(as_odile: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            as_odile.get(PAGE)
        return len(asked)

    before = cost()
    for number in range(5):
        claimed(as_odile, f"poste{number}.fr")
    assert cost() == before


def test_the_weekly_look_writes_to_the_owners(
    as_odile: Client, odile: User, helene: User, laposte: Organisation, zone: Zone
) -> None:
    domain = claimed(as_odile)
    long_ago = timezone.now() - timedelta(days=8)
    EmailDomain.objects.filter(pk=domain.pk).update(verified_at=long_ago, checked_at=long_ago)

    recheck_domains()
    recheck_domains()

    assert mails(laposte) == [("domain-missing", odile.email)]
    assert zone.asked == ["_portal-verify.poste.fr"]
    assert owns_domain(laposte, "poste.fr")
    assert as_odile.get(PAGE).context["cards"][1].lost_on is not None

    earlier = timezone.now() - timedelta(days=15)
    EmailDomain.objects.filter(pk=domain.pk).update(missing_since=earlier, checked_at=earlier)
    recheck_domains()

    assert mails(laposte)[-1] == ("domain-lost", odile.email)
    assert not owns_domain(laposte, "poste.fr")


def mails(organisation: Organisation) -> list[tuple[str, str]]:
    with organisation_scope(organisation.pk):
        return list(OutgoingMail.objects.order_by("id").values_list("name", "address"))


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("part", ["subject.txt", "body.txt", "body.html"])
def test_the_mails_say_what_to_put_back(
    as_odile: Client, odile: User, laposte: Organisation, zone: Zone, language: str, part: str
) -> None:
    domain = claimed(as_odile)
    long_ago = timezone.now() - timedelta(days=8)
    EmailDomain.objects.filter(pk=domain.pk).update(verified_at=long_ago, checked_at=long_ago)
    recheck_domains()
    with organisation_scope(laposte.pk):
        context = OutgoingMail.objects.get().context

    with translation.override(language):
        said = {name: render_to_string(f"email/{name}/{part}", context) for name in ("domain-missing", "domain-lost")}

    for text in said.values():
        assert "poste.fr" in text
        assert part == "subject.txt" or (domain.challenge in text and context["path"] in text)
    assert said["domain-missing"] != said["domain-lost"]
