"""Keeping a cohort by its pages: the funnel and its causes, the list behind each number, rules, enrolling by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.cohorts.models import Cohort, CohortRule
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.enrolments.models import Enrolment
from portal.enrolments.services import activate_enrolments
from portal.people.models import Affiliation, Employee
from portal.progress.models import CohortSummary
from tests.factories.people import make_employee, make_user
from tests.factories.progress import caught_up, enrol, event, invite, make_cohort, make_people, make_wave, record

if TYPE_CHECKING:
    from django.test import Client

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort(laposte: Organisation) -> Cohort:
    """Twelve people of Lyon, one held up by each cause, and three of Nantes, a group too small to be shown."""
    cohort = make_cohort(laposte)
    lyon = [
        make_employee(
            laposte,
            f"Lyon-{index:04d}",
            site="Lyon",
            last_name=f"Nom{index:02d}",
            email=f"{index}@laposte.example" if index else "",
        )
        for index in range(12)
    ]
    enrol(laposte, cohort, [*lyon, *make_people(laposte, 3, site="Nantes")])
    wave = make_wave(laposte, cohort)
    for index, state in ((2, "failed"), (3, "bounced"), (4, "sent"), (5, "delivered")):
        invite(laposte, wave, lyon[index], state)
    with organisation_scope(laposte.pk):
        activate_enrolments(actor=OPERATOR, organisation=laposte, employee_id=lyon[6].pk)
        Employee.objects.filter(pk=lyon[10].pk).update(active=False)
    ago = timezone.now() - timedelta(days=40)
    record(
        event("started", "Lyon-0007", occurred_at=ago.isoformat()),
        event("started", "Lyon-0008", occurred_at=(timezone.now() - timedelta(days=1)).isoformat()),
        event("completed", "Lyon-0009", occurred_at=ago.isoformat()),
        event("certified", "Lyon-0011", occurred_at=ago.isoformat()),
    )
    caught_up(laposte)
    return cohort


CAUSES = {
    "no_address": 1,
    "uninvited": 1,
    "unsent": 1,
    "bounced": 1,
    "silent": 2,
    "unstarted": 1,
    "stopped": 1,
    "learning": 1,
    "uncertified": 1,
    "left": 1,
}


def url(name: str, *args: object) -> str:
    return reverse(name, args=["laposte", *args])


def words(content: bytes) -> str:
    return " ".join(content.decode().split())


def test_every_loss_has_its_cause(laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        losses = CohortSummary.objects.get(cohort=cohort).losses
    # The three of Nantes have no address.
    assert losses == CAUSES | {"no_address": 4}


def test_every_number_opens_a_list_of_as_many(as_helene: Client, cohort: Cohort) -> None:
    page = as_helene.get(url("cohort", cohort.pk))
    lines = {line.code: line for line in page.context["shown"].losses}
    assert {code: line.count for code, line in lines.items()} == CAUSES | {"no_address": 4}
    for line in lines.values():
        assert len(as_helene.get(line.url).context["people"]) == line.count, line.code
    for row in page.context["shown"].funnel[1:]:
        if row["count"]:
            assert len(as_helene.get(row["url"]).context["people"]) == row["count"], row["label"]


def test_a_site_has_its_own_funnel_unless_it_is_small(as_helene: Client, as_victor: Client, cohort: Cohort) -> None:
    as_helene.cookies["django_language"] = "en"
    lyon = as_helene.get(url("cohort", cohort.pk), {"site": "Lyon"})
    # Lyon would reveal Nantes: neither is shown.
    assert lyon.context["shown"].figures is None
    assert "The figures of Lyon are not shown." in words(lyon.content)
    assert as_helene.get(url("cohort", cohort.pk), {"site": "Brest"}).status_code == 404
    hidden = words(as_victor.get(url("cohort", cohort.pk), {"site": "Nantes"}).content)
    assert url("cohort_people", cohort.pk) not in hidden


def test_larger_sites_are_shown_one_by_one(as_helene: Client, laposte: Organisation, cohort: Cohort) -> None:
    enrol(laposte, cohort, make_people(laposte, 20, site="Brest"))
    enrol(laposte, cohort, make_people(laposte, 11, site=""))
    caught_up(laposte)
    brest = as_helene.get(url("cohort", cohort.pk), {"site": "Brest"})
    assert brest.context["shown"].figures.enrolled == 20
    listed = as_helene.get(brest.context["shown"].losses[0].url)
    assert {line["person"].site for line in listed.context["people"]} == {"Brest"}
    sites = as_helene.get(url("cohort", cohort.pk), {"q": "bré"}).context["shown"].sites
    assert [site for site, _figures, _url in sites.lines] == ["Brest"]


def test_who_reads_reports_sees_counts_and_no_list(as_victor: Client, cohort: Cohort) -> None:
    page = as_victor.get(url("cohort", cohort.pk))
    assert [line.count for line in page.context["shown"].losses] == [4, 1, 1, 1, 2, 1, 1, 1, 1, 1]
    assert url("cohort_people", cohort.pk) not in page.content.decode()
    assert as_victor.get(url("cohort_people", cohort.pk)).status_code == 403


def test_desks_explain_losses(as_helene: Client, laposte: Organisation, cohort: Cohort) -> None:
    Affiliation.objects.create(user=make_user("Karim"), organisation=laposte)
    record(event("certified", "", email="perdu@ailleurs.example"))
    lines = {line.code: line for line in as_helene.get(url("cohort", cohort.pk)).context["shown"].losses}
    assert lines["silent"].action_url == url("matches")
    # Hélène herself is no employee: she waits as Karim does.
    assert lines["silent"].detail.startswith("2 personnes")
    assert "1" in lines["uncertified"].detail


def test_the_queries_do_not_grow(as_helene: Client, laposte: Organisation, cohort: Cohort) -> None:
    watched = [
        url("cohort", cohort.pk),
        url("cohort_people", cohort.pk),
        url("cohort_people", cohort.pk) + "?loss=silent",
        url("cohort_membership", cohort.pk),
        url("cohorts") + "?loss=silent",
        url("organisation_home"),
    ]

    def queries() -> list[int]:
        numbers = []
        for page in watched:
            with CaptureQueriesContext(connection) as captured:
                assert as_helene.get(page).status_code == 200
            numbers.append(len(captured))
        return numbers

    before = queries()
    for number in range(6):
        enrol(laposte, cohort, make_people(laposte, 12, site=f"Site {number}"))
    caught_up(laposte)
    assert queries() == before


def test_a_long_list_goes_on(as_helene: Client, laposte: Organisation) -> None:
    cohort = make_cohort(laposte)
    enrol(laposte, cohort, make_people(laposte, 60, site="Lyon"))
    caught_up(laposte)
    first = as_helene.get(url("cohort_people", cohort.pk))
    second = as_helene.get(url("cohort_people", cohort.pk) + "?" + first.context["next"])
    names = [line["person"].employee_id for page in (first, second) for line in page.context["people"]]
    assert len(names) == len(set(names)) == 60
    assert not second.context["next"]


def test_rules_are_looked_for_shown_and_saved(as_helene: Client, laposte: Organisation, cohort: Cohort) -> None:
    as_helene.cookies["django_language"] = "en"
    page = url("cohort_membership", cohort.pk)
    found = as_helene.post(page, {"membership": "rules", "q_site": "nan", "do": "look-site"})
    (site, *_) = found.context["draft"].choices
    assert (site.found, site.more) == (["Nantes"], 0)
    sent = {"membership": "rules", "site": ["Nantes", "Invented"], "hired_before": ""}
    shown = as_helene.post(page, {**sent, "do": "preview"})
    assert "3 people named today; joining: 0, leaving: 0." in words(shown.content)
    with organisation_scope(laposte.pk):
        assert not CohortRule.objects.exists()
    assert as_helene.post(page, {**sent, "do": "save"}).headers["Location"] == url("cohort", cohort.pk)
    with organisation_scope(laposte.pk):
        assert Cohort.objects.get().membership == "rules"
        assert CohortRule.objects.get().values == ["Nantes"]


@pytest.mark.parametrize(
    "sent",
    [
        {"membership": "rules"},
        {"membership": "rules", "hired_from": "soon"},
        {"membership": "rules", "hired_from": "2026-02-02", "hired_before": "2026-01-01"},
    ],
)
def test_rules_that_say_nothing_are_explained(
    as_helene: Client, laposte: Organisation, cohort: Cohort, sent: dict[str, str]
) -> None:
    refused = as_helene.post(url("cohort_membership", cohort.pk), {**sent, "do": "save"})
    assert refused.status_code == 422
    assert refused.context["draft"].errors
    with organisation_scope(laposte.pk):
        assert Cohort.objects.get().membership == "hand"


def test_a_cohort_is_changed(as_helene: Client, laposte: Organisation, cohort: Cohort) -> None:
    sent = {"name": "Vague une", "programme": "objectif-ia", "ends_on": "2027-03-31", "target": "12000"}
    assert as_helene.post(url("cohort_edit", cohort.pk), sent).status_code == 302
    with organisation_scope(laposte.pk):
        changed = Cohort.objects.get()
    assert (changed.name, changed.target) == ("Vague une", 12_000)
    make_cohort(laposte, "Vague 2")
    for wrong in ({"name": "vague 2"}, {"target": "0"}, {"starts_on": "2028-01-01"}):
        refused = as_helene.post(url("cohort_edit", cohort.pk), {**sent, **wrong})
        assert (refused.status_code, bool(refused.context["form"].errors)) == (422, True), wrong


def test_a_selection_is_withdrawn_and_enrolled_again(as_helene: Client, laposte: Organisation, cohort: Cohort) -> None:
    with organisation_scope(laposte.pk):
        two = list(Employee.objects.filter(site="Nantes").values_list("pk", flat=True)[:2])
    for do, left in (("withdraw", 13), ("enrol", 15)):
        answer = as_helene.post(url("cohort_selection", cohort.pk), {"person": two, "do": do, "loss": "no_address"})
        assert answer.headers["Location"].endswith("?loss=no_address")
        with organisation_scope(laposte.pk):
            assert Enrolment.objects.filter(withdrawn_at__isnull=True).count() == left
    withdrawn = as_helene.get(url("cohort_people", cohort.pk), {"step": "withdrawn"})
    assert withdrawn.context["people"] == []


def test_another_organisations_people_are_not_enrolled(
    as_helene: Client, laposte: Organisation, airbus: Organisation, cohort: Cohort
) -> None:
    stranger = make_employee(airbus, "1")
    as_helene.post(url("cohort_selection", cohort.pk), {"person": [stranger.pk], "do": "enrol"})
    refused = as_helene.post(url("cohort_enrol", cohort.pk), {"people": "1"})
    assert refused.status_code == 422
    with organisation_scope(airbus.pk):
        assert not Enrolment.objects.exists()
    elsewhere = make_cohort(airbus)
    for name in ("cohort_edit", "cohort_membership", "cohort_people", "cohort_enrol"):
        assert as_helene.get(url(name, elsewhere.pk)).status_code == 404, name
    assert as_helene.post(url("cohort_selection", elsewhere.pk)).status_code == 404


def test_a_list_is_enrolled_whole_or_not_at_all(as_helene: Client, laposte: Organisation, cohort: Cohort) -> None:
    as_helene.cookies["django_language"] = "en"
    make_employee(laposte, "new", email="new@laposte.example")
    refused = as_helene.post(url("cohort_enrol", cohort.pk), {"people": "new\nnobody\n"})
    assert "Nobody active on the roster has this number or address: nobody." in words(refused.content)
    assert as_helene.post(url("cohort_enrol", cohort.pk), {"people": "NEW@laposte.example\n"}).status_code == 302
    with organisation_scope(laposte.pk):
        assert Enrolment.objects.get(employee__employee_number="new").enrolled_by == "hand"


def test_one_person_is_enrolled_and_withdrawn_on_their_page(
    as_helene: Client, laposte: Organisation, cohort: Cohort
) -> None:
    as_helene.cookies["django_language"] = "en"
    person = make_employee(laposte, "new")
    there = url("employee", person.pk)
    assert [one.pk for one in as_helene.get(there).context["open_cohorts"]] == [cohort.pk]
    deed = url("employee_enrolment", person.pk)
    as_helene.post(deed, {"cohort": cohort.pk, "do": "enrol"})
    assert "By hand" in as_helene.get(there).content.decode()
    as_helene.post(deed, {"cohort": cohort.pk, "do": "withdraw"})
    told = [(line.text, line.detail) for line in as_helene.get(there).context["story"]]
    assert ("Withdrawn from “Vague 1”.", "By hand") in told
    assert as_helene.post(deed, {"cohort": "x"}).status_code == 302
    assert as_helene.post(url("employee_enrolment", 10**15), {"cohort": cohort.pk}).status_code == 404


def test_account_managers_see_the_funnel_in_counts(as_manon: Client, laposte: Organisation, cohort: Cohort) -> None:
    for page in (
        reverse("manage_organisation", args=["laposte"]),
        reverse("manage_cohort", args=["laposte", cohort.pk]),
    ):
        answer = as_manon.get(page)
        assert {line.code: line.count for line in answer.context["losses"]} == CAUSES | {"no_address": 4}
        assert not any(line.url or line.action_url for line in answer.context["losses"])
        assert "Nom01" not in answer.content.decode()
    assert as_manon.get(reverse("manage_cohort", args=["laposte", 10**15])).status_code == 404
