from __future__ import annotations

import pytest

from portal.audit.selectors import audit_lines
from portal.core.actor import OPERATOR
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.models import DoorKind, EmailDomain, Organisation
from portal.organisations.selectors import (
    organisation_named,
    organisation_of_domain,
    organisations_behind,
    verified_domains,
)
from portal.organisations.services import close_door, create_organisation, open_door

pytestmark = pytest.mark.django_db


def create(slug: str = "acme", name: str = "Acme", *domains: str) -> Organisation:
    return create_organisation(actor=OPERATOR, slug=slug, name=name, domains=domains)


def test_it_is_created_with_its_domains_and_audited_once() -> None:
    organisation = create("acme", " Acme   SA ", "@Acme.Example")
    assert organisation.name == "Acme SA"
    assert verified_domains(organisation) == frozenset({"acme.example"})
    assert create("acme", "Acme SA", "acme.example") == organisation
    with organisation_scope(organisation.pk):
        assert [line.action for line in audit_lines(organisation)] == ["organisations:organisation:create"]


@pytest.mark.parametrize(
    ("slug", "name", "domains", "code"),
    [
        ("Acme", "Acme", (), "invalid_slug"),
        ("-acme", "Acme", (), "invalid_slug"),
        ("a" * 61, "Acme", (), "invalid_slug"),
        ("acme", "  ", (), "invalid_name"),
        ("acme", "x" * 201, (), "invalid_name"),
        ("acme", "Acme", ("not a domain",), "invalid_domain"),
        ("acme", "Acme", ("localhost",), "invalid_domain"),
        ("laposte", "Another", (), "exists_differently"),
        ("laposte", "La Poste", ("other.example",), "exists_differently"),
        ("acme", "Acme", ("laposte.example",), "domain_taken"),
    ],
)
def test_it_refuses(laposte: Organisation, slug: str, name: str, domains: tuple[str, ...], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        create(slug, name, *domains)
    assert refused.value.code == code
    assert str(refused.value)
    assert list(Organisation.objects.all()) == [laposte]


def test_a_domain_leads_to_its_organisation_only_when_verified(laposte: Organisation) -> None:
    EmailDomain.objects.create(organisation=laposte, domain="claimed.example")
    assert organisation_of_domain("LaPoste.example") == laposte
    assert organisation_of_domain("claimed.example") is None


def test_a_door_leads_to_active_organisations_and_closes(laposte: Organisation, airbus: Organisation) -> None:
    for organisation in (laposte, airbus):
        open_door(kind=DoorKind.MEMBER, key="7", organisation_id=organisation.pk)
        open_door(kind=DoorKind.MEMBER, key="7", organisation_id=organisation.pk)
    assert organisations_behind(DoorKind.MEMBER, "7") == sorted([laposte.pk, airbus.pk])
    assert organisations_behind(DoorKind.CONNECTION, "7") == []
    close_door(kind=DoorKind.MEMBER, key="7", organisation_id=airbus.pk)
    assert organisations_behind(DoorKind.MEMBER, "7") == [laposte.pk]
    Organisation.objects.filter(pk=laposte.pk).update(active=False)
    assert organisations_behind(DoorKind.MEMBER, "7") == []


def test_an_unknown_slug_gets_a_sentence() -> None:
    with pytest.raises(Refusal) as refused:
        organisation_named("nobody")
    assert refused.value.code == "unknown_organisation"
    assert "nobody" in str(refused.value)
