"""The pages of an import, as HR meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from imports.corrections import accept_reading
from imports.models import RosterImport
from imports.review import changed_people
from imports.services import plan_token
from imports.stages import fail_import
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.people.selectors import user_actor
from tests.factories.people import make_employee
from tests.imports.pages import at
from tests.imports.rosters import (
    apply_roster,
    confirm_and_apply,
    employees,
    open_roster,
    people,
    person,
    prepare_roster,
    reread,
    roster_file,
)

pytestmark = pytest.mark.usefixtures("_work_at_once")

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.fixtures import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

    from portal.organisations.models import Organisation
    from portal.people.models import User

POSTS = (
    "import_confirm",
    "import_approve",
    "import_cancel",
    "import_twins",
    "import_edits",
    "import_compare",
    "import_corrections",
)
PAGES = (
    "import_detail",
    "import_progress",
    "import_reading",
    "import_sites",
    "import_undo",
    "import_workbook",
    "import_copy",
)


def upload(client: Client, organisation: Organisation, content: bytes, **values: str) -> str:
    """Send the form and return where it leads."""
    file = SimpleUploadedFile("effectif.csv", content)
    address = reverse("import_new", args=[organisation.slug])
    return client.post(address, {"file": file, "mode": "delta", **values}).headers["Location"]


def test_from_the_upload_to_the_undo(
    as_helene: Client,
    laposte: Organisation,
    helene: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        page = upload(as_helene, laposte, roster_file(people(3, cohort="Vague 1")).getvalue(), cohort="Tous")
    assert as_helene.get(page).headers["Location"] == f"{page}reading/"
    with organisation_scope(laposte.pk):
        accept_reading(actor=user_actor(helene), organisation=laposte, import_id=_only_import(laposte).pk)
    review = as_helene.get(page).content.decode()
    assert "effectif.csv" in review
    assert "Martin1" in review

    for name, state in (("import_confirm", "applied"), ("import_undo", "undone")):
        found = _only_import(laposte)
        with django_capture_on_commit_callbacks(execute=True):
            answer = as_helene.post(at(laposte, found, name), {"plan": plan_token(found)})
        assert (answer.status_code, answer.headers["Location"]) == (302, page)
        assert _only_import(laposte).state == state
        assert as_helene.get(page).status_code == 200
    assert employees(laposte) == []


def _only_import(organisation: Organisation) -> RosterImport:
    with organisation_scope(organisation.pk):
        return RosterImport.objects.get()


def test_an_empty_history_says_what_to_do(as_helene: Client, laposte: Organisation) -> None:
    answer = as_helene.get(reverse("imports", args=["laposte"]))

    assert reverse("import_new", args=["laposte"]) in answer.content.decode()


def test_the_history_names_each_file(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(1))

    assert at(laposte, found) in as_helene.get(reverse("imports", args=["laposte"])).content.decode()


@pytest.mark.parametrize("content", [b"", None])
def test_a_form_without_a_file_says_so(as_helene: Client, laposte: Organisation, content: bytes | None) -> None:
    address = reverse("import_new", args=["laposte"])
    file = {} if content is None else {"file": SimpleUploadedFile("x.csv", content)}

    answer = as_helene.post(address, {"mode": "delta", **file})

    assert answer.status_code == 422
    with organisation_scope(laposte.pk):
        assert not RosterImport.objects.exists()


def test_progress_is_a_fragment_until_the_work_is_done(as_helene: Client, laposte: Organisation) -> None:
    import_id = open_roster(laposte, people(1))
    waiting = reread(laposte, import_id)
    ready = prepare_roster(laposte, people(2))

    fragment = as_helene.get(at(laposte, waiting, "import_progress"))
    over = as_helene.get(at(laposte, ready, "import_progress"))

    assert b"<progress" in fragment.content
    assert b"<html" not in fragment.content
    assert over.headers["HX-Refresh"] == "true"
    assert at(laposte, waiting, "import_progress") in as_helene.get(at(laposte, waiting)).content.decode()


@pytest.mark.parametrize(
    "wanted", ["arrivals", "changes", "departures", "moves", "unchanged", "merged", "rejected", "issues", "sites", "x"]
)
def test_each_number_opens_its_list(as_helene: Client, laposte: Organisation, wanted: str) -> None:
    apply_roster(laposte, people(4))
    rows = [
        *people(2, site="Brest"),
        *people(1, first=3),
        person("00009", "Neuf"),
        person("00009", "Neuf"),
        person("", "Sans"),
        person("00008", "Parti", "Zoé", "", "", "", "01/02/2020"),
    ]
    found = prepare_roster(laposte, rows)

    answer = as_helene.get(at(laposte, found), {"list": wanted})

    assert answer.status_code == 200
    assert b"<td data-label" in answer.content


@pytest.mark.parametrize(("rejected", "label"), [(1, "ligne à corriger"), (2, "lignes à corriger")])
def test_words_follow_their_number(as_helene: Client, laposte: Organisation, rejected: int, label: str) -> None:
    found = prepare_roster(laposte, [*people(4), *[person("", "Sans")] * rejected])

    tiles = as_helene.get(at(laposte, found)).context["tiles"]

    assert {tile.label: tile.value for tile in tiles}[label] == rejected


def test_before_and_after_are_both_shown(as_helene: Client, laposte: Organisation) -> None:
    apply_roster(laposte, people(30, site="Lyon"))
    found = prepare_roster(laposte, people(1, site="Brest"))

    shown = as_helene.get(at(laposte, found), {"list": "changes"}).content.decode()

    assert "<del>Lyon</del>" in shown
    assert "<ins>Brest</ins>" in shown


def test_what_the_file_says_is_escaped(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, [person("1", "<script>x</script>", "Zoé", "<b>@"), person("2", "<i>")])

    for wanted in ("arrivals", "rejected", "issues"):
        shown = as_helene.get(at(laposte, found), {"list": wanted}).content.decode()
        assert "<script>x" not in shown
        assert "<b>@" not in shown


def test_a_file_that_could_not_be_read_says_why(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, [("1", "2")], header=("a", "b"))

    assert b'class="note bad"' in as_helene.get(at(laposte, found)).content


def test_an_import_that_stopped_on_its_way_can_be_undone(as_helene: Client, laposte: Organisation) -> None:
    found = apply_roster(laposte, people(2))
    with organisation_scope(laposte.pk):
        RosterImport.objects.update(state="applying")
        told = {"number": str(found.pk)}
        fail_import(actor=OPERATOR, organisation=laposte, import_id=found.pk, code="stopped", params=told)

    page = as_helene.get(at(laposte, found)).content.decode()

    assert at(laposte, found, "import_undo") in page
    assert f": {found.pk}." in page.replace("\u00a0:", ":")


def test_whoever_uploaded_is_told_to_ask_someone_else(
    as_helene: Client, as_odile: Client, laposte: Organisation, helene: User
) -> None:
    apply_roster(laposte, people(30))
    found = prepare_roster(laposte, people(5), mode="full", actor=user_actor(helene))
    button = at(laposte, found, "import_approve")

    assert button not in as_helene.get(at(laposte, found)).content.decode()
    assert button in as_odile.get(at(laposte, found)).content.decode()
    as_helene.post(button, {"plan": plan_token(found)})
    assert reread(laposte, found.pk).state == "held"
    as_odile.post(button, {"plan": "another plan than this"})
    assert reread(laposte, found.pk).state == "held"
    as_odile.post(button, {"plan": plan_token(found)})
    assert reread(laposte, found.pk).state == "applying"


def test_what_is_still_held_is_not_counted_as_changed(as_helene: Client, laposte: Organisation) -> None:
    apply_roster(laposte, people(40) + people(10, site="Brest", first=100))
    found = prepare_roster(laposte, [*people(4, site="Rennes", first=100), person("00200", "Neuf")])
    applied = confirm_and_apply(laposte, found.pk)

    assert (changed_people(found), changed_people(applied)) == (5, 1)
    assert at(laposte, found, "import_approve") in as_helene.get(at(laposte, found)).content.decode()


def test_a_changed_roster_sends_back_to_the_review(
    as_helene: Client, laposte: Organisation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    found = prepare_roster(laposte, people(2))
    make_employee(laposte, "00001", first_name="Zoé", last_name="Ancien")

    with django_capture_on_commit_callbacks(execute=True):
        as_helene.post(at(laposte, found, "import_confirm"), {"plan": plan_token(found)})

    assert b"note warn" in as_helene.get(at(laposte, found)).content
    assert reread(laposte, found.pk).state == "ready"


def test_another_organisations_import_does_not_exist(
    as_oscar: Client, laposte: Organisation, airbus: Organisation
) -> None:
    found = prepare_roster(laposte, people(1))

    for organisation in (laposte, airbus):
        for name in PAGES:
            assert as_oscar.get(at(organisation, found, name)).status_code == 404
        for name in POSTS:
            assert as_oscar.post(at(organisation, found, name)).status_code == 404


def test_whoever_only_reads_reports_may_not_see_people(as_victor: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(1))

    assert as_victor.get(at(laposte, found)).status_code == 403
    assert as_victor.get(reverse("import_new", args=["laposte"])).status_code == 403
    for name in POSTS:
        assert as_victor.post(at(laposte, found, name)).status_code == 403


def test_an_import_that_does_not_exist_is_not_found(as_helene: Client, laposte: Organisation) -> None:
    for import_id in (10**9, 10**40):
        assert as_helene.get(f"/o/laposte/imports/{import_id}/").status_code == 404
        assert as_helene.post(f"/o/laposte/imports/{import_id}/confirm/").status_code == 404


def test_deeds_are_posts_and_pages_are_not(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(1))

    for name in ("import_progress", "import_workbook", "import_copy"):
        assert as_helene.post(at(laposte, found, name)).status_code == 405
    for name in POSTS:
        assert as_helene.get(at(laposte, found, name)).status_code == 405


def test_the_review_costs_the_same_whatever_its_size(
    as_helene: Client, laposte: Organisation, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    small, large = prepare_roster(laposte, people(1)), prepare_roster(laposte, people(60))
    as_helene.get(at(laposte, small))

    counts = []
    for found in (small, large):
        with django_assert_max_num_queries(20) as asked:
            as_helene.get(at(laposte, found))
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_strange_place_or_page_is_the_beginning(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(3))

    for strange in ({"after": "x"}, {"after": "-1--2"}, {"after": "1-" + "9" * 40}, {"list": "sites", "page": "x"}):
        assert as_helene.get(at(laposte, found), strange).status_code == 200


def test_a_person_is_found_by_the_beginning_of_the_name_by_number_and_by_address(
    as_helene: Client, laposte: Organisation
) -> None:
    rows = [*people(3), person("00700", "Lefèvre", "Amélie", "amelie@laposte.example")]
    found = prepare_roster(laposte, rows)

    for typed in ("LEFEV", "lefèvre amé", "00700", "Amelie@laposte.example"):
        shown = as_helene.post(at(laposte, found), {"q": typed}).content.decode()
        assert "Amélie Lefèvre" in shown
        assert "Martin1" not in shown


def test_what_was_typed_to_find_a_person_stands_in_no_address(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(60))

    shown = as_helene.post(at(laposte, found), {"q": "martin"}).content.decode()

    assert "q=" not in shown
    assert 'rel="next"' not in shown


def test_the_numbers_of_a_site_open_its_people(as_helene: Client, laposte: Organisation) -> None:
    apply_roster(laposte, people(40, site="Lyon"))
    found = prepare_roster(laposte, [*people(2, site="Brest"), person("00100", "Neuf", "Zoé", "", "Rennes")])

    def names(**narrowed: str) -> list[str]:
        listing = as_helene.get(at(laposte, found), narrowed).context["listing"]
        return [row.name for row in listing.rows]

    assert names(list="moves", site="Brest") == ["Zoé Martin1", "Zoé Martin2"]
    assert names(**{"list": "moves", "from": "Lyon"}) == ["Zoé Martin1", "Zoé Martin2"]
    assert names(list="arrivals", site="Rennes") == ["Zoé Neuf"]
    assert names(list="arrivals", site="Brest") == []


def test_the_list_of_sites_says_who_comes_and_goes(as_helene: Client, laposte: Organisation) -> None:
    apply_roster(laposte, people(40, site="Lyon"))
    found = prepare_roster(laposte, people(2, site="Brest"))

    plans = {plan.site: plan for plan in as_helene.get(at(laposte, found), {"list": "sites"}).context["listing"].sites}

    assert (plans["Brest"].moves_in, plans["Lyon"].moves_out, plans["Lyon"].active) == (2, 2, 40)


def test_departures_page_after_page(as_helene: Client, laposte: Organisation) -> None:
    apply_roster(laposte, people(120))
    found = prepare_roster(laposte, people(1), mode="full")

    seen: list[str] = []
    after = ""
    for _page in range(3):
        listing = as_helene.get(at(laposte, found), {"list": "departures", "after": after}).context["listing"]
        seen += [row.key for row in listing.rows]
        after = listing.after
    assert len(seen) == len(set(seen)) == 119
    assert not after


def test_the_lists_cost_the_same_whatever_their_size(
    as_helene: Client, laposte: Organisation, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    apply_roster(laposte, people(70, site="Lyon"))
    small, large = prepare_roster(laposte, people(1, site="Brest")), prepare_roster(laposte, people(60, site="Brest"))
    as_helene.get(at(laposte, small))

    for wanted in ("changes", "moves", "sites", "issues", "twins"):
        counts = []
        for found in (small, large):
            with django_assert_max_num_queries(22) as asked:
                as_helene.get(at(laposte, found), {"list": wanted})
            counts.append(len(asked))
        assert counts[0] == counts[1], wanted


def test_an_import_from_a_page_is_looked_at_before_anything_else(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(1), channel="page")

    assert as_helene.get(at(laposte, found)).headers["Location"] == at(laposte, found, "import_reading")


def test_the_history_says_which_way_and_until_when(as_helene: Client, laposte: Organisation) -> None:
    applied = apply_roster(laposte, people(2))

    shown = as_helene.get(reverse("imports", args=["laposte"]))

    (line,) = shown.context["lines"]
    assert line.roster_import.pk == applied.pk
    assert line.kept_until > applied.created_at
    assert at(laposte, applied, "import_copy") in shown.content.decode()
    assert f"?like={applied.pk}" in shown.content.decode()


def test_like_last_time_fills_the_form(as_helene: Client, laposte: Organisation, airbus: Organisation) -> None:
    like = prepare_roster(laposte, people(1), mode="full", cohort_name="Vague 9")
    elsewhere = prepare_roster(airbus, people(1), cohort_name="Secret")
    address = reverse("import_new", args=["laposte"])

    assert as_helene.get(address, {"like": like.pk}).context["form"].initial == {"mode": "full", "cohort": "Vague 9"}
    for strange in (str(elsewhere.pk), "x", "9" * 30):
        assert as_helene.get(address, {"like": strange}).context["form"].initial == {}


def test_what_is_applied_can_be_stopped_and_is_taken_back(
    as_helene: Client, laposte: Organisation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    found = apply_roster(laposte, people(3))
    with organisation_scope(laposte.pk):
        RosterImport.objects.update(state="applying")
    assert at(laposte, found, "import_cancel") in as_helene.get(at(laposte, found)).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        as_helene.post(at(laposte, found, "import_cancel"))

    assert reread(laposte, found.pk).state == "undone"
    assert employees(laposte) == []


def test_the_undo_says_beforehand_what_it_comes_to(as_helene: Client, laposte: Organisation) -> None:
    found = apply_roster(laposte, people(3))
    apply_roster(laposte, people(1, site="Brest"))

    page = as_helene.get(at(laposte, found, "import_undo"))

    assert page.context["comes_back"] == 2
    assert [person["key"] for person in page.context["left"].people] == ["00001"]


def test_the_undo_keeps_its_lists_afterwards(
    as_helene: Client, laposte: Organisation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    found = apply_roster(laposte, people(3))
    apply_roster(laposte, people(1, site="Brest"))
    with django_capture_on_commit_callbacks(execute=True):
        as_helene.post(at(laposte, found, "import_undo"))

    page = as_helene.get(at(laposte, found, "import_undo"))

    assert reread(laposte, found.pk).state == "undone"
    assert [person["key"] for person in page.context["left"].people] == ["00001"]


def test_what_was_never_applied_has_no_undo(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(1))

    assert as_helene.get(at(laposte, found, "import_undo")).headers["Location"] == at(laposte, found)
