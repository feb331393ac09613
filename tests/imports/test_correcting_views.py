"""Correcting an import in its pages: rows, sites, twins, values edited by hand, and comparing again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from imports.models import RosterImport, SitePlan, StagedRow
from portal.core.tenancy import organisation_scope
from tests.factories.people import make_employee
from tests.imports.pages import at
from tests.imports.rosters import apply_roster, people, person, prepare_roster, reread, roster_file

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.usefixtures("_work_at_once")

TYPED = {"employee_number": "00090", "last_name": "Neuf", "first_name": "Zoé", "email": "zoe@laposte.example"}


@pytest.fixture
def faulty(laposte: Organisation) -> RosterImport:
    """Rows 3 and 4 of the file carry no address that could be one."""
    return prepare_roster(
        laposte, [*people(1), person("00090", "Neuf", "Zoé", "x"), person("00091", "Dix", "Léo", "y")]
    )


def test_a_faulty_row_leads_to_its_form(as_helene: Client, laposte: Organisation, faulty: RosterImport) -> None:
    shown = as_helene.get(at(laposte, faulty), {"list": "rejected"}).content.decode()

    assert at(laposte, faulty, "import_row", 3) in shown


def test_the_form_of_a_row_says_what_is_wrong_beside_its_field(
    as_helene: Client, laposte: Organisation, faulty: RosterImport
) -> None:
    form = as_helene.get(at(laposte, faulty, "import_row", 3)).context["form"]

    assert set(form.errors) == {"email"}
    assert form["email"].value() == "x"
    assert form["last_name"].value() == "Neuf"


def test_a_field_is_checked_as_it_is_typed_and_nothing_is_written(
    as_helene: Client, laposte: Organisation, faulty: RosterImport
) -> None:
    address = at(laposte, faulty, "import_row_check", 3)

    wrong = as_helene.post(f"{address}?field=email", {**TYPED, "email": "encore"}).content.decode()
    right = as_helene.post(f"{address}?field=email", TYPED).content.decode()

    assert "encore" in wrong
    assert "<html" not in wrong
    assert "<li>" not in right
    assert not reread(laposte, faulty.pk).stale


def test_a_field_that_the_file_has_not_is_not_found(
    as_helene: Client, laposte: Organisation, faulty: RosterImport
) -> None:
    for name in ("active", "department", ""):
        assert as_helene.post(f"{at(laposte, faulty, 'import_row_check', 3)}?field={name}", TYPED).status_code == 404


def test_a_row_that_is_still_wrong_stays_in_its_form(
    as_helene: Client, laposte: Organisation, faulty: RosterImport
) -> None:
    answer = as_helene.post(at(laposte, faulty, "import_row", 3), {**TYPED, "email": "<b>@"})

    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"email"}
    assert "<b>@" not in answer.content.decode()


def test_a_corrected_row_leads_to_the_next_then_to_the_review(
    as_helene: Client, laposte: Organisation, faulty: RosterImport
) -> None:
    first = as_helene.post(at(laposte, faulty, "import_row", 3), TYPED)
    second = as_helene.post(at(laposte, faulty, "import_row", 4), {**TYPED, "employee_number": "00091"})

    assert first.headers["Location"] == at(laposte, faulty, "import_row", 4)
    assert second.headers["Location"] == at(laposte, faulty)


def test_corrected_rows_are_compared_before_anything_is_applied(
    as_helene: Client,
    laposte: Organisation,
    faulty: RosterImport,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    as_helene.post(at(laposte, faulty, "import_row", 3), TYPED)
    stale = as_helene.get(at(laposte, faulty)).content.decode()
    assert at(laposte, faulty, "import_compare") in stale
    assert at(laposte, faulty, "import_confirm") not in stale

    with django_capture_on_commit_callbacks(execute=True):
        as_helene.post(at(laposte, faulty, "import_compare"))

    counts = reread(laposte, faulty.pk).counts
    assert (counts["create"], counts["reject"]) == (2, 1)
    assert at(laposte, faulty, "import_confirm") in as_helene.get(at(laposte, faulty)).content.decode()


def test_a_row_that_is_not_there_is_not_found(as_helene: Client, laposte: Organisation, faulty: RosterImport) -> None:
    for number in (99, 10**9, 10**30):
        assert as_helene.get(at(laposte, faulty, "import_row", number)).status_code == 404


def test_another_organisations_row_does_not_exist(
    as_oscar: Client, laposte: Organisation, airbus: Organisation, faulty: RosterImport
) -> None:
    for organisation in (laposte, airbus):
        assert as_oscar.get(at(organisation, faulty, "import_row", 3)).status_code == 404
        assert as_oscar.post(at(organisation, faulty, "import_row", 3), TYPED).status_code == 404
        assert as_oscar.post(at(organisation, faulty, "import_row_check", 3) + "?field=email").status_code == 404


def test_the_roster_keeps_its_name_of_a_site_that_is_written_in_another_way(
    as_helene: Client, laposte: Organisation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    apply_roster(laposte, people(40, site="Lyon Est"))
    found = prepare_roster(laposte, [person("00100", "Neuf", "Zoé", "", "LYON - ESTE")])
    (site,) = as_helene.get(at(laposte, found, "import_sites")).context["sites"]
    assert (site.people, site.close) == (1, ["Lyon Est"])

    with django_capture_on_commit_callbacks(execute=True):
        as_helene.post(at(laposte, found, "import_sites"), {f"site-{site.plan.pk}": "Lyon Est"})

    with organisation_scope(laposte.pk):
        assert StagedRow.objects.get(roster_import=found).site == "Lyon Est"
    assert as_helene.get(at(laposte, found, "import_sites")).context["sites"] == []


def test_a_name_that_is_typed_wins_over_the_proposals(
    as_helene: Client, laposte: Organisation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    apply_roster(laposte, people(40, site="Lyon"))
    found = prepare_roster(laposte, [person("00100", "Neuf", "Zoé", "", "Lyonn")])
    with organisation_scope(laposte.pk):
        plan = SitePlan.objects.get(roster_import=found, site="Lyonn")

    with django_capture_on_commit_callbacks(execute=True):
        said = {f"site-{plan.pk}": "Lyon", f"other-{plan.pk}": " Lyon  Sud "}
        as_helene.post(at(laposte, found, "import_sites"), said)

    with organisation_scope(laposte.pk):
        assert StagedRow.objects.get(roster_import=found).site == "Lyon Sud"


def test_sites_that_keep_their_names_ask_for_nothing(as_helene: Client, laposte: Organisation) -> None:
    found = prepare_roster(laposte, people(1, site="Brest"))

    as_helene.post(at(laposte, found, "import_sites"), {})

    assert reread(laposte, found.pk).state == "ready"


@pytest.fixture
def twins(laposte: Organisation) -> RosterImport:
    """The same address under another number."""
    with organisation_scope(laposte.pk):
        make_employee(laposte, "00500", first_name="Zoé", last_name="Neuf", email="zoe@laposte.example")
    return prepare_roster(laposte, [person("00900", "Neuf-Dix", "Zoé", "zoe@laposte.example")])


def test_likely_twins_stand_side_by_side(as_helene: Client, laposte: Organisation, twins: RosterImport) -> None:
    (pair,) = as_helene.get(at(laposte, twins), {"list": "twins"}).context["listing"].pairs

    assert {(line.before, line.after) for line in pair.lines} >= {("00500", "00900"), ("Neuf", "Neuf-Dix")}
    assert pair.why


@pytest.mark.parametrize(("word", "created"), [("same", 0), ("other", 1)])
def test_what_is_said_of_twins_counts(
    as_helene: Client,
    laposte: Organisation,
    twins: RosterImport,
    word: str,
    created: int,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        as_helene.post(at(laposte, twins, "import_twins"), {"twin-2": word, "twin-x": "same", "twin-3": "perhaps"})

    assert reread(laposte, twins.pk).counts["create"] == created


def test_nothing_said_of_twins_asks_for_nothing(as_helene: Client, laposte: Organisation, twins: RosterImport) -> None:
    as_helene.post(at(laposte, twins, "import_twins"), {"twin-2": ""})

    assert reread(laposte, twins.pk).state == "ready"


def test_whose_values_count_is_said_once_and_can_be_said_again(
    as_helene: Client, laposte: Organisation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with organisation_scope(laposte.pk):
        make_employee(laposte, "00001", first_name="Zoé", last_name="Martin1", site="Brest", edited=["site"])
    found = prepare_roster(laposte, people(1, site="Lyon"))
    assert found.counts["kept"] == 1

    seen = []
    for take in ("file", "ours"):
        with django_capture_on_commit_callbacks(execute=True):
            as_helene.post(at(laposte, found, "import_edits"), {"take": take})
        seen.append(reread(laposte, found.pk).counts["update"])
    assert seen == [1, 0]


def test_rows_are_brought_back_as_a_file(as_helene: Client, laposte: Organisation, faulty: RosterImport) -> None:
    back = SimpleUploadedFile("corrige.csv", roster_file([person("00090", "Neuf", "Zoé", "z@laposte.example")]).read())

    as_helene.post(at(laposte, faulty, "import_corrections"), {"file": back})

    assert reread(laposte, faulty.pk).state == "preparing"


def test_no_file_brought_back_says_so(as_helene: Client, laposte: Organisation, faulty: RosterImport) -> None:
    answer = as_helene.post(at(laposte, faulty, "import_corrections"), follow=True)

    assert b'class="note bad"' in answer.content
    assert reread(laposte, faulty.pk).state == "ready"


@pytest.mark.parametrize("name", ["import_workbook", "import_copy"])
def test_the_file_comes_back_while_it_is_kept(
    as_helene: Client, laposte: Organisation, faulty: RosterImport, name: str
) -> None:
    kept = as_helene.get(at(laposte, faulty, name), {"only": "faulty"})
    assert "attachment" in kept.headers["Content-Disposition"]
    assert kept.getvalue()

    with organisation_scope(laposte.pk):
        RosterImport.objects.update(copy="")
    assert as_helene.get(at(laposte, faulty, name)).headers["Location"] == at(laposte, faulty)


def test_a_template_can_be_had_before_there_is_a_file(as_helene: Client, laposte: Organisation) -> None:
    answer = as_helene.get(reverse("import_template", args=["laposte"]))

    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.getvalue()
