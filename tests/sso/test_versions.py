"""The history of metadata: what takes care of itself, what waits, what is held, and how it is taken back."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.core.actor import OPERATOR, SYSTEM
from portal.core.errors import Refusal
from portal.core.models import OutgoingMail
from portal.core.tenancy import organisation_scope
from portal.people.selectors import user_actor
from sso import versions
from sso.connecting import read_metadata
from sso.models import Connection, Identity, MetadataVersion
from sso.parties import identity_provider
from tests.sso import saml_kit as kit
from tests.sso.company import Company, make_company

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.core.actor import Actor
    from portal.people.models import User
    from sso.saml.config import IdentityProvider

pytestmark = pytest.mark.django_db

State = MetadataVersion.State
FRESH = kit.keys("renewed")


@pytest.fixture
def inside(poste: Company, odile: User) -> Iterator[Company]:
    with organisation_scope(poste.organisation.pk):
        yield poste


def idp_of(company: Company, *keys: kit.Keys, **changes: str) -> IdentityProvider:
    document = kit.metadata(
        entity_id=changes.get("entity_id", company.entity_id),
        sso_url=changes.get("sso_url", company.connection.idp_sso_url),
        certificates=tuple(key.certificate_pem for key in keys or (company.keys,)),
    )
    return read_metadata(document.encode())


def read(company: Company, idp: IdentityProvider, *, known_address: bool = True) -> MetadataVersion | None:
    return versions.record_reading(
        actor=SYSTEM,
        organisation=company.organisation,
        connection=company.connection,
        idp=idp,
        known_address=known_address,
    )


def states(company: Company) -> list[str]:
    return list(
        MetadataVersion.objects.filter(connection=company.connection).order_by("id").values_list("state", flat=True)
    )


def trusted(company: Company) -> set[str]:
    return set(Connection.objects.get(pk=company.connection.pk).idp_certificates)


def bare(*keys: kit.Keys) -> set[str]:
    return {kit.bare(key.certificate_pem) for key in keys}


def acts(company: Company, actor: Actor = OPERATOR) -> dict[str, object]:
    return {"actor": actor, "organisation": company.organisation, "connection": company.connection}


def actions(prefix: str = "sso:metadata") -> list[str]:
    return list(AuditEvent.objects.filter(action__startswith=prefix).order_by("id").values_list("action", flat=True))


def mail_names() -> list[str]:
    return list(OutgoingMail.objects.order_by("id").values_list("name", flat=True))


def test_the_first_version_is_what_was_connected(inside: Company) -> None:
    assert states(inside) == [State.IN_USE]
    assert read(inside, idp_of(inside)) is None
    assert states(inside) == [State.IN_USE]


def test_a_new_certificate_beside_a_known_one_is_trusted_by_itself_from_a_known_address(inside: Company) -> None:
    version = read(inside, idp_of(inside, inside.keys, FRESH))

    assert version
    assert (version.state, version.reasons) == (State.IN_USE, ["new_certificate"])
    assert trusted(inside) == bare(inside.keys, FRESH)
    assert states(inside) == [State.PAST, State.IN_USE]
    assert actions() == ["sso:metadata:accept"]
    assert mail_names() == []


def test_the_same_without_tls_waits_and_the_owners_are_told_once(inside: Company) -> None:
    idp = idp_of(inside, inside.keys, FRESH)
    version = read(inside, idp, known_address=False)
    assert read(inside, idp, known_address=False) is None

    assert version
    assert version.state == State.PENDING
    assert trusted(inside) == bare(inside.keys)
    assert mail_names() == ["metadata-waits"]
    assert actions() == ["sso:metadata:propose"]


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"sso_url": "https://idp.laposte.example/elsewhere"}, ["new_certificate", "address"]),
        ({"sso_url": "https://idp.evil.example/sso"}, ["sso_host", "new_certificate", "address"]),
        ({"entity_id": "https://idp.other.example/metadata"}, ["entity_id", "new_certificate"]),
    ],
)
def test_anything_beside_a_new_certificate_waits_for_a_person(
    inside: Company, changes: dict[str, str], reasons: list[str]
) -> None:
    version = read(inside, idp_of(inside, inside.keys, FRESH, **changes))

    assert version
    assert version.reasons == reasons
    assert version.state == (State.PENDING if len(reasons) == 2 and "address" in reasons else State.HELD)
    assert trusted(inside) == bare(inside.keys)
    assert Connection.objects.get().idp_entity_id == inside.entity_id


def test_metadata_without_any_known_certificate_is_held(inside: Company) -> None:
    version = read(inside, idp_of(inside, FRESH))

    assert version
    assert version.state == State.HELD
    assert version.reasons == ["no_known_certificate", "new_certificate", "certificate_dropped"]
    mail = OutgoingMail.objects.get()
    assert (mail.name, mail.context["held"]) == ("metadata-waits", True)


def test_a_new_certificate_that_takes_the_place_of_a_known_one_waits(inside: Company) -> None:
    other = kit.keys("other")
    read(inside, idp_of(inside, inside.keys, other))
    version = read(inside, idp_of(inside, other, FRESH))

    assert version
    assert (version.state, version.reasons) == (State.PENDING, ["new_certificate", "certificate_dropped"])


def test_a_certificate_that_left_is_trusted_seven_days_longer(inside: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    read(inside, idp_of(inside, inside.keys, FRESH))
    version = read(inside, idp_of(inside, FRESH))
    assert version
    assert (version.state, version.reasons) == (State.IN_USE, ["certificate_dropped"])
    assert trusted(inside) == bare(inside.keys, FRESH)

    now = timezone.now()
    monkeypatch.setattr("sso.versions.timezone.now", lambda: now + timedelta(days=6, hours=23))
    read(inside, idp_of(inside, FRESH))
    assert trusted(inside) == bare(inside.keys, FRESH)
    monkeypatch.setattr("sso.versions.timezone.now", lambda: now + timedelta(days=7, minutes=1))
    read(inside, idp_of(inside, FRESH))
    assert trusted(inside) == bare(FRESH)
    assert AuditEvent.objects.filter(data__certificates_dropped=1).count() == 1


def test_a_certificate_that_comes_back_counts_from_anew(inside: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    read(inside, idp_of(inside, inside.keys, FRESH))
    read(inside, idp_of(inside, FRESH))
    now = timezone.now()
    # When rows are made is not ours to say: the past is written by hand.
    MetadataVersion.objects.update(created_at=now - timedelta(days=8))
    read(inside, idp_of(inside, inside.keys, FRESH))
    read(inside, idp_of(inside, FRESH))

    read(inside, idp_of(inside, FRESH))

    assert trusted(inside) == bare(inside.keys, FRESH)


def test_what_its_maker_took_back_waits_no_longer(inside: Company) -> None:
    read(inside, idp_of(inside, FRESH))
    read(inside, idp_of(inside))

    assert states(inside) == [State.IN_USE, State.DECLINED]
    read(inside, idp_of(inside, FRESH))
    assert states(inside) == [State.IN_USE, State.DECLINED, State.HELD]


def test_what_is_newer_takes_the_place_of_what_waits(inside: Company) -> None:
    read(inside, idp_of(inside, FRESH))
    read(inside, idp_of(inside, kit.keys("third")))

    assert states(inside) == [State.IN_USE, State.DECLINED, State.HELD]


def test_what_a_person_declined_is_not_proposed_again(inside: Company) -> None:
    version = read(inside, idp_of(inside, FRESH))
    assert version
    versions.decline_version(**acts(inside), version_id=version.pk)  # type: ignore[arg-type]

    assert read(inside, idp_of(inside, FRESH)) is None
    assert states(inside) == [State.IN_USE, State.DECLINED]
    assert trusted(inside) == bare(inside.keys)
    with pytest.raises(Refusal) as refused:
        versions.decline_version(**acts(inside), version_id=version.pk)  # type: ignore[arg-type]
    assert refused.value.code == "unknown_version"


def test_how_sign_outs_travel_comes_with_the_version_and_goes_back_with_it(inside: Company) -> None:
    before = versions.version_in_use(inside.connection)
    there = "https://idp.laposte.example/out"
    by_post = replace(idp_of(inside), slo_url=there, slo_binding=kit.POST, slo_response_url=f"{there}/answer")
    version = read(inside, by_post)
    assert version
    versions.accept_version(**acts(inside), version_id=version.pk)  # type: ignore[arg-type]
    known = identity_provider(Connection.objects.get(pk=inside.connection.pk))
    assert (known.slo_url, known.slo_binding, known.slo_response_url) == (there, kit.POST, f"{there}/answer")
    assert read(inside, by_post) is None

    versions.roll_back(**acts(inside), version_id=before.pk)  # type: ignore[arg-type]
    assert Connection.objects.get(pk=inside.connection.pk).idp_slo_binding == ""


def make_identity(company: Company, user: User, subject: str) -> Identity:
    return Identity.objects.create(
        organisation=company.organisation,
        connection=company.connection,
        subject=subject,
        user=user,
        last_seen_at=timezone.now(),
    )


def suspended(company: Company) -> set[str]:
    identities = Identity.objects.filter(connection=company.connection, suspended_at__isnull=False)
    return set(identities.values_list("subject", flat=True))


def test_accepting_what_could_be_another_lets_nobody_in_and_suspends_everybody_else(
    inside: Company, odile: User, helene: User
) -> None:
    make_identity(inside, odile, "odile")
    make_identity(inside, helene, "helene")
    version = read(inside, idp_of(inside, FRESH))
    assert version

    versions.accept_version(**acts(inside, user_actor(odile)), version_id=version.pk)  # type: ignore[arg-type]

    connection = Connection.objects.get()
    assert connection.state == Connection.State.CONFIGURED
    assert trusted(inside) == bare(FRESH)
    assert suspended(inside) == {"helene"}
    assert mail_names() == ["metadata-waits", "sign-in-replaced"]
    assert actions() == ["sso:metadata:propose", "sso:metadata:accept"]
    assert AuditEvent.objects.get(action="sso:identity:suspend").data == {"suspended": 1}


def test_accepting_a_certificate_that_waited_changes_nothing_for_people(inside: Company, helene: User) -> None:
    make_identity(inside, helene, "helene")
    version = read(inside, idp_of(inside, inside.keys, FRESH), known_address=False)
    assert version

    versions.accept_version(**acts(inside), version_id=version.pk)  # type: ignore[arg-type]

    assert suspended(inside) == set()
    assert Connection.objects.get().state == Connection.State.ACTIVE
    assert trusted(inside) == bare(inside.keys, FRESH)


def test_putting_back_restores_whom_the_change_had_suspended(inside: Company, odile: User, helene: User) -> None:
    make_identity(inside, helene, "helene")
    first = MetadataVersion.objects.get()
    version = read(inside, idp_of(inside, FRESH))
    assert version
    versions.accept_version(**acts(inside), version_id=version.pk)  # type: ignore[arg-type]
    make_identity(inside, odile, "came by the other one")

    versions.roll_back(**acts(inside), version_id=first.pk)  # type: ignore[arg-type]

    assert suspended(inside) == {"came by the other one"}
    assert trusted(inside) == bare(inside.keys)
    assert states(inside) == [State.IN_USE, State.PAST]
    assert Connection.objects.get().state == Connection.State.CONFIGURED
    versions.roll_back(**acts(inside), version_id=version.pk)  # type: ignore[arg-type]
    assert suspended(inside) == {"helene"}


def test_putting_a_version_back_restores_nobody_whom_it_never_knew(inside: Company, odile: User, helene: User) -> None:
    contractors = versions.version_in_use(inside.connection)
    make_identity(inside, odile, "known to the contractor")
    companys = read(inside, idp_of(inside, FRESH))
    assert companys
    versions.accept_version(**acts(inside), version_id=companys.pk)  # type: ignore[arg-type]
    make_identity(inside, helene, "known to the company")
    moved = read(inside, idp_of(inside, FRESH, sso_url="https://idp.elsewhere.example/sso"))
    assert moved
    versions.accept_version(**acts(inside), version_id=moved.pk)  # type: ignore[arg-type]
    assert suspended(inside) == {"known to the contractor", "known to the company"}

    versions.roll_back(**acts(inside), version_id=contractors.pk)  # type: ignore[arg-type]

    assert suspended(inside) == {"known to the company"}


def test_another_connection_keeps_its_identity_provider(inside: Company) -> None:
    other = make_company(inside.organisation, name="second")
    version = read(inside, idp_of(inside, FRESH, entity_id=other.entity_id))
    assert version

    with pytest.raises(Refusal) as refused:
        versions.accept_version(**acts(inside), version_id=version.pk)  # type: ignore[arg-type]

    assert refused.value.code == "other_connection"
    assert trusted(inside) == bare(inside.keys)


def test_a_version_of_another_connection_does_not_exist(inside: Company) -> None:
    other = make_company(inside.organisation, name="second")
    version = read(other, idp_of(other, FRESH))
    assert version

    for service in (versions.accept_version, versions.decline_version, versions.roll_back):
        with pytest.raises(Refusal):
            service(**acts(inside), version_id=version.pk)  # type: ignore[arg-type]


def test_people_sign_in_with_either_key_during_a_renewal(poste: Company) -> None:
    renewed = dataclasses.replace(poste, keys=FRESH)
    with organisation_scope(poste.organisation.pk):
        read(poste, idp_of(poste, poste.keys, FRESH))

    assert poste.sign_in(Client()).status_code == 302
    assert renewed.sign_in(Client()).status_code == 302
