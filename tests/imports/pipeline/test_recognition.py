"""Recognition: misspelt headers, columns known by their cells, titles over headers, and what must not come in."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.mapping import draft_mapping, suggest_mapping
from imports.pipeline.minimisation import MASK, looks_like_addresses, looks_like_birth, masked
from imports.pipeline.reading import open_workbook
from tests.imports.pipeline.files import HEADER, PEOPLE, delimited, xlsx

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imports.pipeline.mapping import Mapping

TODAY = dt.date(2026, 11, 1)


def suggest(*rows: Sequence[str]) -> Mapping:
    with open_workbook(delimited(rows)) as workbook:
        return suggest_mapping(workbook, ROSTER_FIELDS)


def with_column(header: str, *values: str) -> Mapping:
    """A roster whose last column has these values."""
    return suggest((*HEADER, header), *((str(rank), "Martin", "Zoé", "", value) for rank, value in enumerate(values)))


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Departemant", "department"),
        ("Etablisement", "site"),
        ("Dates d'entrée", "hired_on"),
        ("Cohorte :", "cohort"),
        ("Emails du manager", "manager_email"),
    ],
)
def test_a_misspelt_header_is_suggested_with_its_reason(header: str, field: str) -> None:
    mapping = with_column(header)
    assert mapping.columns[field] == 4
    assert mapping.reasons[field] in {"similar", "synonym"}


@pytest.mark.parametrize("header", ["Note", "Site 2", "Nom du manager", "Sexe", "Nombre", "Date de retour", "Grade"])
def test_what_is_not_similar_enough_feeds_nothing(header: str) -> None:
    assert 4 not in with_column(header).columns.values()


def test_a_similar_header_never_takes_the_place_of_a_known_one() -> None:
    mapping = suggest(("Matricule", "Nom", "Prénom", "Prenon", "Site", "Sites"))
    assert (mapping.columns["first_name"], mapping.columns["site"]) == (2, 4)
    assert set(mapping.reasons.values()) == {"synonym"}


def test_a_header_row_in_which_everything_is_misspelt_is_found() -> None:
    mapping = suggest(("Export", "de la paie"), ("Matriculle", "Noms d'usage", "Prenon"), ("1", "Martin", "Zoé"))
    assert mapping.header_row == 2
    assert mapping.reasons == {"employee_number": "similar", "first_name": "similar", "last_name": "similar"}


def test_forbidden_columns_are_never_similar_to_anything() -> None:
    mapping = suggest((*HEADER[:3], "Date de naissance"), ("1", "Martin", "Zoé", "01/01/1980"))
    assert (mapping.dropped, mapping.dropped_kinds) == ((3,), ("birth",))


def test_a_column_of_addresses_feeds_the_email() -> None:
    mapping = suggest(("Matricule", "Nom", "Prénom", "Contact"), ("1", "Martin", "Zoé", "zoe@laposte.example"))
    assert (mapping.columns["email"], mapping.reasons["email"]) == (3, "content")


def test_the_addresses_of_managers_do_not() -> None:
    mapping = suggest(("Matricule", "Nom", "Prénom", "Responsable"), ("1", "Martin", "Zoé", "chef@laposte.example"))
    assert "email" not in mapping.columns
    assert (mapping.columns["manager_email"], mapping.reasons["manager_email"]) == (3, "content")


def test_a_title_over_headers_gives_them_to_the_manager() -> None:
    mapping = suggest(
        ("Salarié", "", "", "", "Manager", "", "", ""),
        ("Matricule", "Nom", "Prénom", "Courriel", "Matricule", "Nom", "Courriel", "Site"),
        ("1", "Martin", "Zoé", "z@laposte.example", "9", "Petit", "p@laposte.example", "Lyon"),
    )
    assert mapping.columns == {
        "employee_number": 0, "email": 3, "first_name": 2, "last_name": 1, "site": 7, "manager_email": 6,
    }  # fmt: skip
    assert ("two_line_header", {"row": "1"}) in mapping.notes


def test_a_title_over_headers_makes_an_address_private() -> None:
    mapping = suggest(
        ("Identité", "", "", "Coordonnées personnelles", ""),
        ("Matricule", "Nom", "Prénom", "Mail", "Téléphone"),
        ("1", "Martin", "Zoé", "zoe@perso.example", "06"),
    )
    assert mapping.dropped_kinds == ("address", "phone")


def test_a_banner_over_the_headers_is_no_title() -> None:
    mapping = suggest(("Liste des managers",), HEADER, *PEOPLE)
    assert mapping.columns["last_name"] == 1
    assert mapping.notes == ()


BORN = ("02/03/1990", "14/07/1985", "31/01/1971", "01/12/1966", "")


def test_birth_dates_under_a_neutral_header_are_dropped() -> None:
    assert with_column("Date 1", *BORN).dropped_kinds == ("birth",)


def test_birth_dates_of_a_workbook_are_dropped() -> None:
    rows = [(*HEADER, "Info"), *((str(n), "M", "Z", "", dt.date(1980, 1, n)) for n in range(1, 6))]
    with open_workbook(xlsx({"Effectif": rows})) as workbook:
        assert suggest_mapping(workbook, ROSTER_FIELDS).dropped_kinds == ("birth",)


@pytest.mark.parametrize(
    "values",
    [
        ("02/03/2020", "14/07/2019", "31/01/1999", "01/12/2024"),
        ("1990", "1985", "1971"),
        ("02/03/1990", "14/07/1985"),
        ("02/03/1890", "14/07/1885", "31/01/1871"),
    ],
)
def test_other_columns_are_not_birth_dates(values: tuple[str, ...]) -> None:
    assert with_column("Date 1", *values).dropped == ()


def test_hiring_dates_long_ago_are_hiring_dates() -> None:
    mapping = with_column("Date d'entrée", *BORN)
    assert (mapping.columns["hired_on"], mapping.dropped) == (4, ())


def test_birth_dates_beside_hiring_dates_are_dropped_whatever_they_are_called() -> None:
    rows = [(str(rank), "Martin", "Zoé", born, "01/09/2020") for rank, born in enumerate(BORN)]
    mapping = suggest(("Matricule", "Nom", "Prénom", "Date début", "Date d'entrée"), *rows)
    assert (mapping.columns["hired_on"], mapping.dropped_kinds) == (4, ("birth",))


ADDRESSES = ("12 rue des Lilas 75011 Paris", "3 bis, avenue Foch - 69006 LYON", "7 Chemin du Lac\n74000 Annecy")


def test_private_addresses_under_a_neutral_header_are_dropped() -> None:
    assert with_column("Coordonnées", *ADDRESSES).dropped_kinds == ("address",)


@pytest.mark.parametrize("header", ["Site", "Adresse du site", "Lieu de travail", "Adresse établissement"])
def test_addresses_of_workplaces_stay(header: str) -> None:
    assert with_column(header, *ADDRESSES).dropped == ()


def test_other_texts_are_no_addresses() -> None:
    assert not looks_like_addresses("Note", ["12 rue des Lilas", "75011 Paris", "Rue 12345"])
    assert not looks_like_birth(["a", "b", "c"], TODAY)


def test_numbers_that_are_never_shown_are_masked_wherever_they_stand() -> None:
    assert masked("2 69 05 49 588 157 80") == MASK
    assert masked("FR76 3000 6000 0112 3456 7890 189") == MASK
    assert masked("269054958815781") == "269054958815781"


def test_a_wide_row_of_unknown_headers_is_compared_in_little_time() -> None:
    wide = tuple(f"Attribut numéro {chr(97 + rank % 26)}{rank}" for rank in range(3000))
    with open_workbook(delimited([wide] * 40)) as workbook:
        assert draft_mapping(workbook, ROSTER_FIELDS).mapping is None
