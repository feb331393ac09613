"""The fields of a roster, the headers that name them, and the headers that must never come in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FieldKind(StrEnum):
    """How the cells of a field are cleaned and checked."""

    TEXT = "text"
    CODE = "code"
    NAME = "name"
    FULL_NAME = "full_name"
    EMAIL = "email"
    DATE = "date"
    LANGUAGE = "language"
    ROW_NUMBER = "row_number"


@dataclass(frozen=True)
class Field:
    """A field that a column can feed; synonyms are folded headers, the most telling first."""

    name: str
    kind: FieldKind
    max_length: int
    synonyms: tuple[str, ...]


def _numbered(*nouns: str) -> tuple[str, ...]:
    """Every way of writing "number of ...": N°, No, Num., Numéro."""
    return tuple(f"{prefix} {noun}" for noun in nouns for prefix in ("n", "no", "num", "numero", "numero de", "n de"))


ROSTER_FIELDS: Final[tuple[Field, ...]] = (
    Field(
        "employee_number",
        FieldKind.CODE,
        64,
        (
            "matricule", "matricule rh", "matricule salarie", "matricule agent", "matricule paie",
            "matricule interne",
            *_numbered("salarie", "matricule", "employe", "agent", "personnel", "collaborateur", "rh"),
            "identifiant rh", "identifiant salarie", "identifiant agent", "identifiant employe", "id rh",
            "id salarie", "id employe", "code salarie", "code agent", "nigend", "employee id",
            "employee number", "employee no", "employee code", "employee", "employeeid", "employeenumber",
            "personnel number", "personnel no", "personnel id", "staff id", "staff number", "staff no",
            "worker id", "payroll number", "payroll id", "hr id", "badge number", "identifiant",
        ),
    ),
    Field(
        "email",
        FieldKind.EMAIL,
        254,
        (
            "adresse electronique", "adresse electronique professionnelle", "courriel",
            "courriel professionnel", "adresse e mail", "adresse mail", "adresse email",
            "adresse e mail professionnelle", "adresse mail professionnelle",
            "adresse email professionnelle", "mail pro", "mail professionnel", "e mail pro",
            "e mail professionnel", "email pro", "email professionnel", "adresse mail pro",
            "adresse de courriel", "adresse de messagerie", "messagerie", "e mail", "email", "mail", "mel",
            "work email", "work e mail", "business email", "professional email", "company email",
            "email address", "e mail address", "mail address", "email work", "upn",
        ),
    ),
    Field(
        "first_name",
        FieldKind.NAME,
        150,
        (
            "prenom", "prenom usuel", "prenom d usage", "prenom usage", "prenoms", "prenom salarie",
            "prenom du salarie", "prenom agent", "prenom s", "premier prenom", "first name", "firstname",
            "given name", "givenname", "forename", "preferred name", "preferred first name",
        ),
    ),
    Field(
        "last_name",
        FieldKind.NAME,
        150,
        (
            "nom d usage", "nom usuel", "nom usage", "nom", "nom de famille", "nom marital", "nom salarie",
            "nom du salarie", "nom agent", "last name", "lastname", "surname", "family name", "familyname",
            "nom patronymique", "nom de naissance", "nom de jeune fille", "birth name",
        ),
    ),
    Field(
        "full_name",
        FieldKind.FULL_NAME,
        301,
        (
            "nom prenom", "nom et prenom", "nom prenoms", "nom et prenoms", "nom complet",
            "noms et prenoms", "nom prenom du salarie", "nom prenom salarie", "salarie", "collaborateur",
            "agent", "nom de l agent", "nom du collaborateur", "full name", "fullname", "employee name",
            "last name first name", "surname and first name", "name", "display name",
        ),
    ),
    Field(
        "site",
        FieldKind.TEXT,
        200,
        (
            "etablissement", "site", "hotel", "lieu de travail", "site de rattachement",
            "site d affectation", "etablissement d affectation", "lieu d affectation", "unite",
            "residence administrative", "agence", "implantation", "localisation", "nom du site",
            "nom de l etablissement", "workplace", "work location", "location", "office", "plant", "base",
            "work site", "worksite", "property",
        ),
    ),
    Field(
        "department",
        FieldKind.TEXT,
        200,
        (
            "direction", "departement", "service", "pole", "function", "fonction", "branche", "division",
            "direction metier", "entite", "equipe", "metier", "filiere", "department", "business unit",
            "organisational unit", "organizational unit", "organisation unit", "team", "bu",
        ),
    ),
    Field(
        "manager_email",
        FieldKind.EMAIL,
        254,
        (
            "e mail manager", "email manager", "mail manager", "e mail du manager", "email du manager",
            "mail du manager", "courriel du manager", "courriel manager", "adresse e mail du manager",
            "adresse mail du manager", "adresse electronique du manager",
            "adresse electronique du responsable", "manager s e mail", "mail responsable",
            "e mail responsable", "email responsable", "email du responsable", "mail du responsable",
            "e mail du responsable", "courriel du responsable", "mail n 1", "e mail n 1", "email n 1",
            "courriel n 1", "email superieur hierarchique", "mail superieur hierarchique", "manager email",
            "manager e mail", "manager s email", "manager mail", "line manager email", "supervisor email",
            "email of manager",
        ),
    ),
    Field(
        "hired_on",
        FieldKind.DATE,
        10,
        (
            "date d entree", "entree le", "date entree", "date d embauche", "date embauche", "embauche le",
            "date d arrivee", "arrivee le", "date debut contrat", "date de debut de contrat",
            "debut de contrat", "date d entree groupe", "date anciennete", "date d anciennete",
            "hire date", "date of hire", "hired on", "start date", "hiring date", "date hired",
            "joining date", "date of joining", "join date", "date debut",
        ),
    ),
    Field(
        "left_on",
        FieldKind.DATE,
        10,
        (
            "date de sortie", "sortie le", "date sortie", "date de depart", "date depart", "depart le",
            "fin de contrat", "date de fin de contrat", "date fin contrat", "date fin de contrat",
            "date de fin", "date fin", "leaving date", "termination date", "end date", "contract end",
            "contract end date", "left on", "exit date", "last day",
        ),
    ),
    Field(
        "cohort",
        FieldKind.TEXT,
        200,
        (
            "cohorte", "vague", "vague de formation", "session", "promotion", "groupe de formation",
            "vague objectif ia", "cohort", "wave", "training wave", "batch",
        ),
    ),
    Field(
        "language",
        FieldKind.LANGUAGE,
        5,
        (
            "langue", "langue de formation", "langue de communication", "langue preferee",
            "langue du salarie", "language", "preferred language", "communication language", "locale",
            "lang",
        ),
    ),
    # Written by us into the workbook of rows to correct, so that they find their place when they come back.
    Field("origin", FieldKind.ROW_NUMBER, 7, ("ligne du fichier d origine", "row of the original file")),
)  # fmt: skip

# A roster needs none of these: they are recognised by folded header and dropped before any row is stored.
FORBIDDEN_HEADERS: Final[dict[str, re.Pattern[str]]] = {
    "nir": re.compile(
        r"\b(nir|nss|niss|n? ?insee|securite sociale|secu|num(ero)? ss|n ss|social security|ssn"
        r"|national insurance)\b"
    ),
    "birth": re.compile(
        r"\b((?<!nom de )(?<!nom )naissance|nee? le|ne e le|date naiss|ddn|birth ?date|date of birth|dob"
        r"|birthday|birth ?place|place of birth)\b|^(age|birth)$"
    ),
    # Not "salaries" alone: without its accents, that is the French word for employees.
    "salary": re.compile(
        r"\b(salaires?|remunerations?|salary|(?:annual|monthly|base|gross|net) salaries|wages?|brut annuel"
        r"|brut mensuel|net mensuel|bonus"
        r"|compensation|taux horaire|net a payer|pay grade|base pay)\b"
    ),
    "address": re.compile(
        r"^adresse( \d| ligne.*)?$|\b(adresse (postale|perso|personnelle|privee|domicile|du domicile)"
        r"|domicile|rue|code postal|home address|private address|postal address|street|zip ?code|post ?code"
        r"|(e ?mail|mail|courriel|adresse electronique|adresse e ?mail) (perso|personnelle?|privee?)"
        r"|(personal|private|home) e ?mail)\b"
    ),
    "phone": re.compile(
        r"^(tel|telephone|portable|mobile|gsm|phone|tel portable|telephone portable|telephone mobile"
        r"|mobile phone|phone number)$"
        r"|\b(tel|telephone|portable|mobile|phone)( \w+)? (perso|personnel|prive|domicile)\b"
        r"|\b(personal|private|home) (phone|mobile|cell)\b"
    ),
    "bank": re.compile(r"\b(iban|rib|bic|bban|swift|compte bancaire|bank account|account number)\b"),
}
