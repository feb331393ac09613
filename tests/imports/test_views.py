"""The pages of an import, as HR meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from imports import tasks
from imports.corrections import accept_reading
from imports.models import RosterImport
from imports.review import changed_people
from imports.services import fail_import
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.people.selectors import user_actor
from tests.factories.people import make_employee
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


@pytest.fixture(autouse=True)
def _work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page enqueues is done here, once its transaction is over."""
    for task in (tasks.prepare, tasks.plan, tasks.apply, tasks.undo):
        monkeypatch.setattr(task, "apply_async", lambda ids, task=task: task.run(*ids))


def at(organisation: Organisation, found: RosterImport, name: str = "import_detail") -> str:
    return reverse(name, args=[organisation.slug, found.pk])


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
            answer = as_helene.post(at(laposte, found, name))
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
    as_helene.post(button)
    assert reread(laposte, found.pk).state == "held"
    as_odile.post(button)
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
        as_helene.post(at(laposte, found, "import_confirm"))

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
