"""Invented people for the demo: the same ones every time, so that a screenshot and a story can be told again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.styles import Font

from portal.core.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FIRST = (  # noqa: SIM905  As a list it would be four pages.
    "Adèle Agathe Aïcha Alain Amina Anaïs André Antoine Arthur Aurélie Baptiste Béatrice Benoît Bruno Camille Capucine"
    " Cécile Célia Charlotte Chloé Claire Clément Daniel David Denis Édith Élodie Émile Emma Éric Étienne Fanny Farid"
    " Félix Florence François Gabriel Gaël Gilles Hugo Inès Isabelle Jacques Jeanne Jérôme Julie Karim Laure Léa"
    " Louis Lucie Malik Manon Marcel Margaux Marie Mathilde Nadia Nathalie Nicolas Noémie Océane Olivier Patrick Paul"
    " Pauline Pierre Quentin Raphaël René Roland Romain Sabrina Samuel Sarah Simon Sophie Sylvie Théo Thomas Valérie"
    " Victor Vincent Yasmine Yves Zoé"
).split()
_LAST = (  # noqa: SIM905  See above.
    "Adam Aubert Bailly Barbier Baron Benali Benoit Berger Blanchard Bonnet Boucher Bouvier Brun Carpentier Charles"
    " Chevalier Clément Colin Da-Silva Diallo Dubois Dumont Dupuis Durand Fabre Faure Fontaine Fournier Gaillard"
    " Garnier Gauthier Girard Guérin Haddad Henry Hubert Jacquet Joly Lacroix Lambert Leclerc Lefebvre Lemaire Leroy"
    " Marchal Martinez Mercier Meunier Meyer Michel Moreau Moulin Nguyen N’Diaye Noël Olivier Pelletier Perrin Picard"
    " Poirier Renard Renaud Rivière Robert Rolland Roussel Roy Schmitt Simon Tessier Thomas Traoré Vasseur Vidal"
).split()


@dataclass(frozen=True, slots=True)
class Person:
    number: str
    email: str
    first_name: str
    last_name: str
    site: str
    department: str
    hired_on: date
    cohort: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where people are invented for: the habits of one organisation's HR system."""

    domain: str
    first_number: int
    number_width: int
    sites: Sequence[str]
    departments: Sequence[str]
    cohorts: Sequence[str]
    without_email: float
    seed: int


LAPOSTE = Place(
    domain="laposte.example",
    first_number=100_008,
    number_width=8,
    sites=(
        "PIC Nantes", "PIC Lille-Lesquin", "PDC Lyon Est", "PDC Rennes Sud", "Plateforme Colis Moissy",
        "Bureau Paris Louvre", "Centre financier Toulouse", "Siège Issy", "PDC Aurillac",
    ),
    departments=("Courrier", "Colis", "Banque Postale", "Réseau", "Numérique"),
    cohorts=("Vague 1", "Vague 2", "Vague 3"),
    without_email=0.18,
    seed=1849,
)  # fmt: skip
AIRBUS = Place(
    domain="airbus.example",
    first_number=700_100,
    number_width=6,
    sites=("Toulouse", "Marignane", "Nantes", "Saint-Nazaire", "Élancourt"),
    departments=("Engineering", "Manufacturing", "Support", "Finance"),
    cohorts=("Autumn 2026",),
    without_email=0.0,
    seed=1970,
)


def invent_people(place: Place, count: int) -> list[Person]:
    """Return `count` people of a place; the first are the same whatever the count."""
    dice = random.Random(place.seed)  # noqa: S311  Invention, not secrecy.
    weights = [1 / (rank + 1) for rank in range(len(place.sites))]
    people = []
    for index in range(count):
        first, last = dice.choice(_FIRST), dice.choice(_LAST)
        number = str(place.first_number + 7 * index).zfill(place.number_width)
        address = f"{fold(first)}.{fold(last)}{index}".replace(" ", "-")
        people.append(
            Person(
                number=number,
                email="" if dice.random() < place.without_email else f"{address}@{place.domain}",
                first_name=first,
                last_name=last,
                site=dice.choices(place.sites, weights)[0],
                department=dice.choice(place.departments),
                hired_on=date(1988, 1, 4) + timedelta(days=dice.randrange(13_800)),
                cohort=place.cohorts[index * len(place.cohorts) // count],
            )
        )
    return people


def workbook_of(people: Sequence[Person]) -> bytes:
    """Return a roster as a French HR department sends it: a cover sheet, a banner, and a column too many."""
    book = Workbook()
    cover = book.active
    assert cover is not None
    cover.title = "Lisez-moi"
    cover.append(["Extraction SIRH : effectif", ""])
    sheet = book.create_sheet("Effectif")
    sheet.append(["Effectif Objectif IA"])
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.append([])
    headers = ("Matricule", "Nom d’usage", "Prénom", "Adresse électronique", "Établissement", "Direction")
    sheet.append([*headers, "Date d’entrée", "Date de naissance", "Cohorte"])
    for person in people:
        born = person.hired_on - timedelta(days=9_200)
        sheet.append(
            [
                person.number,
                person.last_name,
                person.first_name,
                person.email,
                person.site,
                person.department,
                person.hired_on,
                born,
                person.cohort,
            ]
        )
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def csv_of(people: Sequence[Person]) -> bytes:
    """Return a roster as an English-speaking HR system exports it: semicolons and Windows-1252."""
    lines = ["Employee ID;Last name;First name;E-mail;Site;Function;Hire date;Cohort"]
    lines += [
        f"{person.number};{person.last_name};{person.first_name};{person.email};{person.site};{person.department};"
        f"{person.hired_on:%d/%m/%Y};{person.cohort}"
        for person in people
    ]
    return "\r\n".join(lines).encode("cp1252")


def invent_facts(
    slug: str, people: Sequence[Person], *, pace: dict[str, float], until: datetime, seed: int
) -> Iterator[dict[str, object]]:
    """Yield what the learning platform reports: of each cohort, `pace` is the share that has begun."""
    dice = random.Random(seed)  # noqa: S311  Invention, not secrecy.
    until = until.astimezone(UTC)
    for person in people:
        if dice.random() > pace.get(person.cohort, 0):
            continue
        moment = until - timedelta(days=42 * dice.random() ** 0.7, minutes=dice.randrange(600))
        for event, share in (("started", 1.0), ("completed", 0.74), ("certified", 0.88)):
            if dice.random() > share or moment > until:
                break
            yield {
                "event_id": f"{slug}-{person.number}-{event}",
                "organisation": slug,
                "employee_number": person.number,
                "programme": "objectif-ia",
                "event": event,
                "occurred_at": moment.isoformat(timespec="seconds"),
                "progress": 30 if event == "started" else 100,
                "certificate_url": f"https://learning.example/certificates/{person.number}"
                if event == "certified"
                else "",
            }
            moment += timedelta(days=1 + 6 * dice.random(), hours=dice.randrange(8))
