"""Who the person is: what identifies for ever, what is only data, and what is refused rather than guessed."""

from __future__ import annotations

from typing import Any

import pytest

from sso.saml.attributes import PRESET, MappedPerson, mapped
from sso.saml.errors import SAMLError
from sso.saml.response import VerifiedAssertion
from tests.sso import saml_kit as kit

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
TRANSIENT = f"{kit.FORMAT}transient"
EMAIL = f"{kit.FORMAT_1_1}emailAddress"
PAIRWISE = "urn:oasis:names:tc:SAML:attribute:pairwise-id"
UNSPECIFIED = f"{kit.FORMAT_1_1}unspecified"


def assertion(name_id: str = "n-1", name_id_format: str = kit.PERSISTENT, /, **attributes: Any) -> VerifiedAssertion:
    return VerifiedAssertion(
        assertion_id="_a",
        issuer=kit.IDP_ENTITY_ID,
        name_id=name_id,
        name_id_format=name_id_format,
        attributes=attributes,
        session_index="",
        in_response_to=kit.REQUEST_ID,
        not_on_or_after=kit.NOW,
        authn_instant=kit.NOW,
    )


def refused(said: VerifiedAssertion, **mapping: tuple[str, ...]) -> SAMLError:
    with pytest.raises(SAMLError) as caught:
        mapped(said, mapping)
    return caught.value


def test_entra() -> None:
    said = assertion(
        "a_b#EXT#@tenant.example",
        EMAIL,
        **{
            OBJECT_ID: ("0b1c",),
            f"{CLAIMS}emailaddress": ("Claire.Martin@Example.fr",),
            f"{CLAIMS}givenname": ("Claire",),
            f"{CLAIMS}surname": ("Martin",),
            "http://schemas.microsoft.com/identity/claims/displayname": ("Claire Martin",),
        },
    )

    assert mapped(said, {}) == MappedPerson(
        subject="0b1c",
        subject_source=OBJECT_ID,
        email="claire.martin@example.fr",
        employee_number="",
        first_name="Claire",
        last_name="Martin",
        display="Claire Martin",
    )


def test_keycloak() -> None:
    said = assertion("claire", UNSPECIFIED, email=("c@example.fr",), firstName=("Claire",), lastName=("Martin",))
    person = mapped(said, {})

    assert (person.subject, person.subject_source) == ("claire", "NameID")
    assert (person.email, person.first_name, person.last_name) == ("c@example.fr", "Claire", "Martin")


def test_a_persistent_name_id_is_not_displaced_by_an_attribute_that_appears_later() -> None:
    assert mapped(assertion("n-1", **{OBJECT_ID: ("0b1c",)}), {}).subject == "n-1"


def test_a_chosen_attribute_is_the_only_source() -> None:
    assert mapped(assertion(uid=("u1",)), {"subject": ("uid",)}).subject_source == "uid"
    assert refused(assertion(mail=("x@example.fr",)), subject=("uid",)).code == "nameid_missing"


def test_a_chosen_e_mail_is_no_identifier() -> None:
    assert refused(assertion(mail=("x@example.fr",)), subject=("mail",)).code == "nameid_email"


@pytest.mark.parametrize(
    ("name_id", "name_id_format", "code"),
    [
        ("", "", "nameid_missing"),
        ("   ", kit.PERSISTENT, "nameid_missing"),
        ("_x1", TRANSIENT, "nameid_transient"),
        ("claire@example.fr", EMAIL, "nameid_email"),
        ("claire", EMAIL, "nameid_email"),
        ("claire@example.fr", UNSPECIFIED, "nameid_email"),
        ("claire@example.fr", kit.PERSISTENT, "nameid_email"),
        ("Another.Address@Example.fr", kit.PERSISTENT, "nameid_email"),
    ],
)
def test_what_identifies_nobody_for_long(name_id: str, name_id_format: str, code: str) -> None:
    error = refused(assertion(name_id, name_id_format, mail=("claire@example.fr",)))

    assert error.code == code
    assert "claire" not in error.details["received"]


def test_an_unstable_name_id_is_no_matter_beside_a_stable_attribute() -> None:
    assert mapped(assertion("_x1", TRANSIENT, **{OBJECT_ID: ("0b1c",)}), {}).subject == "0b1c"


def test_an_address_that_calls_itself_persistent_is_one_also_where_the_name_id_was_chosen() -> None:
    assert refused(assertion("claire@example.fr"), subject=("NameID",)).code == "nameid_email"
    assert mapped(assertion("claire@example.fr", **{OBJECT_ID: ("0b1c",)}), {}).subject == "0b1c"


@pytest.mark.parametrize("chosen", [(), (PAIRWISE,)])
def test_an_identifier_with_a_scope_is_no_address(chosen: tuple[str, ...]) -> None:
    said = assertion("", "", **{PAIRWISE: ("X7K2@example.fr",), "mail": ("claire@example.fr",)})

    assert mapped(said, {"subject": chosen}).subject == "X7K2@example.fr"


@pytest.mark.parametrize("mapping", [{}, {"subject": (PAIRWISE,)}, {"email": ("courriel",)}])
def test_an_attribute_that_holds_the_address_identifies_nobody(mapping: dict[str, tuple[str, ...]]) -> None:
    said = assertion("", "", **{PAIRWISE: ("claire@example.fr",), "mail": ("Claire@Example.fr",)})

    assert refused(said, **mapping).code == "nameid_email"


def test_white_space_and_spelling_make_nobody_twice() -> None:
    composed, decomposed = "Élo\u00efse", "E\u0301loi\u0308se"

    assert mapped(assertion(f" {decomposed}\n"), {}).subject == composed
    assert mapped(assertion(sn=(decomposed, composed)), {}).last_name == composed


@pytest.mark.parametrize("target", ["email", "employee_number", "first_name"])
def test_two_values_are_not_guessed_between(target: str) -> None:
    name = PRESET[target][0]
    error = refused(assertion(**{name: ("a@example.fr", "b@example.fr")}))

    assert (error.code, error.details["received"]) == ("attribute_ambiguous", name)


def test_the_first_candidate_with_a_value_wins() -> None:
    said = assertion(**{f"{CLAIMS}emailaddress": ("  ",), "mail": ("a@example.fr",), "email": ("b@example.fr",)})

    assert mapped(said, {}).email == "a@example.fr"
    assert mapped(said, {"email": ("email",)}).email == "b@example.fr"


def test_a_name_id_that_is_an_address_is_the_last_candidate_for_the_address() -> None:
    said = assertion("Claire@Example.fr", EMAIL, **{OBJECT_ID: ("0b1c",)})

    assert mapped(said, {}).email == "claire@example.fr"


@pytest.mark.parametrize(
    "text",
    [
        "claire",
        "a@b@example.fr",
        "@example.fr",
        "a@localhost",
        "a b@example.fr",
        "a\x00@example.fr",
        "a@exаmple.fr",
        # They become a plain "k" and "s" when they are normalised or folded.
        "patric\u212a@example.fr",
        "\u017faint@example.fr",
        "a@example.fr\u200b",
        "a@éxample.fr",
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert mapped(assertion(mail=(text,)), {}).email == ""


@pytest.mark.parametrize("asserted", ["claire@example.fr", "Claire@Example.FR"])
def test_an_address_identifies_nobody_whatever_its_format_says(asserted: str) -> None:
    assert refused(assertion(asserted, kit.PERSISTENT, mail=("claire@example.fr",))).code == "nameid_email"
    assert refused(assertion("n-1", badge=(asserted,), mail=(asserted,)), subject=("badge",)).code == "nameid_email"
