from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from portal.cohorts.models import DEFAULT_PROGRAMME, Cohort
from portal.cohorts.selectors import cohort_named, programme_coded
from portal.cohorts.services import cohorts_for_names, configure_programme, create_cohort
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _inside(laposte: Organisation) -> Iterator[None]:
    with organisation_scope(laposte.pk):
        yield


def test_the_programme_is_there_from_the_first_migration() -> None:
    assert programme_coded().code == DEFAULT_PROGRAMME


def test_a_name_is_one_cohort_whatever_its_case_and_spaces(laposte: Organisation) -> None:
    cohort = create_cohort(actor=OPERATOR, organisation=laposte, name="  Vague   1 ")
    assert cohort.name == "Vague 1"
    assert create_cohort(actor=OPERATOR, organisation=laposte, name="VAGUE 1") == cohort
    assert cohort_named(laposte, "vague 1") == cohort_named(laposte, f"id:{cohort.pk}") == cohort


@pytest.mark.parametrize("reference", ["Vague 9", "id:999999", "id:x", "id:", "id:" + "9" * 30])
def test_an_unknown_cohort_gets_a_sentence(laposte: Organisation, reference: str) -> None:
    with pytest.raises(Refusal) as refused:
        cohort_named(laposte, reference)
    assert refused.value.code == "unknown_cohort"


def test_other_dates_are_refused_and_change_nothing(laposte: Organisation) -> None:
    create_cohort(actor=OPERATOR, organisation=laposte, name="Vague 1", ends_on=date(2026, 12, 1))
    for ends_on, code in ((date(2027, 1, 1), "exists_differently"), (date(2026, 12, 1), "ends_before_it_starts")):
        starts_on = date(2027, 2, 1) if code == "ends_before_it_starts" else None
        with pytest.raises(Refusal) as refused:
            create_cohort(actor=OPERATOR, organisation=laposte, name="Vague 1", starts_on=starts_on, ends_on=ends_on)
        assert refused.value.code == code
    assert Cohort.objects.get().ends_on == date(2026, 12, 1)


def test_names_of_a_file_become_cohorts_once(laposte: Organisation) -> None:
    found = cohorts_for_names(actor=OPERATOR, organisation=laposte, names=["Vague 1", "vague 1 ", "Vague 2", " "])
    assert {key: cohort.name for key, cohort in found.items()} == {"vague 1": "vague 1", "vague 2": "Vague 2"}
    assert Cohort.objects.count() == 2


def test_the_course_opens_at_a_safe_address_only() -> None:
    configured = configure_programme(actor=OPERATOR, code=DEFAULT_PROGRAMME, launch_url="https://learn.example/start")
    assert configured.launch_url == "https://learn.example/start"
    for address in ("javascript:alert(1)", "ftp://learn.example", "https://", ""):
        with pytest.raises(Refusal):
            configure_programme(actor=OPERATOR, code=DEFAULT_PROGRAMME, launch_url=address)
