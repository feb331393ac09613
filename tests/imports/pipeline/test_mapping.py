"""Mapping: the right sheet, the right header row, the right columns, and none that must not come in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.issues import UnreadableFile
from imports.pipeline.mapping import (
    Mapping,
    apply_choice,
    column_letters,
    draft_mapping,
    header_signature,
    suggest_mapping,
)
from imports.pipeline.reading import open_workbook
from portal.core.text import fold
from tests.imports.pipeline.files import HEADER, PEOPLE, delimited, xlsx

if TYPE_CHECKING:
    import io


def suggest(stream: io.BytesIO, **options: Any) -> Mapping:
    with open_workbook(stream) as workbook:
        return suggest_mapping(workbook, ROSTER_FIELDS, **options)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Matricule", "employee_number"),
        ("N° salarié", "employee_number"),
        ("Identifiant RH", "employee_number"),
        ("PERSONNEL NUMBER", "employee_number"),
        ("Matricule (8 chiffres)", "employee_number"),
        ("Adresse électronique", "email"),
        ("Mail pro", "email"),
        ("E-mail", "email"),
        ("Site / établissement", None),
        ("Lieu de travail", "site"),
        ("Hôtel", "site"),
        ("Pôle", "department"),
        ("Date d’entrée (JJ/MM/AAAA)", "hired_on"),
        ("Entrée le", "hired_on"),
        ("Fin de contrat", "left_on"),
        ("E-mail du manager", "manager_email"),
        ("Vague", "cohort"),
        ("Langue", "language"),
    ],
)
def test_headers_are_recognised(header: str, field: str | None) -> None:
    mapping = suggest(
        delimited([("Code agent" if field != "employee_number" else "Courriel", "Nom", "Prénom", header)])
    )
    assert {name for name, index in mapping.columns.items() if index == 3} == ({field} if field else set())


def test_synonyms_are_folded_and_mean_one_field() -> None:
    synonyms = [synonym for field in ROSTER_FIELDS for synonym in field.synonyms]
    assert [synonym for synonym in synonyms if fold(synonym) != synonym] == []
    by_field = {(synonym, field.name) for field in ROSTER_FIELDS for synonym in field.synonyms}
    assert len(by_field) == len(set(synonyms))


def test_the_roster_is_found_behind_a_cover_sheet_and_under_a_banner() -> None:
    cover = [("Extraction SIRH",), ("Contact", "Nom", "rh@laposte.example")]
    sheet = [("La Poste — Effectif",), (), (None, *HEADER), *((None, *person) for person in PEOPLE)]
    mapping = suggest(xlsx({"Lisez-moi": cover, "Effectif": sheet}))
    assert (mapping.sheet, mapping.header_row) == ("Effectif", 3)
    assert mapping.columns == {"employee_number": 1, "last_name": 2, "first_name": 3, "email": 4}
    assert mapping.field_headers["email"] == "Courriel"


def test_the_most_telling_of_two_headers_wins() -> None:
    headers = ("Matricule", "Nom de naissance", "Nom", "Nom d’usage", "Prénom", "NOM Prénom")
    assert suggest(delimited([headers])).field_headers == {
        "employee_number": "Matricule",
        "first_name": "Prénom",
        "last_name": "Nom d’usage",
    }


@pytest.mark.parametrize(
    "header",
    [
        "NIR",
        "N° de sécurité sociale",
        "Date de naissance",
        "Né(e) le",
        "Birth date",
        "Salaire brut",
        "Rémunération",
        "Annual salary",
        "Adresse",
        "Adresse personnelle",
        "Mail perso",
        "Téléphone portable",
        "Home phone",
        "IBAN",
        "RIB",
    ],
)
def test_forbidden_headers_are_dropped(header: str) -> None:
    mapping = suggest(delimited([(*HEADER, header)]))
    assert mapping.dropped_headers == (header,)


@pytest.mark.parametrize(
    "header",
    ["Nom de naissance", "Adresse électronique", "Adresse mail", "Matricule paie", "Nombre de salariés", "SALARIES"],
)
def test_what_only_resembles_them_is_not(header: str) -> None:
    assert suggest(delimited([(*HEADER, header)])).dropped == ()


def test_a_title_about_employees_is_not_one_about_their_pay() -> None:
    workbook = delimited(
        [("Liste des salariés – novembre",), ("Mat.", *HEADER[1:]), ("00990001", *["x"] * len(HEADER[1:]))]
    )
    assert suggest(workbook).dropped == ()


@pytest.mark.parametrize(
    "values",
    [
        ("1 84 12 76 451 089 46", "269054958815780"),
        ("2 55 08 2A 004 008 87", ""),
        ("FR76 3000 6000 0112 3456 7890 189", "FR1420041010050500013M02606"),
    ],
)
def test_forbidden_content_is_dropped_under_any_header(values: tuple[str, str]) -> None:
    rows = [
        (*HEADER, "Code interne"),
        *((*person, value) for person, value in zip(PEOPLE, values, strict=True)),
    ]
    assert suggest(delimited(rows)).dropped_headers == ("Code interne",)


def test_numbers_of_fifteen_digits_without_check_digits_stay() -> None:
    rows = [HEADER, ("184127645108900", *PEOPLE[0][1:]), ("184127645108901", *PEOPLE[1][1:])]
    assert suggest(delimited(rows)).dropped == ()


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ([("a", "b"), ("c", "d")], "employee_number, last_name"),
        ([("Matricule", "Site"), ("1", "Lyon")], "last_name, first_name"),
        ([("Nom", "Prénom"), ("Martin", "Zoé")], "employee_number"),
    ],
)
def test_no_header_says_what_is_missing(rows: list[tuple[str, str]], missing: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        suggest(delimited(rows))
    assert (caught.value.code, caught.value.params) == ("no_header", {"missing": missing})


def test_an_organisation_that_sends_no_names_needs_the_number_alone() -> None:
    assert suggest(delimited([("NIGEND",), ("123",)]), names_required=False).columns == {"employee_number": 0}


def test_a_chosen_sheet_is_the_only_one_looked_at() -> None:
    stream = xlsx({"2025": [HEADER, *PEOPLE], "2026": [HEADER, *PEOPLE]})
    assert suggest(stream, sheet="2026").sheet == "2026"
    with pytest.raises(UnreadableFile):
        suggest(stream, sheet="2027")


def test_a_confirmed_mapping_is_remembered() -> None:
    rows = [("Matricule", "Nom", "Prénom", "Zone"), ("1", "Martin", "Zoé", "Lyon")]
    suggested = suggest(delimited(rows))
    assert "site" not in suggested.columns
    chosen = apply_choice(suggested, suggested.columns | {"site": 3}, ROSTER_FIELDS)
    assert suggest(delimited(rows), remembered=[chosen]).columns == chosen.columns
    moved = suggest(delimited([row[::-1] for row in rows]), remembered=[chosen])
    assert moved.field_headers == chosen.field_headers


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        ({"employee_number": 0, "last_name": 1, "first_name": 99}, "unknown_header"),
        ({"employee_number": 0, "last_name": 1, "first_name": -1}, "unknown_header"),
        ({"employee_number": 0, "last_name": 1, "first_name": True}, "unknown_header"),
        ({"employee_number": 0, "last_name": 1, "first_name": "2"}, "unknown_header"),
        ({"salary": 0}, "unknown_field"),
        ({"employee_number": 0, "last_name": 1, "first_name": 4}, "forbidden_column"),
        ({"employee_number": 0, "last_name": 1, "first_name": 1}, "same_column_twice"),
        ({"employee_number": 0, "last_name": 1}, "missing_fields"),
    ],
)
def test_a_corrected_mapping_is_not_believed(choice: dict[str, Any], code: str) -> None:
    suggested = suggest(delimited([(*HEADER, "IBAN")]))
    with pytest.raises(UnreadableFile) as caught:
        apply_choice(suggested, choice, ROSTER_FIELDS)
    assert caught.value.code == code


CHOICE = {"employee_number": 0, "last_name": 1, "first_name": 2}


@pytest.mark.parametrize(
    ("extras", "code"),
    [((9,), "unknown_header"), ((4,), "forbidden_column"), ((1,), "same_column_twice")],
)
def test_columns_to_keep_are_not_believed_either(extras: tuple[int, ...], code: str) -> None:
    suggested = suggest(delimited([(*HEADER, "IBAN")]))
    with pytest.raises(UnreadableFile) as caught:
        apply_choice(suggested, CHOICE, ROSTER_FIELDS, extras=extras)
    assert caught.value.code == code


def test_a_choice_says_that_it_was_chosen_and_what_is_kept() -> None:
    suggested = suggest(delimited([(*HEADER, "Badge", "Étage")]))
    chosen = apply_choice(suggested, CHOICE, ROSTER_FIELDS, extras=(5, 4, 5))
    assert set(chosen.reasons.values()) == {"chosen"}
    assert (chosen.columns, chosen.extras, chosen.ignored_headers) == (CHOICE, (4, 5), ("Courriel",))


def test_two_columns_of_one_header_are_told_apart() -> None:
    suggested = suggest(delimited([("Matricule", "Nom", "Prénom", "Note", "Note")]))
    chosen = apply_choice(suggested, CHOICE | {"site": 4}, ROSTER_FIELDS)
    assert chosen.columns["site"] == 4
    assert suggested.notes == (("duplicate_header", {"header": "Note"}),)


def test_columns_to_keep_are_remembered_with_the_choice() -> None:
    rows = [(*HEADER, "Badge")]
    chosen = apply_choice(suggest(delimited(rows)), CHOICE, ROSTER_FIELDS, extras=(4,))
    again = suggest(delimited(rows), remembered=[chosen])
    assert (again.columns, again.extras, set(again.reasons.values())) == (CHOICE, (4,), {"remembered"})


def test_a_header_that_named_two_columns_teaches_nothing() -> None:
    suggested = suggest(delimited([("Matricule", "Nom", "Prénom", "Zone", "Zone")]))
    chosen = apply_choice(suggested, CHOICE | {"site": 4}, ROSTER_FIELDS)
    assert "site" not in suggest(delimited([("Zone", "Matricule", "Nom", "Prénom")]), remembered=[chosen]).columns


def test_a_row_that_hr_chose_is_the_header() -> None:
    rows = [HEADER, *PEOPLE, ("Nom", "Matricule", "Prénom"), ("Petit", "00125", "Ana")]
    chosen = suggest(delimited(rows), header_row=4)
    assert (chosen.header_row, chosen.columns) == (4, {"employee_number": 1, "first_name": 2, "last_name": 0})


@pytest.mark.parametrize(("row", "code"), [(2, "missing_fields"), (9, "no_header"), (0, "no_header")])
def test_a_chosen_row_that_is_no_header_is_refused(row: int, code: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        suggest(delimited([HEADER, *PEOPLE]), header_row=row)
    assert caught.value.code == code


def test_what_hr_can_complete_is_drafted() -> None:
    with open_workbook(delimited([("Personalnummer", "Nachname", "Vorname"), ("1", "Kohl", "Uwe")])) as workbook:
        draft = draft_mapping(workbook, ROSTER_FIELDS, header_row=1)
    assert draft.mapping is not None
    assert draft.missing
    assert apply_choice(draft.mapping, CHOICE, ROSTER_FIELDS).columns == CHOICE


def test_the_longer_of_two_equal_sheets_is_read_and_the_other_named() -> None:
    stream = xlsx({"Modèle": [HEADER, PEOPLE[0]], "Effectif": [HEADER, *PEOPLE]})
    mapping = suggest(stream)
    assert (mapping.sheet, mapping.notes) == ("Effectif", (("other_sheets", {"names": "Modèle"}),))


def test_a_mapping_survives_json() -> None:
    mapping = suggest(delimited([(*HEADER, "IBAN", "Note", "Note"), *((*person, "x") for person in PEOPLE)]))
    assert mapping.notes
    assert Mapping.from_json(json.loads(json.dumps(mapping.as_json()))) == mapping


def test_a_mapping_stored_before_a_key_existed_is_read() -> None:
    document = suggest(delimited([HEADER])).as_json()
    for key in ("reasons", "extras", "dropped_kinds", "notes"):
        del document[key]
    assert Mapping.from_json(document).reasons == {}


def test_a_signature_ignores_how_headers_are_written() -> None:
    assert header_signature(("N° salarié", "PRÉNOM")) == header_signature(("n salarie", "Prénom "))
    assert header_signature(("a", "b")) != header_signature(("b", "a"))


def test_columns_that_feed_nothing_are_named() -> None:
    mapping = Mapping(
        sheet="csv",
        header_row=1,
        headers=("Matricule", "Nom", "Responsable", "", "Date de naissance"),
        columns={"employee_number": 0, "last_name": 1},
        dropped=(4,),
    )
    assert mapping.ignored_headers == ("Responsable",)


def test_columns_are_lettered_as_spreadsheets_do() -> None:
    assert [column_letters(index) for index in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
