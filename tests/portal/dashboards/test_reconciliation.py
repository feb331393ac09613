"""The reconciliation desk as a page: who may, what it says, what one click does; without JavaScript."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from portal.audit.models import AuditEvent
from portal.core.tenancy import organisation_scope
from portal.organisations.models import EmailDomain
from portal.progress.models import CompletionEvent, DeskItem
from tests.factories.people import make_employee, sign_in
from tests.factories.progress import caught_up, event, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from portal.organisations.models import Organisation
    from portal.people.models import Employee, User

URL = "/o/laposte/reconciliation/"

pytestmark = pytest.mark.django_db(databases=["default"])


def page(client: Client, query: str = "") -> str:
    answer = client.get(URL + query)
    assert answer.status_code == 200
    return answer.text


def key_of(text: str) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{64})"', text)
    assert found
    return found[1]


def people_of(organisation: Organisation) -> list[int | None]:
    with organisation_scope(organisation.pk):
        return list(CompletionEvent.objects.order_by("id").values_list("employee_id", flat=True))


def test_it_checks_who_asks(
    as_helene: Client, as_victor: Client, as_amelie: Client, as_oscar: Client, as_manon: Client
) -> None:
    assert as_helene.get(URL).status_code == 200
    assert as_victor.get(URL).status_code == 403
    for stranger in (as_amelie, as_oscar, as_manon):
        assert stranger.get(URL).status_code == 404
    for address in ("match/", "settle/"):
        assert as_helene.get(URL + address).status_code == 405
        assert as_oscar.post(URL + address).status_code == 404
        assert as_victor.post(URL + address).status_code == 403


@pytest.mark.parametrize(
    ("said", "employee", "reason"),
    [
        ({"number": "412877"}, {}, "zéros de tête"),
        ({"number": "00412787"}, {}, "deux chiffres"),
        ({"email": "amelie.lefevre@laposte.fr"}, {}, "avant l’@"),
        ({"email": "amelei.lefevre@laposte.example"}, {}, "deux lettres"),
        ({"email": "amelie.lefevre7@home.example"}, {"email": "a.l@laposte.example"}, "nom de la personne"),
        ({"account": "https://platform.example amelie.lefevre@laposte.example"}, {}, "même adresse"),
    ],
)
def test_people_are_proposed_with_their_reasons(
    as_helene: Client, laposte: Organisation, said: dict[str, str], employee: dict[str, str], reason: str
) -> None:
    values = {"email": "amelie.lefevre@laposte.example", **employee}
    person = make_employee(laposte, "00412877", **values)
    EmailDomain.objects.get_or_create(organisation=laposte, domain="laposte.example")
    number = said.pop("number", "")
    record(event("certified", number, **said))  # type: ignore[arg-type]  # Texts.
    text = page(as_helene)
    assert reason in text
    as_helene.post(f"{URL}match/", {"key": key_of(text), "employee": person.pk})
    assert people_of(laposte) == [person.pk]


def test_nobody_is_proposed_for_a_stranger(as_helene: Client, laposte: Organisation, amelie: Employee) -> None:
    record(event("certified", "999-000"))
    assert "Lefèvre" not in page(as_helene)


def test_a_person_can_be_named(as_helene: Client, laposte: Organisation, amelie: Employee) -> None:
    record(event("certified", email="x@home.example"), event("started", email="x@home.example"))
    key = key_of(page(as_helene))
    for wrong in ("", "nobody", "999999999999999999999"):
        answer = as_helene.post(f"{URL}match/", {"key": key, "named": wrong, "employee": wrong}, follow=True)
        assert "Personne dans l’effectif" in answer.text
    as_helene.post(f"{URL}match/", {"key": key, "named": "00412877"})
    assert people_of(laposte) == [amelie.pk, amelie.pk]


def test_a_shared_address_is_not_guessed(as_helene: Client, laposte: Organisation) -> None:
    for number in "12":
        make_employee(laposte, number, email="accueil@laposte.example")
    record(event("certified", email="x@home.example"))
    answer = as_helene.post(
        f"{URL}match/", {"key": key_of(page(as_helene)), "named": "accueil@laposte.example"}, follow=True
    )
    assert "Plusieurs personnes" in answer.text
    assert people_of(laposte) == [None]


def test_what_was_settled_can_be_taken_back(as_helene: Client, laposte: Organisation, amelie: Employee) -> None:
    record(event("certified", email="x@home.example"))
    as_helene.post(f"{URL}match/", {"key": key_of(page(as_helene)), "employee": amelie.pk})
    settled = page(as_helene, "?show=settled")
    assert "Lefèvre" in settled
    with organisation_scope(laposte.pk):
        item = DeskItem.objects.get()
    as_helene.post(f"{URL}settle/", {"item": item.pk, "reopen": "1", "show": "settled"})
    assert people_of(laposte) == [None]


def test_items_are_shown_as_they_came_and_settled(as_helene: Client, laposte: Organisation) -> None:
    record({**event("started", "1"), "progress": 101, "nested": {"a": 1}})
    caught_up(laposte)
    text = page(as_helene, "?show=refused")
    assert "bad_progress" in text
    assert "101" in text
    with organisation_scope(laposte.pk):
        item = DeskItem.objects.get()
    answer = as_helene.post(f"{URL}settle/", {"item": item.pk, "show": "refused"})
    assert answer["Location"] == f"{URL}?show=refused"
    assert "bad_progress" not in page(as_helene, "?show=refused")
    assert "bad_progress" in page(as_helene, "?show=settled")


def test_clashing_dates_are_said_in_words(as_helene: Client, laposte: Organisation, amelie: Employee) -> None:
    record(event("certified", "00412877", day=1), event("certified", "00412877", day=9))
    caught_up(laposte)
    assert "Attestations à plusieurs dates" in page(as_helene, "?show=dates")


@pytest.mark.parametrize("item", ["", "x", "0", "-1", "999999999", "²"])
def test_what_is_no_item_is_answered(as_helene: Client, item: str) -> None:
    assert as_helene.post(f"{URL}settle/", {"item": item}, follow=True).status_code == 200
    assert as_helene.post(f"{URL}settle/", {"item": item, "reopen": "1"}, follow=True).status_code == 200


@pytest.mark.parametrize("query", ["?show=nothing", "?after=x", "?show=dates&before=²", "?show=settled&before=0"])
def test_a_strange_address_shows_the_desk(as_helene: Client, query: str) -> None:
    assert page(as_helene, query)


def test_it_pages_without_more_queries(
    as_helene: Client, laposte: Organisation, queries: Callable[[Client, str], int]
) -> None:
    record(*[event("started", f"stranger-{number}") for number in range(3)])
    few = queries(as_helene, URL)
    record(*[event("started", f"other-{number}") for number in range(60)])
    assert queries(as_helene, URL) == few
    first = as_helene.get(URL)
    second = as_helene.get(f"{URL}?{first.context['more']}")
    third = as_helene.get(f"{URL}?{second.context['more']}")
    seen = [person.key for answer in (first, second, third) for person in answer.context["people"]]
    assert len(seen) == len(set(seen)) == 63
    assert "more" not in third.context


def test_every_figure_has_its_source(as_helene: Client, laposte: Organisation) -> None:
    record(event("started", "1"), source="file", name="nuit.xlsx")
    text = page(as_helene)
    assert "nuit.xlsx" in text
    assert "un fichier" in text


def test_support_reads_changes_nothing_and_is_seen(as_manon: Client, laposte: Organisation, manon: User) -> None:
    record(event("started", "1"))
    as_manon.post("/manage/organisations/laposte/", {"reason": "Ticket 12"})
    text = page(as_manon)
    assert "<form" not in text.partition("<main")[2].partition("</main>")[0] or "reconciliation/match" not in text
    assert as_manon.post(f"{URL}match/", {"key": "x"}).status_code == 403
    with organisation_scope(laposte.pk):
        assert AuditEvent.objects.filter(action="progress:desk:see").count() == 1


def test_account_managers_see_counts_and_nobody(
    as_manon: Client, laposte: Organisation, airbus: Organisation, queries: Callable[[Client, str], int]
) -> None:
    record(event("started", email="secret@home.example"), {**event("started", "1"), "progress": 101})
    caught_up(laposte)
    few = queries(as_manon, "/manage/reconciliation/")
    record(event("started", "x", organisation="airbus"))
    caught_up(airbus)
    answer = as_manon.get("/manage/reconciliation/")
    desks = {desk.counted.organisation.slug: desk for desk in answer.context["desks"]}
    assert (desks["laposte"].counted.unmatched, desks["laposte"].counted.refused) == (1, 1)
    assert desks["airbus"].waiting == 1
    assert "secret@" not in answer.text
    assert queries(as_manon, "/manage/reconciliation/") == few


def test_another_organisation_settles_nothing_here(oscar: User, laposte: Organisation, airbus: Organisation) -> None:
    record({**event("started", "1"), "progress": 101})
    with organisation_scope(laposte.pk):
        item = DeskItem.objects.get()
    sign_in(oscar, airbus).post("/o/airbus/reconciliation/settle/", {"item": item.pk})
    with organisation_scope(laposte.pk):
        assert DeskItem.objects.get().settled_at is None
