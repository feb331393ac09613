from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from portal.core.actor import OPERATOR
from portal.core.delivery import deliver_mail
from portal.core.tenancy import organisation_scope
from portal.waves.models import Wave
from sso.connecting import connect_idp
from tests.factories.people import sign_in
from tests.sso import saml_kit

if TYPE_CHECKING:
    from pytest_django.fixtures import DjangoAssertNumQueries, Settings

    from portal.cohorts.models import Cohort
    from portal.organisations.models import Organisation
    from portal.people.models import User

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Lyon, première",
    "sites": ["Lyon"],
    "starts_at": "2036-11-24T09:00",
    "per_hour": "2",
    "first_hour": "8",
    "last_hour": "18",
    "reminders": "1",
    "reminder_days": "7",
    "subject_fr": "Venez",
}


@pytest.fixture
def hr(laposte: Organisation, helene: User) -> Client:
    return sign_in(helene, laposte)


def drafted(hr: Client, cohort: Cohort, **changes: object) -> Wave:
    answer = hr.post(reverse("wave_new", args=["laposte", cohort.pk]), {**FORM, **changes})
    assert answer.status_code == 302, answer.context["form"].errors
    with organisation_scope(cohort.organisation_id):
        return Wave.objects.latest("pk")


def test_from_a_draft_to_a_stop(hr: Client, cohort: Cohort) -> None:
    wave = drafted(hr, cohort)
    page = hr.get(reverse("wave", args=["laposte", wave.pk])).content.decode()
    assert "3 personnes" in page
    assert "La connexion d’entreprise n’est pas ouverte" in page
    assert "Venez" in page
    assert reverse("wave_plan", args=["laposte", wave.pk]) not in page
    hr.post(reverse("wave_try", args=["laposte", wave.pk]))
    assert (
        reverse("wave_plan", args=["laposte", wave.pk])
        in hr.get(reverse("wave", args=["laposte", wave.pk])).content.decode()
    )
    for step, word in (("plan", "3 invitations"), ("pause", "3 messages attendent"), ("resume", "reprend")):
        answer = hr.post(reverse(f"wave_{step}", args=["laposte", wave.pk]), follow=True)
        assert word in answer.content.decode()
    answer = hr.post(reverse("wave_stop", args=["laposte", wave.pk]), follow=True)
    assert "3 messages ne partiront pas" in answer.content.decode()
    again = hr.post(reverse("wave_plan", args=["laposte", wave.pk]), follow=True)
    assert "plus dans cet état" in again.content.decode()


def test_what_is_typed_is_on_the_organisations_clock(hr: Client, laposte: Organisation, cohort: Cohort) -> None:
    type(laposte).objects.filter(pk=laposte.pk).update(time_zone="Indian/Reunion")
    wave = drafted(hr, cohort)
    assert wave.starts_at.isoformat() == "2036-11-24T05:00:00+00:00"
    form = hr.get(reverse("wave_edit", args=["laposte", wave.pk])).content.decode()
    assert "2036-11-24T09:00" in form


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("starts_at", "demain", "date"),
        ("per_hour", "0", "1"),
        ("last_hour", "7", "La journée finirait avant de commencer"),
        ("sites", ["Ailleurs"], "Ailleurs"),
        ("name", "", "obligatoire"),
    ],
)
def test_a_wave_that_makes_no_sense_is_said_at_its_field(
    hr: Client, cohort: Cohort, field: str, value: object, said: str
) -> None:
    answer = hr.post(reverse("wave_new", args=["laposte", cohort.pk]), {**FORM, field: value})
    assert answer.status_code == 200
    assert said in str(answer.context["form"].errors[field])


def test_it_is_sent_to_oneself(hr: Client, laposte: Organisation, cohort: Cohort) -> None:
    wave = drafted(hr, cohort)
    hr.post(reverse("wave_try", args=["laposte", wave.pk]))
    deliver_mail(organisation_id=laposte.pk)
    assert [message.to for message in mail.outbox] == [["hélène@laposte.example"]]


def test_the_crowd_that_would_come_is_announced(hr: Client, cohort: Cohort, settings: Settings) -> None:
    wave = drafted(hr, cohort)
    address = reverse("wave", args=["laposte", wave.pk])
    assert "Envoyez moins de messages par heure" not in hr.get(address).content.decode()
    settings.SIGN_INS_PER_MINUTE = 0
    assert "Envoyez moins de messages par heure" in hr.get(address).content.decode()


def test_the_page_costs_the_same_whatever_the_wave(
    hr: Client, cohort: Cohort, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    wave = drafted(hr, cohort)
    hr.post(reverse("wave_try", args=["laposte", wave.pk]))
    hr.post(reverse("wave_plan", args=["laposte", wave.pk]))
    address = reverse("wave", args=["laposte", wave.pk])
    hr.get(address)
    with django_assert_num_queries(19):
        hr.get(address)


def test_everyone_begins_at_the_same_address(laposte: Organisation) -> None:
    address = reverse("wave_start", args=["laposte"])
    assert Client().get(address)["Location"] == "/"
    assert Client().get(reverse("wave_start", args=["nobody"]))["Location"] == "/"
    with organisation_scope(laposte.pk):
        connection = connect_idp(
            actor=OPERATOR, organisation=laposte, metadata_xml=saml_kit.metadata().encode(), activate=True
        )
    answer = Client().get(address)
    assert answer["Location"] == f"/sso/{connection.public_id}/login/?next=/me/"
    assert not answer.cookies
    assert Client().get(address)["Location"] == answer["Location"]


def test_whoever_is_signed_in_goes_to_their_course(laposte: Organisation, amelie_login: User) -> None:
    assert sign_in(amelie_login, laposte).get(reverse("wave_start", args=["laposte"]))["Location"] == "/me/"
